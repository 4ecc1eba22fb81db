// Pointer and keys on a picture of an embedding: turn, zoom, point at a sample, lasso.

function listenTo(scene, hub) {
  const { canvas } = scene;
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    held = { x: event.clientX, y: event.clientY };
    if (event.shiftKey || hub.state.hand === "select") scene.lasso = [scene.at(event)];
    hub.point(null);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return hub.point(scene.panel.grid, scene.nearest(event, hub.state.show), event, scene.panel);
    if (scene.lasso) {
      scene.lasso.push(scene.at(event));
      return hub.redraw();
    }
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    held = { x: event.clientX, y: event.clientY };
    hub.turn(dx / 130, dy / 130);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (scene.lasso) lassoed(scene, hub, event);
    held = scene.lasso = null;
  });
  canvas.addEventListener("pointercancel", () => (held = scene.lasso = null));
  canvas.addEventListener("pointerleave", () => hub.point(null));
  canvas.addEventListener("keydown", (event) => turnedByKey(event, hub));
}

// A lasso picks what is inside; a click without one, the trial of the nearest sample.
function lassoed(scene, hub, event) {
  const { grid } = scene.panel;
  const data = hub.data.grids[grid];
  if (scene.lasso.length > 3) return hub.pick(data, scene.roped(hub.state.show), howPicked(event));
  const sample = scene.nearest(event, hub.state.show);
  if (sample >= 0) hub.pickTrial(data, sample, howPicked(event));
}

function turnedByKey(event, hub) {
  const step = 0.12;
  const turns = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (turns[event.key]) hub.turn(...turns[event.key]);
  else if (event.key === "+" || event.key === "=") hub.zoom(1.15);
  else if (event.key === "-") hub.zoom(1 / 1.15);
  else if (event.key === "0") hub.reset();
  else return;
  event.preventDefault();
}
