// Where one target is, frame by frame: typed arrays over all frames of the video.

export const NONE = 0, PRESENT = 1, UNCERTAIN = 2, LOST = 3, ABSENT = 4;
export const PERSON = 1, TRACKER = 2, IMPORTED = 3;
export const STATE_NAMES = ["no box", "present", "uncertain", "lost", "absent"];

const STATES = { p: PRESENT, u: UNCERTAIN, l: LOST, a: ABSENT };
const BY = { k: PERSON, t: TRACKER, i: IMPORTED };

export class Columns {
  /** @param {number} frames  number of frames of the video */
  constructor(frames) {
    this.frames = frames;
    this.boxes = new Float64Array(4 * frames); // x, y, w, h; frame pixels
    this.presence = new Float32Array(frames);
    this.states = new Uint8Array(frames);
    this.by = new Uint8Array(frames);
  }

  /** x, y, w, h of a frame; null where there is none to draw. */
  box(frame) {
    const state = this.states[frame];
    return state === NONE || state === ABSENT ? null : [...this.boxes.subarray(4 * frame, 4 * frame + 4)];
  }

  clear(from = 0, to = this.frames) {
    this.boxes.fill(0, 4 * from, 4 * to);
    for (const column of [this.presence, this.states, this.by]) column.fill(0, from, to);
  }

  /** Puts the server's `Rows` into their frames. */
  put(rows) {
    let row = 0;
    for (const [first, count] of rows.runs) {
      this.boxes.set(rows.boxes.slice(4 * row, 4 * (row + count)), 4 * first);
      for (let frame = first; frame < first + count; frame++, row++) {
        this.presence[frame] = rows.presence[row];
        this.states[frame] = STATES[rows.states[row]];
        this.by[frame] = BY[rows.by[row]];
      }
    }
  }

  /** What a person says of a frame: a box, or null for "absent here". */
  set(frame, box) {
    this.states[frame] = box ? PRESENT : ABSENT;
    if (box) this.boxes.set(box, 4 * frame);
    this.presence[frame] = box ? 1 : 0;
    this.by[frame] = PERSON;
  }

  /** The next frame after `frame` (before it, with step -1) that a person set; -1 if there is none. */
  nextKey(frame, step = 1) {
    for (let n = frame + step; n >= 0 && n < this.frames; n += step) if (this.by[n] === PERSON) return n;
    return -1;
  }
}
