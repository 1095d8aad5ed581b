// Special functions in double precision: the normal law, Owen's T, and Gauss-Legendre rules.

const LOG_DENSITY_AT_ZERO = -0.9189385332046727418;
const ROOT_HALF = Math.SQRT1_2;

// Chebyshev coefficients of (1 + 2x) exp(x^2) erfc(x) in t = (x - 3.75)/(x + 3.75), x >= 0; computed with 40 digits.
const SCALED = [
  2.3551578691348035082, -0.0045900545806464773309, -0.084249133366517915584, 0.059209939998191890498,
  -0.026658668435305752277, 0.0090749976707052650939, -0.0024131635404176081909, 0.00049077583652580863229,
  -0.000069169733025012063671, 4.1390279860730101675e-6, 7.7403830661984906686e-7, -2.1886401049234395661e-7,
  1.0764999465670910377e-8, 4.5219598112182868979e-9, -7.7544002088313511065e-10, -6.3180883408866844944e-11,
  2.8687950109306698981e-11, 1.945586854577734723e-13, -9.6546967484334389059e-13, 3.2525481481487398415e-14,
  3.3478119482868053878e-14, -1.8645628804193131017e-15, -1.2507950530688647087e-15, 7.418235256624043445e-17,
  5.0681489047961112991e-17,
];

// exp(x^2) erfc(x), x >= 0.
function scaledErfc(x) {
  const t = (x - 3.75) / (x + 3.75);
  let after = 0;
  let here = 0;
  for (let i = SCALED.length - 1; i > 0; i--) {
    const before = 2 * t * here - after + SCALED[i];
    after = here;
    here = before;
  }
  return (t * here - after + SCALED[0] / 2) / (1 + 2 * x);
}

// Standard normal density.
export function pdf(x) {
  return Math.exp(LOG_DENSITY_AT_ZERO - (x * x) / 2);
}

// Phi(x) - 1/2 by its power series: exactly 0 at 0, and on the right side of it beside 0.
function nearZero(x) {
  let [term, total] = [x, x];
  for (let k = 1; k < 9; k++) {
    term *= (-x * x) / (2 * k);
    total += term / (2 * k + 1);
  }
  return total * pdf(0);
}

// Standard normal distribution function; small values are precise relative to themselves.
export function ndtr(x) {
  if (x === -Infinity) return 0;
  if (Math.abs(x) < 0.2) return 0.5 + nearZero(x);
  const tail = (Math.exp((-x * x) / 2) * scaledErfc(Math.abs(x) * ROOT_HALF)) / 2;
  return x > 0 ? 1 - tail : tail;
}

// log of `ndtr`, also far below zero.
export function logNdtr(x) {
  if (x > 0) return Math.log1p(-ndtr(-x));
  return Math.log(scaledErfc(-x * ROOT_HALF) / 2) - (x * x) / 2;
}

// pdf(h - t)/ndtr(h) and ndtr(h - t)/ndtr(h), h <= 0 <= t, as one exponent: neither over- nor underflows however far below.
export function tailDensity(h, t) {
  return (2 * Math.exp(LOG_DENSITY_AT_ZERO + t * (h - t / 2))) / scaledErfc(-h * ROOT_HALF);
}

export function tailSurvival(h, t) {
  return (Math.exp(t * (h - t / 2)) * scaledErfc((t - h) * ROOT_HALF)) / scaledErfc(-h * ROOT_HALF);
}

// x with ndtr(x) = p, by Newton steps of the logarithm, which is concave; -Infinity at 0, Infinity at 1.
export function ndtri(p) {
  if (!(p > 0)) return p === 0 ? -Infinity : NaN;
  if (p > 0.5) return p <= 1 ? -ndtri(1 - p) : NaN;
  const goal = Math.log(p);
  let x = 0;
  for (let i = 0; i < 60; i++) {
    const log = logNdtr(x);
    const step = (goal - log) / Math.exp(LOG_DENSITY_AT_ZERO - (x * x) / 2 - log);
    x += step;
    if (Math.abs(step) <= 1e-15 * (1 + Math.abs(x))) break;
  }
  return x;
}

// Nodes and weights of the Gauss-Legendre rule on [-1, 1].
export function gaussLegendre(count) {
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let pass = 0; pass < 8; pass++) {
      let [before, here] = [1, x];
      for (let k = 2; k <= count; k++) [before, here] = [here, ((2 * k - 1) * x * here - (k - 1) * before) / k];
      slope = (count * (x * here - before)) / (x * x - 1);
      x -= here / slope;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

const FEW = gaussLegendre(24);

// Owen's T(h, a) = 1/(2 pi) times the integral of exp(-h^2 (1 + x^2)/2)/(1 + x^2) over [0, a]; absolute error 1e-16.
export function owensT(h, a) {
  h = Math.abs(h);
  if (a < 0) return -owensT(h, -a);
  if (h === Infinity || a === 0) return 0;
  if (a > 1) {
    const [of, at] = [ndtr(-h), ndtr(-a * h)];
    const beyond = a * h < 40 ? owensT(a * h, 1 / a) : 0;
    return (of + at) / 2 - of * at - beyond;
  }
  const half = a / 2;
  let total = 0;
  for (let i = 0; i < FEW.nodes.length; i++) {
    const x = half * (1 + FEW.nodes[i]);
    const square = 1 + x * x;
    total += (FEW.weights[i] * Math.exp((-h * h * square) / 2)) / square;
  }
  return (half * total) / (2 * Math.PI);
}
