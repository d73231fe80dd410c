// Pictures of frames: fetched, decoded, and the last ones kept.
import { call } from "./api.js";

const ROOM = 256e6; // bytes of decoded pictures that are kept
const AT_ONCE = 3; // requests under way ahead of need

export class Frames {
  /** @param {{id: number, width: number, height: number, frame_count: number}} video  of the server */
  constructor(video) {
    this.url = `/videos/${video.id}/frames/`;
    this.count = video.frame_count;
    this.most = Math.max(8, Math.min(300, Math.floor(ROOM / (4 * video.width * video.height))));
    this.kept = new Map(); // frame -> ImageBitmap, least recently used first
    this.under = new Map(); // frame -> promise
    this.wanted = []; // frames to fetch ahead
  }

  has(frame) {
    return this.kept.has(frame);
  }

  /** The picture of a frame. Throws `ApiError`. */
  async load(frame) {
    const bitmap = this.kept.get(frame);
    if (bitmap) {
      this.kept.delete(frame);
      this.kept.set(frame, bitmap);
      return bitmap;
    }
    if (!this.under.has(frame)) this.under.set(frame, this.fetch(frame));
    return this.under.get(frame);
  }

  async fetch(frame) {
    try {
      const response = await call("GET", this.url + frame);
      const bitmap = await createImageBitmap(await response.blob());
      this.kept.set(frame, bitmap);
      // Closing at once could take a picture away that is being drawn: the garbage collector does it.
      while (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value);
      return bitmap;
    } finally {
      this.under.delete(frame);
      this.pump();
    }
  }

  /** Fetches these frames in this order, instead of those asked for before. */
  ahead(frames) {
    this.wanted = frames.filter((frame) => frame >= 0 && frame < this.count && !this.kept.has(frame));
    this.pump();
  }

  pump() {
    while (this.wanted.length && this.under.size < AT_ONCE) {
      const frame = this.wanted.shift();
      // A failure is told when the frame itself is asked for.
      if (!this.kept.has(frame)) this.load(frame).catch(() => {});
    }
  }
}
