// Plots that are dragged: the phase diagram moves p and psi, the accuracy p alone, the verifier's plane phi and psi.
import { frame } from "./plot.js";
import { highestRatio } from "./phase.js";
import { ndtri } from "./special.js";

const ROUND = 1000;

function share(value) {
  return Math.round(Math.min(Math.max(value, 0), 1) * ROUND) / ROUND;
}

// The generator of error rate p: p itself, or the cosine that gives it.
function generator(state, p) {
  if (state.setting === "independent") return { p };
  const cosine = Math.min(Math.max(-ndtri(p) / state.signal, -1), 1);
  return { cos_generator: Math.round(cosine * 1e4) / 1e4 };
}

const MOVES = {
  accuracy: (state, x) => generator(state, share(x)),
  phase: (state, x, y) => ({ ...generator(state, share(x)), ...(state.setting === "linear" ? {} : { psi: share(y * state.phi) }) }),
  roc: (state, x, y) => (state.setting === "linear" ? {} : { psi: share(x), phi: share(y) }),
};

export function movable(at, state, found, change) {
  for (const [id, move] of Object.entries(MOVES)) {
    const svg = at(id);
    let held = false;
    const moved = (event) => {
      if (!held || !found()) return;
      const box = svg.getBoundingClientRect();
      const [width, height] = [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height];
      const high = id === "phase" ? highestRatio(found()) : 1;
      const plane = frame(id, { width, height }, { low: 0, high: 1, ticks: [], label: "" }, { low: 0, high, ticks: [], label: "" });
      const [x, y] = [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height];
      change(move(state(), plane.fromX(x), Math.min(plane.fromY(y), high)));
      event.preventDefault();
    };
    svg.addEventListener("pointerdown", (event) => {
      held = true;
      svg.setPointerCapture(event.pointerId);
      moved(event);
    });
    svg.addEventListener("pointermove", moved);
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => (held = false));
  }
}
