// Data of the page: deflated text in base64; inside it, arrays of numbers in base64.

function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

// Text of a data block; "" where the page has none of that name.
async function inflated(id) {
  const node = document.getElementById(id);
  if (!node) return "";
  const stream = new Blob([bytesOf(node.textContent)]).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("deflate"))).text();
}

function unpack(text, Type) {
  return new Type(bytesOf(text).buffer);
}

function readLabel(label) {
  const Type = label.kind === "discrete" ? Int32Array : Float32Array;
  return { ...label, values: unpack(label.values, Type) };
}

function readEmbeddings(text) {
  const data = JSON.parse(text);
  for (const grid of data.grids) {
    grid.rows = unpack(grid.rows, Int32Array);
    grid.time = unpack(grid.time, Float32Array);
    grid.trial = readLabel(grid.trial);
    grid.labels = grid.labels.map(readLabel);
    grid.inside = insideTrials(grid);
  }
  for (const panel of data.panels) {
    panel.points = unpack(panel.points, Int16Array);
    panel.split = unpack(panel.split, Int8Array);
  }
  return data;
}

// Seconds since the first drawn sample of the same trial.
function insideTrials({ time, trial }) {
  const first = new Map();
  trial.values.forEach((code, k) => first.set(code, Math.min(time[k], first.get(code) ?? Infinity)));
  return Float32Array.from(time, (t, k) => t - first.get(trial.values[k]));
}

function unique(values) {
  return [...new Set(values)];
}
