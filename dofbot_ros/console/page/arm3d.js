// Draws the arm, where it is going to be, and the blocks, with WebGL 2; only when something has changed.
import { IDENTITY, lookAt, moved, perspective, times, turned } from "./matrices.js";

const VERTEX = `#version 300 es
uniform mat4 view, pose; uniform vec3 size;
in vec3 place, normal; out vec3 facing, at;
void main() {
  vec4 world = pose * vec4(place * size, 1.0);
  facing = mat3(pose) * (normal / size); at = world.xyz; gl_Position = view * world;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 colour; uniform int kind;
in vec3 facing, at; out vec4 shown;
void main() {
  if (kind == 1) {                                     // the table: a line every 10 cm, fading out
    vec2 cell = abs(fract(at.xy * 10.0 - 0.5) - 0.5) / fwidth(at.xy * 10.0);
    float line = 1.0 - min(min(cell.x, cell.y), 1.0), far = smoothstep(0.25, 0.9, length(at.xy));
    shown = vec4(mix(vec3(0.93, 0.94, 0.96), vec3(0.72, 0.76, 0.81), 0.8 * line), 1.0 - far);
    return;
  }
  if (kind == 2) { shown = colour; return; }           // a shadow
  vec3 n = normalize(facing);
  float sun = max(dot(n, normalize(vec3(0.4, 0.5, 1.0))), 0.0), sky = 0.5 + 0.5 * n.z;
  shown = vec4((0.06 + 0.94 * colour.rgb) * (0.4 + 0.35 * sky + 0.6 * sun), colour.a);
}`;
const SUN = [0.4, 0.5, 1.0];
const SHADOW = [1, 0, -SUN[0] / SUN[2], 0, 0, 1, -SUN[1] / SUN[2], 0, 0, 0, 0, 0.0006, 0, 0, 0, 1];
const SLOW_S = 0.08, REST_MS = 500;  // a frame that takes so long is drawn coarser; a scene at rest is drawn fine
const GHOST = [0.11, 0.45, 0.95, 0.5];

export class Arm3D {
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: true, stencil: true, powerPreference: "low-power" });
    this.orbit = { turn: -0.9, tilt: 0.38, distance: 0.95, centre: [0.09, 0, 0.14] };
    this.joints = this.ghost = null;
    this.blocks = [];
    this.awaited = false;
    [this.seconds, this.coarse, this.fine, this.fence] = [0, 1, false, null];
    if (this.gl) this.prepare();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  get works() { return Boolean(this.gl); }

  setScene(scene) { this.scene = scene; this.draw(); }

  // Joint positions [rad], where it is going to be or null, blocks as [name, pose, size, colour].
  show(joints, ghost, blocks) {
    const now = JSON.stringify([joints, ghost, blocks]);
    if (now === this.shown) return;
    [this.shown, this.joints, this.ghost, this.blocks] = [now, joints, ghost, blocks];
    this.draw();
  }

  draw() {
    if (this.awaited || !this.gl) return;
    this.awaited = true;
    requestAnimationFrame(() => this.frame());
  }

  // A frame is begun when the one before is done: a slow graphics unit makes the picture coarse and rare, but never holds
  // up the page, whose beat tells the console that it is there.
  frame() {
    const gl = this.gl;
    if (this.fence && gl.getSyncParameter(this.fence, gl.SYNC_STATUS) !== gl.SIGNALED) {
      requestAnimationFrame(() => this.frame());
      return;
    }
    if (this.fence) {
      gl.deleteSync(this.fence);
      this.seconds = 0.8 * this.seconds + 0.2 * (performance.now() - this.begun) / 1000;
      this.coarse = clamp(this.coarse * (this.seconds > SLOW_S ? 1.2 : this.seconds < SLOW_S / 4 ? 0.95 : 1), 1, 3);
    }
    this.awaited = false;
    this.begun = performance.now();
    clearTimeout(this.rest);
    if (this.coarse > 1 && !this.fine) this.rest = setTimeout(() => { this.fine = true; this.draw(); }, REST_MS);
    this.paint(this.fine ? 1 : this.coarse);
    this.fine = false;
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
  }

  // -- geometry -------------------------------------------------------------------------------------------------------

  prepare() {
    const gl = this.gl, program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, "place"); gl.bindAttribLocation(program, 1, "normal");
    gl.linkProgram(program); gl.useProgram(program);
    this.uniform = Object.fromEntries(
      ["view", "pose", "size", "colour", "kind"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.shapes = { box: this.mesh(box()), cylinder: this.mesh(cylinder(28)), sphere: this.mesh(sphere(16)) };
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  mesh(numbers) {
    const gl = this.gl, array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(numbers), gl.STATIC_DRAW);
    for (const [index, offset] of [[0, 0], [1, 12]]) {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, 3, gl.FLOAT, false, 24, offset);
    }
    return { array, count: numbers.length / 6 };
  }

  // Pose of each link in the root, of joint positions [rad].
  forward(joints) {
    const value = Object.fromEntries(this.scene.names.map((name, i) => [name, joints[i]]));
    const poses = {}, left = [...this.scene.joints];
    const roots = Object.keys(this.scene.links).filter((link) => !left.some((joint) => joint.child === link));
    for (const root of roots) poses[root] = IDENTITY;
    while (left.length) {
      const joint = left.splice(left.findIndex((one) => poses[one.parent]), 1)[0];
      const q = joint.source ? joint.multiplier * value[joint.source] + joint.offset : 0;
      const motion = joint.kind === "prismatic" ? moved(joint.axis.map((v) => v * q)) : turned(joint.axis, q);
      poses[joint.child] = times(times(poses[joint.parent], joint.origin), motion);
    }
    return poses;
  }

  parts(joints) {
    const poses = this.forward(joints);
    return Object.entries(this.scene.links).flatMap(([link, shapes]) =>
      shapes.map((shape) => ({ ...shape, pose: times(poses[link], shape.pose) })));
  }

  // -- painting -------------------------------------------------------------------------------------------------------

  paint(coarse) {
    const gl = this.gl, canvas = this.canvas, ratio = Math.min(window.devicePixelRatio || 1, 2) / coarse;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0.874, 0.894, 0.918, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    const { turn, tilt, distance, centre } = this.orbit;
    const eye = [Math.cos(turn) * Math.cos(tilt), Math.sin(turn) * Math.cos(tilt), Math.sin(tilt)]
      .map((v, i) => centre[i] + distance * v);
    const lens = perspective(0.75 * Math.max(1, height / width * 0.9), width / height, 0.02, 5);
    gl.uniformMatrix4fv(this.uniform.view, true, times(lens, lookAt(eye, centre)));
    gl.enable(gl.BLEND);
    this.part("box", IDENTITY, [1, 1, 0.0004], [1, 1, 1, 1], 1);
    gl.disable(gl.BLEND);
    const solid = this.blocks.map(([, pose, size, colour]) =>
      ({ kind: "box", pose, size: [size / 2, size / 2, size / 2], colour: [...colour, 1] }));
    if (this.scene && this.joints && this.joints.every((v) => v !== null)) solid.push(...this.parts(this.joints));
    this.shadow(solid);
    for (const { kind, pose, size, colour } of solid) this.part(kind, pose, size, colour, 0);
    if (this.scene && this.ghost) {
      const here = new Set(solid.map(({ pose }) => String(pose)));
      this.ghostly(this.parts(this.ghost).filter(({ pose }) => !here.has(String(pose))));
    }
  }

  part(kind, pose, size, colour, how) {
    const gl = this.gl, shape = this.shapes[kind];
    gl.bindVertexArray(shape.array);
    gl.uniformMatrix4fv(this.uniform.pose, true, pose);
    gl.uniform3fv(this.uniform.size, size);
    gl.uniform4fv(this.uniform.colour, colour);
    gl.uniform1i(this.uniform.kind, how);
    gl.drawArrays(gl.TRIANGLES, 0, shape.count);
  }

  shadow(solid) {
    const gl = this.gl;
    gl.enable(gl.BLEND); gl.enable(gl.STENCIL_TEST); gl.depthMask(false);
    gl.stencilFunc(gl.EQUAL, 0, 255); gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    for (const { kind, pose, size } of solid) this.part(kind, times(SHADOW, pose), size, [0.1, 0.13, 0.2, 0.2], 2);
    gl.disable(gl.STENCIL_TEST); gl.disable(gl.BLEND); gl.depthMask(true);
  }

  // First only the depth, so that nothing shows through the ghost's own surface.
  ghostly(parts) {
    const gl = this.gl;
    gl.colorMask(false, false, false, false);
    for (const { kind, pose, size } of parts) this.part(kind, pose, size, GHOST, 0);
    gl.colorMask(true, true, true, true);
    gl.enable(gl.BLEND); gl.depthFunc(gl.LEQUAL);
    for (const { kind, pose, size } of parts) this.part(kind, pose, size, GHOST, 0);
    gl.depthFunc(gl.LESS); gl.disable(gl.BLEND);
  }

  // -- turning and zooming ----------------------------------------------------------------------------------------------

  listen() {
    const fingers = new Map();
    this.canvas.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, event); this.canvas.setPointerCapture(event.pointerId);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    this.canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      if (fingers.size === 2) {
        const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
        const apart = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
        this.zoom(apart(before) / Math.max(apart(event), 1));
      } else {
        this.orbit.turn -= (event.clientX - before.clientX) * 0.008;
        this.orbit.tilt = clamp(this.orbit.tilt + (event.clientY - before.clientY) * 0.008, 0.02, 1.5);
      }
      fingers.set(event.pointerId, event);
      this.draw();
    });
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault(); this.zoom(Math.exp(event.deltaY * 0.001)); this.draw();
    }, { passive: false });
  }

  zoom(by) { this.orbit.distance = clamp(this.orbit.distance * by, 0.3, 2.5); }
}

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

// Triangles as place and normal, of half size 1.
function box() {
  const out = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const side of [-1, 1]) {
      const corner = (u, v) => { const p = [0, 0, 0]; p[axis] = side; p[(axis + 1) % 3] = u; p[(axis + 2) % 3] = v; return p; };
      const normal = [0, 0, 0]; normal[axis] = side;
      for (const [u, v] of [[-1, -1], [1, -1], [1, 1], [-1, -1], [1, 1], [-1, 1]]) out.push(...corner(u, v), ...normal);
    }
  }
  return out;
}

function cylinder(sides) {
  const out = [];
  for (let k = 0; k < sides; k++) {
    const [a, b] = [k, k + 1].map((i) => 2 * Math.PI * i / sides);
    const [p, q] = [[Math.cos(a), Math.sin(a)], [Math.cos(b), Math.sin(b)]];
    for (const [[x, y], z] of [[p, -1], [q, -1], [q, 1], [p, -1], [q, 1], [p, 1]]) out.push(x, y, z, x, y, 0);
    for (const z of [-1, 1]) out.push(0, 0, z, 0, 0, z, ...p, z, 0, 0, z, ...q, z, 0, 0, z);
  }
  return out;
}

function sphere(sides) {
  const out = [], at = (i, j) => {
    const a = Math.PI * i / sides, b = 2 * Math.PI * j / sides;
    return [Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b), Math.cos(a)];
  };
  for (let i = 0; i < sides; i++) {
    for (let j = 0; j < sides; j++) {
      for (const [di, dj] of [[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]]) { const p = at(i + di, j + dj); out.push(...p, ...p); }
    }
  }
  return out;
}
