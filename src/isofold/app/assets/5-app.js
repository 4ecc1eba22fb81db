// Where Dash and the two embeddings meet.

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function themed() {
  const button = document.getElementById("theme");
  if (button) button.textContent = isDark() ? "Light" : "Dark";
  redraw();
}

function sceneOf(side) {
  const box = document.getElementById(`view-${side}`);
  if (!box) return null;
  if (isofold.scenes[side]?.box !== box) {
    isofold.camera ??= new Camera();
    isofold.scenes[side] = new Scene(box, isofold.camera);
    listen(isofold.scenes[side], side);
  }
  return isofold.scenes[side];
}

function useTool(name) {
  isofold.tool = name;
  for (const tool of ["turn", "lasso"]) document.getElementById(`tool-${tool}`)?.setAttribute("aria-pressed", tool === name);
  document.querySelectorAll(".view").forEach((box) => (box.dataset.tool = name));
}

document.addEventListener("click", (event) => {
  const id = event.target.closest("button")?.id;
  const act = {
    theme: () => {
      document.documentElement.dataset.theme = isDark() ? "light" : "dark";
      themed();
    },
    "tool-turn": () => useTool("turn"),
    "tool-lasso": () => useTool("lasso"),
    reset: resetView,
    "save-png": () => save("png"),
    "save-svg": () => save("svg"),
  }[id];
  act?.();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
new MutationObserver(() => document.getElementById("theme")?.textContent === "Dark" && isDark() && themed()).observe(document.documentElement, { childList: true, subtree: true });

const quiet = () => window.dash_clientside.no_update;

window.dash_clientside = Object.assign({}, window.dash_clientside, {
  isofold: {
    draw(left, right, marks) {
      isofold.marked = Boolean(marks);
      for (const [side, data] of [["left", left], ["right", right]]) {
        const scene = sceneOf(side);
        if (!scene || !data) continue;
        if (scene.data !== data) scene.take(data);
        scene.mark(marks?.[side] ?? null);
      }
      useTool(isofold.tool);
      redraw();
      return Date.now();
    },
    player(path) {
      stopPlaying();
      for (const scene of Object.values(isofold.scenes)) Object.assign(scene, { way: null, now: null });
      play = path ? { ...path, at: 0, running: null } : null;
      const cursor = document.getElementById("cursor");
      if (cursor) cursor.hidden = true;
      if (!path) return quiet();
      for (const [side, way] of Object.entries(path.ways)) {
        const scene = sceneOf(side);
        if (scene) scene.way = new Float32Array(bytes(way));
      }
      buildPlayer(document.getElementById("player"));
      redraw();
      return Date.now();
    },
    // The address says what is shown, so that it can be sent to somebody.
    link(pair, color, axes) {
      const asked = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries({ ...pair, color, axes })) if (value) asked.set(name, value);
      history.replaceState(history.state, "", `${location.pathname}?${asked}`);
      return quiet();
    },
    clear() {
      return null;
    },
  },
});
window.isofold = isofold; // for a look from the console
