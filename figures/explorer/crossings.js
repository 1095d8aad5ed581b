// The curve over p on which a state lies, from the best generator to the worst, and where it crosses what is asked.
import { predict } from "./model.js";
import { ndtr } from "./special.js";

export const POINTS = 257; // as theory/crossings.py has them: the same brackets, the same crossings

// The state with its generator moved to `share` in [0, 1] of its axis, so that p increases.
export function along(state, share) {
  if (state.setting === "independent") return { ...state, p: share };
  if (state.setting === "learned") return { ...state, cos_generator: 1 - 2 * share };
  const [v, b] = [state.cos_verifier, state.cos_between];
  const spread = Math.sqrt(Math.max((1 - v * v) * (1 - b * b), 0)) * (1 - 1e-9);
  return { ...state, cos_generator: v * b + spread * (1 - 2 * share) };
}

// What is predicted at POINTS places of the curve, evenly along its axis.
export function curve(state) {
  return Array.from({ length: POINTS }, (_, i) => predict(along(state, i / (POINTS - 1))));
}

// Share of the curve that has a solution; elsewhere crossings are missed.
export function solvedShare(found) {
  return found.filter((each) => each.converged).length / found.length;
}

// The parts of the curve that have a solution: {low, high} in units of p, `first` and `last` whether these are the
// curve's own ends (else they are found by halving), `beats` whether training pays at some point of it.
export function solvedParts(state, found) {
  const parts = [];
  found.forEach((each, i) => {
    if (!each.converged) return;
    if (!found[i - 1]?.converged) parts.push({ low: edge(state, found, i, i - 1), first: i === 0, beats: false });
    const part = parts[parts.length - 1];
    part.beats ||= each.beats_generator;
    if (!found[i + 1]?.converged) Object.assign(part, { high: edge(state, found, i, i + 1), last: i + 1 === found.length });
  });
  return parts;
}

// The error rate, between a place of the curve that is solved and its neighbour that is not, up to which it is solved.
function edge(state, found, inside, outside) {
  if (!found[outside]) return found[inside].p;
  let [solved, unsolved] = [inside / (POINTS - 1), outside / (POINTS - 1)];
  for (let i = 0; i < 40; i++) {
    const middle = (solved + unsolved) / 2;
    if (predict(along(state, middle)).converged) solved = middle;
    else unsolved = middle;
  }
  return predict(along(state, solved)).p;
}

// Zeros of `excess(prediction)` along the curve, as {p, ratio, rising}, ratio psi/phi; a NaN ends a bracket.
export function zeros(state, found, excess) {
  const values = found.map(excess);
  const crossed = [];
  for (let i = 0; i + 1 < values.length; i++) {
    const [left, right] = [values[i], values[i + 1]];
    if (Number.isNaN(left) || Number.isNaN(right) || left >= 0 === right >= 0) continue;
    const share = root((x) => excess(predict(along(state, x))), i / (POINTS - 1), (i + 1) / (POINTS - 1), left >= 0);
    if (share === null) continue;
    const { p, phi, psi } = predict(along(state, share));
    crossed.push({ p, ratio: psi / phi, rising: left < 0 });
  }
  return crossed.sort((one, other) => one.p - other.p);
}

// By halving, to the last digit; null where the function has no value on the way.
function root(f, low, high, positive) {
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    const value = f(middle);
    if (Number.isNaN(value)) return null;
    if (value >= 0 === positive) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

// Every crossing of accuracy 1/2 and of the generator's accuracy; by the exact theory, and by the p* rule alone.
export function crossings(state, found) {
  const half = zeros(state, found, (each) => each.accuracy - 0.5);
  const gain = zeros(state, found, (each) => each.accuracy - each.generator_accuracy);
  const rule = (each) => ndtr((each.purity > 0.5 ? 1 : -1) * state.signal) - each.generator_accuracy;
  const infinite = state.setting === "independent" ? zeros(state, found, rule) : null;
  const said = (list, above, below) => list.map(({ p, ratio, rising }) => ({ p, ratio, then: rising ? above : below }));
  return {
    p_half: said(half, "above 1/2", "below 1/2"),
    p_gain: said(gain, "gain", "loss"),
    p_gain_infinite_data: infinite && said(infinite, "gain", "loss"),
  };
}

// Everything that `pstar predict` says of a state: the prediction, its curve's crossings, and the curve itself.
export function describe(state) {
  const found = curve(state);
  const solved = { curve_solved: solvedShare(found), solved: solvedParts(state, found) };
  return { ...predict(state), setting: state.setting, curve: found, ...solved, ...crossings(state, found) };
}
