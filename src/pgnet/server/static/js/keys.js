// Actions: what the keys and the buttons do, in one list that the page shows on "?".

const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", Delete: "Del", Escape: "Esc" };
const MAC = navigator.platform.startsWith("Mac");

/** A key as the list of actions writes it: `Ctrl+Shift+z`, `Alt+ArrowLeft`, `?`. */
function pressed(event) {
  const { key } = event;
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  // Of other characters Shift is a part: "?" is one, wherever it lies on the keyboard.
  if (event.shiftKey && (letter || key.length > 1)) parts.push("Shift");
  parts.push(letter ? key.toLowerCase() : key);
  return parts.join("+");
}

/** A key as people write it. */
export function keyName(key) {
  const parts = key === "+" ? ["+"] : key.split("+");
  const last = parts.pop();
  const name = NAMES[last] ?? (last.length === 1 ? last.toUpperCase() : last);
  return [...parts.map((part) => (part === "Ctrl" && MAC ? "⌘" : part)), name].join(" ");
}

const typing = (target) => target.closest("input:not([type=color]), select, textarea") !== null;

/**
 * Binds actions to keys and to the buttons that name them (`data-do`). An action: {id, group, label, keys,
 * run(key), can()}; a button gives no key.
 * Returns a function that unbinds the keys.
 */
export function bind(root, actions) {
  const byKey = new Map(actions.flatMap((action) => action.keys.map((key) => [key, action])));
  const byId = new Map(actions.map((action) => [action.id, action]));
  const run = (action, key = null) => {
    if (action.can()) action.run(key);
  };
  const onKey = (event) => {
    if (typing(event.target) || event.isComposing || document.querySelector("dialog[open]")) return;
    const action = byKey.get(pressed(event));
    if (!action) return;
    // Space and Enter belong to the button that has the focus.
    if ([" ", "Enter"].includes(event.key) && event.target.closest("button, a")) return;
    event.preventDefault();
    run(action, pressed(event));
  };
  document.addEventListener("keydown", onKey);
  for (const button of root.querySelectorAll("[data-do]")) {
    const action = byId.get(button.dataset.do);
    if (!action) throw new Error(`no action is called ${button.dataset.do}`);
    button.title = action.keys.length ? `${action.label} (${keyName(action.keys[0])})` : action.label;
    button.addEventListener("click", () => run(action));
  }
  // After a click with the mouse the keys belong to the page again, not to the button.
  const onClick = (event) => {
    const { activeElement: active } = document;
    if (event.detail > 0 && active?.matches("button") && !active.closest("dialog")) active.blur();
  };
  document.addEventListener("click", onClick);
  return () => {
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("click", onClick);
  };
}
