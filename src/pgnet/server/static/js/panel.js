// The right-hand side: targets, the selected one in this frame, what to review, tracking.
import { ABSENT, IMPORTED, LOST, NONE, PERSON, STATE_NAMES } from "./columns.js";
import { h, icon, lasting, plural, refill } from "./dom.js";

const percent = (share) => `${Math.round(100 * share)} %`;

/** `frames 210–230` of a stretch [from, to). */
export const framesOf = ({ from, to }) => (to - from === 1 ? `frame ${from}` : `frames ${from}–${to - 1}`);

/** What is known of a target in a frame, in a word. */
function stateText(columns, frame) {
  const state = columns.states[frame];
  if (state === NONE || state === ABSENT || state === LOST) return STATE_NAMES[state];
  return columns.by[frame] === PERSON ? "by hand" : percent(columns.presence[frame]);
}

export class Panel {
  /**
   * @param {object} el  elements of the page by name
   * @param {OpenVideo} video
   * @param {object} scene  `frame()` on the screen; `selected()`; `select(id)`; `rename(id)`; `remove(id)`;
   *   `colour(id, colour)`; `review()` -> doubtful stretches in order; `stretch()` -> the one being looked at;
   *   `jump(stretch)`; `job(id, verb)`
   */
  constructor(el, video, scene) {
    Object.assign(this, { el, video, scene });
    this.states = new Map(); // id of a target -> element with its state
    this.renaming = null; // id of the target whose name is being typed
  }

  targets() {
    const { el, video, scene } = this;
    this.states.clear();
    el["no-targets"].hidden = video.targets.length > 0;
    if (!this.renaming || !el.targets.contains(document.activeElement)) {
      refill(el.targets, video.targets.map((target) => this.target(target, target.id === scene.selected())));
    }
    this.frame();
  }

  target(target, selected) {
    const { scene } = this;
    const state = h("span", { class: "state" });
    this.states.set(target.id, state);
    const name = h("button", { class: "name", "aria-pressed": String(selected), onclick: () => scene.select(target.id), ondblclick: () => this.rename(target.id) }, target.name);
    name.title = `${target.name}: ${plural(target.rows, "box", "boxes")}, ${plural(target.keyframes.length, "key frame")}`;
    return h(
      "li",
      { class: selected ? "selected" : "", "data-target": target.id },
      h("input", { type: "color", value: target.colour, "aria-label": `Colour of ${target.name}`, onchange: (event) => scene.colour(target.id, event.target.value) }),
      name,
      state,
      h("button", { class: "quiet icon small more", "aria-label": `Rename ${target.name}`, title: "Rename (F2)", onclick: () => this.rename(target.id) }, icon("edit")),
      h("button", { class: "quiet icon small more", "aria-label": `Delete ${target.name}`, title: "Delete (Del)", onclick: () => scene.remove(target.id) }, icon("delete")),
    );
  }

  rename(id) {
    const item = this.el.targets.querySelector(`[data-target="${id}"] .name`);
    const target = this.video.target(id);
    if (!item || !target) return;
    this.renaming = id;
    const input = h("input", { class: "name", value: target.name, maxlength: 100, "aria-label": "Name" });
    const end = (keep) => {
      if (this.renaming !== id) return;
      this.renaming = null;
      const name = input.value.trim();
      input.blur(); // the keys belong to the page again
      if (keep && name && name !== target.name) this.scene.rename(id, name);
      this.targets();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    input.addEventListener("blur", () => end(true));
    item.replaceWith(input);
    input.select();
  }

  /** What changes from frame to frame. */
  frame() {
    const { el, video, scene } = this;
    const frame = scene.frame();
    if (frame < 0) return;
    for (const [id, element] of this.states) this.state(element, video.rowsOf(id), frame);
    const target = video.target(scene.selected());
    el.selected.hidden = !target;
    if (!target) return;
    const columns = video.rowsOf(target.id);
    const box = columns.box(frame);
    const by = columns.by[frame];
    el["selected-name"].textContent = `${target.name}, frame ${frame}`;
    this.state(el["selected-state"], columns, frame);
    for (const input of el.box.querySelectorAll("input")) {
      if (input === document.activeElement) continue;
      input.disabled = !box;
      input.value = box ? box[input.dataset.side].toFixed(1) : "";
    }
    el.by.textContent = this.who(target, columns, frame);
    const confirm = el.selected.querySelector("[data-do=confirm]");
    confirm.hidden = by === PERSON;
    confirm.disabled = !box;
    el.selected.querySelector("[data-do=absent]").disabled = columns.states[frame] === ABSENT && by === PERSON;
    el.selected.querySelector("[data-do=unkey]").hidden = by !== PERSON;
  }

  state(element, columns, frame) {
    element.textContent = stateText(columns, frame);
    element.dataset.state = STATE_NAMES[columns.states[frame]];
  }

  who(target, columns, frame) {
    if (columns.states[frame] === NONE) return target.rows ? "Not tracked in this frame." : "Drawn, not tracked yet.";
    if (columns.by[frame] === PERSON) return columns.states[frame] === ABSENT ? "Absent: set by hand." : "Box set by hand: a key frame.";
    if (columns.by[frame] === IMPORTED) return "Imported.";
    if (columns.states[frame] === LOST) return "Lost: this is its last box before that.";
    return `Tracked${target.model ? ` by ${target.model}` : ""}, ${percent(columns.presence[frame])} sure.`;
  }

  review() {
    const { el, video, scene } = this;
    const review = scene.review();
    const now = scene.stretch();
    const tracked = video.targets.some((target) => target.model);
    el["review-count"].textContent = review.length ? `${review.length} doubtful` : "";
    el["review-buttons"].hidden = el.order.hidden = !review.length;
    el["review-buttons"].querySelector("[data-do=absent-all]").hidden = !now || now.kind === "back";
    el["no-review"].hidden = review.length > 0;
    el["no-review"].textContent = tracked ? "Nothing is doubtful." : "What the tracker is unsure of is listed here.";
    // A long list shows what is near.
    const from = Math.max(0, review.indexOf(now) - 20);
    refill(
      el.queue,
      review.slice(from, from + 100).map((stretch) => {
        const target = video.target(stretch.target);
        const dot = h("span", { class: "dot" });
        dot.style.background = target?.colour ?? "";
        const label = h("span", { class: "grow" }, target?.name ?? "", h("small", {}, framesOf(stretch)));
        const state = h("span", { class: "state", "data-state": stretch.kind }, stretch.kind === "back" ? "found again" : stretch.kind);
        return h("li", {}, h("button", { class: "quiet", "aria-current": stretch === now ? "true" : false, onclick: () => scene.jump(stretch) }, dot, label, state));
      }),
    );
    el.queue.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  jobs() {
    const { el, video } = this;
    const open = video.data.jobs.filter(({ state }) => ["queued", "running", "paused"].includes(state));
    // What ended badly stays until something newer is there; a video that was made stays to be fetched.
    const [newest] = video.data.jobs;
    const ended = video.data.jobs.filter((job) => job.file || (job === newest && ["failed", "stopped"].includes(job.state)));
    const list = [...open, ...ended.slice(0, 3)];
    for (const child of [...el.jobs.children]) if (!list.some(({ id }) => child.dataset.job === String(id))) child.remove();
    list.forEach((job, place) => {
      let item = el.jobs.querySelector(`[data-job="${job.id}"]`);
      // The buttons of a running job stay the same elements: a click must not fall between two of them.
      if (!item || item.dataset.state !== job.state) {
        const fresh = this.job(job);
        item?.replaceWith(fresh);
        item = fresh;
      }
      if (el.jobs.children[place] !== item) el.jobs.insertBefore(item, el.jobs.children[place] ?? null);
      const share = job.total ? job.done / job.total : 0;
      item.querySelector(".text").textContent = this.jobText(job);
      const bar = item.querySelector("progress");
      if (bar) bar.value = share;
    });
  }

  jobText(job) {
    const of = `${job.done.toLocaleString("en")} of ${plural(job.total, "frame")}`;
    const speed = job.fps ? `, ${job.fps < 10 ? job.fps.toFixed(1) : Math.round(job.fps)} a second` : "";
    const left = job.seconds_left === null ? "" : `, ${lasting(job.seconds_left)} left`;
    if (job.state === "running") return `${job.done.toLocaleString("en")} of ${job.total.toLocaleString("en")}${speed}${left}`;
    if (job.state === "queued") return job.position > 1 ? `waits behind ${plural(job.position - 1, "other")}` : "starts soon";
    if (job.state === "paused") return `paused at ${of}`;
    if (job.state === "stopped") return `stopped at ${of}; what was tracked is kept`;
    if (job.state === "failed") return job.error ?? "failed";
    return job.file ? job.file.name : of;
  }

  job(job) {
    const { scene, video } = this;
    const names = job.targets.map((id) => video.target(id)?.name).filter(Boolean);
    const what = names.length > 2 ? plural(names.length, "target") : names.join(", ");
    const title = job.kind === "render" ? "Making the video" : what;
    const button = (verb, label, iconName) => h("button", { class: "small", onclick: () => scene.job(job.id, verb) }, icon(iconName), label);
    const buttons = {
      queued: [button("pause", "Pause", "pause"), button("stop", "Stop", "stop")],
      running: [button("pause", "Pause", "pause"), button("stop", "Stop", "stop")],
      paused: [button("resume", "Go on", "play"), button("stop", "Stop", "stop")],
      stopped: [button("resume", "Go on", "play")],
      failed: [button("resume", "Try again", "play")],
      done: job.file ? [h("a", { class: "button small", href: job.file.url, download: job.file.name }, icon("import"), "Save")] : [],
    }[job.state];
    const over = ["done", "stopped", "failed"].includes(job.state);
    return h(
      "div",
      { class: "job", "data-job": job.id, "data-state": job.state },
      h("div", { class: "row" }, h("b", { class: "grow" }, job.kind === "render" && over ? "Video" : title), ...(over ? [] : [h("span", { class: "muted small" }, job.state)])),
      over ? null : h("progress", { max: 1, value: 0, "aria-label": `Progress of ${title}` }),
      h("p", { class: job.state === "failed" ? "text bad small" : "text muted small" }),
      buttons.length ? h("div", { class: "buttons" }, ...buttons) : null,
    );
  }
}
