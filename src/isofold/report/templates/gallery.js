// Every embedding of a recording and fold: one view, one colouring and one selection for all.

class Gallery {
  constructor(data) {
    this.data = data;
    this.view = { turn: FIRST_VIEW, flat: turnZ(0), zoom: 1 };
    const [first] = data.panels;
    const { recording } = data.grids[first.grid];
    this.state = { recording, fold: first.fold, color: null, show: "all", hand: "turn", rows: "number", columns: "time" };
    this.selection = new Selection(data.grids);
    this.scenes = [];
    this.mark = null;
    this.spinning = false;
    this.visible = new Set();
    this.watcher = new IntersectionObserver((entries) => this.noticed(entries), { rootMargin: "150px" });
    this.box = document.getElementById("gallery");
    this.linked = new Linked(this);
    this.large = new Large(this);
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.large.dialog.open) this.pick(null, []);
    });
    this.build();
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
    return unique([...labels, "trial", "time", "train / test"]);
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
    const painted = (panel) => {
      const label = this.label(panel);
      if (!done.has(label)) done.set(label, paint(label, this.data));
      return done.get(label);
    };
    for (const scene of this.all()) Object.assign(scene, painted(scene.panel));
    const [first] = this.panels;
    drawLegend(document.getElementById("legend"), painted(first).legend);
    this.linked.lay(this.data.grids[first.grid], painted(first).colors, first.split);
    this.linked.say();
    this.large.legend();
    this.describe();
    this.redraw();
  }

  all() {
    return this.large.scene ? [...this.scenes, this.large.scene] : this.scenes;
  }

  describe() {
    for (const { canvas, panel } of this.all()) {
      canvas.setAttribute(
        "aria-label",
        `Embedding of ${this.state.recording} by ${named(panel)}: ${panel.split.length} samples in 3-D, ` +
          `coloured by ${this.state.color}. Arrow keys turn it, plus and minus zoom, 0 turns it back.`,
      );
    }
  }

  // -- controls ---------------------------------------------------------------------------

  controls(folds, colors) {
    const box = document.getElementById("controls");
    const focused = document.activeElement?.dataset?.name;
    box.replaceChildren();
    const taken = (name, then) => (value) => {
      this.state[name] = value;
      then();
    };
    const recordings = unique(this.data.grids.map((g) => g.recording));
    if (recordings.length > 1) choice(box, "Recording", "recording", recordings, this.state.recording, taken("recording", () => this.build()));
    if (folds.length > 1) choice(box, "Fold", "fold", folds, this.state.fold, taken("fold", () => this.build()));
    choice(box, "Colour by", "color", colors, this.state.color, taken("color", () => this.recolor()));
    switches(box, "Show", ["all", "train", "test"], this.state.show, taken("show", () => this.redraw()));
    switches(box, "Drag", ["turn", "select"], this.state.hand, taken("hand", () => this.handed()));
    const view = group(box, "View");
    this.spinButton = button(view, "Turn slowly", () => this.spin(!this.spinning));
    this.spinButton.setAttribute("aria-pressed", String(this.spinning));
    button(view, "First view", () => this.reset());
    box.querySelector(`[data-name="${focused}"]`)?.focus();
  }

  handed() {
    document.getElementById("embeddings").classList.toggle("selecting", this.state.hand === "select");
  }

  // -- pictures ---------------------------------------------------------------------------

  rows() {
    this.watcher.disconnect();
    this.visible.clear();
    this.scenes = [];
    this.box.replaceChildren();
    const variants = unique(this.panels.map((p) => p.variant));
    this.box.classList.toggle("single", variants.length === this.panels.length);
    const most = Math.max(...variants.map((v) => this.panels.filter((p) => p.variant === v).length));
    this.box.style.setProperty("--columns", Math.max(2, Math.min(most, 5)));
    for (const variant of variants) {
      const row = element(this.box, "div", "row");
      const mine = this.panels.filter((p) => p.variant === variant);
      const title = element(row, "h3", "", variant);
      element(title, "small", "", counted(mine[0].latents, "latent"));
      const cells = element(row, "div", "cells");
      for (const panel of mine) this.cell(cells, panel);
    }
  }

  cell(cells, panel) {
    const cell = element(cells, "div", "cell");
    const canvas = element(cell, "canvas", "");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    element(cell, "span", "", panel.seed === "" ? "" : `seed ${panel.seed}`);
    const open = button(cell, "⤢", () => this.large.open(panel));
    open.setAttribute("aria-label", `Open ${named(panel)}, large`);
    open.title = "Open large";
    const scene = new Scene(canvas, panel, this.data.unitsPerRadius);
    this.scenes.push(scene);
    listenTo(scene, this);
    canvas.addEventListener("dblclick", () => this.large.open(panel));
    this.watcher.observe(canvas);
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
    const style = getComputedStyle(document.body);
    const inks = { ink: style.color, accent: style.getPropertyValue("accent-color") };
    const { show } = this.state;
    for (const scene of this.all()) {
      if (!everything && scene !== this.large.scene && !this.visible.has(scene.canvas)) continue;
      const { grid } = scene.panel;
      const mark = this.mark && this.mark.grid === grid ? this.mark : null;
      const trial = this.data.grids[grid].trial.values;
      scene.draw(this.view, { colors: scene.colors, show, trial, mark, mask: this.selection.mask(grid), ...inks });
    }
    const shown = this.data.grids.indexOf(this.linked.grid);
    this.linked.draw({ mask: this.selection.mask(shown), cursor: this.cursor(this.linked.grid), ...inks });
  }

  // -- view -------------------------------------------------------------------------------

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

  // -- what is picked and pointed at ----------------------------------------------------------

  pick(grid, samples, how = "replace") {
    if (grid) this.selection.pick(this.data.grids.indexOf(grid), samples, how);
    else this.selection.clear();
    document.documentElement.dataset.selected = this.selection.count;
    this.linked.say();
    this.redraw();
  }

  pickTrial(grid, sample, how) {
    const { values } = grid.trial;
    const mine = [...values.keys()].filter((k) => values[k] === values[sample]);
    this.pick(grid, mine, how);
  }

  // The sample pointed at, if it is one of this grid; else -1.
  cursor(grid) {
    return this.mark && this.data.grids[this.mark.grid] === grid ? this.mark.sample : -1;
  }

  // grid: the grid or its number; null: nothing is pointed at.
  point(grid, sample = -1, event = null, panel = this.panels[0]) {
    const tip = document.getElementById("tip");
    if (grid === null || sample < 0) {
      tip.hidden = true;
      if (this.mark) {
        this.mark = null;
        this.redraw();
      }
      return;
    }
    const number = typeof grid === "number" ? grid : this.data.grids.indexOf(grid);
    const its = this.data.grids[number];
    this.mark = { sample, trial: its.trial.values[sample], grid: number };
    tip.textContent = this.words(its, panel, sample);
    tip.hidden = false;
    (this.large.dialog.open ? this.large.dialog : document.body).append(tip); // only what is inside a modal dialog is above it
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
    this.redraw();
  }

  words(grid, panel, sample) {
    const value = (l) => (l.kind === "discrete" ? (l.categories[l.values[sample]] ?? "none") : shortNumber(l.values[sample]));
    const where = `sample ${grid.rows[sample]} · ${grid.time[sample].toFixed(2)} s`;
    const first = `trial ${value(grid.trial)} · ${where} · ${this.data.splits[panel.split[sample]] ?? "no split"}`;
    return [first, ...grid.labels.map((l) => `${l.name}: ${value(l)}`)].join("\n");
  }
}

function named(panel) {
  return panel.seed === "" ? panel.variant : `${panel.variant}, seed ${panel.seed}`;
}
