// What the planes are filled with: how much better a trained classifier is than its generator, over a grid of points.
import { between } from "./state.js";
import { predict } from "./model.js";
import { along } from "./crossings.js";
import { ndtri } from "./special.js";

// A grid of `columns` x `rows` places (u, v) in [0, 1]^2; `cell(u, v)` gives {x, y, gain, accuracy} there.
function filled(columns, rows, cell) {
  const count = columns * rows;
  const [x, y, gain, accuracy] = Array.from({ length: 4 }, () => new Float64Array(count));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const found = cell(column / (columns - 1), row / (rows - 1));
      const i = row * columns + column;
      [x[i], y[i], gain[i], accuracy[i]] = [found.x, found.y, found.gain, found.accuracy];
    }
  }
  return { columns, rows, x, y, gain, accuracy };
}

function cellOf(found, x, y) {
  return { x, y, gain: found.accuracy - found.generator_accuracy, accuracy: found.accuracy };
}

const NONE = { gain: NaN, accuracy: NaN };

// Over (p, psi/phi) up to `highest`: phi stays, and psi follows; of cosines, cos(v, mu) and the generator move.
export function phaseGrid(state, highest, fine) {
  if (state.setting === "linear") {
    const [columns, rows] = fine ? [41, 33] : [21, 17];
    return filled(columns, rows, (u, v) => {
      const found = predict(along({ ...state, cos_verifier: 0.999 * (2 * v - 1) }, u));
      return cellOf(found, found.p, found.psi / found.phi);
    });
  }
  const [columns, rows] = fine ? [73, 49] : [37, 25];
  return filled(columns, rows, (u, v) => {
    const [p, psi] = [u, v * highest * state.phi];
    const cosine = -ndtri(p) / state.signal;
    const there = { ...state, p, psi, cos_generator: cosine };
    if (psi > 1 || (state.setting === "learned" && Math.abs(cosine) > 1)) return { x: u, y: v * highest, ...NONE };
    return cellOf(predict(there), u, v * highest);
  });
}

// Over the verifier's plane (psi, phi), the generator as it is.
export function rocGrid(state, fine) {
  if (state.setting === "linear") {
    const [columns, rows] = fine ? [37, 37] : [19, 19];
    return filled(columns, rows, (u, v) => {
      const there = { ...state, cos_verifier: 0.9995 * Math.sin(Math.PI * (v - 0.5)) };
      const [low, high] = between(there);
      const found = predict({ ...there, cos_between: (low + high) / 2 + ((high - low) / 2) * 0.9995 * Math.sin(Math.PI * (u - 0.5)) });
      return cellOf(found, found.psi, found.phi);
    });
  }
  const count = fine ? 51 : 29;
  return filled(count, count, (psi, phi) =>
    psi + phi > 0 ? cellOf(predict({ ...state, psi, phi }), psi, phi) : { x: psi, y: phi, ...NONE });
}
