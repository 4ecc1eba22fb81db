// The points of one embedding in WebGL, and a drawing over them: lasso, a trial's way, axes.

const VERTEX = `
attribute vec3 place; attribute vec3 rgb; attribute float test; attribute float mark;
uniform mat3 turn; uniform vec2 middle; uniform float half_, aspect, size, marked, pass_, even; uniform vec3 ground;
varying vec3 color; varying float wide;
void main() {
  vec3 p = turn * place;
  float strong = marked > .5 ? mark : max(test, even);
  float near = clamp(p.z, -1., 1.);
  gl_Position = vec4((p.xy - middle) / vec2(half_ * aspect, half_), -.45 * near, 1.);
  if (abs(strong - pass_) > .5) gl_Position = vec4(9., 9., 9., 1.);
  gl_PointSize = size * (strong > .5 ? 1.5 : 1.) * (1. + .2 * near);
  wide = gl_PointSize;
  float pale = strong > .5 ? 0. : (marked > .5 ? .7 : .5);
  color = mix(rgb, ground, pale);
}`;
const FRAGMENT = `
precision mediump float; varying vec3 color; varying float wide;
void main() {
  float inside = clamp((.5 - length(gl_PointCoord - .5)) * wide, 0., 1.);
  if (inside < .05) discard;
  gl_FragColor = vec4(color, 1.) * inside;
}`;
const UNIFORMS = ["turn", "middle", "half_", "aspect", "size", "marked", "pass_", "even", "ground"];
const ATTRIBUTES = { place: 3, rgb: 3, test: 1, mark: 1 };

class Scene {
  constructor(box, camera) {
    Object.assign(this, { box, camera, n: 0, rows: [], points: [], lasso: null, now: null });
    this.canvas = box.appendChild(document.createElement("canvas"));
    this.over = box.appendChild(document.createElement("canvas"));
    this.gl = this.canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
    if (!this.gl) return void box.append("This browser has no WebGL, which the points are drawn with.");
    this.build();
    new ResizeObserver(() => this.draw()).observe(box);
  }

  build() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = Object.fromEntries(Object.keys(ATTRIBUTES).map((name) => [name, gl.createBuffer()]));
    for (const [name, width] of Object.entries(ATTRIBUTES)) {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(place);
      const kind = name === "place" ? gl.FLOAT : gl.UNSIGNED_BYTE;
      gl.vertexAttribPointer(place, width, kind, name === "rgb", 0, 0);
    }
  }

  fill(name, values) {
    if (!this.gl) return;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[name]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.DYNAMIC_DRAW);
  }

  // What compare.py sends of a side.
  take(data) {
    this.data = data;
    this.n = data.n;
    this.flat = data.flat;
    this.points = new Float32Array(bytes(data.points));
    this.rows = new Uint32Array(bytes(data.rows));
    this.rgb = new Uint8Array(bytes(data.rgb));
    this.test = new Uint8Array(bytes(data.test));
    this.even = !this.test.includes(1) || !this.test.includes(0); // nothing to tell apart
    this.time = new Float32Array(bytes(data.time));
    this.trial = new Int32Array(bytes(data.trial));
    this.value = new Float32Array(bytes(data.value));
    this.fill("place", this.points);
    this.fill("rgb", this.rgb);
    this.fill("test", this.test);
    this.mark(this.bits);
  }

  // One bit a sample of the embedding, drawn or not.
  mark(bits) {
    this.bits = bits;
    const set = bits ? new Uint8Array(bytes(bits)) : null;
    this.marks = Uint8Array.from(this.rows, (row) => (set ? (set[row >> 3] >> (7 - (row & 7))) & 1 : 0));
    this.fill("mark", this.marks);
  }

  get turn() {
    return this.camera.rotation(this.flat);
  }
  get aspect() {
    return this.box.clientWidth / Math.max(1, this.box.clientHeight);
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.box.clientWidth, this.box.clientHeight].map((v) => Math.round(v * ratio));
    if (!this.gl || !width || !height) return;
    for (const canvas of [this.canvas, this.over]) if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const gl = this.gl, at = this.at, [r, g, b] = ground();
    const size = Math.max(1.7, Math.min(6, (320 * ratio) / Math.sqrt(this.n + 1))) * Math.min(2.5, Math.sqrt(this.camera.zoom));
    gl.viewport(0, 0, width, height);
    gl.clearColor(r, g, b, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const m = this.turn;
    gl.uniformMatrix3fv(at.turn, false, [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]]);
    gl.uniform2f(at.middle, ...this.camera.middle);
    gl.uniform3f(at.ground, r, g, b);
    const plain = { half_: HALF / this.camera.zoom, aspect: this.aspect, size, marked: isofold.marked ? 1 : 0, even: this.even ? 1 : 0 };
    for (const [name, value] of Object.entries(plain)) gl.uniform1f(at[name], value);
    for (const pass of [0, 1]) {
      gl.clear(gl.DEPTH_BUFFER_BIT); // what matters is not hidden behind what does not
      gl.uniform1f(at.pass_, pass);
      if (this.n) gl.drawArrays(gl.POINTS, 0, this.n);
    }
    drawOver(this, ratio);
  }

  // Where a point stands, in CSS pixels.
  project(x, y, z) {
    const m = this.turn, half = HALF / this.camera.zoom;
    const u = (m[0] * x + m[1] * y + m[2] * z - this.camera.middle[0]) / (half * this.aspect);
    const v = (m[3] * x + m[4] * y + m[5] * z - this.camera.middle[1]) / half;
    return [((u + 1) / 2) * this.box.clientWidth, ((1 - v) / 2) * this.box.clientHeight];
  }

  // A place on the screen in the plane of the view, in radii.
  plane(px, py) {
    const half = HALF / this.camera.zoom;
    const x = ((2 * px) / this.box.clientWidth - 1) * half * this.aspect + this.camera.middle[0];
    return [x, (1 - (2 * py) / this.box.clientHeight) * half + this.camera.middle[1]];
  }

  nearest(px, py) {
    let found = -1, best = 100;
    for (let k = 0, j = 0; k < this.n; k++, j += 3) {
      const [x, y] = this.project(this.points[j], this.points[j + 1], this.points[j + 2]);
      const distance = (x - px) ** 2 + (y - py) ** 2;
      if (distance < best) [found, best] = [k, distance];
    }
    return found;
  }

  about(k) {
    const { trials, label, classes } = this.data;
    const value = classes.length ? classes[this.value[k]] ?? "–" : String(+this.value[k].toPrecision(4));
    const trial = this.trial[k] >= 0 ? trials[this.trial[k]] : "none";
    const part = this.test[k] ? "held out" : "";
    return [`sample ${this.rows[k]} · ${this.time[k].toFixed(2)} s`, `trial ${trial}`, `${label} ${value}`, part].filter(Boolean).join("\n");
  }
}

function bytes(text) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) out[k] = raw.charCodeAt(k);
  return out.buffer;
}

function styleOf(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

function ground() {
  return styleOf("raised").match(/[\d.]+/g).slice(0, 3).map((v) => v / 255);
}

function drawOver(scene, ratio) {
  const pen = scene.over.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, scene.box.clientWidth, scene.box.clientHeight);
  const ink = styleOf("ink");
  pen.strokeStyle = pen.fillStyle = ink;
  if (scene.way) drawWay(scene, pen, ink);
  if (scene.lasso) {
    pen.lineWidth = 1.5;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    scene.lasso.forEach(([x, y], k) => pen[k ? "lineTo" : "moveTo"](x, y));
    pen.closePath();
    pen.stroke();
    pen.globalAlpha = 0.08;
    pen.fill();
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }
  drawAxes(scene, pen);
}

// The way of a trial: all of it thin, what lies behind the moment that is played strong.
function drawWay(scene, pen, ink) {
  const way = scene.way, until = scene.now ?? -1;
  const line = (first, last) => {
    pen.beginPath();
    for (let k = first, open = false; k <= last; k++) {
      const [x, y] = scene.project(way[3 * k], way[3 * k + 1], way[3 * k + 2]);
      if (Number.isFinite(x)) pen[open ? "lineTo" : "moveTo"](x, y);
      open = Number.isFinite(x);
    }
    pen.stroke();
  };
  pen.lineJoin = "round";
  pen.lineWidth = 1.2;
  pen.globalAlpha = 0.55;
  line(0, way.length / 3 - 1);
  pen.globalAlpha = 1;
  if (until < 0) return;
  pen.lineWidth = 2.4;
  line(Math.max(0, until - 40), until);
  const [x, y] = scene.project(way[3 * until], way[3 * until + 1], way[3 * until + 2]);
  pen.beginPath();
  pen.arc(x, y, 6.5, 0, 2 * Math.PI);
  pen.fillStyle = styleOf("accent");
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = ink;
  pen.stroke();
}

function drawAxes(scene, pen) {
  const m = scene.turn, names = scene.data?.names ?? [];
  const [cx, cy, length] = [30, scene.box.clientHeight - 28, 17];
  pen.lineWidth = 1;
  pen.globalAlpha = 0.6;
  pen.strokeStyle = pen.fillStyle = styleOf("ink");
  pen.font = "11px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  names.forEach((name, axis) => {
    const [dx, dy] = [m[axis] * length, -m[3 + axis] * length];
    pen.beginPath();
    pen.moveTo(cx, cy);
    pen.lineTo(cx + dx, cy + dy);
    pen.stroke();
    pen.fillText(name, cx + dx * 1.45, cy + dy * 1.45);
  });
  pen.globalAlpha = 1;
}
