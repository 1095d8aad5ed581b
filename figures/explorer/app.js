// The page: one state, what theory says of it, and everything that shows it.
import { accuracy, accuracyWords } from "./accuracy.js";
import { mine, wire } from "./controls.js";
import { describe } from "./crossings.js";
import { phaseGrid, rocGrid } from "./grids.js";
import { bestRidge, predict } from "./model.js";
import { operating } from "./operating.js";
import { highestRatio, phase, phaseWords } from "./phase.js";
import { CURVES, curveWords, roc, rocWords } from "./roc.js";
import { movable } from "./dragging.js";
import { allowed, DEFAULT, fragment, impossible, OWN, parsed, SHARED } from "./state.js";
import { ndtr, ndtri } from "./special.js";
import { command, fixed, general, known, penalty, python, text, verdict, whereItPays } from "./words.js";

const { columns, audit } = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const REST = 160; // milliseconds without a change, after which all is drawn finely and said aloud

const start = allowed({ ...DEFAULT, ...audit?.start });
let state = start;
let found = null;
let curve = null;
let coarse = false;
let resting = 0;
let asked = false;
let shown = null; // the fragment of what is shown, once at rest
const frames = []; // when frames were drawn, and how long each took: the page's own trace
const sizes = new Map();
const kept = new Map(); // grids by what they depend on

const show = wire(at("controls"), columns, change);

function change(moved) {
  const before = state;
  state = allowed({ ...state, ...moved });
  if (moved.setting && moved.setting !== before.setting) state = allowed(sameErrors(before, state));
  coarse = true;
  ask();
}

// The state in another setting with the same error rate, as far as that has one.
function sameErrors(before, after) {
  const rounded = (value) => Number(value.toPrecision(4));
  if (before.setting === "independent") {
    const cosine = -ndtri(before.p) / after.signal;
    return { ...after, cos_generator: rounded(Math.min(Math.max(cosine, -1), 1)) };
  }
  return after.setting === "independent" ? { ...after, p: rounded(ndtr(-before.signal * before.cos_generator)) } : after;
}

// Draws at the next frame, however often it is asked before; again and finely when at rest.
function ask() {
  if (!asked) requestAnimationFrame(drawn);
  asked = true;
  shown = null;
  clearTimeout(resting);
  resting = setTimeout(rest, REST);
}

function rest() {
  coarse = false;
  draw();
  at("spoken").textContent = found ? verdict(found).join(" ") : impossible(state);
  shown = fragment(state);
  if (location.hash !== `#${shown}`) history.replaceState(null, "", `#${shown}`);
}

function drawn(now) {
  asked = false;
  const began = performance.now();
  draw();
  frames.push({ at: now, took: performance.now() - began });
  if (frames.length > 2000) frames.shift();
}

function draw() {
  const best = state.best && !impossible(state);
  const whole = { ...state, ridge: best ? bestRidge(state) : state.ridge };
  show(state, whole.ridge);
  const refused = impossible(state);
  at("refused").textContent = refused;
  at("refused").hidden = !refused;
  for (const id of ["plots", "numbers"]) at(id).hidden = Boolean(refused);
  found = refused ? null : describe(whole);
  at("answer").className = answer();
  at("verdict").innerHTML = found ? sentences(found) : `<p class="open"><i aria-hidden="true">–</i><span>${refused}</span></p>`;
  if (!found) return;
  at("numbers").innerHTML = numbers(whole);
  at("command").textContent = command(whole, OWN[state.setting]);
  at("python").textContent = python(whole, OWN[state.setting]);
  at("printed").textContent = text(found);
  plots(whole);
}

function answer() {
  if (!found?.converged) return "open";
  if (!found.beats_generator) return "no";
  return found.accuracy < 0.5 ? "open" : "yes";
}

// Of a sentence: its look and its sign. To be better than a generator and worse than chance is no success.
const MARKS = { yes: ["yes", "✓"], no: ["no", "✗"], open: ["open", "–"] };

function sentences({ converged, below_threshold: good }) {
  const marks = converged ? [good ? "yes" : "no", answer()] : ["open"];
  return verdict(found).map((words, place) => {
    const [kind, mark] = MARKS[marks[place]];
    return `<p class="${kind}${place ? " main" : ""}"><i aria-hidden="true">${mark}</i><span>${words.replaceAll("<", "&lt;")}</span></p>`;
  }).join("");
}

function numbers(whole) {
  const entry = (name, value, look) => `<div class="${look}"><dt>${name}</dt><dd>${value}</dd></div>`;
  return entry("trained accuracy", known(found.accuracy, 3), "bold")
    + entry("generator’s, 1 − p", fixed(found.generator_accuracy, 3), "")
    + entry("threshold p*", known(found.p_star, 3), "")
    + entry("correct of what is kept", known(found.purity, 3), "minor")
    + entry("kept of all", fixed(found.kept_rate, 3), "minor")
    + (state.best ? entry("best penalty λ", penalty(whole.ridge), "minor") : "");
}

function plots(whole) {
  const own = state.setting === "linear" ? null : audit;
  document.documentElement.toggleAttribute("data-walk", state.setting !== "independent");
  document.documentElement.toggleAttribute("data-audit", Boolean(own));
  at("examples").hidden = !own;
  const phases = remembered("phase", whole, () => phaseGrid(whole, highestRatio(found), !coarse));
  const verifiers = remembered("roc", whole, () => rocGrid(whole, !coarse));
  curve = operating(whole, own?.curve);
  const suited = state.best ? whole.ridge : null;
  put("phase", phase(found, phases, size("phase"), own), size("phase"), phaseWords(found));
  put("roc", roc(found, verifiers, curve, size("roc"), own), size("roc"), rocWords(found, curve, suited));
  put("accuracy", accuracy(found, whole, size("accuracy"), own), size("accuracy"), accuracyWords(found));
  at("phase-note").textContent = state.setting === "linear" ? "cos(v,μ) and the generator move; cos(g,v) stays." : `At φ = ${general(state.phi, 3)} and this λ; ψ follows the ratio.`;
  at("roc-note").textContent = curveWords(found, curve, suited);
  at("accuracy-note").textContent = whereItPays(found);
  at("own-key").textContent = CURVES[curve.kind];
}

// Of a plot, in pixels of its column; measured when the page changes, and not at every frame.
function size(id) {
  if (!sizes.has(id)) {
    const width = Math.max(at(id).parentNode.clientWidth, 240);
    sizes.set(id, { width, height: Math.min(Math.max(0.86 * width, 250), "wide" in at(id).dataset ? 340 : 420) });
  }
  return sizes.get(id);
}

function put(id, drawing, { width, height }, words) {
  const svg = at(id);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.innerHTML = drawing;
  if (!coarse) svg.setAttribute("aria-label", words);
}

// What each plane stays the same under: it is computed anew only when something else changes.
const FREE = { phase: ["p", "psi", "cos_generator", "cos_verifier"], roc: ["phi", "psi", "cos_verifier", "cos_between"] };

function remembered(name, whole, make) {
  const fixedBy = [...OWN[state.setting], ...SHARED].filter((column) => !FREE[name].includes(column));
  const key = JSON.stringify([coarse, highestRatio(found), state.setting, ...fixedBy.map((column) => whole[column])]);
  if (kept.get(name)?.key !== key) kept.set(name, { key, grid: make() });
  return kept.get(name).grid;
}

function copied(button, words) {
  const label = button.textContent;
  const done = (said) => {
    button.textContent = said;
    setTimeout(() => (button.textContent = label), 1500);
  };
  navigator.clipboard.writeText(words).then(() => done("Copied"), () => done("Not copied: select the text"));
}

at("copy-command").addEventListener("click", (event) => copied(event.target, at("command").textContent));
at("copy-python").addEventListener("click", (event) => copied(event.target, at("python").textContent));
at("share").addEventListener("click", (event) => copied(event.target, `${location.href.split("#")[0]}#${fragment(state)}`));

const THEMES = ["automatic", "light", "dark"];
at("theme").addEventListener("click", (event) => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "automatic") + 1) % 3];
  if (theme === "automatic") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  event.target.textContent = `Theme: ${theme}`;
});

addEventListener("hashchange", () => {
  if (location.hash && !location.hash.includes("=")) return; // a place on the page, as of the first link
  restored();
  ask();
});

function restored() {
  const read = parsed(location.hash, start, columns);
  state = read.state;
  at("ignored").textContent = `Of the link this was not understood, and left out: ${read.ignored.join(", ")}`;
  at("ignored").hidden = !read.ignored.length;
}
new ResizeObserver(() => {
  sizes.clear();
  ask();
}).observe(at("plots"));
movable(at, () => state, () => found, change);
mine(at("mine"), audit, change);
restored();
draw();
ask();

// For consoles and tests: the functions that the page itself uses, when it drew its frames, and what it shows once at rest.
window.explorer = { predict, describe, text, bestRidge, operating, frames, state: () => state, shown: () => shown };
