// Behaviour: every label against time, one row a label; drag over a stretch of time to pick it.

const MOST_ROWS = 5;

class Behaviour extends Plane {
  constructor(box, hub) {
    super(box, hub, "behaviour", 88);
  }

  label() {
    const names = this.rows.map((l) => l.name).join(", ");
    return `Behaviour: ${names} against time, coloured by ${this.hub.state.color}. Left and right arrow keys move from ` +
      "sample to sample, with Shift they select; Enter selects the trial, Escape clears.";
  }

  lay(grid, colors, split) {
    super.lay(grid, colors, split);
    const coloured = grid.labels.find((l) => l.name === this.hub.state.color);
    this.rows = grid.labels.slice(0, MOST_ROWS);
    if (coloured && !this.rows.includes(coloured)) this.rows[MOST_ROWS - 1] = coloured;
    if (!this.rows.length) this.rows = [grid.trial];
    this.ranges = this.rows.map(rangeOf);
    this.first = grid.time[0];
    this.span = grid.time.at(-1) - grid.time[0] || 1;
    this.axisName = "time (s)";
  }

  place() {
    const tall = this.down() / this.rows.length;
    const { time } = this.grid;
    this.x = Float32Array.from(time, (t) => this.gutter + ((t - this.first) / this.span) * this.across());
    this.y = this.rows.map(({ values, kind }, row) =>
      Float32Array.from(values, (v) => {
        const missing = Number.isNaN(v) || (kind === "discrete" && v < 0);
        const [low, high] = this.ranges[row];
        return missing ? NaN : TOP + (row + 0.88) * tall - ((v - low) / (high - low || 1)) * tall * 0.72;
      }),
    );
    this.tall = tall;
  }

  paintOn(pen, { colors, mask, cursor, ink }) {
    this.heldOut(pen, ink);
    ticksOf(this.first, this.first + this.span, this.across() / 80).forEach((t) => {
      const x = this.gutter + ((t - this.first) / this.span) * this.across();
      this.tick(pen, x, shortNumber(t), ink);
    });
    this.rows.forEach((label, row) => {
      this.names(pen, label, row, ink);
      if (label.kind === "continuous") this.line(pen, row, ink);
      this.dots(pen, row, colors, mask, cursor);
    });
    if (mask) this.rug(pen, mask, ink);
    if (cursor >= 0) {
      pen.fillStyle = ink;
      pen.fillRect(this.x[cursor] - 0.5, 0, 1, this.height - AXIS);
    }
  }

  // Grey behind the trials that were held out.
  heldOut(pen, ink) {
    pen.fillStyle = ink;
    pen.globalAlpha = 0.1;
    const { values } = this.grid.trial;
    for (let k = 0, from = 0; k <= values.length; k++) {
      if (k < values.length && values[k] === values[from] && this.split[k] === this.split[from]) continue;
      if (this.split[from] === 1) pen.fillRect(this.x[from], 0, Math.max(1, this.x[k - 1] - this.x[from]), this.height - AXIS);
      from = k;
    }
    pen.globalAlpha = 1;
  }

  names(pen, label, row, ink) {
    const top = TOP + row * this.tall;
    pen.fillStyle = ink;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.font = this.font(11, 600);
    pen.fillText(fitted(pen, label.name, this.gutter - 10), this.gutter - 8, top + this.tall * 0.5);
    pen.font = this.font(10);
    pen.globalAlpha = 0.7;
    const [high, low] = endsOf(label, this.ranges[row]);
    if (this.tall > 40) {
      pen.fillText(fitted(pen, high, this.gutter - 10), this.gutter - 8, top + this.tall * 0.17);
      pen.fillText(fitted(pen, low, this.gutter - 10), this.gutter - 8, top + this.tall * 0.87);
    }
    pen.globalAlpha = 0.25;
    if (row) pen.fillRect(this.gutter, top, this.across(), 0.5);
    pen.globalAlpha = 1;
  }

  line(pen, row, ink) {
    const { values } = this.grid.trial;
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.22;
    pen.lineWidth = 0.8;
    pen.beginPath();
    for (let k = 0; k < this.x.length; k++) {
      const joined = k && values[k] === values[k - 1] && !Number.isNaN(this.y[row][k - 1]);
      pen[joined ? "lineTo" : "moveTo"](this.x[k], this.y[row][k]);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  // A number is a dot, a class a bar.
  dots(pen, row, colors, mask, cursor) {
    const y = this.y[row];
    const stretch = this.rows[row].kind === "discrete" ? 4 : 1;
    for (const picked of mask ? [0, 1] : [1]) {
      pen.globalAlpha = picked ? 0.95 : 0.2;
      const size = mask && picked ? 3.6 : 2.4;
      for (let k = 0; k < y.length; k++) {
        if (mask && mask[k] !== picked) continue;
        pen.fillStyle = colors[k];
        pen.fillRect(this.x[k] - size / 2, y[k] - (size * stretch) / 2, size, size * stretch);
      }
    }
    pen.globalAlpha = 1;
    if (cursor >= 0 && !Number.isNaN(y[cursor])) {
      pen.fillStyle = colors[cursor];
      pen.beginPath();
      pen.arc(this.x[cursor], y[cursor], 5, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
  }

  // Picked samples as a strip above the time axis, where no other dot covers them.
  rug(pen, mask, ink) {
    pen.fillStyle = ink;
    for (let k = 0; k < mask.length; k++) if (mask[k]) pen.fillRect(this.x[k] - 0.6, this.height - AXIS - 4, 1.2, 5);
  }

  between([x0], [x1]) {
    const [low, high] = [Math.min(x0, x1), Math.max(x0, x1)];
    return [...this.x.keys()].filter((k) => this.x[k] >= low && this.x[k] <= high);
  }

  frame([x0], [x1]) {
    return [Math.min(x0, x1), 0, Math.abs(x1 - x0), this.height - AXIS];
  }

  nearest(x, y) {
    if (x < this.gutter - 4 || y > this.height - AXIS) return -1;
    const k = nearestIn(this.x, x);
    return Math.abs(this.x[k] - x) < 8 ? k : -1;
  }

  moved(cursor, key) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[key];
    if (!step) return -1;
    return Math.max(0, Math.min(this.x.length - 1, (cursor < 0 ? -1 : cursor) + step));
  }
}

function rangeOf({ kind, values, categories }) {
  if (kind === "discrete") return [0, Math.max(1, categories.length - 1)];
  if (kind === "circular") return [0, 2 * Math.PI];
  const known = values.filter((v) => Number.isFinite(v));
  return known.length ? [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))] : [0, 1];
}

// What stands at the top and at the bottom of a row.
function endsOf({ kind, categories }, [low, high]) {
  if (kind === "circular") return ["2π", "0"];
  if (kind === "discrete") return categories.length > 1 ? [categories.at(-1), categories[0]] : ["", categories[0] ?? ""];
  return [endOfScale(high, high - low), endOfScale(low, high - low)];
}

function fitted(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let end = Math.min(text.length, 40);
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}

// Round numbers between two ends, about so many.
function ticksOf(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, k) => +((first + k) * step).toPrecision(12));
}
