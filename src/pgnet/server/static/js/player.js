// Which frame is wanted, which one is on the screen, and playing.
import { clamp } from "./dom.js";

/** Tells "seek" (another frame is wanted), "shown" (its picture is there), "playing", "failed". */
export class Player extends EventTarget {
  /**
   * @param {Frames} frames
   * @param {number[]} times  seconds of each frame
   */
  constructor(frames, times) {
    super();
    Object.assign(this, { frames, times, frame: 0, shown: -1, bitmap: null, playing: false, speed: 1, error: null });
    this.busy = false;
    this.browsing = true; // a person steps from frame to frame
  }

  tell(type) {
    this.dispatchEvent(new Event(type));
  }

  get last() {
    return this.frames.count - 1;
  }

  /** Goes to a frame; its picture follows. Of many wishes in a row only the newest is fetched. */
  seek(frame) {
    this.pause();
    this.browsing = true;
    this.go(frame);
  }

  step(frames) {
    this.seek(this.frame + frames);
  }

  /** Goes to a frame that nobody chose: while playing, or following what is tracked. */
  show(frame) {
    this.browsing = false;
    this.go(frame);
  }

  go(frame) {
    const to = clamp(Math.round(frame), 0, this.last);
    if (to === this.frame && this.shown === to) return;
    this.frame = to;
    this.tell("seek");
    this.fetch();
  }

  async fetch() {
    if (this.busy) return;
    this.busy = true;
    while (this.shown !== this.frame) {
      const frame = this.frame;
      try {
        this.bitmap = await this.frames.load(frame);
        this.error = null;
      } catch (error) {
        this.bitmap = null;
        this.error = error;
      }
      this.shown = frame;
      this.tell("shown");
    }
    this.busy = false;
    if (this.browsing) this.frames.ahead([1, -1, 2, 3, -2].map((step) => this.frame + step));
  }

  /** Forgets a failure and tries again. */
  retry() {
    this.shown = -1;
    this.fetch();
  }

  play() {
    if (this.playing) return;
    if (this.frame >= this.last) this.show(0);
    this.playing = true;
    this.tell("playing");
    this.clock(this.frame);
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.tell("playing");
  }

  clock(frame) {
    this.since = { frame, now: performance.now() };
  }

  setSpeed(speed) {
    this.speed = speed;
    this.clock(this.frame);
  }

  /** Every frame is shown, later than its time if it comes late; only faster than 1x are frames left out. */
  tick(now) {
    if (!this.playing) return;
    requestAnimationFrame((next) => this.tick(next));
    const stride = Math.max(1, Math.round(this.speed));
    const next = Math.min(this.frame + stride, this.last);
    this.frames.ahead(Array.from({ length: 10 }, (_, k) => next + k * stride));
    if (this.shown !== this.frame || !this.frames.has(next)) return;
    const elapsed = ((now - this.since.now) / 1000) * this.speed;
    const late = elapsed - (this.times[next] - this.times[this.since.frame]);
    if (late < 0) return;
    this.show(next);
    if (late > 0.1) this.clock(next); // it had to wait: no hurry to catch up
    if (next === this.last) this.pause();
  }
}
