// Charts, drawn by plotly: first those in sight, then the others one by one while the page rests.

const CHART = {
  responsive: true,
  displaylogo: false,
  modeBarButtons: [["toImage", "resetScale2d"]],
  toImageButtonOptions: { format: "svg" },
};
const PAPER = 640; // pixels that fit between the margins of A4 and of US letter

class Charts {
  constructor(figures) {
    this.figures = figures;
    this.boxes = [...document.querySelectorAll("[data-figure]")];
    for (const box of this.boxes) box.style.minHeight = `${figures[box.dataset.figure].layout.height ?? 300}px`;
    this.drawn = new Set();
  }

  inSight() {
    return this.boxes.filter((box) => {
      const { top, bottom } = box.getBoundingClientRect();
      return bottom > -innerHeight && top < 2 * innerHeight;
    });
  }

  draw(boxes, printing = false) {
    return Promise.all(
      boxes.map((box) => {
        this.drawn.add(box);
        const { data, layout } = themed(this.figures[box.dataset.figure]);
        if (printing) layout.width = Math.min(PAPER, box.clientWidth);
        return Plotly.react(box, data, layout, CHART);
      }),
    );
  }

  // Those that are in sight when their turn comes go first.
  async rest() {
    for (;;) {
      const left = this.boxes.filter((box) => !this.drawn.has(box));
      if (!left.length) return;
      const seen = this.inSight().find((box) => !this.drawn.has(box));
      await this.draw([seen ?? left[0]]);
      await new Promise((next) => setTimeout(next, 0));
    }
  }

  redraw(printing = false) {
    return this.draw(printing ? this.boxes : [...this.drawn], printing);
  }
}

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

// The library runs as a script of its own, whose digest the policy of the page names.
async function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = await inflated("plotly");
  document.head.append(script);
}
