// The verifier's plane (psi, phi): how well each verifier would train, rays of equal p*, and the best point of a curve.
import { bands, cursor, dot, escaped, frame, label, line, path, short, sides, star } from "./plot.js";
import { levelSet } from "./contours.js";
import { fixed, known, penalty } from "./words.js";

const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
const RAYS = [0.5, 0.6, 0.75, 0.9];
const LEVELS = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98];

export function roc(found, grid, curve, size, audit) {
  const plane = frame(
    "roc", size,
    { low: 0, high: 1, ticks: TICKS, label: "ψ = P(kept | label wrong)" },
    { low: 0, high: 1, ticks: TICKS, label: "φ = P(kept | label correct)" },
  );
  const { filled, zero } = bands(grid, plane, levelSet, "gain-line");
  const here = plane.at([[found.psi, found.phi]])[0];
  const taken = [here, ...(curve.best ? plane.at([[curve.best.psi, curve.best.phi]]) : [])];
  const levels = LEVELS.map((level) => isoAccuracy(plane, grid, level, taken));
  const own = line(plane.at(curve.points.map(({ psi, phi }) => [psi, phi])), "own");
  const best = curve.best ? star(...plane.at([[curve.best.psi, curve.best.phi]])[0], "best") : "";
  const rays = RAYS.map((value) => ray(plane, value));
  const data = filled + zero + levels.map((level) => level.lines).join("") + rays.map((each) => each.line).join("")
    + regions(plane, audit) + own;
  return plane.drawn(data, levels.map((level) => level.label).join("") + rays.map((each) => each.label).join("") + sides(grid, plane, [...taken, ...plane.at(curve.points.map(({ psi, phi }) => [psi, phi]))]) + names(plane, audit) + best + cursor(...here));
}

// Verifiers of the same p*.
function ray(plane, value) {
  const slope = value / (1 - value);
  const end = slope > 1 ? [1 / slope, 1] : [1, slope];
  const [x, y] = plane.at([end])[0];
  return {
    line: line(plane.at([[0, 0], end]), "ray"),
    label: label(x, y - 4, `p* ${short(value)}`, "ray-name", value === 0.5 ? "end" : "middle"),
  };
}

// A level of accuracy, named once where nothing else is.
function isoAccuracy(plane, grid, level, taken) {
  const lines = levelSet({ ...grid, value: grid.accuracy }, level).lines.map((points) => plane.at(points));
  const longest = lines.reduce((one, other) => (other.length > one.length ? other : one), []);
  let name = "";
  for (const share of [0.5, 0.65, 0.35, 0.8, 0.2]) {
    const at = longest[Math.floor(share * longest.length)];
    if (!at || name) continue;
    const room = at[0] > plane.left + 16 && at[0] < plane.right - 16 && at[1] > plane.top + 18 && at[1] < plane.bottom - 8;
    if (!room || taken.some(([x, y]) => Math.hypot(x - at[0], y - at[1]) < 26)) continue;
    taken.push(at);
    name = label(at[0], at[1] + 4, short(level), "level-name");
  }
  return { lines: lines.map((points) => line(points, "level")).join(""), label: name };
}

// Where each audited verifier is, both rates together; or with an interval of each where the file has no draws.
function regions(plane, audit) {
  return (audit?.verifiers ?? []).map(({ region, phi, psi }) => {
    if (region) return `<path class="region" d="${path(plane.at(region), true)}"/>`;
    const [x, y] = [plane.toX, plane.toY];
    return `<path class="whisker" d="M${x(psi.low)} ${y(phi.value)}H${x(psi.high)}M${x(psi.value)} ${y(phi.low)}V${y(phi.high)}"/>`;
  }).join("");
}

function names(plane, audit) {
  return (audit?.verifiers ?? []).map(({ name, phi, psi }) => {
    const [x, y] = plane.at([[psi.value, phi.value]])[0];
    return `<g>${dot(x, y, "mine", 4)}${audit.verifiers.length > 1 ? label(x + 8, y + 14, name, "on-plot", "start") : ""}<title>${escaped(name)}</title></g>`;
  }).join("");
}

// What the curve is called in the key, and in words.
export const CURVES = {
  binormal: "other thresholds, as sharp",
  measured: "measured thresholds",
  between: "other cos(g,v)",
  none: "no other thresholds",
};

const KINDS = {
  binormal: (curve) => `every threshold of a verifier as sharp as this one (binormal, d′ = ${fixed(curve.sharpness, 2)})`,
  measured: () => "the measured thresholds of your verifier, taken as they were measured",
  between: () => "this verifier, however much it agrees with the generator: every possible cos(g,v)",
  none: () => "none, as φ or ψ is 0 or 1",
};

// The whole plane has one penalty; where it is the best for this verifier, another verifier may have a better one.
function atPenalty(suited) {
  return suited === null ? "" : ` at λ = ${penalty(suited)}, which suits the verifier at the cursor,`;
}

// The best of a curve, or why there is none; `suited` is the penalty that was searched for this verifier, else null.
export function curveWords(found, curve, suited) {
  if (curve.best) return `Best${atPenalty(suited)} of ${KINDS[curve.kind](curve)}: ${bestWords(found, curve)}.`;
  return `Curve of this verifier: ${curve.kind === "none" ? KINDS.none() : "none of its points is solved, with this generator, n/d and λ"}.`;
}

// The best point in words: what to do with the verifier's threshold.
function bestWords(found, curve) {
  if (!curve.best) return "";
  const at = `φ = ${fixed(curve.best.phi, 3)}, ψ = ${fixed(curve.best.psi, 3)}`;
  const cosine = curve.kind === "between" ? ` at cos(g,v) = ${fixed(curve.best.cos_between, 3)}` : "";
  const gain = found.converged ? ` (here ${fixed(found.accuracy, 3)})` : "";
  return `${at}${cosine}: accuracy ${fixed(curve.best.accuracy, 3)}${gain}`;
}

export function rocWords(found, curve, suited) {
  const best = curve.best ? ` Best at this sample size and penalty${atPenalty(suited)} of ${KINDS[curve.kind](curve)}: ${bestWords(found, curve)}.` : "";
  return `The verifier's plane: psi across, phi up, both from 0 to 1. This verifier: psi = ${fixed(found.psi, 3)}, phi = ${fixed(found.phi, 3)}, p* = ${known(found.p_star, 3)}.${best}`;
}
