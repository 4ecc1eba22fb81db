// One camera for both embeddings: a rotation (3 × 3, row by row), a zoom, the middle of the view.

const isofold = { tool: "turn", scenes: {}, marked: false };
const HALF = 1.12; // half the height of the view at zoom 1, in radii; view.py has the same number
const FIRST = [0.88, 0.48, 0, -0.28, 0.51, 0.81, 0.39, -0.71, 0.58];
const UPRIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];

class Camera {
  constructor() {
    this.reset();
  }
  reset() {
    this.turn = orthonormal(FIRST);
    this.zoom = 1;
    this.middle = [0, 0];
  }
  rotation(flat) {
    return flat ? UPRIGHT : this.turn;
  }
  rotate(dx, dy) {
    const [a, b] = [dx, dy];
    const about = [Math.cos(a), 0, Math.sin(a), 0, 1, 0, -Math.sin(a), 0, Math.cos(a)];
    const over = [1, 0, 0, 0, Math.cos(b), -Math.sin(b), 0, Math.sin(b), Math.cos(b)];
    this.turn = orthonormal(times(over, times(about, this.turn)));
  }
  shift(dx, dy) {
    this.middle = [this.middle[0] - (dx * HALF) / this.zoom, this.middle[1] - (dy * HALF) / this.zoom];
  }
  // The point under the pointer (x, y in heights from the middle) stays there.
  magnify(factor, x = 0, y = 0) {
    const before = HALF / this.zoom;
    this.zoom = Math.min(400, Math.max(0.3, this.zoom * factor));
    const after = HALF / this.zoom;
    this.middle = [this.middle[0] + x * (before - after), this.middle[1] + y * (before - after)];
  }
}

function times(a, b) {
  const out = new Array(9).fill(0);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) out[3 * i + j] += a[3 * i + k] * b[3 * k + j];
  return out;
}

// Rounding makes a product of many rotations drift; this makes it one again.
function orthonormal(m) {
  const unit = (v) => v.map((x) => x / Math.hypot(...v));
  const x = unit(m.slice(0, 3));
  const along = x[0] * m[3] + x[1] * m[4] + x[2] * m[5];
  const y = unit([m[3] - along * x[0], m[4] - along * x[1], m[5] - along * x[2]]);
  return [...x, ...y, x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
}
