// Sliders and number fields, one pair for each number of the setting.
import { between, OWN, refusal, SHARED, SLIDERS } from "./state.js";

const WORDS = {
  p: ["p", "how often the generator is wrong"],
  phi: ["φ", "correct labels that are kept"],
  psi: ["ψ", "wrong labels that are kept"],
  cos_generator: ["cos(g,μ)", "generator and truth"],
  cos_verifier: ["cos(v,μ)", "verifier and truth"],
  cos_between: ["cos(g,v)", "generator and verifier"],
  signal: ["r", "signal: distance of the classes’ means from 0"],
  alpha: ["n/d", "generated samples per dimension"],
  ridge: ["λ", "penalty"],
};

export const SETTINGS = {
  independent: "Errors and verdicts fall by chance, whatever the input: the theorem’s own assumption.",
  linear: "Generator and verifier are two linear classifiers; kept is what they agree on.",
  learned: "A linear generator, whose errors a student can learn; verdicts as in independent.",
};

const GROUPS = [
  ["Generator", ["p", "cos_generator"]],
  ["Verifier", ["phi", "psi", "cos_verifier", "cos_between"]],
  ["Data and training", SHARED],
];

function row(name) {
  const [symbol, words] = WORDS[name];
  const { low, high, step, log } = SLIDERS[name];
  const range = log ? `min="0" max="400" step="1"` : `min="${low}" max="${high}" step="${step}"`;
  return `<div class="row" data-name="${name}"><label for="${name}-number"><b>${symbol}</b> ${words}</label>`
    + `<input type="number" id="${name}-number" step="any" aria-describedby="${name}-error">`
    + `<input type="range" id="${name}-range" ${range} aria-label="${symbol}, ${words}">`
    + `<p class="error" id="${name}-error" hidden></p></div>`;
}

export function markup() {
  const settings = Object.keys(SETTINGS).map((name) => `<label><input type="radio" name="setting" value="${name}">${name}</label>`);
  const groups = GROUPS.map(([title, names]) => `<fieldset><legend>${title}</legend>${names.map(row).join("")}`
    + `${title === "Data and training" ? `<label class="check"><input type="checkbox" id="best">best penalty here</label>` : ""}</fieldset>`);
  return `<fieldset><legend>Where do label errors come from?</legend><div class="settings">${settings.join("")}</div>`
    + `<p class="quiet about" id="about"></p></fieldset><p id="mine" role="group" aria-label="Audited verifiers">Back to your audited verifier: </p>${groups.join("")}<p class="error" id="refused" role="alert" hidden></p>`;
}

// Position of a slider and back: by equal factors where the slider is logarithmic; three digits then.
function position(name, value) {
  const { low, high, log } = SLIDERS[name];
  return log ? (400 * Math.log(Math.max(value, 1e-300) / low)) / Math.log(high / low) : value;
}

function valueAt(name, place) {
  const { low, high, log } = SLIDERS[name];
  return log ? Number((low * (high / low) ** (place / 400)).toPrecision(3)) : place;
}

// A button for each audited verifier, which goes back to it.
export function mine(place, audit, change) {
  for (const { name, p, phi, psi } of audit?.verifiers ?? []) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    button.addEventListener("click", () => change({ setting: "independent", p: p.value, phi: phi.value, psi: psi.value }));
    place.append(button);
  }
  place.hidden = !audit;
}

// Calls `change(names to values)` when a person moves something; returns `show(state)`, which sets all fields to it.
export function wire(form, columns, change) {
  form.innerHTML = markup();
  const field = (id) => form.querySelector(`#${id}`);
  const complain = (name, words) => {
    field(`${name}-error`).textContent = words;
    field(`${name}-error`).hidden = !words;
    field(`${name}-number`).setAttribute("aria-invalid", String(Boolean(words)));
    const invalid = form.querySelector("[aria-invalid=true]");
    document.documentElement.toggleAttribute("data-invalid", Boolean(invalid)); // what is shown is of the number before
  };
  for (const name of Object.keys(SLIDERS)) {
    const said = (value) => change({ [name]: value, ...(name === "ridge" ? { best: false } : {}) }, name);
    field(`${name}-range`).addEventListener("input", (event) => said(valueAt(name, Number(event.target.value))));
    field(`${name}-number`).addEventListener("input", (event) => {
      const value = event.target.value === "" ? NaN : Number(event.target.value);
      const words = refusal(columns[name], value);
      complain(name, words);
      if (!words) said(value);
    });
    field(`${name}-number`).addEventListener("blur", () => complain(name, ""));
  }
  for (const radio of form.querySelectorAll("[name=setting]")) radio.addEventListener("change", () => change({ setting: radio.value }));
  field("best").addEventListener("change", (event) => change({ best: event.target.checked }));
  form.addEventListener("submit", (event) => event.preventDefault());
  return (state, ridge) => {
    const own = [...OWN[state.setting], ...SHARED];
    for (const name of Object.keys(SLIDERS)) {
      form.querySelector(`[data-name=${name}]`).hidden = !own.includes(name);
      const value = name === "ridge" ? ridge : state[name];
      const [number, range] = [field(`${name}-number`), field(`${name}-range`)];
      if (document.activeElement !== number) {
        number.value = value >= 1e6 ? value.toExponential() : Number(value.toPrecision(6));
        complain(name, "");
      }
      if (name === "cos_between") [range.min, range.max] = between(state).map((end) => Math.round(end * 100) / 100);
      range.value = position(name, value);
      range.setAttribute("aria-valuetext", String(Number(value.toPrecision(4))));
    }
    for (const radio of form.querySelectorAll("[name=setting]")) radio.checked = radio.value === state.setting;
    field("best").checked = state.best;
    field("about").textContent = SETTINGS[state.setting];
  };
}
