// Sliders and jog buttons: what the operator holds becomes one message each beat.
const DEG = Math.PI / 180;
const TOOLS = [
  ["x", "x", 1000, "mm", -0.3, 0.3, "x"], ["y", "y", 1000, "mm", -0.3, 0.3, "y"], ["z", "z", 1000, "mm", 0, 0.4, "z"],
  ["pitch", "Pitch", 1 / DEG, "°", 0, Math.PI, "pitch"], ["roll", "Roll", 1 / DEG, "°", -Math.PI / 2, Math.PI, "roll"],
];

export class Controls {
  constructor(send) {
    this.send = send;
    this.arm = null;
    this.held = null;       // the row that is dragged
    this.wanted = null;     // what the next beat asks for
    this.jogging = null;
    this.rows = {};
    const joints = document.getElementById("joints"), tools = document.getElementById("tools");
    for (let i = 0; i < 5; i++) {
      this.slider(joints, `joint${i + 1}`, `Joint ${i + 1}`, 1 / DEG, "°", -Math.PI / 2, Math.PI / 2, `joint${i + 1}`);
    }
    this.slider(joints, "gripper", "Gripper", 1000, "mm", 0, 0.06, "");
    this.slider(joints, "speed", "Speed", 100, "%", 0.05, 1, "");
    for (const row of TOOLS) this.slider(tools, ...row);
    for (const card of [joints, tools]) card.classList.add("needs-control");
  }

  setLimits(lower, upper) {
    for (let i = 0; i < 5; i++) {
      const input = this.rows[`joint${i + 1}`].input;
      [input.min, input.max] = [lower[i], upper[i]];
    }
  }

  slider(card, name, label, scale, unit, low, high, jog) {
    const row = document.createElement("div");
    row.className = jog ? "row" : "row plain";
    const input = Object.assign(document.createElement("input"), { type: "range", min: low, max: high, step: "any", id: name });
    const output = document.createElement("output");
    const text = Object.assign(document.createElement("label"), { textContent: label, htmlFor: name });
    row.append(text, ...(jog ? [this.jog(jog, -1, label), input, this.jog(jog, 1, label)] : [input]), output);
    card.append(row);
    this.rows[name] = { input, output, scale, unit };
    input.addEventListener("input", () => { this.held = name; this.ask(name); });
    for (const end of ["change", "pointerup"]) input.addEventListener(end, () => { if (this.held === name) this.held = null; });
    // Range inputs take the arrow keys; the space bar is the emergency stop's alone (console.js).
  }

  jog(what, direction, label) {
    const button = document.createElement("button");
    button.textContent = direction < 0 ? "−" : "+";
    button.dataset.jog = `${what}${direction < 0 ? "-" : "+"}`;
    button.setAttribute("aria-label", `${label} ${direction < 0 ? "down" : "up"}, while held`);
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.jogging = { do: "jog", text: what, numbers: [direction] };
      this.send(this.jogging);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, () => { if (this.jogging) { this.jogging = null; this.send({ do: "hold" }); } });
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    return button;
  }

  // What a slider that was moved asks for: the others stay where they are led to.
  ask(name) {
    const value = Number(this.rows[name].input.value);
    this.write(name, value);
    if (name === "gripper" || name === "speed") this.wanted = { do: name, numbers: [value] };
    else if (name.startsWith("joint")) {
      const numbers = this.wanted?.do === "joints" ? this.wanted.numbers : this.led();
      numbers[Number(name.slice(5)) - 1] = value;
      this.wanted = { do: "joints", numbers };
    } else if (this.arm?.tool) {
      const numbers = TOOLS.map(([key], i) => (key === name ? value : this.base[i]));
      this.wanted = { do: "tool", numbers };
    }
  }

  led() { return (this.arm.following && this.arm.ghost ? this.arm.ghost : this.arm.joints).slice(0, 5); }

  // One message for this beat.
  beat() {
    if (this.jogging) return this.jogging;
    const wanted = this.wanted || { do: "beat" };
    this.wanted = null;
    return wanted;
  }

  show(arm) {
    this.arm = arm;
    const joints = this.led();
    joints.forEach((value, i) => this.set(`joint${i + 1}`, value));
    this.set("gripper", arm.gap);
    this.set("speed", arm.speed);
    if (arm.tool) {
      const toolHeld = TOOLS.some(([name]) => name === this.held);
      if (!toolHeld) this.base = arm.tool;
      TOOLS.forEach(([name], i) => this.set(name, arm.tool[i]));
    }
  }

  release() { this.held = this.jogging = this.wanted = null; }

  set(name, value) {
    if (this.held === name || value === null) return;
    this.rows[name].input.value = value;
    this.write(name, value);
  }

  write(name, value) {
    const { output, scale, unit } = this.rows[name];
    output.textContent = `${(value * scale).toFixed(unit === "°" ? 1 : 0)} ${unit}`;
  }
}
