// Small pieces that the controls are made of.

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

// A list of values; changed(value) when another is taken.
function choice(box, title, name, values, taken, changed) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.dataset.name = name;
  for (const value of values) select.add(new Option(value, value, false, value === taken));
  select.addEventListener("change", () => changed(select.value));
  label.append(title, select);
  box.append(label);
  return select;
}

// Buttons of which one is pressed.
function switches(box, title, values, taken, changed) {
  const row = group(box, title);
  const press = (value) => made.forEach((b, k) => b.setAttribute("aria-pressed", String(values[k] === value)));
  const made = values.map((value) =>
    button(row, value, () => {
      press(value);
      changed(value);
    }),
  );
  press(taken);
}

function element(box, tag, className, text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  box.append(node);
  return node;
}
