// The gallery: every embedding of a recording and fold, one view and one set of samples for all.

function unpack(text, Type) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Type(bytes.buffer);
}

function readLabel(label) {
  const Type = label.kind === "discrete" ? Int32Array : Float32Array;
  return { ...label, values: unpack(label.values, Type) };
}

function readEmbeddings(text) {
  const data = JSON.parse(text);
  for (const grid of data.grids) {
    grid.time = unpack(grid.time, Float32Array);
    grid.trial = readLabel(grid.trial);
    grid.labels = grid.labels.map(readLabel);
  }
  for (const panel of data.panels) {
    panel.points = unpack(panel.points, Int16Array);
    panel.split = unpack(panel.split, Int8Array);
  }
  return data;
}

class Gallery {
  constructor(data) {
    this.data = data;
    this.view = { turn: FIRST_VIEW, flat: turnZ(0), zoom: 1 };
    const [first] = data.panels;
    this.state = { recording: data.grids[first.grid].recording, fold: first.fold, color: null, show: "all" };
    this.scenes = [];
    this.mark = null;
    this.spinning = false;
    this.visible = new Set();
    this.watcher = new IntersectionObserver((entries) => this.noticed(entries), { rootMargin: "150px" });
    this.box = document.getElementById("gallery");
    this.dialog = document.getElementById("large");
    this.large = null;
    this.build();
    this.listenLarge();
  }

  // -- what is shown ------------------------------------------------------------------------

  build() {
    const { recording, fold } = this.state;
    const here = this.data.panels.filter((p) => this.data.grids[p.grid].recording === recording);
    const folds = unique(here.map((p) => p.fold));
    if (!folds.includes(fold)) this.state.fold = folds[0];
    this.panels = here.filter((p) => p.fold === this.state.fold);
    const names = this.colorNames();
    if (!names.includes(this.state.color)) this.state.color = names[0];
    this.controls(folds, names);
    this.rows();
    this.recolor();
  }

  colorNames() {
    const labels = unique(this.panels.flatMap((p) => this.data.grids[p.grid].labels.map((l) => l.name)));
    return [...labels, "trial", "time", "train / test"];
  }

  label(panel) {
    const grid = this.data.grids[panel.grid];
    const name = this.state.color;
    const found = grid.labels.find((l) => l.name === name);
    if (found) return found;
    if (name === "time") return { name: "time (s)", kind: "continuous", values: grid.time };
    if (name === "train / test") return { name, kind: "discrete", values: panel.split, categories: this.data.splits.slice(0, 2) };
    return grid.trial;
  }

  recolor() {
    const done = new Map();
    for (const scene of this.all()) {
      const label = this.label(scene.panel);
      if (!done.has(label)) done.set(label, paint(label, this.data));
      scene.colors = done.get(label).colors;
      scene.legend = done.get(label).legend;
    }
    if (this.scenes.length) drawLegend(document.getElementById("legend"), this.scenes[0].legend);
    if (this.large) drawLegend(document.getElementById("large-legend"), this.large.legend);
    this.describe();
    this.redraw();
  }

  all() {
    return this.large ? [...this.scenes, this.large] : this.scenes;
  }

  describe() {
    for (const { canvas, panel } of this.all()) {
      const seed = panel.seed === "" ? "" : `, seed ${panel.seed}`;
      canvas.setAttribute(
        "aria-label",
        `Embedding of ${this.state.recording} by ${panel.variant}${seed}: ${panel.split.length} samples in 3-D, ` +
          `coloured by ${this.state.color}. Arrow keys turn it, plus and minus zoom.`,
      );
    }
  }

  // -- controls ---------------------------------------------------------------------------

  controls(folds, colors) {
    const box = document.getElementById("controls");
    const focused = document.activeElement?.dataset?.name;
    box.replaceChildren();
    const recordings = unique(this.data.grids.map((g) => g.recording));
    if (recordings.length > 1) this.choice(box, "Recording", "recording", recordings, () => this.build());
    if (folds.length > 1) this.choice(box, "Fold", "fold", folds, () => this.build());
    this.choice(box, "Colour by", "color", colors, () => this.recolor());
    this.buttons(box, "Show", ["all", "train", "test"]);
    const view = group(box, "View");
    this.spinButton = button(view, "Turn slowly", () => this.spin(!this.spinning));
    this.spinButton.setAttribute("aria-pressed", String(this.spinning));
    button(view, "First view", () => this.reset());
    box.querySelector(`[data-name="${focused}"]`)?.focus();
  }

  choice(box, title, name, values, changed) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.dataset.name = name;
    for (const value of values) select.add(new Option(value, value, false, value === this.state[name]));
    select.addEventListener("change", () => {
      this.state[name] = select.value;
      changed();
    });
    label.append(title, select);
    box.append(label);
  }

  buttons(box, title, values) {
    const row = group(box, title);
    const made = values.map((value) =>
      button(row, value, () => {
        this.state.show = value;
        made.forEach((b, k) => b.setAttribute("aria-pressed", String(values[k] === value)));
        this.redraw();
      }),
    );
    made.forEach((b, k) => b.setAttribute("aria-pressed", String(values[k] === this.state.show)));
  }

  // -- pictures ---------------------------------------------------------------------------

  rows() {
    this.watcher.disconnect();
    this.visible.clear();
    this.scenes = [];
    this.box.replaceChildren();
    const variants = unique(this.panels.map((p) => p.variant));
    this.box.classList.toggle("single", variants.length === this.panels.length);
    for (const variant of variants) {
      const row = document.createElement("div");
      row.className = "row";
      const title = document.createElement("h3");
      const mine = this.panels.filter((p) => p.variant === variant);
      title.textContent = variant;
      const size = document.createElement("small");
      size.textContent = `${mine[0].latents} latent${mine[0].latents === 1 ? "" : "s"}`;
      title.append(size);
      const cells = document.createElement("div");
      cells.className = "cells";
      for (const panel of mine) cells.append(this.cell(panel));
      row.append(title, cells);
      this.box.append(row);
    }
  }

  cell(panel) {
    const cell = document.createElement("div");
    cell.className = "cell";
    const canvas = document.createElement("canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    const caption = document.createElement("span");
    caption.textContent = panel.seed === "" ? "" : `seed ${panel.seed}`;
    cell.append(canvas, caption);
    const open = button(cell, "⤢", () => this.open(panel));
    open.setAttribute("aria-label", `Open ${panel.variant}, seed ${panel.seed}, large`);
    open.title = "Open large";
    const scene = new Scene(canvas, panel, this.data.unitsPerRadius);
    this.scenes.push(scene);
    this.listen(scene);
    canvas.addEventListener("dblclick", () => this.open(panel));
    this.watcher.observe(canvas);
    return cell;
  }

  noticed(entries) {
    for (const entry of entries) this.visible[entry.isIntersecting ? "add" : "delete"](entry.target);
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.spinning) this.view.turn = multiply(turnY(0.008), this.view.turn);
      this.draw(false);
      if (this.spinning) this.redraw();
    });
  }

  draw(everything) {
    const ink = getComputedStyle(document.body).color;
    for (const scene of this.all()) {
      if (!everything && scene !== this.large && !this.visible.has(scene.canvas)) continue;
      const grid = this.data.grids[scene.panel.grid];
      const mark = this.mark && this.mark.grid === scene.panel.grid ? this.mark : null;
      scene.draw(this.view, scene.colors, this.state.show, grid.trial.values, mark, ink);
    }
  }

  // -- hands ------------------------------------------------------------------------------

  listen(scene) {
    const { canvas } = scene;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.held = { x: event.clientX, y: event.clientY };
      this.point(null);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.held) return this.point(scene, event);
      const [dx, dy] = [event.clientX - this.held.x, event.clientY - this.held.y];
      this.held = { x: event.clientX, y: event.clientY };
      this.turn(dx / 130, dy / 130);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.held = null));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const step = 0.12;
    const turns = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (turns[event.key]) this.turn(...turns[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.15);
    else if (event.key === "-") this.zoom(1 / 1.15);
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
  }

  turn(right, down) {
    this.view.turn = multiply(multiply(turnX(down), turnY(right)), this.view.turn);
    this.view.flat = multiply(turnZ(-right), this.view.flat);
    this.redraw();
  }

  zoom(factor) {
    this.view.zoom = Math.max(0.4, Math.min(12, this.view.zoom * factor));
    this.redraw();
  }

  reset() {
    Object.assign(this.view, { turn: FIRST_VIEW, flat: turnZ(0), zoom: 1 });
    this.redraw();
  }

  spin(on) {
    this.spinning = on;
    this.spinButton.setAttribute("aria-pressed", String(on));
    this.redraw();
  }

  point(scene, event) {
    const tip = document.getElementById("tip");
    const sample = scene ? scene.nearest(event.clientX, event.clientY, this.state.show) : -1;
    if (sample < 0) {
      tip.hidden = true;
      if (this.mark) {
        this.mark = null;
        this.redraw();
      }
      return;
    }
    const grid = this.data.grids[scene.panel.grid];
    this.mark = { sample, trial: grid.trial.values[sample], grid: scene.panel.grid };
    tip.textContent = this.words(grid, scene.panel, sample);
    tip.hidden = false;
    if (this.dialog.open) this.dialog.append(tip); // only what is inside a modal dialog is above it
    else document.body.append(tip);
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
    this.redraw();
  }

  words(grid, panel, sample) {
    const value = (l) => (l.kind === "discrete" ? (l.categories[l.values[sample]] ?? "none") : shortNumber(l.values[sample]));
    const lines = [`trial ${value(grid.trial)} · ${grid.time[sample].toFixed(2)} s · ${this.data.splits[panel.split[sample]] ?? "no split"}`];
    return [...lines, ...grid.labels.map((l) => `${l.name}: ${value(l)}`)].join("\n");
  }

  // -- one, large -------------------------------------------------------------------------

  listenLarge() {
    this.dialog.addEventListener("close", () => {
      this.large = null;
      this.point(null);
      this.reset();
    });
    document.getElementById("large-save").addEventListener("click", () => this.save());
  }

  open(panel) {
    const old = document.getElementById("large-canvas");
    const canvas = old.cloneNode(false); // without the listeners of the last one
    old.replaceWith(canvas);
    this.large = new Scene(canvas, panel, this.data.unitsPerRadius);
    this.listen(this.large);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 500));
    }, { passive: false });
    const seed = panel.seed === "" ? "" : `, seed ${panel.seed}`;
    document.getElementById("large-title").textContent = `${panel.variant}${seed}, ${this.state.recording}`;
    this.dialog.showModal();
    canvas.focus();
    this.recolor();
  }

  save() {
    const { canvas, panel } = this.large;
    const out = document.createElement("canvas");
    [out.width, out.height] = [canvas.width, canvas.height];
    const pen = out.getContext("2d");
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, out.width, out.height);
    pen.drawImage(canvas, 0, 0);
    const link = document.createElement("a");
    link.download = `${panel.variant}-seed${panel.seed}.png`.replace(/[^\w.-]+/g, "_");
    link.href = out.toDataURL("image/png");
    link.click();
  }
}

function unique(values) {
  return [...new Set(values)];
}

function group(box, title) {
  const outer = document.createElement("div");
  outer.className = "group";
  outer.setAttribute("role", "group");
  outer.setAttribute("aria-label", title);
  const row = document.createElement("div");
  row.className = "buttons";
  outer.append(title, row);
  box.append(outer);
  return row;
}

function button(box, text, pressed) {
  const node = document.createElement("button");
  node.type = "button";
  node.textContent = text;
  node.addEventListener("click", pressed);
  box.append(node);
  return node;
}
