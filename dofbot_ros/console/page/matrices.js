// 4 x 4 matrices, row by row, as the URDF's poses come.
export const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

export function times(a, b) {
  const c = new Array(16);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      c[4 * i + j] = a[4 * i] * b[j] + a[4 * i + 1] * b[4 + j] + a[4 * i + 2] * b[8 + j] + a[4 * i + 3] * b[12 + j];
    }
  }
  return c;
}

// Rotation by an angle [rad] about a unit axis (Rodrigues).
export function turned([x, y, z], angle) {
  const c = Math.cos(angle), s = Math.sin(angle), d = 1 - c;
  return [
    c + x * x * d, x * y * d - z * s, x * z * d + y * s, 0,
    y * x * d + z * s, c + y * y * d, y * z * d - x * s, 0,
    z * x * d - y * s, z * y * d + x * s, c + z * z * d, 0,
    0, 0, 0, 1,
  ];
}

export function moved([x, y, z]) {
  return [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1];
}

// From world to eye: z of the world is up.
export function lookAt(eye, centre) {
  const back = unit(minus(eye, centre)), right = unit(cross([0, 0, 1], back)), up = cross(back, right);
  return [
    ...right, -dot(right, eye),
    ...up, -dot(up, eye),
    ...back, -dot(back, eye),
    0, 0, 0, 1,
  ];
}

export function perspective(height, aspect, near, far) {
  const f = 1 / Math.tan(height / 2), n = 1 / (near - far);
  return [f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, (far + near) * n, 2 * far * near * n, 0, 0, -1, 0];
}

const minus = (a, b) => a.map((v, i) => v - b[i]);
const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const unit = (a) => a.map((v) => v / Math.hypot(...a));
const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];
