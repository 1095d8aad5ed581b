// What the page is looking at, and the fragment of the address that says so: #setting=learned&phi=0.9&...

export const SHARED = ["signal", "alpha", "ridge"];

// Own columns of each setting, in the order of `pstar predict`.
export const OWN = {
  independent: ["p", "phi", "psi"],
  linear: ["cos_generator", "cos_verifier", "cos_between"],
  learned: ["cos_generator", "phi", "psi"],
};

// Where a slider begins and ends, by equal steps or by equal factors; a number field takes all that theory takes.
export const SLIDERS = {
  p: { low: 0, high: 1, step: 0.005 },
  phi: { low: 0, high: 1, step: 0.005 },
  psi: { low: 0, high: 1, step: 0.005 },
  cos_generator: { low: -1, high: 1, step: 0.01 },
  cos_verifier: { low: -1, high: 1, step: 0.01 },
  cos_between: { low: -1, high: 1, step: 0.01 },
  signal: { low: 0.1, high: 5, step: 0.05 },
  alpha: { low: 0.1, high: 1000, log: true },
  ridge: { low: 1e-4, high: 1e4, log: true },
};

export const DEFAULT = {
  setting: "independent",
  p: 0.3,
  phi: 0.9,
  psi: 0.2,
  cos_generator: 0.4,
  cos_verifier: 0.6,
  cos_between: 0.2,
  signal: 2,
  alpha: 10,
  ridge: 0.1,
  best: false,
};

// Why a number is refused, or "" where it is in its column's range; words as those of theory/_check.py.
export function refusal(column, value) {
  const { name, low, high, open_low: open } = column;
  const finite = high === null ? value < Infinity : value <= high;
  if (Number.isFinite(value) && (open ? value > low : value >= low) && finite) return "";
  const given = Number.isNaN(value) ? `${name} is no number` : `${name} = ${value} is outside`;
  return Number.isNaN(value) ? given : `${given} ${open ? "(" : "["}${low}, ${high === null ? "inf)" : `${high}]`}`;
}

// What cos(g, v) may be beside the other two cosines: the three belong to unit vectors.
export function between(state) {
  const [g, v] = [state.cos_generator, state.cos_verifier];
  const spread = Math.sqrt(Math.max((1 - g * g) * (1 - v * v), 0));
  return [Math.max(g * v - spread, -1), Math.min(g * v + spread, 1)];
}

// The state with cos(g, v) moved into what the other cosines allow.
export function allowed(state) {
  if (state.setting !== "linear") return state;
  const [low, high] = between(state);
  return { ...state, cos_between: Math.min(Math.max(state.cos_between, low), high) };
}

// Why a state as a whole is refused, or "".
export function impossible(state) {
  if (state.setting !== "linear" && state.phi + state.psi === 0) {
    return "phi = psi = 0 keeps nothing; make at least one of them positive";
  }
  return "";
}

// The fragment of a state: what its setting has, and no more.
export function fragment(state) {
  const said = [["setting", state.setting]];
  for (const name of [...OWN[state.setting], ...SHARED]) {
    said.push([name, name === "ridge" && state.best ? "best" : String(state[name])]);
  }
  return said.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

// What a link's value says; "" where it is not encoded as one is.
function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return "";
  }
}

// The state of a fragment over `start`, and what of it was not understood.
export function parsed(words, start, columns) {
  const state = { ...start };
  const ignored = [];
  for (const part of words.replace(/^#/, "").split("&").filter(Boolean)) {
    const [name, said = ""] = part.split("=");
    const value = decoded(said);
    if (name === "setting" && Object.hasOwn(OWN, value)) state.setting = value;
    else if (name === "ridge" && value === "best") state.best = true;
    else if (Object.hasOwn(SLIDERS, name) && value.trim() && !refusal(columns[name], Number(value))) {
      state[name] = Number(value);
      if (name === "ridge") state.best = false;
    } else ignored.push(part);
  }
  return { state: allowed(state), ignored };
}
