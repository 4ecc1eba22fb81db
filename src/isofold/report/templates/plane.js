// A flat picture of the samples of one recording that can be brushed: what behaviour and trials share.

const TOP = 7, AXIS = 24, MARGIN = 8; // pixels above, below for the axis, and on the right

class Plane {
  // gutter: pixels on the left, for names
  constructor(box, hub, name, gutter) {
    Object.assign(this, { hub, name, gutter });
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.dataset.plane = name;
    this.canvas.setAttribute("role", "img");
    box.append(this.canvas);
    this.anchor = -1;
    this.listen();
  }

  lay(grid, colors, split) {
    Object.assign(this, { grid, colors, split });
  }

  // Pixels that the axis is long.
  across() {
    return this.width - this.gutter - MARGIN;
  }

  // Pixels from the top to the axis.
  down() {
    return this.height - AXIS - TOP;
  }

  font(size, weight = 400) {
    return `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  }

  // view: {mask, cursor, ink, accent}
  draw(view) {
    const box = this.canvas.getBoundingClientRect();
    if (!box.width || !this.grid) return;
    const ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [box.width, box.height];
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    this.place();
    pen.strokeStyle = pen.fillStyle = view.ink;
    this.paintOn(pen, { colors: this.colors, ...view });
    this.caption(pen, view.ink);
    if (this.from) {
      pen.fillStyle = pen.strokeStyle = view.accent;
      pen.globalAlpha = 0.2;
      pen.fillRect(...this.frame(this.from, this.to));
      pen.globalAlpha = 1;
      pen.strokeRect(...this.frame(this.from, this.to));
    }
    this.marked = view.mask ? [...view.mask.keys()].filter((k) => view.mask[k]) : [];
  }

  tick(pen, x, text, ink) {
    pen.fillStyle = ink;
    pen.globalAlpha = 0.7;
    pen.fillRect(x - 0.25, this.height - AXIS, 0.5, 4);
    pen.font = this.font(10);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    if (x < this.width - 70) pen.fillText(text, x, this.height - AXIS + 6);
    pen.globalAlpha = 1;
  }

  caption(pen, ink) {
    pen.fillStyle = ink;
    pen.globalAlpha = 0.7;
    pen.font = this.font(10);
    pen.textAlign = "right";
    pen.textBaseline = "top";
    pen.fillText(this.axisName, this.width - MARGIN, this.height - AXIS + 6);
    pen.globalAlpha = 0.35;
    pen.fillRect(this.gutter, this.height - AXIS, this.across(), 0.5);
    pen.globalAlpha = 1;
  }

  // -- hands ------------------------------------------------------------------------------

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.start = this.at(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      const here = this.at(event);
      if (!this.start) return this.hub.point(this.grid, this.nearest(...here), event);
      if (!this.from && Math.hypot(here[0] - this.start[0], here[1] - this.start[1]) < 4) return;
      [this.from, this.to] = [this.start, here];
      this.hub.redraw();
    });
    canvas.addEventListener("pointerup", (event) => this.released(event));
    canvas.addEventListener("pointercancel", () => (this.start = this.from = null));
    canvas.addEventListener("pointerleave", () => this.hub.point(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.hub.point(null));
  }

  // A drag picks what is under the frame, a click the trial.
  released(event) {
    const [from, to, start] = [this.from, this.to, this.start];
    this.start = this.from = null;
    if (from) return this.hub.pick(this.grid, this.between(from, to), howPicked(event));
    const sample = start ? this.nearest(...start) : -1;
    if (sample >= 0) this.hub.pickTrial(this.grid, sample, howPicked(event));
  }

  key(event) {
    const cursor = this.hub.cursor(this.grid);
    if (event.key === "Enter" || event.key === " ") {
      if (cursor >= 0) this.hub.pickTrial(this.grid, cursor, howPicked(event));
      return event.preventDefault();
    }
    const next = this.moved(cursor, event.key);
    if (next < 0) return;
    event.preventDefault();
    if (event.shiftKey) {
      if (this.anchor < 0) this.anchor = cursor < 0 ? next : cursor;
      this.hub.pick(this.grid, this.stretch(this.anchor, next), "replace");
    } else this.anchor = -1;
    this.hub.point(this.grid, next, { clientX: this.x[next] + this.canvas.getBoundingClientRect().left, clientY: this.canvas.getBoundingClientRect().bottom - 40 });
  }

  stretch(a, b) {
    const [first, last] = [Math.min(a, b), Math.max(a, b)];
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  }
}
