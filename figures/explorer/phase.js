// The phase diagram over (p, psi/phi): where training on what is kept beats the generator.
import { bands, cursor, dot, frame, label, line, sides } from "./plot.js";
import { levelSet } from "./contours.js";
import { fixed, known, whereItPays } from "./words.js";

const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

// A verifier's psi/phi as far as the plane shows it; NaN where phi = psi = 0.
const shown = (ratio, highest) => Math.min(ratio, highest);

// psi/phi up to 1, no verification, or as far as this verifier is.
export function highestRatio(found) {
  const ratio = found.psi / found.phi;
  if (!(ratio > 1)) return 1;
  return [1.5, 2, 3, 5, 10].find((end) => ratio <= end) ?? 10;
}

export function phase(found, grid, size, audit) {
  const highest = highestRatio(found);
  const ticks = highest === 1 ? TICKS : TICKS.map((share) => share * highest);
  const plane = frame(
    "phase", size,
    { low: 0, high: 1, ticks: TICKS, label: "generator’s error rate p" },
    { low: 0, high: highest, ticks, label: "verifier’s ratio ψ/φ" },
  );
  const { filled, zero } = bands(grid, plane, levelSet, "gain-line");
  const stars = Array.from({ length: 61 }, (_, i) => (highest * i) / 60).map((ratio) => [1 / (1 + ratio), ratio]);
  const ratio = found.psi / found.phi;
  const here = plane.at([[found.p, shown(ratio, highest)]])[0];
  const walk = found.setting === "independent" ? "" : line(plane.at(found.curve.map((each) => [each.p, shown(each.psi / each.phi, highest)])), "walk");
  const data = filled + zero + line(plane.at(stars), "star-halo") + line(plane.at(stars), "star-line") + walk + audited(plane, audit, highest);
  const [x, y] = plane.at([[1 / (1 + 0.86 * highest), 0.86 * highest]])[0];
  return plane.drawn(data, label(x + 9, y + 4, "p*", "on-plot", "start") + sides(grid, plane, [here, [x + 14, y]]) + crossingsOn(plane, found, highest) + cursor(...here));
}

// Where this state's own curve over p crosses: training begins or stops to pay.
function crossingsOn(plane, found, highest) {
  return found.p_gain.map(({ p, ratio }) => {
    return ratio <= highest ? dot(plane.toX(p), plane.toY(ratio), "crossing", 4) : "";
  }).join("");
}

// Audited verifiers with the intervals of p and of psi/phi, each on its own.
function audited(plane, audit, highest) {
  return (audit?.verifiers ?? []).map(({ p, p_star: star }) => {
    const ratio = (threshold) => plane.toY(shown(1 / threshold - 1, highest));
    const [x, y] = [plane.toX(p.value), ratio(star.value)];
    const across = `<path class="whisker" d="M${plane.toX(p.low)} ${y}H${plane.toX(p.high)}M${x} ${ratio(star.low)}V${ratio(star.high)}"/>`;
    return across + dot(x, y, "mine", 4);
  }).join("");
}

export function phaseWords(found) {
  return `Phase diagram: error rate p from 0 to 1 across, ratio psi/phi up. The cursor is at p = ${fixed(found.p, 3)}, `
    + `psi/phi = ${known(found.psi / found.phi, 3)}; the line of p* is at p = ${known(found.p_star, 3)} there. ${whereItPays(found)}`;
}
