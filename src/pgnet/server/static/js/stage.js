// The canvas in the middle: the frame, the boxes, zoom and pan, drawing and moving boxes.
import { LOST, UNCERTAIN } from "./columns.js";
import { batched, clamp } from "./dom.js";

const MOST_ZOOM = 40; // screen pixels per frame pixel
const SMALLEST = 2; // frame pixels: a smaller box is a slip of the hand

// A grip moves these of left, top, right, bottom.
const GRIPS = [
  { x: 0, y: 0, moves: [1, 1, 0, 0], cursor: "nwse-resize" },
  { x: 0.5, y: 0, moves: [0, 1, 0, 0], cursor: "ns-resize" },
  { x: 1, y: 0, moves: [0, 1, 1, 0], cursor: "nesw-resize" },
  { x: 1, y: 0.5, moves: [0, 0, 1, 0], cursor: "ew-resize" },
  { x: 1, y: 1, moves: [0, 0, 1, 1], cursor: "nwse-resize" },
  { x: 0.5, y: 1, moves: [0, 0, 0, 1], cursor: "ns-resize" },
  { x: 0, y: 1, moves: [1, 0, 0, 1], cursor: "nesw-resize" },
  { x: 0, y: 0.5, moves: [1, 0, 0, 0], cursor: "ew-resize" },
];
const INSIDE = { moves: [1, 1, 1, 1], cursor: "move" };

/** A box with these sides moved by dx, dy: turned over where it was pulled through itself. */
function pulled(box, moves, dx, dy) {
  const [x, y, w, h] = box;
  const sides = [x + moves[0] * dx, y + moves[1] * dy, x + w + moves[2] * dx, y + h + moves[3] * dy];
  return between(sides[0], sides[1], sides[2], sides[3]);
}

const between = (x0, y0, x1, y1) => [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];

/** Tenths of a pixel: finer than a hand. */
const rounded = (box) => box.map((value) => Math.round(value * 10) / 10);

export class Stage {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} scene  `picture()` -> {bitmap, width, height, frame} or null; `boxes()` -> [{id, box, colour,
   *   label, state}]; `selected()` -> id; `select(id)`; `edited(id, box)`; `drawn(box)`; `zoomed()`
   */
  constructor(canvas, scene) {
    Object.assign(this, { canvas, scene });
    this.context = canvas.getContext("2d");
    this.view = null; // {scale, x, y}: screen = frame * scale + (x, y), in CSS pixels; null: all of the frame
    this.drawing = false; // whether the next drag makes a box
    this.drag = null;
    this.pointers = new Map();
    this.cross = null; // where the pointer is, while drawing
    this.hidden = false;
    this.draw = batched(() => this.paint());
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => this.pointAt(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", (event) => this.box(this.at(event)) || this.fit());
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    const ratio = devicePixelRatio;
    this.size = { width, height };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.paint();
    this.scene.zoomed();
  }

  // Where things are

  /** How the frame lies on the canvas. */
  transform() {
    const picture = this.scene.picture();
    if (this.view || !picture || !this.size) return this.view ?? { scale: 1, x: 0, y: 0 };
    const { width, height } = this.size;
    const margin = 12;
    const scale = Math.min((width - 2 * margin) / picture.width, (height - 2 * margin) / picture.height);
    return { scale, x: (width - scale * picture.width) / 2, y: (height - scale * picture.height) / 2 };
  }

  get scale() {
    return this.transform().scale;
  }

  /** The frame's point under a pointer. */
  at(event) {
    const place = this.canvas.getBoundingClientRect();
    const { scale, x, y } = this.transform();
    return { x: (event.clientX - place.left - x) / scale, y: (event.clientY - place.top - y) / scale };
  }

  fit() {
    this.view = null;
    this.changed();
  }

  /** Zooms so that the point of the canvas (the middle by default) stays where it is. */
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const before = this.transform();
    const scale = clamp(before.scale * factor, 0.05, MOST_ZOOM);
    const grown = scale / before.scale;
    this.view = { scale, x: x - (x - before.x) * grown, y: y - (y - before.y) * grown };
    this.changed();
  }

  pan(dx, dy) {
    const { scale, x, y } = this.transform();
    this.view = { scale, x: x + dx, y: y + dy };
    this.changed();
  }

  /** Brings a box into view where it is not. */
  reveal(box) {
    if (!this.view || !box) return;
    const { scale, x, y } = this.view;
    const [left, top] = [box[0] * scale + x, box[1] * scale + y];
    const [right, bottom] = [left + box[2] * scale, top + box[3] * scale];
    const { width, height } = this.size;
    if (left >= 0 && top >= 0 && right <= width && bottom <= height) return;
    this.pan(width / 2 - (left + right) / 2, height / 2 - (top + bottom) / 2);
  }

  changed() {
    // Some of the frame stays on the canvas.
    const picture = this.scene.picture();
    if (this.view && picture) {
      const keep = 40;
      const { scale } = this.view;
      this.view.x = clamp(this.view.x, keep - picture.width * scale, this.size.width - keep);
      this.view.y = clamp(this.view.y, keep - picture.height * scale, this.size.height - keep);
    }
    this.draw();
    this.scene.zoomed();
  }

  grip(point, touch) {
    const found = this.scene.boxes().find(({ id }) => id === this.scene.selected());
    if (!found) return null;
    const reach = (touch ? 18 : 7) / this.scale;
    const [x, y, w, h] = found.box;
    const near = GRIPS.map((grip) => ({ grip, far: Math.hypot(point.x - x - w * grip.x, point.y - y - h * grip.y) }))
      .filter(({ far }) => far <= reach)
      .sort((a, b) => a.far - b.far)[0];
    return near ? { ...found, grip: near.grip } : null;
  }

  /** The box under a point: the selected one first, then the smallest. */
  box(point) {
    const slack = 3 / this.scale;
    const under = this.scene.boxes().filter(
      ({ box: [x, y, w, h] }) =>
        point.x >= x - slack && point.x <= x + w + slack && point.y >= y - slack && point.y <= y + h + slack,
    );
    under.sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
    const found = under.find(({ id }) => id === this.scene.selected()) ?? under[0];
    return found && { ...found, grip: INSIDE };
  }

  // Pointers

  setDrawing(drawing) {
    this.drawing = drawing;
    this.drag = null;
    this.canvas.style.cursor = drawing ? "crosshair" : "";
    if (!drawing) this.cross = null;
    this.draw();
  }

  /** Ends a drag without effect; whether there was one. */
  cancel() {
    const was = this.drag;
    this.drag = null;
    this.draw();
    return was !== null;
  }

  down(event) {
    this.canvas.focus({ preventScroll: true });
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) {
      this.drag = { kind: "pinch" };
      return;
    }
    if (!this.scene.picture() || event.button > 2) return;
    this.canvas.setPointerCapture(event.pointerId);
    const start = this.at(event);
    const touch = event.pointerType === "touch";
    if (event.button !== 0) this.drag = { kind: "pan" };
    else if (this.drawing) this.drag = { kind: "draw", start, box: null };
    else {
      const found = this.grip(start, touch) ?? this.box(start);
      if (found) {
        this.scene.select(found.id);
        const { frame } = this.scene.picture();
        this.drag = { kind: "edit", start, id: found.id, frame, from: found.box, grip: found.grip, box: null };
      } else this.drag = { kind: "pan" };
    }
    this.draw();
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (before) this.pointers.set(event.pointerId, event);
    if (this.drag?.kind === "pinch") {
      this.pinch(before, event);
      return;
    }
    const point = this.at(event);
    this.pointAt(event);
    const { drag } = this;
    if (!drag) {
      if (!this.drawing) {
        const under = this.grip(point, false) ?? this.box(point);
        this.canvas.style.cursor = under ? under.grip.cursor : "";
      }
      return;
    }
    if (drag.kind === "pan") this.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    else if (drag.kind === "draw") drag.box = this.inside(between(drag.start.x, drag.start.y, point.x, point.y));
    else {
      const [dx, dy] = [point.x - drag.start.x, point.y - drag.start.y];
      // A click with a shaking hand moves nothing.
      if (drag.box || Math.hypot(dx, dy) * this.scale > 3) drag.box = pulled(drag.from, drag.grip.moves, dx, dy);
    }
    this.draw();
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    const { drag } = this;
    this.drag = null;
    if (event.type === "pointerup" && drag?.box && drag.box[2] >= SMALLEST && drag.box[3] >= SMALLEST) {
      if (drag.kind === "draw") this.scene.drawn(rounded(drag.box));
      // A frame that went on under the hand is not the one that was meant.
      else if (this.scene.picture()?.frame === drag.frame) this.scene.edited(drag.id, rounded(drag.box));
    }
    this.draw();
  }

  pinch(before, event) {
    const other = [...this.pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (!before || !other) return;
    const place = this.canvas.getBoundingClientRect();
    const middle = (p) => [(p.clientX + other.clientX) / 2 - place.left, (p.clientY + other.clientY) / 2 - place.top];
    const apart = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY);
    const [x, y] = middle(event);
    this.zoom(apart(event) / Math.max(1, apart(before)), x, y);
    this.pan(x - middle(before)[0], y - middle(before)[1]);
  }

  wheel(event) {
    event.preventDefault();
    const place = this.canvas.getBoundingClientRect();
    const step = event.deltaMode === 1 ? event.deltaY * 30 : event.deltaY;
    if (event.shiftKey) this.pan(-step, 0);
    else this.zoom(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.002)), event.clientX - place.left, event.clientY - place.top);
  }

  pointAt(event) {
    this.cross = event && this.drawing ? this.at(event) : null;
    if (this.drawing) this.draw();
  }

  inside([x, y, w, h]) {
    const { width, height } = this.scene.picture();
    return between(clamp(x, 0, width), clamp(y, 0, height), clamp(x + w, 0, width), clamp(y + h, 0, height));
  }

  // Painting

  paint() {
    const { context: c, size } = this;
    const picture = this.scene.picture();
    if (!size) return;
    const ratio = devicePixelRatio;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, size.width, size.height);
    if (!picture) return;
    const { scale, x, y } = this.transform();
    // Big pixels stay sharp, for boxes that are exact to the pixel.
    c.imageSmoothingEnabled = scale < 3;
    c.imageSmoothingQuality = "high";
    c.drawImage(picture.bitmap, x, y, picture.width * scale, picture.height * scale);
    this.canvas.dataset.frame = picture.frame;
    if (this.cross) this.paintCross(x, y, scale);
    if (!this.hidden) {
      const selected = this.scene.selected();
      const boxes = this.scene.boxes();
      for (const item of boxes) if (item.id !== selected) this.paintBox(item, false);
      for (const item of boxes) if (item.id === selected) this.paintBox(item, true);
    }
    if (this.drag?.kind === "draw" && this.drag.box) {
      this.paintBox({ box: this.drag.box, colour: this.scene.nextColour(), label: "", state: null }, false);
    }
  }

  paintCross(x, y, scale) {
    const { context: c, size } = this;
    const [px, py] = [Math.round(this.cross.x * scale + x) + 0.5, Math.round(this.cross.y * scale + y) + 0.5];
    for (const [colour, dash] of [["rgba(0,0,0,.55)", []], ["rgba(255,255,255,.85)", [4, 4]]]) {
      c.strokeStyle = colour;
      c.lineWidth = 1;
      c.setLineDash(dash);
      c.beginPath();
      c.moveTo(px, 0);
      c.lineTo(px, size.height);
      c.moveTo(0, py);
      c.lineTo(size.width, py);
      c.stroke();
    }
    c.setLineDash([]);
  }

  paintBox(item, selected) {
    const { context: c } = this;
    const { scale, x: ox, y: oy } = this.transform();
    const edited = this.drag?.kind === "edit" && this.drag.id === item.id && this.drag.box;
    const [bx, by, bw, bh] = edited || item.box;
    const [x, y, w, h] = [bx * scale + ox, by * scale + oy, bw * scale, bh * scale];
    const faint = item.state === LOST && !edited;
    c.save();
    c.globalAlpha = faint ? 0.75 : 1;
    // A dark line under the coloured one: to be seen on any picture.
    c.lineJoin = "round";
    c.strokeStyle = "rgba(0,0,0,.6)";
    c.lineWidth = selected ? 4.5 : 3.5;
    c.strokeRect(x, y, w, h);
    c.strokeStyle = item.colour;
    c.lineWidth = selected ? 2.5 : 1.75;
    if (faint) c.setLineDash([2, 5]);
    else if (item.state === UNCERTAIN && !edited) c.setLineDash([8, 4]);
    c.strokeRect(x, y, w, h);
    c.setLineDash([]);
    if (selected && !faint) {
      c.globalAlpha = 0.1;
      c.fillStyle = item.colour;
      c.fillRect(x, y, w, h);
      c.globalAlpha = 1;
    }
    if (item.label) this.paintLabel(item, x, y, selected);
    if (selected) {
      const half = 4;
      for (const grip of GRIPS) {
        // Grips in the middle of a side only where there is room between the corners.
        if ((grip.x === 0.5 && w < 44) || (grip.y === 0.5 && h < 44)) continue;
        const [gx, gy] = [x + w * grip.x, y + h * grip.y];
        c.fillStyle = "#fff";
        c.strokeStyle = "rgba(0,0,0,.75)";
        c.lineWidth = 1;
        c.fillRect(gx - half, gy - half, 2 * half, 2 * half);
        c.strokeRect(gx - half, gy - half, 2 * half, 2 * half);
      }
    }
    c.restore();
  }

  paintLabel(item, x, y, selected) {
    const { context: c, size } = this;
    c.font = `${selected ? 600 : 500} 12px system-ui, sans-serif`;
    const width = c.measureText(item.label).width + 24;
    const height = 19;
    const left = clamp(x - 1, 2, Math.max(2, size.width - width - 2));
    const top = y - height - 5 < 2 ? y + 5 : y - height - 5;
    c.fillStyle = "rgba(12,15,19,.82)";
    c.beginPath();
    c.roundRect(left, top, width, height, 4);
    c.fill();
    c.fillStyle = item.colour;
    c.beginPath();
    c.arc(left + 10, top + height / 2, 4, 0, 7);
    c.fill();
    c.fillStyle = "#fff";
    c.textBaseline = "middle";
    c.fillText(item.label, left + 18, top + height / 2 + 0.5);
  }
}
