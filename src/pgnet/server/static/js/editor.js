// The page of one video: puts stage, timeline, panel and keys together.
import { get, told } from "./api.js";
import { PERSON, PRESENT, STATE_NAMES } from "./columns.js";
import { showExport, showImport, showKeys } from "./dialogs.js";
import { clock, fromTemplate, h, icon, lasting, plural, switchTheme, toast } from "./dom.js";
import { Frames } from "./frames.js";
import { bind } from "./keys.js";
import { framesOf, Panel } from "./panel.js";
import { Player } from "./player.js";
import { Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { OpenVideo } from "./video.js";

const VIDEO = /\.(mp4|m4v|mkv|mov|avi|webm|ts|mts|mpe?g|wmv|flv|ogv)$/i;

/** Shows a video at a frame; returns a function that closes the page. */
export function openEditor(app, info, id, at) {
  return new Editor(app, info, id, at).closer;
}

class Editor {
  constructor(app, info, id, at) {
    const { view, el } = fromTemplate("editor");
    Object.assign(this, { info, el, at });
    this.video = new OpenVideo(id);
    this.selected = null; // id of the selected target
    this.drawFor = null; // whose box is drawn next: id of a target, "new", or null
    this.following = false; // whether the frame on the screen is the one just tracked
    this.stretch = null; // the doubtful stretch that is looked at
    this.open = 0; // jobs under way
    this.left = null; // frames that are not tracked yet
    this.nudged = null; // {target, frame, timer} of a box moved with the keys and not sent yet
    app.replaceChildren(view);
    document.body.dataset.page = "editor";

    this.actions = this.listActions();
    const unbind = bind(app, this.actions);
    this.stage = new Stage(el.canvas, this.stageScene());
    this.timeline = new Timeline(el["timeline-canvas"], this.timelineScene());
    this.panel = new Panel(el, this.video, this.panelScene());
    this.listen();
    this.fillChoices();
    const leaving = (event) => {
      this.flush();
      if (this.video.saving) event.preventDefault();
    };
    window.addEventListener("beforeunload", leaving);
    const dropped = this.dropping(app);
    this.closer = () => {
      this.flush();
      this.player?.pause();
      this.video.close();
      unbind();
      dropped();
      window.removeEventListener("beforeunload", leaving);
    };
    this.message("Opening…", "wait");
  }

  get frame() {
    return this.player?.frame ?? 0;
  }

  /** The frame on the screen; -1 before there is one. */
  get shown() {
    return this.player?.shown ?? -1;
  }

  // What the parts are told

  stageScene() {
    const shownBoxes = () => {
      const { shown, video } = this;
      if (shown < 0) return [];
      return video.targets.flatMap(({ id, name, colour }) => {
        const columns = video.rowsOf(id);
        const box = columns.box(shown);
        if (!box) return [];
        const state = columns.states[shown];
        return [{ id, box, colour, state, label: state === PRESENT ? name : `${name} · ${STATE_NAMES[state]}` }];
      });
    };
    return {
      picture: () => {
        const { player, video } = this;
        if (!player?.bitmap) return null;
        const { width, height } = video.data;
        return { bitmap: player.bitmap, width, height, frame: player.shown };
      },
      boxes: shownBoxes,
      selected: () => this.selected,
      select: (id) => this.select(id),
      edited: (id, box) => this.setBox(id, this.shown, box),
      drawn: (box) => this.drawn(box),
      nextColour: () => this.video.target(this.drawFor)?.colour ?? "#ffffff",
      zoomed: () => {
        const { width } = this.video.data ?? {};
        this.el.zoom.textContent = width ? `${Math.round(100 * this.stage.scale)} %` : "";
      },
    };
  }

  timelineScene() {
    return {
      frames: () => (this.video.ready ? this.video.data.frame_count : 0),
      times: () => this.video.times,
      frame: () => this.frame,
      rows: () => this.video.targets.map(({ id, name, colour }) => ({ id, name, colour, columns: this.video.rowsOf(id) })),
      selected: () => this.selected,
      select: (id) => this.select(id),
      seek: (frame) => this.seek(frame),
      working: () => this.video.openJobs("track").flatMap(({ frame }) => (frame === null ? [] : [frame])),
    };
  }

  panelScene() {
    return {
      frame: () => this.shown,
      selected: () => this.selected,
      select: (id) => this.select(id),
      rename: (id, name) => this.video.editTarget(id, { name }),
      colour: (id, colour) => this.video.editTarget(id, { colour }),
      remove: (id) => this.remove(id),
      review: () => this.queue(),
      stretch: () => this.stretch,
      jump: (stretch) => this.jump(stretch),
      job: (id, verb) => this.video.jobDo(id, verb),
    };
  }

  listen() {
    const { video, el, panel, timeline, stage } = this;
    const on = (type, handle) => video.addEventListener(type, handle);
    on("loaded", () => this.loaded());
    on("video", () => {
      this.header();
      this.show();
    });
    on("rows", () => {
      panel.frame();
      timeline.draw();
      stage.draw();
    });
    on("review", () => {
      if (this.stretch) this.stretch = this.stretchAt(this.stretch.target, this.stretch.frame);
      panel.review();
    });
    on("jobs", () => this.jobs());
    on("saving", () => this.header());
    on("info", () =>
      told(async () => {
        this.info = await get("/info");
        this.fillChoices();
      }),
    );
    on("gone", () => {
      toast("This video was deleted.");
      location.hash = "#/";
    });
    el.frame.addEventListener("change", () => this.seek(el.frame.valueAsNumber || 0));
    el.speed.addEventListener("change", () => {
      this.player?.setSpeed(Number(el.speed.value));
      el.speed.blur();
    });
    el.order.addEventListener("change", () => {
      panel.review();
      el.order.blur();
    });
    for (const input of el.box.querySelectorAll("input")) input.addEventListener("change", () => this.typed(input));
    for (const select of [el.model, el.engine]) select.addEventListener("change", () => this.chosen());
    el["timeline-canvas"].addEventListener("keydown", (event) => {
      // What a slider does, where the page's keys do not do it.
      const pages = { PageUp: -1, PageDown: 1 }[event.key];
      if (pages) this.step(pages * Math.ceil(video.data.frame_count / 20));
    });
  }

  // Loading

  loaded() {
    const { video, el } = this;
    const { data } = video;
    document.title = `${data.name} · pgnet`;
    el.project.textContent = video.project.name;
    this.header();
    if (data.state === "checking") {
      this.message("The video is being checked and its frames are counted…", "wait");
      return;
    }
    if (data.state === "failed") {
      this.message(data.error ?? "The video cannot be read.", "bad", h("a", { class: "button", href: "#/" }, "All videos"));
      return;
    }
    if (!this.player) {
      for (const warning of data.warnings) toast(warning);
      this.player = new Player(new Frames(data), video.times);
      for (const type of ["seek", "shown", "playing"]) this.player.addEventListener(type, () => this.played(type));
      el.frame.max = data.frame_count - 1;
      el["timeline-canvas"].setAttribute("aria-valuemax", data.frame_count - 1);
      if (!video.targets.length) this.draw("new");
      this.select(video.targets[0]?.id ?? null);
      this.player.go(this.at);
      this.message(null);
    } else if (this.player.error) this.player.retry();
    if (this.stretch) this.stretch = this.stretchAt(this.stretch.target, this.stretch.frame);
    this.show();
    this.panel.review();
    this.jobs();
    this.estimate();
  }

  /** Something in place of the picture: text, and what can be done. */
  message(text, kind = "", ...more) {
    const { message } = this.el;
    message.hidden = text === null;
    message.className = `message ${kind}`;
    message.replaceChildren(...(text === null ? [] : [h("p", {}, text), ...more]));
  }

  header() {
    const { video, el } = this;
    const { data } = video;
    if (!data) return;
    el.name.textContent = data.name;
    el.saved.textContent = video.saving ? "Saving…" : "All saved";
    for (const way of ["undo", "redo"]) {
      const button = document.querySelector(`[data-do=${way}]`);
      const label = data.history?.[way];
      button.disabled = !label;
      button.title = `${way === "undo" ? "Undo" : "Redo"}${label ? `: ${label}` : ""} (${way === "undo" ? "Ctrl Z" : "Ctrl Shift Z"})`;
    }
  }

  // Frames

  played(type) {
    const { player, el, timeline } = this;
    const { frame, times, playing } = player;
    if (type === "playing") {
      el.play.replaceChildren(icon(playing ? "pause" : "play"), h("span", { class: "sr" }, playing ? "Pause" : "Play"));
      return;
    }
    if (type === "seek") {
      if (document.activeElement !== el.frame) el.frame.value = frame;
      el.position.textContent = `of ${(player.last).toLocaleString("en")} · ${clock(times[frame])}`;
      const slider = el["timeline-canvas"];
      slider.setAttribute("aria-valuenow", frame);
      slider.setAttribute("aria-valuetext", `frame ${frame}, ${clock(times[frame])}`);
      timeline.follow();
      clearTimeout(this.remember);
      this.remember = setTimeout(() => {
        const { project_id: project, id } = this.video.data;
        history.replaceState(null, "", `#/projects/${project}/videos/${id}/${this.frame}`);
      }, 300);
      return;
    }
    if (player.error) {
      this.message(player.error.message, "bad", h("button", { onclick: () => player.retry() }, "Try again"));
    } else this.message(null);
    this.stage.draw();
    this.panel.frame();
    this.stage.zoomedOnce ??= (this.stage.scene.zoomed(), true);
  }

  /** Goes to a frame because a person wants to: the tracking is not followed any more. */
  seek(frame) {
    if (!this.player) return;
    this.follow(false);
    this.flush();
    this.player.seek(frame);
    if (this.stretch && !this.inside(this.stretch, this.frame)) this.lookAt(null);
  }

  step(frames) {
    this.seek(this.frame + frames);
  }

  // Targets

  select(id) {
    if (this.selected !== id) {
      this.flush();
      this.selected = id;
    }
    this.show();
    this.timeline.showRow(id);
    this.el.targets.querySelector(".selected")?.scrollIntoView({ block: "nearest" });
  }

  /** Shows the targets anew, wherever they are seen. */
  show() {
    const { video, el } = this;
    if (!video.ready) return;
    if (!video.target(this.selected)) this.selected = null;
    el.timeline.style.setProperty("--rows", video.targets.length);
    this.panel.targets();
    this.timeline.draw();
    this.stage.draw();
  }

  /** The next drag makes a box: "new" for a new target, its id for a known one, null for no drawing. */
  draw(whose) {
    this.player?.pause();
    this.drawFor = whose;
    this.stage.setDrawing(whose !== null);
    const target = this.video.target(whose);
    const what = target ? `Drag the box of ${target.name} in this frame.` : "Drag a box around what you want to follow.";
    this.el.hint.textContent = `${what} Esc to leave.`;
    this.el.hint.hidden = whose === null;
    this.el.draw.setAttribute("aria-pressed", String(whose !== null));
  }

  async drawn(box) {
    const whose = this.drawFor;
    const frame = this.shown;
    this.draw(null);
    if (whose !== "new") {
      await this.setBox(whose, frame, box);
      return;
    }
    const target = await this.video.addTarget(frame, box);
    if (!target) return;
    this.select(target.id);
    this.estimate();
  }

  async setBox(id, frame, box) {
    this.flush();
    await this.video.setKey({ target: id, frame, box }, this.choice());
  }

  /** A side of the box was typed. */
  typed(input) {
    const box = this.video.rowsOf(this.selected).box(this.shown);
    box[input.dataset.side] = input.valueAsNumber;
    if (Number.isFinite(input.valueAsNumber) && box[2] > 0 && box[3] > 0) this.setBox(this.selected, this.shown, box);
    else {
      toast("A box needs four numbers, and a width and height above 0.", { error: true });
      input.blur();
      this.panel.frame();
    }
  }

  /** Moves (or with `size` resizes) the selected box by whole pixels; it is sent when the keys rest. */
  nudge(dx, dy, size) {
    const { selected, shown } = this;
    const box = this.video.rowsOf(selected).box(shown);
    if (!box) return;
    box[size ? 2 : 0] += dx;
    box[size ? 3 : 1] += dy;
    if (box[2] < 1 || box[3] < 1) return;
    if (this.nudged) {
      clearTimeout(this.nudged.timer);
      this.video.edits.delete(this.nudged);
    }
    this.nudged = { target: selected, frame: shown, box, timer: setTimeout(() => this.flush(), 600) };
    this.video.edit(this.nudged);
  }

  /** Sends a box that was moved with the keys. */
  flush() {
    if (!this.nudged) return;
    clearTimeout(this.nudged.timer);
    this.video.setKey(this.nudged, this.choice());
    this.nudged = null;
  }

  async confirm() {
    const { selected, shown } = this;
    const box = this.video.rowsOf(selected).box(shown);
    if (box) await this.reviewed(() => this.video.setKey({ target: selected, frame: shown, box }, this.choice()));
  }

  /** The frame in which the tracker found the selected target again after this one, or a person set it. */
  foundAgain(frame) {
    const { frames, states, by } = this.video.rowsOf(this.selected);
    // Where the tracker was sure of what it followed, it was wrong: what comes after is worth nothing.
    if (states[frame] === PRESENT) return frames;
    let to = frame + 1;
    while (to < frames && by[to] !== PERSON && states[to] !== PRESENT) to++;
    return to;
  }

  /** Absent in frames from <= n < to. What was tracked after that is kept, from a key frame on. */
  async absent(from, to) {
    const { selected: id, video } = this;
    const { name, model } = video.target(id);
    const columns = video.rowsOf(id);
    const again = model && to < columns.frames ? columns.box(to) : null;
    await this.reviewed(async () => {
      const set = (frame, box, choice) => video.setKey({ target: id, frame, box }, choice);
      if (!again) return set(from, null, this.choice());
      const wait = { track: false };
      const sent =
        (columns.by[to] === PERSON || (await set(to, again, wait))) &&
        (to - from === 1 || (await set(to - 1, null, wait))) &&
        (await set(from, null, this.choice()));
      if (sent) toast(`${name} is absent in ${framesOf({ from, to })}. Its box in frame ${to} is a key frame now.`);
      return sent;
    });
  }

  /** Absent in all of the doubtful stretch that the frame lies in. */
  absentThroughout() {
    const stretch = this.stretchAt(this.selected, this.shown);
    if (stretch) this.absent(stretch.from, stretch.to);
    else toast("This frame is in no doubtful stretch.");
  }

  /** Does what a review decided; where a doubtful stretch was looked at, goes on to the next. */
  async reviewed(work) {
    const { stretch, frame } = this;
    const done = await work();
    if (!done || !stretch) return;
    await told(() => this.video.loadReview());
    if (this.frame !== frame) return; // somebody went elsewhere meanwhile
    // What is left of this stretch may be being tracked again: that can wait.
    const left = (other) => other.target === stretch.target && other.from < stretch.to && other.to > stretch.from;
    const next = this.nextFrom(stretch.frame, 1, (other) => !left(other));
    if (next) this.jump(next);
    else {
      this.lookAt(null);
      toast("That was the last doubtful stretch.");
    }
  }

  async remove(id) {
    const { name } = this.video.target(id);
    if (await this.video.deleteTarget(id)) toast(`${name} is deleted.`, { action: { label: "Undo", run: () => this.history("undo") } });
  }

  async history(way) {
    this.flush();
    const label = await this.video.step(way);
    if (label === null) return;
    toast(`${way === "undo" ? "Undone" : "Done again"}: ${label}`);
    this.estimate();
  }

  goKey(step) {
    const { selected } = this;
    if (!this.video.target(selected)) return;
    const frame = this.video.rowsOf(selected).nextKey(this.frame, step);
    if (frame >= 0) this.seek(frame);
  }

  // Review

  inside(stretch, frame) {
    return frame >= stretch.from && frame < stretch.to;
  }

  stretchAt(target, frame) {
    return this.video.review.find((stretch) => stretch.target === target && this.inside(stretch, frame)) ?? null;
  }

  lookAt(stretch) {
    this.stretch = stretch;
    this.panel.review();
  }

  /** The doubtful stretches in the chosen order; the server's is the worst first. */
  queue() {
    const { review } = this.video;
    return this.el.order.value === "cost" ? review : [...review].sort((a, b) => a.frame - b.frame || a.target - b.target);
  }

  /** The stretch after the one that is looked at, or before it with -1; around the end to the beginning. */
  nextStretch(step) {
    const list = this.queue();
    const place = list.indexOf(this.stretch);
    if (place >= 0) return list[(place + step + list.length) % list.length];
    return this.nextFrom(this.frame - step, step, () => true);
  }

  /** The first stretch after a frame (before it with -1) that is wanted; or the worst of all, if they come first. */
  nextFrom(frame, step, wanted) {
    const list = this.queue().filter(wanted);
    if (this.el.order.value === "cost") return list[0];
    const on = step > 0 ? list.find((one) => one.frame > frame) : list.findLast((one) => one.frame < frame);
    return on ?? list.at(step > 0 ? 0 : -1);
  }

  jump(stretch) {
    if (!stretch) {
      toast("Nothing is doubtful.");
      return;
    }
    this.select(stretch.target);
    this.stretch = stretch;
    this.seek(stretch.frame);
    this.stage.reveal(this.video.rowsOf(stretch.target).box(stretch.frame));
    this.panel.review();
  }

  // Tracking

  fillChoices() {
    const { el, info } = this;
    const chosen = JSON.parse(localStorage.getItem("tracking") ?? "{}");
    const option = (value, text, selected) => h("option", { value, selected }, text);
    const model = info.models.find(({ name }) => name === chosen.model) ?? info.models.find((one) => one.default);
    const engine = info.engines.find(({ label }) => label === chosen.engine) ?? info.engines.find((one) => one.default);
    el.model.replaceChildren(...info.models.map((one) => option(one.name, one.name, one === model)));
    el.engine.replaceChildren(...info.engines.map((one, n) => option(n, one.label.replace(" on auto", ""), one === engine)));
  }

  chosen() {
    const engine = this.info.engines[this.el.engine.value].label;
    localStorage.setItem("tracking", JSON.stringify({ model: this.el.model.value, engine }));
    this.estimate();
  }

  choice() {
    const { engine, device, half } = this.info.engines[this.el.engine.value];
    return { model: this.el.model.value, engine, device, half };
  }

  async estimate() {
    const { video, el } = this;
    if (!video.ready || !video.targets.length) {
      el.estimate.textContent = "";
      return;
    }
    await told(async () => {
      const { frames, fps, seconds } = await get(`${video.path}/estimate?${new URLSearchParams(this.choice())}`);
      const time = seconds === null ? "time not known before the first run" : `about ${lasting(seconds)} at ${fps < 10 ? fps.toFixed(1) : Math.round(fps)} a second`;
      el.estimate.textContent = frames ? `${plural(frames, "frame")}, ${time}.` : "Everything is tracked.";
      this.left = frames;
      this.trackButton();
    });
  }

  jobs() {
    const { video, el } = this;
    if (!video.data) return;
    this.panel.jobs();
    const open = video.openJobs("track");
    const running = open.find((job) => job.state === "running");
    if (this.following && running?.preview !== null && running !== undefined) this.player?.show(running.preview);
    if (this.following && !open.length) this.follow(false);
    document.querySelector("[data-do=follow]").hidden = !running || this.following;
    el.track.disabled = !video.ready || !video.targets.length;
    el["track-label"].textContent = `Track ${video.targets.length > 1 ? `all ${video.targets.length} targets` : (video.targets[0]?.name ?? "")}`;
    // When a job is over, less is left to track.
    if (this.open !== open.length) this.estimate();
    this.open = open.length;
    this.trackButton();
    this.timeline.draw();
  }

  /** It stands out where it is what comes next. */
  trackButton() {
    this.el.track.classList.toggle("primary", !this.open && this.left !== 0);
    this.el.estimate.hidden = this.open > 0; // the job says it itself
  }

  follow(on) {
    if (this.following === on) return;
    this.following = on;
    if (on) this.player.pause();
    this.jobs();
  }

  async track(again = false) {
    this.flush();
    await told(async () => {
      try {
        await this.video.startJob({ ...this.choice(), targets: null, again });
        this.follow(true);
      } catch (error) {
        if (error.status !== 409 || again) throw error;
        toast(error.message, { action: { label: "Track all again", run: () => this.track(true) } });
      }
    });
  }

  /** Pause or go on, whichever the newest job allows. */
  pauseOrGoOn() {
    const job = this.video.data.jobs.find(({ kind }) => kind === "track");
    const verb = { running: "pause", queued: "pause", paused: "resume", stopped: "resume", failed: "resume" }[job?.state];
    if (verb) this.video.jobDo(job.id, verb);
  }

  stop() {
    for (const job of this.video.openJobs("track")) this.video.jobDo(job.id, "stop");
  }

  // Files

  dropping(app) {
    const over = (event) => event.preventDefault();
    const drop = (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (!file) return;
      if (VIDEO.test(file.name)) toast("Another video: drop it on the page of all videos.", { error: true });
      else this.import(file);
    };
    app.addEventListener("dragover", over);
    app.addEventListener("drop", drop);
    return () => {
      app.removeEventListener("dragover", over);
      app.removeEventListener("drop", drop);
    };
  }

  import(file = null) {
    showImport(this.video.data, this.info, () => this.video.later(() => this.video.load()), file);
  }

  // Actions

  listActions() {
    const ready = () => this.player !== undefined;
    const chosen = () => ready() && this.video.target(this.selected) !== undefined;
    const action = (group, id, label, keys, run, can = ready) => ({ group, id, label, keys, run, can });
    const named = (names, one) => ({ ...one, names }); // many keys that are written as few
    const numbers = Array.from({ length: 9 }, (_, n) => String(n + 1));
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = (modifiers) => Object.keys(arrows).map((key) => `${modifiers}+${key}`);
    const way = (key) => arrows[key.split("+").pop()];
    return [
      action("Video", "back", "Previous frame", ["ArrowLeft", "d"], () => this.step(-1)),
      action("Video", "forward", "Next frame", ["ArrowRight", "f"], () => this.step(1)),
      action("Video", "back10", "10 frames back", ["Shift+ArrowLeft", "c"], () => this.step(-10)),
      action("Video", "forward10", "10 frames on", ["Shift+ArrowRight", "v"], () => this.step(10)),
      action("Video", "first", "First frame", ["Home"], () => this.seek(0)),
      action("Video", "last", "Last frame", ["End"], () => this.seek(this.player.last)),
      action("Video", "play", "Play or pause", [" "], () => {
        if (this.player.playing) this.player.pause();
        else {
          this.follow(false);
          this.player.play();
        }
      }),
      action("Video", "frame", "Go to a frame by number", ["g"], () => this.el.frame.select()),
      action("Video", "zoom-in", "Zoom in", ["+", "="], () => this.stage.zoom(1.25)),
      action("Video", "zoom-out", "Zoom out", ["-"], () => this.stage.zoom(0.8)),
      action("Video", "fit", "Show all of the frame", ["0"], () => this.stage.fit()),
      action("Video", "hide", "Hide or show the boxes", ["h"], () => {
        this.stage.hidden = !this.stage.hidden;
        this.stage.draw();
      }),
      action("Targets", "draw", "Draw a box: a new target", ["n"], () => this.draw(this.drawFor === "new" ? null : "new")),
      named(["1", "…", "9"], action("Targets", "select", "Select a target", numbers, (key) => this.select(this.video.targets[key - 1]?.id ?? this.selected))),
      action("Targets", "rename", "Rename the target", ["F2"], () => this.panel.rename(this.selected), chosen),
      action("Targets", "delete", "Delete the target", ["Delete"], () => this.remove(this.selected), chosen),
      action("Targets", "previous-key", "Previous key frame", ["Shift+k"], () => this.goKey(-1)),
      action("Targets", "next-key", "Next key frame", ["k"], () => this.goKey(1)),
      action("Correct", "next-doubtful", "Next doubtful frame", ["r"], () => this.jump(this.nextStretch(1))),
      action("Correct", "previous-doubtful", "Previous doubtful frame", ["Shift+r"], () => this.jump(this.nextStretch(-1))),
      action("Correct", "confirm", "The box is right", ["Enter", "y"], () => this.confirm(), chosen),
      action("Correct", "redraw", "Draw the selected target’s box here", ["b"], () => this.draw(this.selected), chosen),
      action("Correct", "absent", "Absent from here until it is found again", ["a"], () => this.absent(this.shown, this.foundAgain(this.shown)), chosen),
      action("Correct", "absent-all", "Absent in the whole doubtful stretch", ["Shift+a"], () => this.absentThroughout(), chosen),
      action("Correct", "unkey", "Remove the key frame", ["Backspace"], () => this.video.removeKey(this.selected, this.shown), chosen),
      named(["Alt ← ↑ → ↓"], action("Correct", "move", "Move the box by a pixel", arrow("Alt"), (key) => this.nudge(...way(key), false), chosen)),
      named(["Alt Shift ← …"], action("Correct", "size", "Its size by a pixel", arrow("Alt+Shift"), (key) => this.nudge(...way(key), true), chosen)),
      action("Tracking", "track", "Track", ["t"], () => this.track()),
      action("Tracking", "pause", "Pause or go on", ["p"], () => this.pauseOrGoOn()),
      action("Tracking", "stop", "Stop", ["s"], () => this.stop()),
      action("Tracking", "follow", "Follow the tracking on the screen", ["l"], () => this.follow(!this.following && this.video.openJobs("track").length > 0)),
      action("Page", "undo", "Undo", ["Ctrl+z"], () => this.history("undo"), () => this.video.data?.history.undo),
      action("Page", "redo", "Redo", ["Ctrl+Shift+z", "Ctrl+y"], () => this.history("redo"), () => this.video.data?.history.redo),
      action("Page", "import", "Import boxes", ["i"], () => this.import()),
      action("Page", "export", "Export", ["e"], () => showExport(this.video.data, this.info, this.selected)),
      action("Page", "cancel", "Leave drawing, or select nothing", ["Escape"], () => {
        if (this.stage.cancel()) return;
        if (this.drawFor !== null) this.draw(null);
        else this.select(null);
      }),
      action("Page", "theme", "Dark or light", ["u"], () => (switchTheme(), this.timeline.theme()), () => true),
      action("Page", "help", "This list", ["?"], () => showKeys(this.actions), () => true),
    ];
  }
}
