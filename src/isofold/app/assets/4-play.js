// Playing a trial: a point on its way in both embeddings, a line in its traces, its labels in words.

const SPEEDS = [["5 s", 0], ["real time", 1], ["¼ of it", 0.25], ["4 times it", 4]];
let play = null; // {time, said, at, running}

function buildPlayer(box) {
  box.replaceChildren();
  const add = (tag, props) => box.appendChild(Object.assign(document.createElement(tag), props));
  const button = add("button", { type: "button", id: "play", textContent: "Play" });
  const slider = add("input", { type: "range", id: "moment", min: 0, max: play.time.length - 1, value: 0, ariaLabel: "moment of the trial" });
  const speed = add("select", { ariaLabel: "speed" });
  SPEEDS.forEach(([name, value]) => speed.append(new Option(name, value)));
  add("span", { id: "now", className: "fine" });
  button.addEventListener("click", () => (play.running ? stopPlaying() : startPlaying(+speed.value)));
  slider.addEventListener("input", () => {
    stopPlaying();
    showMoment(+slider.value);
  });
}

function startPlaying(speed) {
  const { time } = play, last = time.length - 1;
  const span = time[last] - time[0] || 1;
  const rate = speed || span / 5; // seconds of the recording a second
  const from = play.at >= last ? 0 : play.at;
  const begun = performance.now(), first = time[from];
  const mine = (play.running = {});
  document.getElementById("play").textContent = "Pause";
  const step = () => {
    if (play?.running !== mine) return;
    const now = first + ((performance.now() - begun) / 1000) * rate;
    let k = play.at >= from ? play.at : from;
    if (k >= last) k = from;
    while (k < last && time[k + 1] <= now) k++;
    showMoment(k);
    if (k >= last) return stopPlaying();
    requestAnimationFrame(step);
  };
  play.at = from;
  requestAnimationFrame(step);
}

function stopPlaying() {
  if (play) play.running = null;
  const button = document.getElementById("play");
  if (button) button.textContent = "Play";
}

function showMoment(k) {
  play.at = k;
  for (const scene of Object.values(isofold.scenes)) scene.now = scene.way ? k : null;
  redraw();
  document.getElementById("moment").value = k;
  document.getElementById("now").textContent = `${play.time[k].toFixed(2)} s · ${play.said[k]}`;
  const plot = document.querySelector("#trace .js-plotly-plot"), cursor = document.getElementById("cursor");
  const axis = plot?._fullLayout?.xaxis;
  if (!axis) return;
  const size = plot._fullLayout._size;
  cursor.hidden = false;
  cursor.style.left = `${axis._offset + axis.d2p(play.time[k])}px`;
  cursor.style.top = `${size.t}px`;
  cursor.style.height = `${size.h}px`;
}
