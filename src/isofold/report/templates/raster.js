// Trials as rows, time in the trial as columns; drag over cells to pick them, click to pick a trial.

class Raster extends Plane {
  constructor(box, hub) {
    super(box, hub, "trials", 58);
  }

  label() {
    return `Trials: ${this.order.length} rows, time in the trial as columns, coloured by ${this.hub.state.color}. Arrow keys ` +
      "move by sample and by trial, with Shift they select; Enter selects the trial, Escape clears.";
  }

  lay(grid, colors, split) {
    super.lay(grid, colors, split);
    const { rows, columns } = this.hub.state;
    this.order = sortedTrials(grid, rows);
    this.rowOf = new Map(this.order.map((code, row) => [code, row]));
    const [onset, wide] = columns === "time" ? [grid.inside, stepsOf(grid)] : sharesOf(grid);
    Object.assign(this, { onset, wide });
    this.span = onset.reduce((most, s, k) => Math.max(most, s + wide[k]), 0) || 1;
    this.axisName = columns === "time" ? "s in trial" : "share of trial";
  }

  place() {
    const scale = this.across() / this.span;
    this.tall = this.down() / Math.max(1, this.order.length);
    const { trial } = this.grid;
    this.x = this.onset.map((s) => this.gutter + s * scale);
    this.w = this.wide.map((s) => Math.max(0.6, s * scale));
    this.y = Float32Array.from(trial.values, (code) => TOP + (this.rowOf.get(code) ?? NaN) * this.tall);
  }

  paintOn(pen, { colors, mask, cursor, ink }) {
    const ratio = window.devicePixelRatio || 1;
    const whole = (v) => Math.round(v * ratio) / ratio; // whole pixels leave no seams between cells
    const gap = this.tall > 5 ? 1 : 0;
    for (let k = 0; k < this.x.length; k++) {
      if (Number.isNaN(this.y[k])) continue;
      pen.globalAlpha = mask && !mask[k] ? 0.16 : 1;
      pen.fillStyle = colors[k];
      const [left, top] = [whole(this.x[k]), whole(this.y[k])];
      const wide = whole(this.x[k] + this.w[k]) - left;
      const tall = whole(this.y[k] + this.tall - gap) - top;
      pen.fillRect(left, top, Math.max(wide, 1 / ratio), Math.max(tall, 1 / ratio));
    }
    pen.globalAlpha = 1;
    ticksOf(0, this.span, this.across() / 70).forEach((t) => this.tick(pen, this.gutter + (t / this.span) * this.across(), shortNumber(t), ink));
    this.numbers(pen, mask, ink);
    if (cursor < 0 || Number.isNaN(this.y[cursor])) return;
    pen.strokeStyle = ink;
    pen.strokeRect(this.gutter - 1, this.y[cursor] - 1, this.across() + 2, this.tall + 2);
    pen.lineWidth = 2;
    pen.strokeRect(this.x[cursor] - 1, this.y[cursor] - 2, this.w[cursor] + 2, this.tall + 4);
    pen.lineWidth = 1;
  }

  // As many trial names as there is room for; a bar beside each trial with picked samples.
  numbers(pen, mask, ink) {
    const every = Math.max(1, Math.ceil(13 / this.tall));
    pen.fillStyle = ink;
    pen.font = this.font(10);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.globalAlpha = 0.7;
    this.order.forEach((code, row) => {
      if (row % every === 0) pen.fillText(fitted(pen, this.grid.trial.categories[code], this.gutter - 28), this.gutter - 12, TOP + (row + 0.5) * this.tall);
    });
    pen.save();
    pen.translate(10, (this.height - AXIS) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText("trial", 0, 0);
    pen.restore();
    pen.globalAlpha = 1;
    if (!mask) return;
    const rows = new Set([...mask.keys()].filter((k) => mask[k] && !Number.isNaN(this.y[k])).map((k) => this.y[k]));
    for (const y of rows) pen.fillRect(this.gutter - 6, y, 3, Math.max(1, this.tall));
  }

  between([x0, y0], [x1, y1]) {
    const [left, right, top, bottom] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
    return [...this.x.keys()].filter(
      (k) => this.x[k] < right && this.x[k] + this.w[k] > left && this.y[k] < bottom && this.y[k] + this.tall > top,
    );
  }

  frame([x0, y0], [x1, y1]) {
    return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
  }

  nearest(x, y) {
    if (x < this.gutter - 30 || y > this.height - AXIS) return -1;
    const code = this.order[Math.floor((y - TOP) / this.tall)];
    let found = -1;
    this.grid.trial.values.forEach((mine, k) => {
      if (mine === code && (found < 0 || Math.abs(this.x[k] + this.w[k] / 2 - x) < Math.abs(this.x[found] + this.w[found] / 2 - x))) found = k;
    });
    return found;
  }

  moved(cursor, key) {
    const { values } = this.grid.trial;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const down = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (!sideways && !down) return -1;
    if (cursor < 0) return values.indexOf(this.order[0]);
    if (sideways) return values[cursor + sideways] === values[cursor] ? cursor + sideways : cursor;
    const row = Math.max(0, Math.min(this.order.length - 1, this.rowOf.get(values[cursor]) + down));
    return this.nearest(this.x[cursor] + this.w[cursor] / 2, TOP + (row + 0.5) * this.tall);
  }

  // From row to row whole trials; within a row the samples between.
  stretch(a, b) {
    const [from, to] = [this.y[a], this.y[b]];
    if (from === to) return super.stretch(a, b);
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    return [...this.y.keys()].filter((k) => this.y[k] >= low && this.y[k] <= high);
  }
}

// Seconds are easier to read, but where few trials last much longer they would squeeze all others.
function columnsFor({ inside, trial }) {
  const longest = new Map();
  trial.values.forEach((code, k) => longest.set(code, Math.max(inside[k], longest.get(code) ?? 0)));
  const all = [...longest.values()].sort((a, b) => a - b);
  return all.at(-1) > 4 * all[all.length >> 1] ? "share of trial" : "time";
}

// Seconds to the next drawn sample of the trial; the usual step at its end and over gaps.
function stepsOf({ time, trial }) {
  const { values } = trial;
  const steps = Float32Array.from(time, (t, k) => (values[k + 1] === values[k] ? time[k + 1] - t : 0));
  const known = steps.filter((s) => s > 0).sort();
  const usual = known[known.length >> 1] || 1;
  return steps.map((s) => (s > 0 && s < 3 * usual ? s : usual));
}

// Every trial equally long: where in it a sample starts, and its width.
function sharesOf({ trial }) {
  const many = new Map(), seen = new Map();
  for (const code of trial.values) many.set(code, (many.get(code) ?? 0) + 1);
  const start = Float32Array.from(trial.values, (code) => {
    const k = seen.get(code) ?? 0;
    seen.set(code, k + 1);
    return k / many.get(code);
  });
  return [start, Float32Array.from(trial.values, (code) => 1 / many.get(code))];
}

// Ways to sort the rows: by number, by length, by any label that is one value in each trial.
function rowOrders(grid) {
  const constant = grid.labels.filter((label) => label.kind === "discrete" && label.categories.length > 1 && oneValueEach(grid, label));
  return ["number", "duration", ...constant.map((label) => label.name)];
}

function oneValueEach({ trial }, { values }) {
  const seen = new Map();
  return trial.values.every((code, k) => code < 0 || (seen.has(code) ? seen.get(code) === values[k] : seen.set(code, values[k])));
}

function sortedTrials(grid, by) {
  const { values, categories } = grid.trial;
  const label = grid.labels.find((l) => l.name === by);
  const key = new Array(categories.length).fill(0);
  values.forEach((code, k) => {
    if (code >= 0 && label) key[code] = label.values[k];
    else if (code >= 0 && by === "duration") key[code] = Math.max(key[code], grid.inside[k]);
  });
  const there = new Set(values);
  return [...categories.keys()].filter((code) => there.has(code)).sort((a, b) => key[a] - key[b] || a - b);
}
