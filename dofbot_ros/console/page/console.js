// The page: a websocket to the console, what it says shown, what the operator does sent.
import { Arm3D } from "./arm3d.js";
import { Guide, showSeries } from "./beside.js";
import { Controls } from "./controls.js";
import { Plot } from "./plot.js";

const BEAT_MS = 40, AGAIN_MS = 1000, PENDING_MS = 500, NEWS = 30;
const $ = (id) => document.getElementById(id);
const state = { socket: null, you: 0, arm: null, pending: "" };  // pending: a job that was asked for and not begun yet
const blocks = new Set();
const scene = new Arm3D($("scene"));
const controls = new Controls(send);
const guide = new Guide(send);
new Plot($("plot"), () => state.arm?.joints);
if (!scene.works) $("tool").textContent = "This browser has no WebGL 2: the arm is not drawn, everything else works.";

// -- the websocket ------------------------------------------------------------------------------------------------------

function open() {
  const socket = state.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.binaryType = "blob";
  socket.onopen = () => { if ($("look").value) send({ do: "look", text: $("look").value }); };
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : picture(data));
  socket.onclose = () => {
    state.arm = null;
    controls.release();
    pill("lost", "no connection");
    lines([["bad", "The console does not answer: it has ended, or the network is gone. Trying again."]]);
    document.body.classList.add("watching");
    setTimeout(open, AGAIN_MS);
  };
}

function send(message) {
  if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify(message));
}

function hear(message) {
  if (message.you) state.you = message.you;
  if (message.scene) { scene.setScene(message.scene); controls.setLimits(message.scene.lower, message.scene.upper); }
  if (message.arm) show(message.arm);
  if (message.series) showSeries(message.series);
  if (message.guide) guide.show(message.guide);
  if (message.news) tell(message.news, "");
  if (message.refusal) { state.pending = ""; jobs(); tell(message.refusal, "bad"); }
}

// A page that nobody sees is as good as lost.
setInterval(() => { if (commands() && !document.hidden) send(controls.beat()); }, BEAT_MS);
const commands = () => state.arm && state.arm.commander === state.you;

// -- what is shown --------------------------------------------------------------------------------------------------------

function show(arm) {
  // What was held when everything was stopped has to be pressed anew.
  if (state.arm && arm.halts !== state.arm.halts) controls.release();
  state.arm = arm;
  if (arm.job === state.pending) state.pending = "";
  document.body.dataset.state = arm.state;
  pill(arm.state, arm.state || "no arm");
  lines(arm.lines);
  scene.show(arm.joints, arm.ghost, arm.blocks);
  controls.show(arm);
  const tool = arm.tool?.map((v, i) => (i < 3 ? (1000 * v).toFixed(0) : (v * 180 / Math.PI).toFixed(0)));
  if (tool && scene.works) $("tool").textContent = `tool x ${tool[0]} y ${tool[1]} z ${tool[2]} mm, pitch ${tool[3]}°, roll ${tool[4]}°`;
  $("recorded").textContent = arm.recording || "Nothing is being recorded.";
  $("recording").classList.toggle("on", arm.recording !== "");
  $("label").hidden = arm.recording !== "";
  jobs();
  document.body.classList.toggle("watching", !commands());
  who(arm);
  for (const [name] of arm.blocks) blocks.add(name);  // one that is hidden for a moment stays in the list
  choices($("block"), ["", ...[...blocks].sort()], "any block");
  choices($("look"), ["", ...arm.pictures], "off");
}

function jobs() {
  const { arm, pending } = state;
  if (!arm) return;
  const busy = pending || arm.job;
  for (const button of document.querySelectorAll("[data-job]")) {
    const job = button.dataset.job;
    button.hidden = !arm.offers.includes(job);
    button.disabled = !commands() || (busy !== "" && busy !== job);
    button.classList.toggle("busy", busy === job);
  }
  for (const [field, job] of [["source", "teleop run"], ["trained", "policy run"]]) $(field).hidden = !arm.offers.includes(job);
}

function pill(kind, text) { $("state").className = `pill ${kind}`; $("state").textContent = text; }

function lines(all) {
  const text = JSON.stringify(all);
  if ($("lines").dataset.text === text) return;
  $("lines").dataset.text = text;
  $("lines").replaceChildren(...all.map(([level, words]) => Object.assign(document.createElement("span"), { className: level, textContent: words })));
}

function who(arm) {
  const others = arm.operators - 1, asking = arm.asking.find((page) => page !== state.you);
  const watchers = others ? ` ${others === 1 ? "Another operator watches" : `${others} other operators watch`}.` : "";
  let words = `You have control.${watchers}`, offer = "";
  if (arm.commander === null) [words, offer] = ["Nobody has control.", "Take control"];
  else if (!commands()) {
    words = `Operator ${arm.commander} has control, you (operator ${state.you}) watch. The stops work for you, too.`;
    offer = arm.asking.includes(state.you) ? "" : "Ask for control";
  } else if (asking) [words, offer] = [`You have control. Operator ${asking} asks for it.`, `Hand over to operator ${asking}`];
  $("who").textContent = words;
  Object.assign($("ask"), { textContent: offer, hidden: !offer });
  $("ask").onclick = () => send(commands() ? { do: "hand_over", numbers: [asking] } : { do: "ask" });
}

function choices(select, names, none) {
  if (select.dataset.names === names.join()) return;
  const value = select.value;
  select.dataset.names = names.join();
  select.replaceChildren(...names.map((name) => new Option(name || none, name)));
  select.value = names.includes(value) ? value : "";
}

function tell(words, level) {
  const item = Object.assign(document.createElement("li"), { className: level, textContent: words });
  item.prepend(Object.assign(document.createElement("span"), { className: "time", textContent: `${new Date().toLocaleTimeString()} ` }));
  if ($("news").firstChild?.dataset?.words === words) $("news").firstChild.remove();
  item.dataset.words = words;
  $("news").prepend(item);
  while ($("news").children.length > NEWS) $("news").lastChild.remove();
}

function picture(blob) {
  const url = URL.createObjectURL(blob), old = $("shown").src;
  Object.assign($("shown"), { src: url, hidden: false, alt: `picture: ${$("look").value}` });
  if (old) URL.revokeObjectURL(old);
}

// -- what the operator does -------------------------------------------------------------------------------------------------

function estop() {
  send({ do: "estop" });
  controls.release();
  $("estop").classList.add("pressed");
  setTimeout(() => $("estop").classList.remove("pressed"), 300);
}

$("estop").addEventListener("pointerdown", estop);
$("stop").addEventListener("pointerdown", () => { controls.release(); send({ do: "stop" }); });
for (const type of ["keydown", "keyup"]) {
  // Before anything else sees it: a focused button must not take the space bar for a click.
  window.addEventListener(type, (event) => {
    if (event.code !== "Space") return;
    event.preventDefault(); event.stopPropagation();
    if (type === "keydown" && !event.repeat) estop();
  }, { capture: true });
}
for (const button of document.querySelectorAll("[data-job]")) {
  const label = button.textContent;
  button.addEventListener("click", () => {
    if (button.dataset.sure && button.textContent === label) {
      button.textContent = button.dataset.sure;
      setTimeout(() => { button.textContent = label; }, 3000);
      return;
    }
    button.textContent = label;
    const job = state.pending = button.dataset.job;
    setTimeout(() => { if (state.pending === job) state.pending = ""; jobs(); }, PENDING_MS);
    jobs();
    send({ do: "job", text: job, about: $(button.dataset.about || (job.startsWith("record") ? "label" : "block")).value });
  });
}
$("look").addEventListener("change", () => {
  $("shown").hidden = true;
  send({ do: "look", text: $("look").value });
});
open();
