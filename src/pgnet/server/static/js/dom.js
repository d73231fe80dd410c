// Elements, templates, and how numbers are written.

/** An element with attributes (`onclick` and the like are listeners) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A copy of a template, and its `data-el` elements by name. */
export function fromTemplate(id) {
  const view = document.getElementById(id).content.cloneNode(true);
  const el = {};
  for (const node of view.querySelectorAll("[data-el]")) el[node.dataset.el] = node;
  for (const svg of view.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
  return { view, el };
}

/** Puts new elements into a list; the focus stays on the control of the same place. */
export function refill(list, elements) {
  const controls = () => [...list.querySelectorAll("button, input")];
  const place = controls().indexOf(document.activeElement);
  list.replaceChildren(...elements);
  if (place >= 0) controls()[place]?.focus({ preventScroll: true });
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** Seconds as `1:02.50`, or `1:02` without hundredths. */
export function clock(seconds, fine = true) {
  const whole = Math.max(0, seconds);
  const minutes = Math.floor(whole / 60);
  const rest = fine ? (whole - minutes * 60).toFixed(2).padStart(5, "0") : String(Math.floor(whole % 60)).padStart(2, "0");
  return `${minutes}:${rest}`;
}

/** A length of time in words: `22 s`, `4 min`, `1.5 h`. */
export function lasting(seconds) {
  if (seconds < 1) return "less than 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function bytes(n) {
  if (n < 1e6) return `${Math.max(1, Math.round(n / 1e3))} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB` : `${(n / 1e9).toFixed(1)} GB`;
}

/** Calls `work` once per picture of the screen, however often it is asked. */
export function batched(work) {
  let due = 0;
  return () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      work();
    });
  };
}

/** A sentence at the edge of the page; with an action, a button that does it. */
export function toast(text, { error = false, action = null } = {}) {
  const close = () => item.remove();
  const item = h(
    "div",
    { class: error ? "toast error" : "toast" },
    h("span", {}, text),
    action && h("button", { class: "small", onclick: () => (close(), action.run()) }, action.label),
    h("button", { class: "quiet icon small", "aria-label": "Close", onclick: close }, icon("close")),
  );
  const toasts = document.getElementById("toasts");
  toasts.append(item);
  while (toasts.children.length > 3) toasts.firstChild.remove();
  setTimeout(close, error ? 12000 : 6000);
}

/** Dark to light and back; remembered. */
export function switchTheme() {
  const { dataset } = document.documentElement;
  dataset.theme = dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", dataset.theme);
}
