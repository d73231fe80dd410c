// The canvas below: a row for each target with presence, key frames and events, and the playhead.
import { ABSENT, LOST, NONE, PERSON, PRESENT, UNCERTAIN } from "./columns.js";
import { batched, clamp, clock } from "./dom.js";

const RULER = 26, ROW = 24, GUTTER = 132, RIGHT = 14, SCROLL = 8; // CSS pixels
const MOST = 24; // pixels per frame, at most

/** How much a state matters where several frames share a pixel: what is doubtful must be seen. */
const WEIGHT = [];
WEIGHT[NONE] = 0;
WEIGHT[PRESENT] = 1;
WEIGHT[ABSENT] = 2;
WEIGHT[UNCERTAIN] = 3;
WEIGHT[LOST] = 4;

export class Timeline {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} scene  `frames()` count; `times()`; `frame()`; `rows()` -> [{id, name, colour, columns}];
   *   `selected()`; `select(id)`; `seek(frame)`; `working()` -> frames that jobs are at
   */
  constructor(canvas, scene) {
    Object.assign(this, { canvas, scene });
    this.context = canvas.getContext("2d");
    this.view = null; // {first, per}: frame at the left edge, pixels per frame; null: all frames
    this.top = 0; // pixels scrolled down
    this.drag = null;
    this.draw = batched(() => this.paint());
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.drag = null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    this.size = { width, height };
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    this.theme();
  }

  theme() {
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = Object.fromEntries(
      ["panel", "raised", "line", "text", "muted", "accent", "present", "uncertain", "lost", "absent", "row"].map((name) => [name, colour(name)]),
    );
    this.paint();
  }

  // Where things are

  get width() {
    return this.size.width - GUTTER - RIGHT;
  }

  scale() {
    const count = this.scene.frames();
    const least = this.width / Math.max(1, count);
    if (!this.view) return { first: 0, per: least };
    const per = clamp(this.view.per, least, Math.max(MOST, least));
    return { first: clamp(this.view.first, 0, count - this.width / per), per };
  }

  x(frame) {
    const { first, per } = this.scale();
    return GUTTER + (frame - first) * per;
  }

  frameAt(x) {
    const { first, per } = this.scale();
    return clamp(Math.floor(first + (x - GUTTER) / per), 0, this.scene.frames() - 1);
  }

  zoom(factor, x = this.x(this.scene.frame())) {
    const { first, per } = this.scale();
    const least = this.width / this.scene.frames();
    const to = clamp(per * factor, least, Math.max(MOST, least));
    this.view = to === least ? null : { per: to, first: first + (x - GUTTER) / per - (x - GUTTER) / to };
    this.draw();
  }

  scroll(rows) {
    const room = this.size.height - RULER - SCROLL - 4;
    this.top = clamp(this.top + rows, 0, Math.max(0, this.scene.rows().length * ROW - room));
    this.draw();
  }

  /** Keeps the playhead and the selected target's row in view. */
  follow() {
    const { first, per } = this.scale();
    const shown = this.width / per;
    const frame = this.scene.frame();
    if (this.view && (frame < first || frame > first + shown - 1)) this.view = { per, first: frame - shown / 4 };
    this.draw();
  }

  showRow(id) {
    const place = this.scene.rows().findIndex((row) => row.id === id) * ROW;
    const room = this.size.height - RULER - SCROLL - 4;
    if (place < this.top) this.scroll(place - this.top);
    else if (place + ROW > this.top + room) this.scroll(place + ROW - this.top - room);
  }

  // Pointers

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  down(event) {
    const { x, y } = this.place(event);
    this.canvas.setPointerCapture(event.pointerId);
    if (y > RULER) {
      const row = this.scene.rows()[Math.floor((y - RULER - 4 + this.top) / ROW)];
      if (row) this.scene.select(row.id);
    }
    if (event.button === 1 || (this.view && y > this.size.height - SCROLL - 4)) this.drag = { kind: "pan", x };
    else if (x >= GUTTER - 6) {
      this.drag = { kind: "seek" };
      this.scene.seek(this.frameAt(x));
    }
  }

  move(event) {
    const { x } = this.place(event);
    if (this.drag?.kind === "seek") this.scene.seek(this.frameAt(x));
    else if (this.drag?.kind === "pan") {
      const { first, per } = this.scale();
      this.view = { per, first: first + ((x - this.drag.x) * this.scene.frames()) / this.width };
      this.drag.x = x;
      this.draw();
    }
  }

  wheel(event) {
    event.preventDefault();
    const { x } = this.place(event);
    const across = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
    if (across) {
      const { first, per } = this.scale();
      this.view = { per, first: first + across / per };
      this.draw();
    } else if (x < GUTTER) this.scroll(event.deltaY);
    else this.zoom(Math.exp(-event.deltaY * 0.003), x);
  }

  // Painting

  paint() {
    const { context: c, size, colours } = this;
    if (!size || !this.scene.frames()) return;
    c.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    c.clearRect(0, 0, size.width, size.height);
    this.scroll(0);
    const rows = this.scene.rows();
    c.save();
    c.beginPath();
    c.rect(0, RULER, size.width, size.height - RULER - SCROLL);
    c.clip();
    rows.forEach((row, place) => {
      const y = RULER + 4 + place * ROW - this.top;
      if (y > -ROW && y < size.height) this.paintRow(row, y);
    });
    c.restore();
    this.paintRuler();
    this.paintScroll();
    this.paintJobs();
    // The playhead is the frame's first edge, and as wide as the frame where that can be seen.
    const x = this.x(this.scene.frame());
    const { per } = this.scale();
    if (x >= GUTTER - 1 && x <= size.width) {
      if (per > 3) {
        c.globalAlpha = 0.16;
        c.fillStyle = colours.accent;
        c.fillRect(x, RULER, per, size.height - RULER);
        c.globalAlpha = 1;
      }
      const middle = Math.round(x + per / 2) + 0.5;
      c.strokeStyle = c.fillStyle = colours.accent;
      c.lineWidth = 1;
      c.beginPath();
      c.moveTo(middle, 12);
      c.lineTo(middle, size.height);
      c.stroke();
      c.beginPath();
      c.moveTo(middle - 6, 4);
      c.lineTo(middle + 6, 4);
      c.lineTo(middle + 6, 11);
      c.lineTo(middle, 17);
      c.lineTo(middle - 6, 11);
      c.fill();
    }
  }

  paintRuler() {
    const { context: c, size, colours } = this;
    const count = this.scene.frames();
    const { first, per } = this.scale();
    const wish = 92 / per;
    const ten = 10 ** Math.floor(Math.log10(Math.max(1, wish)));
    const step = [1, 2, 5, 10].map((k) => k * ten).find((k) => k >= wish) ?? 10 * ten;
    c.font = "11px system-ui, sans-serif";
    c.textBaseline = "middle";
    c.fillStyle = colours.muted;
    c.strokeStyle = colours.line;
    c.lineWidth = 1;
    c.beginPath();
    for (let frame = Math.ceil(first / step) * step; frame < count; frame += step) {
      const x = Math.round(this.x(frame)) + 0.5;
      if (x > size.width) break;
      c.moveTo(x, 8);
      c.lineTo(x, RULER);
      if (x < size.width - 40) c.fillText(frame.toLocaleString("en"), x + 5, 13);
    }
    c.moveTo(0, RULER + 0.5);
    c.lineTo(size.width, RULER + 0.5);
    c.stroke();
    const times = this.scene.times();
    c.fillText(`${clock(times[this.scene.frame()] ?? 0)} of ${clock(times[count - 1] ?? 0)}`, 12, 13);
  }

  paintRow(row, y) {
    const { context: c, size, colours } = this;
    const selected = row.id === this.scene.selected();
    if (selected) {
      c.fillStyle = colours.raised;
      c.fillRect(0, y, size.width, ROW);
    }
    c.fillStyle = row.colour;
    c.beginPath();
    c.arc(17, y + ROW / 2, 4.5, 0, 7);
    c.fill();
    c.fillStyle = selected ? colours.text : colours.muted;
    c.font = `${selected ? 600 : 400} 12px system-ui, sans-serif`;
    c.textBaseline = "middle";
    c.fillText(shortened(c, row.name, GUTTER - 42), 28, y + ROW / 2 + 0.5);
    this.paintStates(row.columns, y + 5, ROW - 10);
    this.paintMarks(row.columns, y + ROW / 2);
  }

  /** Colour and height say the state: full for present, lower the less sure; absent is hollow. */
  paintStates(columns, y, height) {
    const { context: c, size, colours } = this;
    const { first, per } = this.scale();
    const end = Math.min(size.width - RIGHT, this.x(columns.frames));
    c.fillStyle = colours.row;
    c.fillRect(GUTTER, y, end - GUTTER, height);
    const look = { [PRESENT]: [colours.present, 1], [UNCERTAIN]: [colours.uncertain, 0.7], [LOST]: [colours.lost, 0.4] };
    const fill = (from, to, state) => {
      if (state === NONE) return;
      if (state === ABSENT) {
        c.strokeStyle = colours.absent;
        c.lineWidth = 1;
        c.strokeRect(from + 0.5, y + height / 2 - 1.5, Math.max(1, to - from - 1), 3);
        return;
      }
      const [colour, share] = look[state];
      c.fillStyle = colour;
      c.fillRect(from, y + height * (1 - share), to - from, height * share);
    };
    // One run of equal states is one rectangle: frame by frame where a frame has a pixel, pixel by pixel where not.
    const { states } = columns;
    let run = NONE;
    let start = GUTTER;
    const flush = (x, state) => {
      if (state === run) return;
      fill(start, x, run);
      [run, start] = [state, x];
    };
    if (per >= 1) {
      const last = Math.min(columns.frames, Math.ceil(first + this.width / per));
      for (let frame = Math.floor(first); frame < last; frame++) flush(Math.max(GUTTER, this.x(frame)), states[frame]);
    } else {
      for (let x = GUTTER; x < end; x++) {
        const to = Math.min(columns.frames, Math.ceil(first + (x + 1 - GUTTER) / per));
        let worst = NONE;
        for (let frame = Math.floor(first + (x - GUTTER) / per); frame < to; frame++) {
          if (WEIGHT[states[frame]] > WEIGHT[worst]) worst = states[frame];
        }
        flush(x, worst);
      }
    }
    flush(end, NONE);
  }

  /** Diamonds where a person set the box, hollow ones for "absent"; small triangles where it is lost and found. */
  paintMarks(columns, middle) {
    const { context: c, colours } = this;
    const { first, per } = this.scale();
    const last = Math.min(columns.frames, Math.ceil(first + this.width / per));
    const { states, by } = columns;
    const keys = [];
    let free = -Infinity; // no event nearer than this to the one before
    for (let frame = Math.floor(first); frame < last; frame++) {
      const x = this.x(frame) + per / 2;
      if (by[frame] === PERSON) keys.push([x, states[frame]]);
      const [before, now] = [frame ? states[frame - 1] : NONE, states[frame]];
      const lost = now === LOST && before !== LOST && before !== NONE;
      const found = now === PRESENT && before === LOST;
      if ((lost || found) && x > free) {
        const tip = lost ? middle + 9 : middle - 9;
        const base = lost ? middle + 12 : middle - 12;
        c.fillStyle = lost ? colours.lost : colours.present;
        c.beginPath();
        c.moveTo(x, tip - (lost ? 2 : -2));
        c.lineTo(x - 4, base);
        c.lineTo(x + 4, base);
        c.fill();
        free = x + 10;
      }
    }
    let next = -Infinity;
    for (const [x, state] of keys) {
      if (x < next) continue;
      next = x + 4;
      c.beginPath();
      c.moveTo(x, middle - 6);
      c.lineTo(x + 5, middle);
      c.lineTo(x, middle + 6);
      c.lineTo(x - 5, middle);
      c.closePath();
      c.fillStyle = state === ABSENT ? colours.panel : colours.text;
      c.fill();
      c.strokeStyle = state === ABSENT ? colours.text : colours.panel;
      c.lineWidth = 1.5;
      c.stroke();
    }
  }

  paintJobs() {
    const { context: c, size, colours } = this;
    c.strokeStyle = colours.text;
    c.setLineDash([3, 3]);
    c.lineWidth = 1;
    for (const frame of this.scene.working()) {
      const x = Math.round(this.x(frame)) + 0.5;
      if (x < GUTTER) continue;
      c.beginPath();
      c.moveTo(x, RULER);
      c.lineTo(x, size.height);
      c.stroke();
    }
    c.setLineDash([]);
  }

  paintScroll() {
    if (!this.view) return;
    const { context: c, size, colours } = this;
    const { first, per } = this.scale();
    const share = this.width / this.scene.frames();
    const y = size.height - SCROLL + 1;
    c.fillStyle = colours.row;
    c.fillRect(GUTTER, y, this.width, 4);
    c.fillStyle = colours.muted;
    c.beginPath();
    c.roundRect(GUTTER + first * share, y, Math.max(12, (this.width / per) * share), 4, 2);
    c.fill();
  }
}

function shortened(c, text, width) {
  if (c.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && c.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
