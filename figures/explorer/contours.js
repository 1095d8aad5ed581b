// Level sets of values on a grid whose points may lie anywhere in the plane, so that they can be filled and stroked.

const rims = new WeakMap();

// The values of a grid with a rim of no value around, and which point each place of it is.
function rimmed({ columns, rows, value: own }) {
  if (!rims.has(own)) {
    const [width, height] = [columns + 2, rows + 2];
    const value = new Float64Array(width * height).fill(-Infinity);
    const source = new Int32Array(width * height);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [x, y] = [Math.min(Math.max(column - 1, 0), columns - 1), Math.min(Math.max(row - 1, 0), rows - 1)];
        const [at, from] = [row * width + column, y * columns + x];
        source[at] = from;
        if (x === column - 1 && y === row - 1 && !Number.isNaN(own[from])) value[at] = own[from];
      }
    }
    rims.set(own, { width, height, value, source });
  }
  return rims.get(own);
}

// Closed outlines of {value >= level} and the open lines value = level, each a list of [x, y].
//
// `grid` has columns, rows and arrays value, x, y, of which the entry of a point is i = row * columns + column. What is
// NaN is not in the set, and a line does not run along it, nor along the grid's own border.
export function levelSet(grid, level) {
  const { width, height, value, source } = rimmed(grid);
  const next = new Map();
  const points = new Map();
  const crossing = (inside, outside) => {
    const key = Math.min(inside, outside) * 2 + (Math.abs(inside - outside) === 1 ? 0 : 1);
    if (!points.has(key)) {
      const real = value[outside] > -Infinity;
      const t = real ? (value[inside] - level) / (value[inside] - value[outside]) : 0;
      const [a, b] = [source[inside], source[outside]];
      points.set(key, [grid.x[a] + t * (grid.x[b] - grid.x[a]), grid.y[a] + t * (grid.y[b] - grid.y[a]), real]);
    }
    return key;
  };
  for (let row = 0; row + 1 < height; row++) {
    for (let column = 0; column + 1 < width; column++) {
      const [at, over] = [row * width + column, (row + 1) * width + column];
      const inside = value[at] >= level;
      if (value[at + 1] >= level === inside && value[over] >= level === inside && value[over + 1] >= level === inside) continue;
      const corners = [at, at + 1, over + 1, over]; // counter-clockwise
      const above = corners.map((at) => value[at] >= level);
      // Edges that enter and leave the set, walking round the cell; each leaving is joined with an entering.
      const leaving = [];
      const entering = [];
      corners.forEach((corner, i) => {
        const then = corners[(i + 1) % 4];
        if (above[i] && !above[(i + 1) % 4]) leaving.push(crossing(corner, then));
        if (!above[i] && above[(i + 1) % 4]) entering.push(crossing(then, corner));
      });
      if (leaving.length === 1) next.set(leaving[0], entering[0]);
      else {
        // Two opposite corners: joined through the middle where that is in the set, else parted.
        const middle = corners.reduce((sum, corner) => sum + value[corner], 0) / 4 >= level;
        leaving.forEach((edge, i) => next.set(edge, entering[(i + (middle === above[0] ? 0 : 1)) % 2]));
      }
    }
  }
  return traced(next, points);
}

function traced(next, points) {
  const outlines = [];
  const lines = [];
  while (next.size) {
    const [start] = next.keys();
    const loop = [];
    for (let at = start; next.has(at); ) {
      loop.push(points.get(at));
      const then = next.get(at);
      next.delete(at);
      at = then;
    }
    outlines.push(loop);
    lines.push(...opened(loop));
  }
  return { outlines, lines };
}

// The parts of a loop whose points lie between two values; a loop that lies nowhere else is one closed line.
function opened(loop) {
  const gap = loop.findIndex((point) => !point[2]);
  if (gap < 0) return [[...loop, loop[0]]];
  const lines = [];
  let line = [];
  for (let i = 1; i <= loop.length; i++) {
    const point = loop[(gap + i) % loop.length];
    if (point[2]) line.push(point);
    if (!point[2]) {
      if (line.length > 1) lines.push(line);
      line = [];
    }
  }
  return lines;
}
