// Accuracy of the trained classifier against the generator's error rate, with the generator itself and both crossings.
import { cursor, dot, frame, label, line, path } from "./plot.js";
import { ndtr } from "./special.js";
import { fixed, whereItPays } from "./words.js";

const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function accuracy(found, state, size, audit) {
  const plane = frame(
    "accuracy", size,
    { low: 0, high: 1, ticks: TICKS, label: "generator’s error rate p" },
    { low: 0, high: 1, ticks: TICKS, label: "accuracy on fresh data" },
  );
  const { curve } = found;
  const runs = solvedRuns(curve).map((run) => run.map((each) => [each.p, each.accuracy]));
  const between = runs.map((run) => difference(plane, run)).join("");
  const bayes = [ndtr(state.signal), ndtr(-state.signal)].map((level) => line(plane.at([[0, level], [1, level]]), "bayes")).join("");
  const generator = line(plane.at([[0, 1], [1, 0]]), "generator");
  const star = starOf(found);
  const threshold = star === null ? "" : line(plane.at([[star, 0], [star, 1]]), "star-line thin");
  const trained = runs.map((run) => line(plane.at(run), "trained")).join("");
  const [x, y] = [plane.toX(found.p), plane.toY(found.accuracy)];
  const drop = `<path class="drop" d="M${x} ${plane.bottom}V${found.converged ? y : plane.top}"/>`;
  const crossed = found.p_half.map(({ p }) => dot(plane.toX(p), plane.toY(0.5), "half", 4))
    .concat(found.p_gain.map(({ p }) => dot(plane.toX(p), plane.toY(1 - p), "crossing", 4.5)));
  const over = (star === null ? "" : starName(plane, star)) + crossed.join("") + (found.converged ? cursor(x, y) : "");
  return plane.drawn(interval(plane, audit) + between + bayes + threshold + generator + trained + drop, over);
}

function starName(plane, star) {
  const [shift, anchor] = star > 0.9 ? [-5, "end"] : [5, "start"];
  return label(plane.toX(star) + shift, plane.top + 13, "p*", "on-plot", anchor);
}

// Where the audited generator's p is: the same records, whichever the verifier.
function interval(plane, audit) {
  if (!audit) return "";
  const [low, high] = [audit.verifiers[0].p.low, audit.verifiers[0].p.high].map(plane.toX);
  return `<rect class="interval" x="${low}" y="${plane.top}" width="${Math.max(high - low, 1)}" height="${plane.bottom - plane.top}"/>`;
}

// p* where it is the same all along the curve; of cosines, where the accuracy is 1/2.
function starOf(found) {
  if (found.setting !== "linear") return found.p_star;
  return found.p_half.length ? found.p_half[0].p : null;
}

function solvedRuns(curve) {
  const runs = [];
  let run = [];
  for (const each of curve) {
    if (each.converged) run.push(each);
    else if (run.length) [runs[runs.length], run] = [run, []];
  }
  return run.length ? [...runs, run] : runs;
}

// What is gained and lost: the area between a solved part of the curve and the generator's line.
function difference(plane, run) {
  const [first, last] = [run[0], run[run.length - 1]];
  const area = path(plane.at([...run, [last[0], 1 - last[0]], [first[0], 1 - first[0]]]), true);
  const side = (name, end) => {
    const half = path(plane.at([[0, 1], [1, 0], [end, end]]), true);
    return `<clipPath id="${name}-side"><path d="${half}"/></clipPath><path class="${name}" clip-path="url(#${name}-side)" d="${area}"/>`;
  };
  return side("gained", 1) + side("lost", 0);
}

export function accuracyWords(found) {
  const trained = found.converged ? `trained accuracy ${fixed(found.accuracy, 3)}` : "no trained classifier";
  const said = found.p_half.map(({ p, then }) => `from p = ${fixed(p, 3)} ${then}`).join(", ");
  return `Accuracy against the generator's error rate p. At p = ${fixed(found.p, 3)}: ${trained}, generator ${fixed(found.generator_accuracy, 3)}. `
    + `Against one half: ${said || (found.solved.length ? "no crossing is known" : "not known")}. ${whereItPays(found)}`;
}
