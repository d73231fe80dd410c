// Which page is shown: `#/` all videos, `#/projects/P/videos/V/FRAME` one of them.
import { get } from "./api.js";
import { h } from "./dom.js";
import { openEditor } from "./editor.js";
import { openHome } from "./home.js";

const app = document.getElementById("app");
let close = () => {};
let opened = null; // what is shown: "home" or the video's id

async function route() {
  const found = /^#\/projects\/\d+\/videos\/(\d+)(?:\/(\d+))?$/.exec(location.hash);
  const place = found ? Number(found[1]) : "home";
  if (place === opened) return;
  opened = place;
  close();
  close = () => {};
  app.replaceChildren(h("main", { class: "trouble" }, h("p", { class: "muted" }, "Opening…")));
  try {
    const info = await get("/info");
    if (found) await get(`/videos/${place}`); // or it says that there is none
    close = found ? openEditor(app, info, place, Number(found[2] ?? 0)) : openHome(app, info);
  } catch (error) {
    opened = null;
    const again = h("button", { class: "primary", onclick: route }, "Try again");
    const home = found ? h("a", { class: "button", href: "#/" }, "All videos") : null;
    const choices = h("div", { class: "row" }, home, again);
    app.replaceChildren(h("main", { class: "trouble" }, h("h1", {}, "pgnet"), h("p", {}, error.message), choices));
  }
}

window.addEventListener("hashchange", route);
route();
