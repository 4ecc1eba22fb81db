// The samples that were picked by hand, in any picture. All pictures of a recording share one
// numbering (its grid), so a selection is one mark a sample.

class Selection {
  constructor(grids) {
    this.grids = grids;
    this.clear();
  }

  clear() {
    this.grid = -1;
    this.masks = new Map();
    this.count = 0;
  }

  // how: "replace", "add", "remove"
  pick(grid, samples, how = "replace") {
    const old = how === "replace" ? null : this.mask(grid);
    const mask = old ? old.slice() : new Uint8Array(this.grids[grid].time.length);
    for (const k of samples) mask[k] = how === "remove" ? 0 : 1;
    this.clear();
    this.count = mask.reduce((sum, one) => sum + one, 0);
    if (!this.count) return;
    this.grid = grid;
    this.masks.set(grid, mask);
  }

  // Marks of the samples of a grid; null where nothing of its recording is picked.
  mask(grid) {
    if (!this.count) return null;
    if (!this.masks.has(grid)) this.masks.set(grid, this.carried(grid));
    return this.masks.get(grid);
  }

  // On another clock of the same recording: samples nearest in time to a picked one, of its trial.
  carried(grid) {
    const [from, to] = [this.grids[this.grid], this.grids[grid]];
    if (from.recording !== to.recording) return null;
    const mask = this.masks.get(this.grid);
    return Uint8Array.from(to.time, (t, k) => {
      const j = nearestIn(from.time, t);
      return mask[j] && from.trial.categories[from.trial.values[j]] === to.trial.categories[to.trial.values[k]] ? 1 : 0;
    });
  }

  // Places in the grid.
  samples(grid) {
    const mask = this.mask(grid);
    return mask ? [...mask.keys()].filter((k) => mask[k]) : [];
  }

  // Numbers of the samples in the recording, from 0.
  numbers() {
    return this.count ? this.samples(this.grid).map((k) => this.grids[this.grid].rows[k]) : [];
  }

  trials() {
    const { values, categories } = this.grids[this.grid]?.trial ?? { values: [], categories: [] };
    const codes = unique(this.count ? this.samples(this.grid).map((k) => values[k]) : []);
    return codes.filter((code) => code >= 0).map((code) => categories[code]);
  }
}

function nearestIn(times, t) {
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle;
    else high = middle;
  }
  return Math.abs(times[high] - t) < Math.abs(times[low] - t) ? high : low;
}

// Whether a point lies inside a closed line [[x, y], …] (even–odd rule).
function inside(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

function howPicked(event) {
  if (event.altKey) return "remove";
  return event.ctrlKey || event.metaKey ? "add" : "replace";
}
