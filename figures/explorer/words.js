// The words of `pstar predict`, letter by letter; tests compare them with theory/describe.py.
import { AVERAGING } from "./model.js";

const EXPLAINED = {
  "nothing kept": "nothing kept: the verifier drops all that this generator makes",
  "not unique": "not unique: at ridge = 0 no more kept samples than dimensions; give ridge > 0",
  "not converged": "not converged: the equations were not solved to the stated tolerance",
  "not finite": "not finite: a number is beyond float64; bring signal, ridge and n/d nearer to 1",
  "out of bounds": "out of bounds: rounding made a number impossible; bring signal, ridge and n/d nearer to 1",
};

// A number with so many places after the point, as Python rounds it: exactly, ties to the even digit.
export function fixed(x, places) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : `${x < 0 ? "-" : ""}inf`;
  if (Math.abs(x) >= 1e21) return BigInt(x).toString() + (places ? `.${"0".repeat(places)}` : "");
  const exact = Math.abs(x).toFixed(100);
  const cut = exact.indexOf(".") + 1 + places;
  const rest = exact.slice(cut);
  let digits = Math.abs(x).toFixed(places);
  if (/^50*$/.test(rest) && Number(exact[cut - 1] === "." ? exact[cut - 2] : exact[cut - 1]) % 2 === 0) {
    digits = exact.slice(0, places ? cut : cut - 1);
  }
  return x < 0 ? `-${digits}` : digits;
}

// A number with so many digits that count, as Python's format "g" writes it.
export function general(x, digits) {
  if (x === 0 || !Number.isFinite(x)) return Number.isFinite(x) ? "0" : fixed(x, 0);
  let exponent = Number(x.toExponential(20).split("e")[1]);
  const scaled = (places) => (places >= 0 && places < 90 ? fixed(x, places) : String(Number(x.toPrecision(digits))));
  let plain = scaled(digits - 1 - exponent);
  if (Math.abs(Number(plain)) >= 10 ** (exponent + 1)) plain = scaled(digits - 1 - ++exponent);
  if (exponent >= -4 && exponent < digits) return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
  const [mantissa] = Number(plain).toExponential(digits - 1).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return `${short}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

// A number with as many digits as show on which side of another one it is.
function beside(value, other) {
  for (let digits = 4; digits < 17; digits++) {
    const brief = general(value, digits);
    if (Number(brief) < other === value < other && Number(brief) > other === value > other) return brief;
  }
  return String(value);
}

// A penalty as it is read.
export function penalty(ridge) {
  return ridge === AVERAGING ? "∞" : general(ridge, 3);
}

// A number with so many places, or a dash for what is not known.
export function known(x, places, dash = "–") {
  return Number.isNaN(x) ? dash : fixed(x, places);
}

function share(x) {
  return x === 0 || x >= 1e-5 ? fixed(x, 6) : general(x, 3);
}

function places(crossed, none) {
  return crossed.map(({ p, then }) => `from p = ${fixed(p, 6)} ${then}`).join(", ") || none;
}

// The two sentences of the verdict; one where there is no trained classifier.
export function verdict(found) {
  const good = found.below_threshold;
  const comparison = `p = ${beside(found.p, found.p_star)} ${good ? "<" : ">="} p* = ${beside(found.p_star, found.p)}`;
  const limit = `the verifier is ${good ? "good enough" : "not good enough"} in the limit of infinite data;`;
  const kept = `of what is kept, ${good ? "more than half" : "half or less"} is correct;`;
  const first = `${comparison}: ${found.setting === "learned" ? kept : limit}`;
  if (!found.converged) return [`accuracy none: ${EXPLAINED[found.status]}`];
  const better = found.beats_generator ? "beats" : "does not beat";
  const both = Math.max(found.accuracy, found.generator_accuracy) < 0.5;
  const one = found.accuracy < 0.5 ? ", and is worse than chance" : "";
  const chance = both ? ", and both are worse than chance" : one;
  return [first, `at this sample size the trained classifier ${better} its generator${chance}`];
}

// For which p training beats the generator, the page's own words; of what is not solved nothing is claimed.
export function whereItPays(found) {
  const { solved } = found;
  if (!solved.length) return "Whether training pays is not known: the curve over p is unsolved.";
  const ranges = solved.flatMap((part) => paying(part, found.p_gain));
  if (isWhole(found)) {
    if (!ranges.length) return "Training pays at no p.";
    return ranges.some(({ from, to }) => !from && !to) ? "Training pays at every p." : `Training pays for p ${ranges.map(range).join(", and ")}.`;
  }
  const where = solved.map(extent).join(", and ");
  const all = ranges.length === solved.length && ranges.every(({ from, to }) => !from && !to);
  const said = ranges.length ? `there training pays${all ? "" : ` for p ${ranges.map(bounded).join(", and ")}`}` : "there training does not pay";
  return `Solved only for p ${where}: ${said}.`;
}

// Whether all that can be seen of the curve, with three decimals, is solved, and the state is.
function isWhole({ converged, solved: [part, ...others], curve }) {
  const same = (one, other) => fixed(one, 3) === fixed(other, 3);
  return converged && !others.length && same(part.low, curve[0].p) && same(part.high, curve[curve.length - 1].p);
}

// Where training pays in a solved part, as {low, high}; `from` and `to` are the crossings, null at an end of the part.
function paying({ low, high, beats }, gains) {
  const within = gains.filter(({ p }) => p >= low && p <= high);
  if (!within.length) return beats ? [{ low, high, from: null, to: null }] : [];
  const ranges = within[0].then === "loss" ? [{ low, high, from: null, to: null }] : [];
  for (const crossed of within) {
    if (crossed.then === "gain") ranges.push({ low, high, from: crossed, to: null });
    else ranges[ranges.length - 1].to = crossed;
  }
  return ranges;
}

function range({ from, to }) {
  if (!from) return `up to ${fixed(to.p, 3)}`;
  return to ? `from ${fixed(from.p, 3)} to ${fixed(to.p, 3)}` : `from ${fixed(from.p, 3)} on`;
}

function bounded({ low, high, from, to }) {
  return `from ${fixed(from?.p ?? low, 3)} to ${fixed(to?.p ?? high, 3)}`;
}

function extent({ low, high, first, last }) {
  if (first) return `below ${fixed(high, 3)}`;
  return last ? `above ${fixed(low, 3)}` : `between ${fixed(low, 3)} and ${fixed(high, 3)}`;
}

// All lines that `pstar predict` prints of what `crossings.describe` found.
export function text(found) {
  const rule =
    found.setting === "learned"
      ? "of what is generated, more than half of the kept labels are correct while p < p*"
      : "training succeeds, with infinite data, while p < p*";
  const lines = [`p_star              ${known(found.p_star, 6, "-")}   ${rule}`];
  if (found.setting !== "independent") {
    const source = found.setting === "learned" ? "p from the cosine" : "from the cosines";
    lines.push(`p, phi, psi         ${[found.p, found.phi, found.psi].map(share).join(", ")}   ${source}`);
  }
  lines.push(
    `purity              ${known(found.purity, 6, "-")}   share of the kept labels that is correct`,
    `kept_rate           ${share(found.kept_rate)}   share of the samples that is kept`,
    `generator_accuracy  ${fixed(found.generator_accuracy, 6)}   1 - p`,
  );
  if (!found.converged) return [...lines, `accuracy            none: ${EXPLAINED[found.status]}`].join("\n");
  const nowhere = (word) => `none: ${word} at every p`;
  const trained = `${fixed(found.accuracy, 6)}   of the trained classifier, exact as d -> infinity`;
  const half = places(found.p_half, nowhere(found.accuracy > 0.5 ? "above 1/2" : "below 1/2"));
  const gain = places(found.p_gain, nowhere(found.beats_generator ? "gain" : "loss"));
  lines.push(`accuracy            ${trained}`, `p_half              ${half}`, `p_gain              ${gain}`);
  if (found.setting !== "independent") lines.push("                    as cos_generator falls, and all else stays");
  else lines.push(`  with infinite data ${places(found.p_gain_infinite_data, "none")}`);
  if (found.curve_solved < 0.98) {
    const percent = fixed(100 * found.curve_solved, 0);
    lines.push(`                    (only ${percent}% of the curve over p has a solution)`);
  }
  const [first, second] = verdict(found);
  lines.push(`verdict             ${first}`, `                    ${second}`);
  return lines.join("\n");
}

// A number as both a shell and Python read it back to the last digit.
function typed(x) {
  return x >= 1e6 ? x.toExponential().replace("+", "") : String(x);
}

// What `pstar predict` is asked for this state: own names of the setting, then what all have.
function given(state, own) {
  return [...own, "signal", "alpha", "ridge"].map((name) => [name, typed(state[name])]);
}

export function command(state, own) {
  const setting = state.setting === "independent" ? "" : ` --setting ${state.setting}`;
  const option = ([name, value]) => ` --${name.replaceAll("_", "-")} ${value}`;
  return `pstar predict${setting}${given(state, own).map(option).join("")}`;
}

const OBJECTS = { independent: "Rates", linear: "Cosines", learned: "Learned" };

export function python(state, own) {
  const curation = own.map((name) => `${name}=${typed(state[name])}`).join(", ");
  return [
    "import pstar as ps",
    "",
    `problem = ps.Problem(signal=${typed(state.signal)}, curation=ps.${OBJECTS[state.setting]}(${curation}), ridge=${typed(state.ridge)})`,
    `print(ps.predict(problem, alpha=${typed(state.alpha)}))`,
  ].join("\n");
}
