// The page of all videos: projects, uploads, the server's folder.
import { events, get, post, request, told, upload } from "./api.js";
import { askName, chooseFromLibrary, confirmed } from "./dialogs.js";
import { bytes, clock, fromTemplate, h, icon, plural, switchTheme, toast } from "./dom.js";
import { bind } from "./keys.js";

/** A file's name without its ending. */
const stem = (name) => name.replace(/\.[^.]+$/, "") || name;

/** Shows all projects; returns a function that closes the page. */
export function openHome(app, info) {
  return new Home(app, info).closer;
}

class Home {
  constructor(app, info) {
    const { view, el } = fromTemplate("home");
    Object.assign(this, { info, el });
    this.projects = [];
    this.jobs = new Map(); // id of a video -> its newest unfinished job
    this.intoProject = null; // where the files that are chosen next go; null: a new project
    document.title = "pgnet";
    document.body.dataset.page = "home";
    app.replaceChildren(view);
    const always = { keys: [], can: () => true };
    const unbind = bind(app, [
      { id: "theme", label: "Dark or light", ...always, keys: ["u"], run: switchTheme },
      { id: "choose", label: "Choose a video", ...always, run: () => this.choose(null) },
      { id: "library", label: "Choose from the server’s folder", ...always, run: () => this.library(null) },
    ]);
    app.querySelector("[data-do=library]").hidden = !info.library;
    el.file.addEventListener("change", () => {
      this.add([...el.file.files], this.intoProject);
      el.file.value = "";
    });
    const undrop = this.dropping(app);
    // The pages of projects are small: all of them are loaded again when one changes.
    const closeEvents = events("/events", (type, data) => {
      if (type === "job") this.job(data);
      else this.loadSoon();
    });
    this.closer = () => {
      clearTimeout(this.due);
      unbind();
      undrop();
      closeEvents();
    };
  }

  loadSoon() {
    this.due ||= setTimeout(async () => {
      await told(() => this.load());
      this.due = 0;
    }, 100);
  }

  async load() {
    const [list, jobs] = await Promise.all([get("/projects"), get("/jobs")]);
    this.projects = await Promise.all(list.map(({ id }) => get(`/projects/${id}`)));
    this.jobs.clear();
    for (const job of jobs) this.keep(job);
    this.render();
  }

  keep(job) {
    const open = ["queued", "running", "paused"].includes(job.state);
    if (open) this.jobs.set(job.video_id, job);
    else if (this.jobs.get(job.video_id)?.id === job.id) this.jobs.delete(job.video_id);
  }

  job(job) {
    this.keep(job);
    const status = this.el.projects.querySelector(`[data-video="${job.video_id}"] .status`);
    const video = this.projects.flatMap(({ videos }) => videos).find(({ id }) => id === job.video_id);
    if (status && video) status.replaceChildren(...this.status(video));
  }

  render() {
    const { el, projects } = this;
    el.drop.classList.toggle("slim", projects.length > 0);
    el.projects.replaceChildren(...projects.map((project) => this.project(project)));
  }

  project(project) {
    const small = (label, name, run) => h("button", { class: "quiet icon small", "aria-label": `${label} ${project.name}`, title: label, onclick: run }, icon(name));
    return h(
      "section",
      { class: "project", "data-project": project.id, "aria-label": project.name },
      h(
        "div",
        { class: "head" },
        h("h2", {}, project.name),
        small("Rename", "edit", () => this.renameProject(project)),
        small("Delete", "delete", () => this.deleteProject(project)),
        h("span", { class: "grow" }),
        this.info.library ? h("button", { class: "small", onclick: () => this.library(project.id) }, "From the server’s folder…") : null,
        h("button", { class: "small", onclick: () => this.choose(project.id) }, icon("plus"), "Add a video"),
      ),
      project.videos.length
        ? h("ul", { class: "cards" }, ...project.videos.map((video) => this.card(project, video)))
        : h("p", { class: "muted" }, "No video yet: drop one here."),
    );
  }

  card(project, video) {
    const ready = video.state === "ready";
    const picture = ready
      ? h("img", { src: `/api/videos/${video.id}/frames/0?width=320`, alt: "", loading: "lazy", width: 320, height: 180 })
      : h("div", { class: "picture" }, icon("video"));
    const href = `#/projects/${project.id}/videos/${video.id}`;
    return h(
      "li",
      { "data-video": video.id },
      h("a", { class: "card", href }, picture, h("b", {}, video.name), h("div", { class: "status" }, ...this.status(video))),
      h("button", { class: "quiet icon small", "aria-label": `Delete ${video.name}`, title: "Delete", onclick: () => this.deleteVideo(video) }, icon("delete")),
    );
  }

  /** What is to be said of a video in a line. */
  status(video) {
    if (video.state === "checking") return [h("span", { class: "muted" }, "is being checked…")];
    if (video.state === "failed") return [h("span", { class: "bad" }, video.error ?? "cannot be read")];
    const job = this.jobs.get(video.id);
    const what = [plural(video.targets.length, "target"), plural(video.frame_count, "frame"), clock(video.duration, false)];
    const line = h("span", { class: "muted" }, what.join(" · "));
    if (!job) return [line];
    const bar = h("progress", { max: 1, value: job.total ? job.done / job.total : 0, "aria-label": `Work on ${video.name}` });
    return [line, bar];
  }

  // Adding

  choose(project) {
    this.intoProject = project;
    this.el.file.click();
  }

  async projectFor(project, name) {
    return project ?? (await post("/projects", { name: stem(name) })).id;
  }

  /** Uploads files one after the other; one alone is opened when it is there. */
  async add(files, project) {
    for (const file of files) {
      const progress = h("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
      const text = h("small", { class: "muted" });
      const stop = new AbortController();
      const cancel = h("button", { class: "small", onclick: () => stop.abort() }, "Cancel");
      const item = h("li", {}, h("b", {}, file.name), progress, text, cancel);
      this.el.uploads.append(item);
      const tell = (share) => {
        progress.value = share;
        text.textContent = share < 1 ? `${bytes(share * file.size)} of ${bytes(file.size)}` : "arrived";
      };
      try {
        if (file.size > this.info.limits.upload_bytes) throw new Error(`${file.name} has ${bytes(file.size)}; at most ${bytes(this.info.limits.upload_bytes)} are taken.`);
        const into = await this.projectFor(project, file.name);
        const video = await upload(`/projects/${into}/videos?${new URLSearchParams({ name: file.name })}`, file, tell, stop.signal);
        if (files.length === 1) location.hash = `#/projects/${into}/videos/${video.id}`;
      } catch (error) {
        if (error.name !== "AbortError") toast(error.message, { error: true });
      }
      item.remove();
    }
    this.loadSoon();
  }

  async library(project) {
    await told(async () => {
      const entry = await chooseFromLibrary(await get("/library"));
      if (!entry) return;
      const into = await this.projectFor(project, entry.name.split("/").pop());
      const video = await post(`/projects/${into}/videos/from-library`, { entry: entry.entry });
      location.hash = `#/projects/${into}/videos/${video.id}`;
    });
  }

  dropping(app) {
    const { drop } = this.el;
    const over = (event) => {
      event.preventDefault();
      drop.classList.add("over");
    };
    const leave = (event) => {
      if (!event.relatedTarget) drop.classList.remove("over");
    };
    const dropped = (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      const section = event.target.closest?.("[data-project]");
      const files = [...event.dataTransfer.files];
      if (files.length) this.add(files, section ? Number(section.dataset.project) : null);
    };
    const listeners = { dragover: over, dragleave: leave, drop: dropped };
    for (const [type, listener] of Object.entries(listeners)) app.addEventListener(type, listener);
    return () => {
      for (const [type, listener] of Object.entries(listeners)) app.removeEventListener(type, listener);
    };
  }

  // Changing

  async renameProject(project) {
    const name = await askName("Rename the project", project.name);
    if (name) await told(() => request("PATCH", `/projects/${project.id}`, { name }));
  }

  async deleteProject(project) {
    const what = `${project.name} with ${plural(project.videos.length, "video")} and all its boxes will be gone for good.`;
    if (await confirmed("Delete the project?", what, "Delete")) await told(() => request("DELETE", `/projects/${project.id}`));
  }

  async deleteVideo(video) {
    const what = `${video.name} and all its boxes will be gone for good.`;
    if (await confirmed("Delete the video?", what, "Delete")) await told(() => request("DELETE", `/videos/${video.id}`));
  }
}
