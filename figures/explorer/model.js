// What theory predicts of a state: squared loss in closed form, in the independent, linear and learned settings.
import { halfPlane, ratesOfCosines, wedge } from "./geometry.js";
import { ndtr } from "./special.js";

export const AVERAGING = 1e12; // a penalty so strong that training is averaging, to twelve digits
const LEAST_KEPT = 2.2250738585072014e-308; // the least float64 that has all its digits
const TOLERANCE = 1e-9;
const LARGEST_SIGNAL = 1e8; // from here moments of order r^2 hold no digit of what is of order 1, which a law needs

// Positive root of lambda delta theta^2 + B theta - 1 = 0, B = delta + lambda delta - 1, without cancellation.
function thetaOf(delta, ridge) {
  const linear = delta + ridge * delta - 1;
  const root = Math.sqrt(linear * linear + 4 * ridge * delta);
  if (linear > 0) return 2 / (linear + root);
  return ridge > 0 && delta > 0 ? (root - linear) / (2 * ridge * delta) : Infinity;
}

// x with M x = y, by elimination with pivots; M is small and symmetric.
function solved(matrix, right) {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const count = rows.length;
  for (let i = 0; i < count; i++) {
    let pivot = i;
    for (let k = i + 1; k < count; k++) if (Math.abs(rows[k][i]) > Math.abs(rows[pivot][i])) pivot = k;
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let k = i + 1; k < count; k++) {
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j <= count; j++) rows[k][j] -= factor * rows[i][j];
    }
  }
  const x = new Array(count).fill(0);
  for (let i = count - 1; i >= 0; i--) {
    let rest = rows[i][count];
    for (let j = i + 1; j < count; j++) rest -= rows[i][j] * x[j];
    x[i] = rest / rows[i][i];
  }
  return x;
}

// Accuracy of ridge regression on m = delta d samples of a law with moments b, C:
//   a = (C + L I)^-1 b,  tau^2 (delta (1 + L)^2 - 1) = 1 - 2 a.b + a^T C a,  L = lambda (1 + theta)
function trained(law, delta, ridge, r) {
  const theta = thetaOf(delta, ridge);
  const shrink = ridge * (1 + theta);
  const { b, c } = law;
  const a = solved(c.map((row, i) => row.map((x, j) => x + (i === j ? shrink : 0))), b);
  let [along, quadratic, square] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    along += a[i] * b[i];
    square += a[i] * a[i];
    for (let j = 0; j < a.length; j++) quadratic += a[i] * c[i][j] * a[j];
  }
  const gap = delta * (1 + shrink) ** 2 - 1;
  const tau = Math.sqrt((1 - 2 * along + quadratic) / gap);
  const norm = Math.sqrt(square + tau * tau);
  const residual = Math.abs(delta * theta * (1 / (1 + theta) + ridge) - 1);
  return { accuracy: ndtr((r * a[0]) / norm), norm, residual };
}

// Why a solution is not taken, as theory/certified.py says it; "ok" where it is.
function status({ accuracy, norm, residual, delta, unique }, r) {
  if (!(delta >= LEAST_KEPT)) return "nothing kept";
  if (!unique) return "not unique";
  if (!Number.isFinite(accuracy) || !(norm >= LEAST_KEPT)) return "not finite";
  if (!(residual <= TOLERANCE)) return "not converged";
  const most = Math.min(ndtr(r) + TOLERANCE, 1);
  return accuracy <= most && accuracy >= 1 - most ? "ok" : "out of bounds";
}

// One scalar law, without matrices: it is evaluated thousands of times a second.
function independent(state, rates) {
  const { signal: r, alpha, ridge } = state;
  const kept = (1 - rates.p) * rates.phi + rates.p * rates.psi;
  const purity = ((1 - rates.p) * rates.phi) / kept;
  const delta = alpha * kept;
  const theta = thetaOf(delta, ridge);
  const shrink = ridge * (1 + theta);
  const [c, b] = [1 + r * r, (2 * purity - 1) * r];
  const a = b / (c + shrink);
  const gap = delta * (1 + shrink) ** 2 - 1;
  const tau = Math.sqrt((1 - 2 * a * b + a * a * c) / gap);
  const norm = Math.sqrt(a * a + tau * tau);
  const residual = Math.abs((ridge * theta * delta + (delta + ridge * delta - 1)) * (theta / (1 + theta)) - 1 / (1 + theta));
  return { accuracy: ndtr((r * a) / norm), norm, residual, delta, unique: ridge > 0 || delta > 1 };
}

const SETTINGS = {
  independent: (state) => {
    const rates = { p: state.p, phi: state.phi, psi: state.psi };
    return { rates, ...independent(state, rates) };
  },
  linear: (state) => {
    const cosines = [state.signal, state.cos_generator, state.cos_verifier, state.cos_between];
    return { rates: ratesOfCosines(...cosines), ...byLaw(state, wedge(...cosines)) };
  },
  learned: (state) => {
    const { signal, cos_generator: along, phi, psi } = state;
    return { rates: { p: ndtr(-signal * along), phi, psi }, ...byLaw(state, halfPlane(signal, along, phi, psi)) };
  },
};

function byLaw(state, law) {
  const delta = state.alpha * law.kept;
  const found = trained(law, delta, state.ridge, state.signal);
  if (state.signal >= LARGEST_SIGNAL) found.norm = NaN;
  return { ...found, delta, unique: state.ridge > 0 || delta > 1 };
}

// Threshold, kept data and accuracy of a state with a number as its ridge; accuracy is NaN where `status` is not "ok".
export function predict(state) {
  const { rates, ...found } = SETTINGS[state.setting](state);
  const { p, phi, psi } = rates;
  const [correct, wrong] = [(1 - p) * phi, p * psi];
  const purity = correct + wrong >= LEAST_KEPT ? correct / (correct + wrong) : NaN;
  const why = status(found, state.signal);
  const converged = why === "ok";
  return {
    p,
    phi,
    psi,
    p_star: phi / (phi + psi),
    kept_rate: correct + wrong,
    purity,
    generator_accuracy: 1 - p,
    accuracy: converged ? found.accuracy : NaN,
    converged,
    status: why,
    below_threshold: purity > 0.5,
    beats_generator: converged ? found.accuracy > 1 - p : null,
  };
}

const LEAST = -4;
const MOST = 4;
const STEP = 0.25;

// The penalty of the highest accuracy: on a grid of log10 lambda in [-4, 4] and beyond its end, then between neighbours.
export function bestRidge(state) {
  const accuracy = (ridge) => {
    const found = predict({ ...state, ridge }).accuracy;
    return Number.isNaN(found) ? -1 : found;
  };
  let [best, highest] = [LEAST, -1];
  for (let log = LEAST; log <= MOST; log += STEP) {
    const here = accuracy(10 ** log);
    if (here > highest) [best, highest] = [log, here];
  }
  if (accuracy(AVERAGING) >= highest) return AVERAGING;
  let [low, high] = [Math.max(best - STEP, LEAST), best + STEP];
  const share = (Math.sqrt(5) - 1) / 2;
  for (let i = 0; i < 24; i++) {
    const [left, right] = [high - share * (high - low), low + share * (high - low)];
    if (accuracy(10 ** left) >= accuracy(10 ** right)) high = right;
    else low = left;
  }
  return Number((10 ** ((low + high) / 2)).toPrecision(4));
}
