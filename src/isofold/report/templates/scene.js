// A cloud of points in 3-D on a canvas. No WebGL: a browser lends a page only about sixteen of its
// contexts, and a study has more embeddings than that.

const SMALL = 1.6; // pixels of a radius below which a square looks like a dot, and is drawn twice as fast
const FIRST_VIEW = multiply(turnX(-0.95), turnZ(0.5));

function turnX(a) {
  return [1, 0, 0, 0, Math.cos(a), -Math.sin(a), 0, Math.sin(a), Math.cos(a)];
}
function turnY(a) {
  return [Math.cos(a), 0, Math.sin(a), 0, 1, 0, -Math.sin(a), 0, Math.cos(a)];
}
function turnZ(a) {
  return [Math.cos(a), -Math.sin(a), 0, Math.sin(a), Math.cos(a), 0, 0, 0, 1];
}
function multiply(a, b) {
  const out = new Array(9).fill(0);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) out[3 * i + j] += a[3 * i + k] * b[3 * k + j];
  return out;
}

class Scene {
  constructor(canvas, panel, scale) {
    this.canvas = canvas;
    this.panel = panel;
    this.scale = scale;
    const n = panel.split.length;
    this.x = new Float32Array(n);
    this.y = new Float32Array(n);
    this.depth = new Float32Array(n);
    this.order = Uint32Array.from({ length: n }, (_, k) => k);
  }

  project(view) {
    const { width, height } = this.canvas;
    const size = (0.43 * Math.min(width, height) * view.zoom) / this.scale;
    // a plane has one right side: it is looked at from above
    const r = this.panel.latents < 3 ? view.flat : view.turn;
    const p = this.panel.points;
    for (let k = 0, j = 0; k < this.x.length; k++, j += 3) {
      this.x[k] = width / 2 + size * (r[0] * p[j] + r[1] * p[j + 1] + r[2] * p[j + 2]);
      this.y[k] = height / 2 - size * (r[3] * p[j] + r[4] * p[j + 1] + r[5] * p[j + 2]);
      this.depth[k] = (r[6] * p[j] + r[7] * p[j + 1] + r[8] * p[j + 2]) / this.scale;
    }
    this.order.sort((a, b) => this.depth[a] - this.depth[b]);
  }

  // mark: {sample, trial} under the pointer, or null; mask: one mark a picked sample, or null
  draw(view, { colors, show, trial, mark, mask, ink, accent }) {
    const ratio = window.devicePixelRatio || 1;
    const box = this.canvas.getBoundingClientRect();
    if (!box.width) return;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.project(view);
    const pen = this.canvas.getContext("2d");
    const point = ratio * Math.sqrt(Math.min(box.width, box.height) / 260);
    const emphasise = show === "all" && this.panel.split.includes(1);
    for (const part of show === "all" ? ["rest", "test"] : [show]) {
      const dim = emphasise && part === "rest";
      const alpha = mark ? 0.14 : mask ? 0.16 : dim ? 0.4 : 0.95;
      this.points(pen, colors, part, point * (dim ? 1.25 : 2.0), alpha, view.zoom);
    }
    this.marked = mask ? this.picked(pen, colors, show, mask, point, ink) : [];
    if (mark) this.path(pen, trial, mark, colors, point, ink);
    if (this.lasso) this.rope(pen, ratio, accent);
    this.axes(pen, view, ratio, ink);
  }

  points(pen, colors, part, radius, alpha, zoom) {
    const grow = Math.sqrt(zoom);
    for (const k of this.order) {
      if (!inPart(this.panel.split[k], part)) continue;
      const near = Math.max(-1, Math.min(1, this.depth[k]));
      pen.globalAlpha = alpha * (0.8 + 0.2 * near);
      pen.fillStyle = colors[k];
      const r = radius * grow * (1 + 0.22 * near);
      if (r < SMALL) {
        pen.fillRect(this.x[k] - 0.9 * r, this.y[k] - 0.9 * r, 1.8 * r, 1.8 * r);
        continue;
      }
      pen.beginPath();
      pen.arc(this.x[k], this.y[k], r, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  // Samples that are picked, full and ringed, over all others. Returns those drawn.
  picked(pen, colors, show, mask, point, ink) {
    const drawn = [];
    pen.strokeStyle = ink;
    pen.lineWidth = point * 0.7;
    for (const k of this.order) {
      if (!mask[k] || (show !== "all" && !inPart(this.panel.split[k], show))) continue;
      pen.fillStyle = colors[k];
      pen.beginPath();
      pen.arc(this.x[k], this.y[k], point * 2.3, 0, 2 * Math.PI);
      pen.stroke();
      pen.fill();
      drawn.push(k);
    }
    return drawn.sort((a, b) => a - b);
  }

  rope(pen, ratio, accent) {
    pen.strokeStyle = pen.fillStyle = accent;
    pen.lineWidth = 1.5 * ratio;
    pen.beginPath();
    for (const [x, y] of this.lasso) pen.lineTo(x, y);
    pen.closePath();
    pen.stroke();
    pen.globalAlpha = 0.15;
    pen.fill();
    pen.globalAlpha = 1;
  }

  // A place on the canvas, in its own pixels.
  at(event) {
    const { canvas } = this;
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  }

  // Drawn samples inside the lasso.
  roped(show) {
    const part = (k) => show === "all" || inPart(this.panel.split[k], show);
    return [...this.x.keys()].filter((k) => part(k) && inside(this.lasso, this.x[k], this.y[k]));
  }

  path(pen, trial, mark, colors, point, ink) {
    pen.strokeStyle = ink;
    pen.lineWidth = point;
    pen.globalAlpha = 0.6;
    pen.beginPath();
    let open = false;
    for (let k = 0; k < trial.length; k++) {
      const mine = trial[k] === mark.trial;
      if (mine) pen[open ? "lineTo" : "moveTo"](this.x[k], this.y[k]);
      open = mine;
    }
    pen.stroke();
    pen.globalAlpha = 1;
    for (let k = 0; k < trial.length; k++) {
      if (trial[k] !== mark.trial) continue;
      pen.fillStyle = colors[k];
      pen.beginPath();
      pen.arc(this.x[k], this.y[k], point * 2.2, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.fillStyle = colors[mark.sample];
    pen.lineWidth = 2 * point;
    pen.beginPath();
    pen.arc(this.x[mark.sample], this.y[mark.sample], point * 5, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }

  axes(pen, view, ratio, ink) {
    const r = this.panel.latents < 3 ? view.flat : view.turn;
    const [cx, cy, length] = [22 * ratio, this.canvas.height - 20 * ratio, 12 * ratio];
    pen.strokeStyle = pen.fillStyle = ink;
    pen.lineWidth = ratio;
    pen.globalAlpha = 0.55;
    pen.font = `${9 * ratio}px sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let axis = 0; axis < Math.max(2, Math.min(3, this.panel.latents)); axis++) {
      const [dx, dy] = [r[axis] * length, -r[3 + axis] * length];
      pen.beginPath();
      pen.moveTo(cx, cy);
      pen.lineTo(cx + dx, cy + dy);
      pen.stroke();
      pen.fillText(String(axis + 1), cx + dx * 1.45, cy + dy * 1.45);
    }
    pen.globalAlpha = 1;
  }

  // The drawn sample nearest to the pointer, or -1 beyond 14 pixels.
  nearest(event, show) {
    const [px, py] = this.at(event);
    let found = -1, best = (14 * (window.devicePixelRatio || 1)) ** 2;
    for (const k of this.order) {
      if (show !== "all" && !inPart(this.panel.split[k], show)) continue;
      const distance = (this.x[k] - px) ** 2 + (this.y[k] - py) ** 2;
      if (distance <= best) [found, best] = [k, distance];
    }
    return found;
  }
}

function inPart(split, part) {
  if (part === "test") return split === 1;
  return part === "train" ? split === 0 : split !== 1;
}
