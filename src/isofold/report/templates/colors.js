// Colours of a label's values. A theme uses the part of a colour map that stands out from its ground.

const NO_VALUE = "rgba(138, 143, 152, 0.4)";

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function ramp(maps) {
  const all = maps.sequential;
  return isDark() ? all.slice(Math.round(all.length * 0.16)) : all.slice(0, Math.round(all.length * 0.94));
}

function at(colors, share) {
  return colors[Math.max(0, Math.min(colors.length - 1, Math.round(share * (colors.length - 1))))];
}

// One colour a category: told apart up to the length of the scheme, ordered along the ramp beyond it.
function categoryColors(count, { maps }) {
  if (count <= maps.categories.length) return maps.categories.slice(0, count);
  const colors = ramp(maps);
  return Array.from({ length: count }, (_, k) => at(colors, k / (count - 1)));
}

// {colors: one per sample, legend: how to read them}
function paint(label, data) {
  const { name, kind, values } = label;
  if (kind === "discrete") {
    const palette = categoryColors(label.categories.length, data);
    const colors = Array.from(values, (code) => (code < 0 ? NO_VALUE : palette[code]));
    return { colors, legend: { name, categories: label.categories, palette } };
  }
  const cyclic = kind === "circular";
  let [low, high] = cyclic ? [0, 2 * Math.PI] : rangeOf(label);
  if (label.signed) [low, high] = [-Math.max(-low, high), Math.max(-low, high)]; // 0 in the middle
  const { maps } = data;
  const palette = cyclic ? maps.cyclic : label.signed ? maps.diverging[isDark() ? "dark" : "light"] : ramp(maps);
  const colors = Array.from(values, (v) => (Number.isNaN(v) ? NO_VALUE : at(palette, (v - low) / (high - low || 1))));
  return { colors, legend: { name, palette, cyclic, low, high, signed: label.signed } };
}

function drawLegend(box, legend) {
  const add = (tag, className, text) => {
    const node = document.createElement(tag);
    node.className = className;
    if (text !== undefined) node.textContent = text;
    box.append(node);
    return node;
  };
  box.replaceChildren();
  add("span", "name", legend.name);
  if (legend.cyclic) {
    add("span", "wheel").style.background = `conic-gradient(from 90deg, ${[...legend.palette].reverse()})`;
    add("span", "", "angle: 0 to the right, counter-clockwise");
  } else if (!legend.categories) {
    add("span", "", endOfScale(legend.low, legend.high - legend.low));
    add("span", "ramp").style.background = `linear-gradient(to right, ${legend.palette})`;
    add("span", "", endOfScale(legend.high, legend.high - legend.low));
    if (legend.signed) add("span", "", "grey: 0");
  } else if (legend.categories.length > 12) {
    add("span", "", legend.categories[0]);
    add("span", "ramp").style.background = `linear-gradient(to right, ${legend.palette})`;
    add("span", "", `${legend.categories.at(-1)} (${legend.categories.length} values)`);
  } else {
    legend.categories.forEach((category, k) => {
      const key = add("span", "key");
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = legend.palette[k];
      key.append(swatch, category);
    });
  }
}

function shortNumber(value) {
  if (!Number.isFinite(value)) return "no value";
  const text = Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(4));
  return text.replace("-", "−");
}

// As many digits as the span of the scale needs: 0.00013 on a scale up to 1.6 is 0.
function endOfScale(value, span) {
  const digits = Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(span || 1))));
  return Number.isFinite(value) ? String(+value.toFixed(digits)).replace("-", "−") : "no value";
}
