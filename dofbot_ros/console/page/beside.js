// What stands beside the arm: trials as they go, and the calibration step by step.
const $ = (id) => document.getElementById(id);
const TONE = { true: "good", false: "bad", null: "" };

export function showSeries(series) {
  $("series").hidden = !series || !(series.total || series.trouble);
  if ($("series").hidden) return;
  if (series.trouble) { $("counts").textContent = series.trouble; return; }
  const { done, total, succeeded, failed, running } = series, judged = succeeded + failed;
  $("bar").max = total; $("bar").value = done;
  const share = judged ? `, ${Math.round(100 * succeeded / judged)} %` : "";
  $("counts").textContent = `${done} of ${total} trials done: ${succeeded} succeeded, ${failed} failed${share}.`;
  $("runs").textContent = running ? `Now: ${running}.` : `All are done. Their report: ${series.folder}/report.html`;
  $("trials").replaceChildren(...[...series.trials].reverse().map(([name, success, words]) => {
    const mark = element("b", success === null ? "not judged" : success ? "succeeded" : "failed");
    mark.className = TONE[success];
    const item = element("li", `${name}: `);
    item.append(mark, words ? `, ${words}` : "");
    return item;
  }));
}

export class Guide {
  constructor(send) {
    this.send = send; this.chosen = null; this.guide = null; this.text = "";
    $("calibration").addEventListener("toggle", () => this.paint());
  }

  show(guide) {
    $("calibration").hidden = !guide;
    this.guide = guide;
    if (this.chosen === null) this.chosen = (guide.steps.find((step) => !step.done) || guide.steps[0]).name;
    this.paint();
  }

  // Only what has changed is drawn anew: a button under a finger stays where it is.
  paint() {
    const text = JSON.stringify([this.guide, this.chosen]);
    if (!this.guide || !$("calibration").open || text === this.text) return;
    this.text = text;
    const { steps, running, folder } = this.guide, step = steps.find(({ name }) => name === this.chosen);
    $("tabs").replaceChildren(...steps.map((one, i) => {
      const words = `${i + 1}. ${one.title}${one.name === running ? ": runs" : one.done ? ": done" : ""}`;
      const tab = element("button", words, () => { this.chosen = one.name; this.paint(); });
      tab.dataset.step = one.name;
      tab.setAttribute("aria-current", one === step ? "step" : "false");
      return tab;
    }));
    $("todo").replaceChildren(...step.todo.map((words) => element("li", words)));
    $("acts").replaceChildren(...this.acts(step, running));
    const lines = [];
    if (step.lacks.length) lines.push(["note", `The steps before it come first: there is no ${step.lacks.join(", ")} in ${folder} yet.`]);
    if (step.wanted) lines.push(["", `${step.pictures} of at least ${step.wanted} pictures taken.`]);
    const tone = { result: "good", error: "bad", progress: "note" }[step.kind] || "";
    for (const words of step.words) lines.push([tone, words]);
    $("came").replaceChildren(...lines.map(([level, words]) => Object.assign(element("p", words), { className: level })));
    for (const name of step.files.filter((one) => one.endsWith(".pdf"))) {
      const link = Object.assign(element("a", `Open ${name}`), { href: `written/${name}`, target: "_blank" });
      $("came").append(link, " ");
    }
  }

  acts(step, running) {
    const act = (words, action, disabled, main) => {
      const button = element("button", words, () => this.send({ do: "guide", text: action, about: step.name }));
      Object.assign(button, { disabled, className: main ? "main" : "" });
      button.dataset.guide = action;
      return button;
    };
    const acts = step.wanted ? [act("Take picture", "picture", running !== ""), act("Clear pictures", "clear", running !== "" || !step.pictures)] : [];
    acts.push(act("Start", "start", running !== "" || step.lacks.length > 0 || step.pictures < step.wanted, true));
    if (running === step.name) acts.push(act("Cancel", "cancel", false));
    return acts;
  }
}

function element(tag, text, click) {
  const made = Object.assign(document.createElement(tag), { textContent: text });
  if (click) made.addEventListener("click", click);
  return made;
}
