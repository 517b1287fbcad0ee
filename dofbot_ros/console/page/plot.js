// Joint angles over the last seconds, as lines on a canvas.
const SECONDS = 20, PERIOD_MS = 200;
export const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00"];

export class Plot {
  constructor(canvas, read) {
    this.canvas = canvas; this.read = read; this.rows = [];
    setInterval(() => { if (!document.hidden) this.step(); }, PERIOD_MS);
  }

  step() {
    const joints = this.read();
    if (!joints || joints.some((v) => v === null)) return;
    const now = performance.now() / 1000;
    this.rows.push([now, ...joints.slice(0, 5).map((v) => v * 180 / Math.PI)]);
    while (this.rows[0][0] < now - SECONDS) this.rows.shift();
    const box = this.canvas.getBoundingClientRect();
    if (box.bottom > 0 && box.top < window.innerHeight) this.paint(now);
  }

  paint(now) {
    const canvas = this.canvas, ratio = window.devicePixelRatio || 1, g = canvas.getContext("2d");
    const width = canvas.clientWidth, height = canvas.clientHeight, ink = getComputedStyle(canvas).color;
    if (canvas.width !== Math.round(width * ratio)) [canvas.width, canvas.height] = [width * ratio, height * ratio].map(Math.round);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const left = 44, top = 26, right = width - 8, bottom = height - 22;
    const values = this.rows.flatMap((row) => row.slice(1));
    const low = Math.floor(Math.min(...values, -10) / 30) * 30, high = Math.ceil(Math.max(...values, 10) / 30) * 30;
    const x = (t) => right + (t - now) / SECONDS * (right - left), y = (v) => bottom - (v - low) / (high - low) * (bottom - top);
    g.font = "12px system-ui, sans-serif"; g.fillStyle = ink; g.strokeStyle = ink; g.lineWidth = 1;
    const step = high - low > 240 ? 90 : high - low > 120 ? 60 : 30;
    for (let v = low; v <= high; v += step) {
      g.globalAlpha = 0.2; line(g, left, y(v), right, y(v)); g.globalAlpha = 0.8;
      g.textAlign = "right"; g.fillText(`${v}°`, left - 6, y(v) + 4);
    }
    g.textAlign = "center";
    for (const s of [-20, -15, -10, -5, 0]) g.fillText(s ? `${s} s` : "now", Math.min(x(now + s), right - 10), height - 5);
    g.globalAlpha = 1; g.textAlign = "left";
    COLOURS.forEach((colour, i) => {
      g.strokeStyle = g.fillStyle = colour; g.lineWidth = 2;
      g.beginPath();
      for (const row of this.rows) g.lineTo(x(row[0]), y(row[i + 1]));
      g.stroke();
      g.fillText(`joint ${i + 1}`, left + i * Math.min(62, (right - left) / 5), 14);
    });
  }
}

function line(g, a, b, c, d) { g.beginPath(); g.moveTo(a, b); g.lineTo(c, d); g.stroke(); }
