// Starts the page; says on the root element how far it is (`data-ready`: what is in sight is drawn and
// answers; `data-drawn`: all is) or that something went wrong (`data-error`).

const root = document.documentElement;
addEventListener("error", (event) => (root.dataset.error = event.message));
addEventListener("unhandledrejection", (event) => (root.dataset.error = String(event.reason)));

let gallery = null, charts = null;

function retheme(printing = false) {
  document.getElementById("theme").textContent = isDark() ? "Light" : "Dark";
  gallery?.recolor();
  return charts?.redraw(printing);
}

function listenToPage() {
  const toggle = document.getElementById("theme");
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    retheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => retheme());
  addEventListener("resize", () => gallery?.redraw());
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
}

// On paper: light, every fold open, everything drawn.
function paper(printing) {
  const folded = document.querySelectorAll("details");
  if (printing) {
    root.dataset.screen = root.dataset.theme ?? "";
    root.dataset.theme = "light";
    folded.forEach((d) => (d.dataset.open = d.open));
  } else if (root.dataset.screen) root.dataset.theme = root.dataset.screen;
  else delete root.dataset.theme;
  folded.forEach((d) => (d.open = printing || d.dataset.open === "true"));
  retheme(printing);
  if (printing) gallery?.draw(true);
}

// What scripts outside may ask: the selection, and what each picture in sight marks of it.
function offer() {
  window.isofold = {
    selected: () => ({
      recording: gallery.selection.count ? gallery.data.grids[gallery.selection.grid].recording : "",
      samples: gallery.selection.numbers(),
      trials: gallery.selection.trials(),
    }),
    marked: () => {
      const numbers = (grid, picture) => (picture.marked ?? []).map((k) => grid.rows[k]);
      const scenes = gallery.all().filter((s) => s === gallery.large.scene || gallery.visible.has(s.canvas));
      const { grid, planes } = gallery.linked;
      return [
        ...scenes.map((s) => ({ picture: named(s.panel), samples: numbers(gallery.data.grids[s.panel.grid], s) })),
        ...planes.map((p) => ({ picture: p.name, samples: numbers(grid, p) })),
      ];
    },
  };
}

async function start() {
  if (!("DecompressionStream" in window)) {
    document.getElementById("too-old").hidden = false;
    return;
  }
  retheme();
  listenToPage();
  const stored = await inflated("embedding-data");
  if (stored) {
    gallery = new Gallery(readEmbeddings(stored));
    offer();
    await new Promise(requestAnimationFrame);
  }
  root.dataset.embeddings = "ready";
  const [figures] = await Promise.all([inflated("figures"), loadPlotly()]);
  charts = new Charts(JSON.parse(figures));
  await charts.draw(charts.inSight());
  root.dataset.ready = "true";
  await charts.rest();
  root.dataset.drawn = "true";
}

start();
