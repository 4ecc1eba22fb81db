// Charts and theme; says on the root element when all is drawn (`data-ready`) or went wrong.

const root = document.documentElement;
addEventListener("error", (event) => (root.dataset.error = event.message));
addEventListener("unhandledrejection", (event) => (root.dataset.error = String(event.reason)));

const FIGURES = JSON.parse(document.getElementById("figures").textContent);
const CHART = {
  responsive: true,
  displaylogo: false,
  modeBarButtons: [["toImage", "resetScale2d"]],
  toImageButtonOptions: { format: "svg" },
};

function themed(figure) {
  const style = getComputedStyle(document.body);
  const layout = {
    ...figure.layout,
    font: { family: style.fontFamily, size: 13, color: style.color },
    modebar: { orientation: "v", bgcolor: "rgba(0,0,0,0)", color: "#8a8f98", activecolor: style.color },
    hoverlabel: { bgcolor: style.color, font: { color: style.backgroundColor } },
  };
  const data = figure.data.map((trace) => {
    if (trace.meta !== "ink") return trace;
    const marker = { ...trace.marker, line: { ...trace.marker.line, color: style.color } };
    return { ...trace, marker, error_x: trace.error_x && { ...trace.error_x, color: style.color } };
  });
  return { data, layout };
}

const PAPER = 640; // pixels that fit between the margins of A4 and of US letter

function drawCharts(printing) {
  const boxes = [...document.querySelectorAll("[data-figure]")];
  return Promise.all(
    boxes.map((box) => {
      const { data, layout } = themed(FIGURES[box.dataset.figure]);
      if (printing) layout.width = Math.min(PAPER, box.clientWidth);
      return Plotly.react(box, data, layout, CHART);
    }),
  );
}

const stored = document.getElementById("embedding-data");
const gallery = stored ? new Gallery(readEmbeddings(stored.textContent)) : null;

function retheme(printing = false) {
  const toggle = document.getElementById("theme");
  toggle.textContent = isDark() ? "Light" : "Dark";
  gallery?.recolor();
  return drawCharts(printing);
}

document.getElementById("theme").hidden = false;
document.getElementById("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  retheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => retheme());
addEventListener("resize", () => gallery?.redraw());

let before;
addEventListener("beforeprint", () => {
  before = root.dataset.theme;
  root.dataset.theme = "light";
  document.querySelectorAll("details").forEach((d) => (d.dataset.open = d.open));
  document.querySelectorAll("details").forEach((d) => (d.open = true));
  retheme(true);
  gallery?.draw(true);
});
addEventListener("afterprint", () => {
  if (before) root.dataset.theme = before;
  else delete root.dataset.theme;
  document.querySelectorAll("details").forEach((d) => (d.open = d.dataset.open === "true"));
  retheme();
});

retheme().then(() => {
  gallery?.draw(true);
  root.dataset.ready = "true";
});
