// The state of one open video, kept equal to the server's: targets, rows, jobs, history.
import { events, get, insist, post, request, told } from "./api.js";
import { Columns } from "./columns.js";

/**
 * Tells its listeners with events: "loaded" (everything is new), "video" (targets, history), "jobs", "rows" (boxes
 * of some frames), "review", "saving", "info" (the server knows more of itself), "gone" (the video was deleted).
 */
export class OpenVideo extends EventTarget {
  constructor(id) {
    super();
    this.id = id;
    this.path = `/videos/${id}`;
    this.data = null; // the server's Video
    this.project = null; // the server's Project
    this.times = []; // seconds of each frame
    this.review = []; // doubtful stretches
    this.columns = new Map(); // id of a target -> Columns
    this.saving = 0; // changes under way
    this.edits = new Set(); // {target, frame, box} that a person made and the server does not have yet
    this.work = Promise.resolve(); // events are handled one after another, in the server's order
    this.sent = Promise.resolve(); // changes are sent one after another, in the person's order
    this.close = events(`/events?video=${id}`, (type, data) => this.later(() => this.handle(type, data)));
  }

  tell(type) {
    this.dispatchEvent(new Event(type));
  }

  later(step) {
    this.work = this.work.then(() => told(step));
    return this.work;
  }

  get ready() {
    return this.data?.state === "ready";
  }

  get targets() {
    return this.data?.targets ?? [];
  }

  target(id) {
    return this.targets.find((target) => target.id === id);
  }

  /** Jobs that are not over, of one kind; newest first. */
  openJobs(kind) {
    return this.data.jobs.filter((job) => job.kind === kind && ["queued", "running", "paused"].includes(job.state));
  }

  rowsOf(id) {
    if (!this.columns.has(id)) this.columns.set(id, new Columns(this.data.frame_count));
    return this.columns.get(id);
  }

  async handle(type, data) {
    if (type === "hello" || type === "reload") await this.load();
    else if (type === "info") this.tell("info");
    else if (type === "deleted") {
      if ((data.kind === "video" && data.id === this.id) || data.id === this.data?.project_id) this.tell("gone");
    } else if (type === "video" && data.id === this.id) {
      const became = data.state === "ready" && !this.ready;
      if (became) await this.load();
      else this.replace(data);
    } else if (type === "job" && data.video_id === this.id) this.putJob(data);
    else if (type === "rows" && this.ready) {
      this.rowsOf(data.target).put(data);
      this.keepEdits();
      this.tell("rows");
      this.reviewSoon();
    } else if (type === "changed" && data.video === this.id && this.ready) {
      await this.loadRows(data.target, data.from, data.to);
      this.reviewSoon();
    }
  }

  async load() {
    this.data = await get(this.path);
    this.project ??= await get(`/projects/${this.data.project_id}`);
    if (this.ready) {
      const [{ times }, { targets }, review] = await Promise.all([
        get(`${this.path}/times`),
        get(`${this.path}/rows`),
        get(`${this.path}/review`),
      ]);
      Object.assign(this, { times, review, columns: new Map() });
      for (const rows of targets) this.rowsOf(rows.target).put(rows);
      this.keepEdits();
    }
    this.tell("loaded");
  }

  async loadRows(target, from, to) {
    const { targets } = await get(`${this.path}/rows?target=${target}&from=${from}&to=${to}`);
    const columns = this.rowsOf(target);
    columns.clear(from, to);
    for (const rows of targets) columns.put(rows);
    this.keepEdits();
    this.tell("rows");
  }

  /** What the server says meanwhile does not take back what a person just did. */
  keepEdits() {
    for (const { target, frame, box } of this.edits) this.rowsOf(target).set(frame, box);
  }

  /** Shows a box of a person (null: absent) that has yet to be sent; `setKey` sends it. */
  edit(edit) {
    this.edits.add(edit);
    this.keepEdits();
    this.tell("rows");
  }

  replace(video) {
    this.data = video;
    for (const id of this.columns.keys()) if (!this.target(id)) this.columns.delete(id);
    this.tell("video");
    this.tell("jobs");
    this.reviewSoon();
  }

  putJob(job) {
    const { jobs } = this.data;
    const place = jobs.findIndex((other) => other.id === job.id);
    if (place >= 0) jobs[place] = job;
    else jobs.unshift(job);
    this.tell("jobs");
  }

  async loadReview() {
    clearTimeout(this.due);
    this.due = 0;
    this.review = await get(`${this.path}/review`);
    this.tell("review");
  }

  reviewSoon() {
    this.due ||= setTimeout(() => told(() => this.loadReview()), 400);
  }

  /** Does work that sends a change, after those before it. */
  async inOrder(work) {
    this.saving++;
    this.tell("saving");
    this.sent = this.sent.catch(() => {}).then(work);
    try {
      return await this.sent;
    } finally {
      this.saving--;
      this.tell("saving");
    }
  }

  /** Sends a change and tells whether it was saved; what failed is told and the true state loaded again. */
  async change(method, path, body) {
    let answer = null;
    const saved = await told(async () => {
      // What sets a value waits for the server to come back; what adds or takes away might do it twice.
      const send = method === "PUT" || method === "PATCH" ? insist : request;
      answer = await this.inOrder(() => send(method, path, body));
    });
    if (!saved) {
      this.later(() => this.load());
      return null;
    }
    return answer ?? {};
  }

  async addTarget(frame, box) {
    const target = await this.change("POST", `${this.path}/targets`, { frame, box });
    if (!target) return null;
    this.putTarget(target);
    this.rowsOf(target.id).set(frame, box);
    this.tell("rows");
    return target;
  }

  putTarget(target) {
    const place = this.targets.findIndex((other) => other.id === target.id);
    if (place >= 0) this.targets[place] = target;
    else this.targets.push(target);
    this.tell("video");
  }

  took(change) {
    this.data.history = change.history;
    this.putTarget(change.target);
    if (change.job) this.putJob(change.job);
    this.reviewSoon();
    return change;
  }

  /** A person's word on a frame, {target, frame, box}: null for "absent here"; what depends on it is tracked again. */
  async setKey(edit, choice) {
    const { target, frame, box } = edit;
    this.edit(edit);
    const body = { ...(box ? { box } : { absent: true }), ...choice };
    const change = await this.change("PUT", `/targets/${target}/keyframes/${frame}`, body);
    this.edits.delete(edit);
    return change && this.took(change);
  }

  async removeKey(target, frame) {
    const change = await this.change("DELETE", `/targets/${target}/keyframes/${frame}?track=true`);
    return change && this.took(change);
  }

  async editTarget(id, fields) {
    const target = await this.change("PATCH", `/targets/${id}`, fields);
    if (target) this.putTarget(target);
  }

  async deleteTarget(id) {
    const done = await this.change("DELETE", `/targets/${id}`);
    if (done) this.replace({ ...this.data, targets: this.targets.filter((target) => target.id !== id) });
    return done;
  }

  /** Takes back the last change, or with "redo" does it again; its label, or null. */
  async step(way) {
    const answer = await this.change("POST", `${this.path}/${way}`);
    if (!answer) return null;
    this.replace(answer.video);
    return answer.label;
  }

  /** Queues a job to track. Throws `ApiError`, 409 where nothing is left to track. */
  async startJob(body) {
    this.putJob(await this.inOrder(() => post(`${this.path}/jobs`, body)));
  }

  async jobDo(id, verb) {
    const job = await this.change("POST", `/jobs/${id}/${verb}`);
    if (job) this.putJob(job);
  }
}
