// What hands do to the two embeddings: turn, move, zoom, lasso, click, point at.

function listen(scene, side) {
  const box = scene.box;
  let from = null, moved = false;
  const place = (event) => {
    const frame = box.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  box.addEventListener("pointerdown", (event) => {
    box.setPointerCapture(event.pointerId);
    from = place(event);
    moved = false;
    scene.lasso = isofold.tool === "lasso" ? [from] : null;
    point(null);
  });
  box.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!from) return point(scene, x, y, event);
    const [dx, dy] = [x - from[0], y - from[1]];
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    if (scene.lasso) {
      scene.lasso.push([x, y]);
      return redraw();
    }
    const high = box.clientHeight / 2;
    if (event.shiftKey || event.buttons === 2 || scene.flat) scene.camera.shift(dx / high, -dy / high);
    else scene.camera.rotate(dx / 160, dy / 160);
    from = [x, y];
    looked();
  });
  box.addEventListener("pointerup", (event) => {
    if (from && !moved) clicked(scene, ...place(event));
    else if (scene.lasso?.length > 2) lassoed(scene);
    scene.lasso = from = null;
    redraw();
  });
  box.addEventListener("pointerleave", () => point(null));
  box.addEventListener("contextmenu", (event) => event.preventDefault());
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    const [x, y] = place(event), high = box.clientHeight / 2;
    scene.camera.magnify(Math.exp(-event.deltaY / 400), (x - box.clientWidth / 2) / high, (high - y) / high);
    looked();
  }, { passive: false });
  box.addEventListener("dblclick", () => resetView());
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (step) scene.camera.rotate(...step);
    else if (event.key === "+" || event.key === "=") scene.camera.magnify(1.2);
    else if (event.key === "-") scene.camera.magnify(1 / 1.2);
    else return;
    event.preventDefault();
    looked();
  });
}

function resetView() {
  isofold.camera.reset();
  looked();
}

let frame = 0;
function redraw() {
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    for (const scene of Object.values(isofold.scenes)) scene.draw();
  });
}

// The server thins by what is in view: it is told once the view stands still.
let told = 0;
function looked() {
  redraw();
  clearTimeout(told);
  if (!Object.values(isofold.scenes).some((scene) => scene.data?.more)) return;
  told = setTimeout(() => {
    const scene = isofold.scenes.left;
    const { zoom, middle } = scene.camera;
    dash_clientside.set_props("camera", { data: { turn: scene.turn, zoom, middle, aspect: scene.aspect } });
  }, 250);
}

function lassoed(scene) {
  const every = Math.max(1, Math.ceil(scene.lasso.length / 300));
  const lasso = scene.lasso.filter((_, k) => k % every === 0).map(([x, y]) => scene.plane(x, y));
  select(scene, { lasso, turn: scene.turn, show: scene.data.show });
}

function clicked(scene, x, y) {
  const found = scene.n ? scene.nearest(x, y) : -1;
  if (found >= 0) select(scene, { row: scene.rows[found] });
}

function select(scene, what) {
  dash_clientside.set_props("selection", { data: { view: scene.data.view, ...what } });
}

function point(scene, x, y, event) {
  let tip = document.getElementById("tip");
  if (!tip) {
    tip = document.body.appendChild(document.createElement("div"));
    tip.id = "tip";
  }
  const found = scene?.n ? scene.nearest(x, y) : -1;
  tip.hidden = found < 0;
  if (found < 0) return;
  tip.textContent = scene.about(found);
  tip.style.left = `${event.clientX + 14}px`;
  tip.style.top = `${event.clientY + 14}px`;
}

// -- pictures ---------------------------------------------------------------------------------

function save(format) {
  const shown = Object.entries(isofold.scenes).filter(([, scene]) => scene.n);
  const wide = shown.map(([, scene]) => scene.box.clientWidth);
  const high = Math.max(...shown.map(([, scene]) => scene.box.clientHeight)) + 30;
  const titles = shown.map(([side]) => document.getElementById(`title-${side}`).textContent);
  const parts = { shown, titles, wide, high, left: (k) => wide.slice(0, k).reduce((a, b) => a + b, 0) };
  if (format === "svg") return offer(new Blob([svg(parts)], { type: "image/svg+xml" }), "embeddings.svg");
  const ratio = 2, canvas = document.createElement("canvas");
  Object.assign(canvas, { width: parts.left(wide.length) * ratio, height: high * ratio });
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = styleOf("raised");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = styleOf("ink");
  pen.font = "13px sans-serif";
  shown.forEach(([, scene], k) => {
    pen.fillText(titles[k], parts.left(k) + 12, 20, wide[k] - 20);
    for (const layer of [scene.canvas, scene.over]) pen.drawImage(layer, parts.left(k), 30, wide[k], high - 30);
  });
  canvas.toBlob((blob) => offer(blob, "embeddings.png"));
}

function svg({ shown, titles, wide, high, left }) {
  const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" width="${left(wide.length)}" height="${high}" font-family="sans-serif">`];
  shown.forEach(([, scene], k) => {
    out.push(`<text x="${left(k) + 12}" y="20" font-size="13">${escape(titles[k])}</text><svg x="${left(k)}" y="30" width="${wide[k]}" height="${high - 30}">`);
    const strong = (i) => (isofold.marked ? scene.marks[i] : scene.even || scene.test[i]);
    for (const pass of [0, 1])
      for (let i = 0, j = 0; i < scene.n; i++, j += 3) {
        if (Boolean(strong(i)) !== Boolean(pass)) continue;
        const [x, y] = scene.project(scene.points[j], scene.points[j + 1], scene.points[j + 2]);
        out.push(`<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${pass ? 1.6 : 1.1}" fill="rgb(${scene.rgb.subarray(j, j + 3)})"${pass ? "" : ' opacity=".4"'}/>`);
      }
    out.push("</svg>");
  });
  return `${out.join("\n")}</svg>`;
}

function offer(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
