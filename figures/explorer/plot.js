// Axes, paths and labels as SVG text. Ours, and small: filled level sets with a cursor that is dragged at 30 frames a
// second, vectors on paper, and colours by CSS need little, and no plotting library of a fitting size has them all.

export function escaped(words) {
  return String(words).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

const near = (x) => Math.round(x * 10) / 10;

const bothFinite = ([x, y]) => Number.isFinite(x) && Number.isFinite(y);

// A path through those points that are finite; closed ones end with Z.
export function path(points, closed = false) {
  const there = points.filter(bothFinite);
  if (!there.length) return "";
  return `M${there.map(([x, y]) => `${near(x)} ${near(y)}`).join("L")}${closed ? "Z" : ""}`;
}

export function line(points, look) {
  return `<path class="${look}" d="${path(points)}"/>`;
}

export function label(x, y, words, look = "", anchor = "middle") {
  return `<text x="${near(x)}" y="${near(y)}" class="${look}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

// Nothing where a coordinate is not finite; and so is a cursor.
export function dot(x, y, look, radius = 5) {
  return bothFinite([x, y]) ? `<circle cx="${near(x)}" cy="${near(y)}" r="${radius}" class="${look}"/>` : "";
}

// A star of five points, for what is best.
export function star(x, y, look, radius = 9) {
  const points = Array.from({ length: 10 }, (_, i) => {
    const [angle, reach] = [(Math.PI * i) / 5 - Math.PI / 2, i % 2 ? radius * 0.45 : radius];
    return [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
  });
  return `<path class="${look}" d="${path(points, true)}"/>`;
}

// The cursor: where the state is.
export function cursor(x, y) {
  return `${dot(x, y, "cursor-rim", 8)}${dot(x, y, "cursor", 5.5)}`;
}

const MARGIN = { left: 46, right: 14, top: 14, bottom: 40 };

// A frame of so many pixels over [low, high] on each axis: scales both ways, and what is drawn below and above the data.
export function frame(name, size, x, y) {
  const [left, right] = [MARGIN.left, size.width - MARGIN.right];
  const [top, bottom] = [MARGIN.top, size.height - MARGIN.bottom];
  const toX = (value) => left + ((value - x.low) / (x.high - x.low)) * (right - left);
  const toY = (value) => bottom - ((value - y.low) / (y.high - y.low)) * (bottom - top);
  const inside = `x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"`;
  const grid = x.ticks.map((at) => `<path class="grid" d="M${near(toX(at))} ${top}V${bottom}"/>`).join("")
    + y.ticks.map((at) => `<path class="grid" d="M${left} ${near(toY(at))}H${right}"/>`).join("");
  const axes = x.ticks.map((at) => label(toX(at), bottom + 16, short(at), "tick")).join("")
    + y.ticks.map((at) => label(left - 7, toY(at) + 4, short(at), "tick", "end")).join("")
    + label((left + right) / 2, size.height - 5, x.label, "axis")
    + `<text class="axis" text-anchor="middle" transform="translate(12 ${(top + bottom) / 2}) rotate(-90)">${escaped(y.label)}</text>`
    + `<rect class="frame" ${inside}/>`;
  return {
    toX, toY, left, right, top, bottom,
    fromX: (pixel) => x.low + ((pixel - left) / (right - left)) * (x.high - x.low),
    fromY: (pixel) => y.low + ((bottom - pixel) / (bottom - top)) * (y.high - y.low),
    at: (points) => points.map(([u, v]) => [toX(u), toY(v)]),
    // Data within the frame, over its ground and below its axes; `over` may reach beyond.
    drawn: (data, over = "") =>
      `<clipPath id="${name}-inside"><rect ${inside}/></clipPath><rect class="ground" ${inside}/>`
      + `<g clip-path="url(#${name}-inside)">${data}</g>${grid}${axes}${over}`,
  };
}

export function short(value) {
  return String(Number(value.toPrecision(3))).replace(/^(-?)0\./, "$1.").replace("-", "−");
}

// How much better than its generator, in bands; the same colours on every plot.
const GAINS = [-2, -0.2, -0.1, -0.05, -0.02, 0, 0.02, 0.05, 0.1, 0.2];

// The words "gain" and "loss" where there is most of either, so that no colour is needed; not beside what is `taken`.
export function sides(grid, frame, taken) {
  const best = { gain: [0.03, null], loss: [0.03, null] };
  grid.gain.forEach((gain, i) => {
    const name = gain > 0 ? "gain" : "loss";
    if (!(Math.abs(gain) > best[name][0])) return;
    const [x, y] = [frame.toX(grid.x[i]), frame.toY(grid.y[i])];
    const room = x > frame.left + 24 && x < frame.right - 24 && y > frame.top + 24 && y < frame.bottom - 12;
    if (room && !taken.some(([u, v]) => Math.abs(u - x) < 42 && Math.abs(v - y) < 24)) best[name] = [Math.abs(gain), [x, y]];
  });
  return Object.entries(best).map(([name, [, at]]) => (at ? label(at[0], at[1] + 4, name, "side") : "")).join("");
}

const drawn = new WeakMap();

// Filled bands of gain and the line gain = 0 from level sets, drawn anew only where the grid or the frame is another.
export function bands(grid, frame, levels, edge) {
  const size = `${frame.right} ${frame.bottom} ${frame.toY(1)}`;
  if (drawn.get(grid)?.size !== size) {
    const gains = { ...grid, value: grid.gain };
    const found = GAINS.map((level) => levels(gains, level));
    const outline = ({ outlines }) => outlines.map((points) => path(frame.at(points), true)).join("");
    const filled = found.map((each, place) => `<path class="band gain-${place}" fill-rule="evenodd" d="${outline(each)}"/>`);
    const zero = found[GAINS.indexOf(0)].lines.map((points) => line(frame.at(points), edge));
    drawn.set(grid, { size, filled: filled.join(""), zero: zero.join("") });
  }
  return drawn.get(grid);
}
