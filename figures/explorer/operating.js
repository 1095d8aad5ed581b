// The verifier's own curve in the plane (psi, phi), and the point of it that trains best at this sample size.
import { between } from "./state.js";
import { predict } from "./model.js";
import { ndtr, ndtri } from "./special.js";

const STEPS = 120;
const REACH = 4.5; // of Phi^-1(psi), on either side

// {kind, points: [{psi, phi, accuracy}], best}; no points where there is no curve, best null where nothing is solved.
//
// A measured curve is taken as it is. Of phi and psi alone: every threshold of a score that is normal for correct and
// wrong labels alike, with the same spread (binormal), and so as sharp as this verifier. Of cosines: the same verifier
// with every cos(g, v) that is possible.
export function operating(state, measured) {
  if (state.setting === "linear") {
    const [low, high] = between(state);
    return along("between", (share) => ({ ...state, cos_between: low + share * (high - low) }));
  }
  if (measured) {
    const points = measured.map(([psi, phi]) => point({ ...state, psi, phi }));
    return { kind: "measured", points, best: highest(points) };
  }
  const sharpness = ndtri(state.phi) - ndtri(state.psi);
  if (!Number.isFinite(sharpness)) return { kind: "none", points: [], best: null };
  const at = (share) => {
    const z = REACH * (2 * share - 1) - sharpness / 2;
    return { ...state, psi: ndtr(z), phi: ndtr(z + sharpness) };
  };
  return { ...along("binormal", at), sharpness };
}

// A curve by its states at shares in [0, 1]: at equal steps, and the best between the neighbours of the best step.
function along(kind, at) {
  const points = Array.from({ length: STEPS + 1 }, (_, i) => point(at(i / STEPS)));
  const first = highest(points);
  if (!first) return { kind, points, best: null };
  const place = points.indexOf(first) / STEPS;
  let [low, high] = [Math.max(place - 1 / STEPS, 0), Math.min(place + 1 / STEPS, 1)];
  for (let i = 0; i < 20; i++) {
    const [left, right] = [(2 * low + high) / 3, (low + 2 * high) / 3].map((share) => point(at(share)));
    if (left.accuracy >= right.accuracy) high = (low + 2 * high) / 3;
    else low = (2 * low + high) / 3;
  }
  return { kind, points, best: highest([first, point(at((low + high) / 2))]) };
}

// Where a state is in the plane, and how well it trains.
function point(state) {
  const { psi, phi, accuracy } = predict(state);
  return { psi, phi, accuracy, cos_between: state.cos_between };
}

function highest(points) {
  const solved = points.filter((each) => !Number.isNaN(each.accuracy));
  return solved.reduce((one, other) => (one && one.accuracy >= other.accuracy ? one : other), null);
}
