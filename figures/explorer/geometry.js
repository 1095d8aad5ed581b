// Linear generators and verifiers: their rates, and the moments of what is kept (theory/README.md, sections 2, 3, 11).
import { gaussLegendre, logNdtr, ndtr, owensT, pdf, tailDensity, tailSurvival } from "./special.js";

const TAIL = -4; // below this h, Phi2(h, k)/Phi(h) comes from quadrature, as a difference would lose its digits
const RULE = gaussLegendre(96);

function sine(rho) {
  return Math.sqrt(Math.max((1 - rho) * (1 + rho), 1e-16));
}

// Phi2(h, k; rho) = P(X < h, Y < k), standard normal with correlation rho; absolute error 1e-16.
export function orthant(h, k, rho) {
  if (Math.abs(h) < 1e-100) h = 1e-100;
  if (Math.abs(k) < 1e-100) k = 1e-100;
  const [ofH, ofK] = [ndtr(h), ndtr(k)];
  const least = Math.min(ofH, ofK);
  if (rho >= 1) return least;
  if (rho <= -1) return Math.max(ofH - ndtr(-k), 0);
  const s = sine(rho);
  const wedges = owensT(h, (k / h - rho) / s) + owensT(k, (h / k - rho) / s);
  const half = h > 0 === k > 0 ? 0 : 0.5;
  return Math.min(Math.max((ofH + ofK) / 2 - wedges - half, 0), least);
}

// P(Y < k | X < h).
export function conditionalOrthant(h, k, rho) {
  let ratio;
  if (rho >= 1) ratio = k < h ? ndtr(k) / ndtr(h) : 1;
  else if (rho <= -1) ratio = h + k > 0 ? -Math.expm1(logNdtr(-k) - logNdtr(h)) : 0;
  else ratio = h > TAIL ? orthant(h, k, rho) / ndtr(h) : byQuadrature(h, k, rho);
  return Math.min(Math.max(ratio, 0), 1);
}

function integral(f, low, high) {
  const [half, middle] = [(high - low) / 2, (high + low) / 2];
  let total = 0;
  for (let i = 0; i < RULE.nodes.length; i++) total += RULE.weights[i] * f(middle + half * RULE.nodes[i]);
  return half * total;
}

// E[Phi(z(t)) | t > 0], X = h - t, z(t) = (k - rho h + rho t)/s, far below h = 0; over z by parts where it is steep.
function byQuadrature(h, k, rho) {
  const s = sine(rho);
  const z0 = (k - rho * h) / s;
  if (Math.abs(rho) <= -h * s) {
    return integral((t) => ndtr(z0 + (rho * t) / s) * tailDensity(h, t), 0, 38 / -h);
  }
  const slope = Math.max(Math.abs(rho), 0.1);
  const clip = (x) => Math.min(Math.max(x, 0), 1e3);
  const sign = rho > 0 ? 1 : -1;
  const shell = (u) => tailSurvival(h, (s * u) / slope) * pdf(z0 + sign * u);
  const [near, far] = rho > 0 ? [clip(-9 - z0), clip(9 - z0)] : [clip(z0 - 9), clip(z0 + 9)];
  return ndtr(z0) + sign * integral(shell, near, far);
}

// p, phi and psi of a linear generator and verifier.
export function ratesOfCosines(r, cosGenerator, cosVerifier, cosBetween) {
  const [h, k] = [r * cosGenerator, r * cosVerifier];
  return {
    p: ndtr(-h),
    phi: conditionalOrthant(h, k, cosBetween),
    psi: conditionalOrthant(-h, -k, cosBetween),
  };
}

// b = E[c] and C = E[c c^T] of the two-sided Gaussian cut to g.c > 0, v.c > 0, with mu along the first axis; and kappa.
export function wedge(r, g1, v1, rho) {
  const g2 = Math.sqrt(Math.max(1 - g1 * g1, 0));
  const rest = Math.sqrt(Math.max(1 - v1 * v1, 0));
  const v2 = Math.min(Math.max(g2 < 1e-12 ? rest : (rho - g1 * v1) / g2, -rest), rest);
  const g = [g1, g2, 0];
  const v = [v1, v2, Math.sqrt(Math.max(rest * rest - v2 * v2, 0))];
  const s = sine(rho);
  const m = [r, 0, 0];
  let [kept, lead] = [0, 0];
  let [gg, vv, gv] = [0, 0, 0];
  const slopes = [];
  for (const sign of [1, -1]) {
    const [h, k] = [sign * r * g1, sign * r * v1];
    const mass = orthant(h, k, rho);
    const byH = pdf(h) * ndtr((k - rho * h) / s);
    const byK = pdf(k) * ndtr((h - rho * k) / s);
    const tip = (pdf(h) * pdf((k - rho * h) / s)) / s;
    kept += mass;
    lead += sign * mass;
    gg += -h * byH - rho * tip;
    vv += -k * byK - rho * tip;
    gv += tip;
    slopes.push(g.map((_, i) => byH * g[i] + byK * v[i]));
  }
  const b = g.map((_, i) => (lead * m[i] + slopes[0][i] + slopes[1][i]) / kept);
  const turn = slopes[0].map((slope, i) => slope - slopes[1][i]);
  const c = g.map((_, i) =>
    g.map((_, j) => {
      const hessian = gg * g[i] * g[j] + vv * v[i] * v[j] + gv * (g[i] * v[j] + g[j] * v[i]);
      const mixed = m[i] * turn[j] + m[j] * turn[i];
      return ((i === j ? kept : 0) + kept * m[i] * m[j] + hessian + mixed) / kept;
    }),
  );
  return { b, c, kept };
}

// The same for a linear generator whose labels are kept by whether they are right: weights phi and psi.
export function halfPlane(r, g1, phi, psi) {
  const g = [g1, Math.sqrt(Math.max(1 - g1 * g1, 0))];
  const b = [0, 0];
  const c = [[0, 0], [0, 0]];
  let kept = 0;
  for (const [sign, weight] of [[1, phi], [-1, psi]]) {
    const h = sign * r * g1;
    const m = [sign * r, 0];
    const [mass, edge] = [weight * ndtr(h), weight * pdf(h)];
    kept += mass;
    for (let i = 0; i < 2; i++) {
      b[i] += mass * m[i] + edge * g[i];
      for (let j = 0; j < 2; j++) {
        const bent = m[i] * g[j] + m[j] * g[i] - h * g[i] * g[j];
        c[i][j] += mass * ((i === j ? 1 : 0) + m[i] * m[j]) + edge * bent;
      }
    }
  }
  return { b: b.map((x) => x / kept), c: c.map((row) => row.map((x) => x / kept)), kept };
}
