// Behaviour and trials beside the embeddings, the line that says what is selected, and selecting by value.

class Linked {
  constructor(hub) {
    this.hub = hub;
    this.box = document.getElementById("linked");
    const bar = element(this.box, "div", "bar");
    this.line = element(bar, "p", "said");
    this.line.setAttribute("role", "status");
    this.clear = button(bar, "Clear", () => hub.pick(null, []));
    this.copy = button(bar, "Copy sample numbers", () => this.copied());
    this.copy.title = "Numbers count the samples of the recording from 0: z[numbers] in Python";
    this.byValue = button(bar, "Select by value", () => this.toggleForm());
    this.byValue.setAttribute("aria-expanded", "false");
    this.form = element(this.box, "form", "by-value controls");
    this.form.hidden = true;
    this.form.addEventListener("submit", (event) => event.preventDefault());
    const planes = element(this.box, "div", "planes");
    const left = element(planes, "figure", "");
    const right = element(planes, "figure", "");
    this.behaviour = new Behaviour(left, hub);
    this.raster = new Raster(right, hub);
    element(left, "figcaption", "start", "Behaviour; grey ground: held-out trials");
    this.rows = element(right, "figcaption", "", "");
    this.planes = [this.behaviour, this.raster];
  }

  // Another recording, fold or colour.
  lay(grid, colors, split) {
    const fresh = grid !== this.grid;
    this.grid = grid;
    const trials = grid.trial.categories.length > 1;
    this.raster.canvas.parentNode.hidden = !trials;
    const orders = rowOrders(grid);
    if (!orders.includes(this.hub.state.rows)) this.hub.state.rows = orders[0];
    if (fresh) {
      this.hub.state.columns = columnsFor(grid);
      this.rowChoice(orders);
      this.fields();
    }
    for (const plane of this.planes) plane.lay(grid, colors, split);
    for (const plane of this.planes) plane.canvas.setAttribute("aria-label", plane.label());
    const rows = this.behaviour.rows.length;
    this.box.style.setProperty("--tall", `${Math.max(184, rows * 46 + TOP + AXIS)}px`);
  }

  rowChoice(orders) {
    const { state } = this.hub;
    const taken = (name) => (value) => {
      state[name] = value;
      this.hub.recolor();
    };
    this.rows.replaceChildren();
    choice(this.rows, "Trials by", "rows", orders, state.rows, taken("rows"));
    choice(this.rows, "columns", "columns", ["time", "share of trial"], state.columns, taken("columns"));
  }

  draw(view) {
    for (const plane of this.planes) plane.draw(view);
  }

  // -- what is picked -----------------------------------------------------------------------

  say() {
    const { selection } = this.hub;
    const grid = this.grid;
    const drawn = grid.time.length;
    const some = selection.count > 0;
    this.clear.hidden = this.copy.hidden = !some;
    const every = grid.every > 1 ? ` Drawn is 1 of every ${grid.every} samples.` : "";
    this.line.textContent = some
      ? `Selected: ${counted(selection.count, "sample")} of ${counted(selection.trials().length, "trial")}, of ` +
        `${drawn.toLocaleString("en")} drawn samples of ${counted(grid.trial.categories.length, "trial")}.${every}`
      : `Nothing selected. ${grid.trial.categories.length > 1 ? "Drag over behaviour or trials" : "Drag over behaviour"}, or with Shift over an embedding: ` +
        "the same samples are marked in every picture.";
  }

  async copied() {
    const text = JSON.stringify(this.hub.selection.numbers());
    try {
      await navigator.clipboard.writeText(text);
      this.line.textContent = `Copied ${counted(this.hub.selection.count, "sample number")}.`;
    } catch {
      this.byHand(text); // a browser may keep the clipboard from pages that are files
    }
  }

  byHand(text) {
    this.box.querySelector("textarea")?.remove();
    const area = element(this.box, "textarea", "numbers", text);
    area.readOnly = true;
    area.setAttribute("aria-label", "Sample numbers, to be copied");
    area.addEventListener("blur", () => area.remove());
    area.focus();
    area.select();
  }

  // -- picking by value ---------------------------------------------------------------------

  toggleForm() {
    this.form.hidden = !this.form.hidden;
    this.byValue.setAttribute("aria-expanded", String(!this.form.hidden));
    if (!this.form.hidden) this.form.querySelector("select").focus();
  }

  fields() {
    const { grid } = this;
    const time = { name: "time (s)", kind: "continuous", values: grid.time };
    const all = [grid.trial, ...grid.labels, time].filter((l) => l.kind !== "discrete" || l.categories.length);
    this.form.replaceChildren();
    choice(this.form, "Select by", "field", all.map((l) => l.name), all[0].name, (name) => this.ends(all.find((l) => l.name === name)));
    this.range = element(this.form, "span", "range");
    const row = group(this.form, "What is in the range");
    for (const how of ["replace", "add", "remove"]) {
      const words = { replace: "Select", add: "Add", remove: "Remove" };
      button(row, words[how], () => this.hub.pick(grid, this.within(), how)).dataset.how = how;
    }
    this.ends(all[0]);
  }

  ends(label) {
    this.field = label;
    this.range.replaceChildren();
    if (label.kind === "discrete") {
      const { categories } = label;
      this.from = choice(this.range, "from", "from", categories, categories[0], () => {});
      this.to = choice(this.range, "to", "to", categories, categories[0], () => {});
      return;
    }
    const [low, high] = rangeOf(label);
    this.from = numberField(this.range, "from", outward(low, Math.floor));
    this.to = numberField(this.range, "to", outward(high, Math.ceil));
  }

  // Samples in the range, ends included; of an angle, from one to the other counter-clockwise.
  within() {
    const { kind, values } = this.field;
    const ends = [this.from, this.to].map((e) => (kind === "discrete" ? e.selectedIndex : Number(e.value)));
    const [low, high] = ends;
    const round = kind === "circular" && low > high;
    const chosen = (v) => (round ? v >= low || v <= high : v >= low && v <= high);
    return [...values.keys()].filter((k) => chosen(values[k]));
  }
}

function numberField(box, title, value) {
  const label = document.createElement("label");
  const field = document.createElement("input");
  field.type = "number";
  field.step = "any";
  field.value = String(value);
  field.dataset.name = title;
  label.append(title, field);
  box.append(label);
  return field;
}

// Six digits, rounded so that the end itself stays within the range.
function outward(value, round) {
  const power = 10 ** (5 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return +(round(value * power) / power).toPrecision(12);
}

function counted(n, what) {
  return `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
}
