// Dialogs: the keys, export, import, and "are you sure".
import { ApiError, call, post, told, upload } from "./api.js";
import { bytes, h, icon, plural, toast } from "./dom.js";
import { keyName } from "./keys.js";

/** Shows a dialog; it removes itself when it is closed. */
function open(title, ...content) {
  const close = h("button", { class: "quiet icon", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"));
  const heading = h("h2", { id: "dialog-title" }, title);
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, h("header", {}, heading, close), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("pointerdown", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function showKeys(actions) {
  const groups = new Map();
  for (const action of actions.filter(({ keys }) => keys.length)) {
    if (!groups.has(action.group)) groups.set(action.group, []);
    groups.get(action.group).push(action);
  }
  const mouse = [
    ["Drag in the video", "move the picture; with Draw, make a box"],
    ["Drag a box or its grips", "correct it"],
    ["Wheel", "zoom; with Shift, move sideways"],
    ["Wheel on the timeline", "zoom; over the names, scroll"],
  ];
  const line = (keys, label) => h("div", {}, h("dt", {}, ...keys.flatMap((key, n) => [n ? " " : "", h("kbd", {}, key)])), h("dd", {}, label));
  const section = (name, lines) => h("section", {}, h("h3", {}, name), h("dl", {}, ...lines));
  open(
    "Keyboard and mouse",
    h(
      "div",
      { class: "keys", tabindex: "0", role: "region", "aria-label": "Keys" },
      ...[...groups].map(([name, list]) => section(name, list.map(({ keys, names, label }) => line(names ?? keys.map(keyName), label)))),
      section("Mouse and fingers", mouse.map(([what, does]) => line([what], does))),
    ),
  );
}

/** Asks before what cannot be undone; true if it was confirmed. */
export function confirmed(title, text, verb) {
  return new Promise((resolve) => {
    const dialog = open(
      title,
      h("p", {}, text),
      h(
        "footer",
        {},
        h("button", { onclick: () => dialog.close() }, "Cancel"),
        h("button", { class: "danger", onclick: () => dialog.close("yes") }, verb),
      ),
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}

/** Gives the browser a file to save. */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

const notes = (sentences) => h("ul", { class: "notes" }, ...sentences.map((sentence) => h("li", {}, sentence)));

const VIDEOS = ["annotated", "follow-crop", "blur", "pixelate"];

/** What a format is written as; one that is a folder comes zipped. */
function fileKind({ file_name: file, one_target: one }) {
  const suffix = /\.(json|csv|xml|txt)$/.exec(file)?.[1];
  return `${suffix ? suffix.toUpperCase() : "folder, as ZIP"}${one ? ", one target" : ""}`;
}

/** Export of a video: boxes in a format, or a picture of them. */
export function showExport(video, info, selected) {
  const { targets } = video;
  const radio = (value, title, detail, checked = false) =>
    h("label", { class: "choice" }, h("input", { type: "radio", name: "what", value, checked }), h("span", {}, h("b", {}, title), h("small", {}, detail)));
  const whose = h("select", { name: "target" }, ...targets.map(({ id, name }) => h("option", { value: id, selected: id === selected }, name)));
  const width = h("input", { type: "number", name: "width", value: 480, min: 16, max: 4096, step: 2 });
  const height = h("input", { type: "number", name: "height", value: 480, min: 16, max: 4096, step: 2 });
  const whoseField = h("label", { class: "field" }, "Target ", whose);
  const sizeField = h("div", { class: "pair" }, h("label", { class: "field" }, "Width ", width), h("label", { class: "field" }, "Height ", height));
  const result = h("div", { role: "status" });
  const submit = h("button", { class: "primary" }, "Export");
  const form = h(
    "form",
    { method: "dialog" },
    h("fieldset", {}, h("legend", {}, "A video"), h("div", { class: "choices" }, radio("annotated", "Video with boxes", "every box drawn, MP4"), radio("follow-crop", "Follow-crop", "a window that stays on one target, MP4"), radio("blur", "Targets blurred", "made unrecognisable, MP4"), radio("pixelate", "Targets pixelated", "made unrecognisable, MP4"))),
    h("fieldset", {}, h("legend", {}, "Boxes for other tools"), h("div", { class: "choices" }, ...info.formats.map((format) => radio(format.name, format.title, fileKind(format), format.name === "cvat")))),
    h("div", { class: "row" }, whoseField, sizeField),
    result,
    h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Close"), submit),
  );
  const update = () => {
    const what = form.elements.what.value;
    const format = info.formats.find(({ name }) => name === what);
    whoseField.hidden = !(what === "follow-crop" || (format?.one_target && targets.length > 1));
    sizeField.hidden = what !== "follow-crop";
    result.replaceChildren();
  };
  form.addEventListener("change", update);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const what = form.elements.what.value;
    submit.disabled = true;
    try {
      if (VIDEOS.includes(what)) {
        const crop = { target: Number(whose.value), width: width.valueAsNumber, height: height.valueAsNumber };
        await post(`/videos/${video.id}/renders`, { kind: what, ...(what === "follow-crop" ? crop : {}) });
        dialog.close();
        toast("The video is being made; it appears under Tracking.");
      } else {
        const query = whoseField.hidden ? "" : `?target=${whose.value}`;
        const response = await call("GET", `/videos/${video.id}/export/${what}${query}`);
        // The server writes names beyond ASCII as filename*=utf-8''..., percent-encoded.
        const disposition = response.headers.get("Content-Disposition") ?? "";
        const name = decodeURIComponent(/filename(?:\*=utf-8''|=)"?([^";]+)/.exec(disposition)?.[1] ?? "boxes");
        const said = decodeURIComponent(response.headers.get("X-Pgnet-Notes") ?? "");
        const blob = await response.blob();
        save(blob, name);
        result.replaceChildren(h("p", { class: "good" }, `Saved as ${name} (${bytes(blob.size)}).`), notes(said ? [said] : []));
      }
    } catch (error) {
      result.replaceChildren(h("p", { class: "bad" }, error.message));
      if (!(error instanceof ApiError)) throw error;
    } finally {
      submit.disabled = false;
    }
  });
  const dialog = open("Export", form);
  update();
}

/** Import of boxes; `file` where it was dropped already. */
export function showImport(video, info, done, file = null) {
  const input = h("input", { type: "file", name: "file", "aria-label": "File with boxes" });
  const chosen = h("p", { class: "muted" });
  const format = h("select", { name: "format" }, h("option", { value: "" }, "told by the file itself"), ...info.formats.map(({ name, title }) => h("option", { value: name }, title)));
  const result = h("div", { role: "status" });
  const submit = h("button", { class: "primary" }, "Import");
  const take = (picked) => {
    file = picked ?? null;
    chosen.textContent = file ? `${file.name}, ${bytes(file.size)}` : "A format that is a folder comes as a .zip.";
    submit.disabled = !file;
    result.replaceChildren();
  };
  input.addEventListener("change", () => take(input.files[0]));
  const form = h(
    "form",
    { method: "dialog" },
    h("p", {}, "Boxes of another tool, or of pgnet, become new targets of this video."),
    input,
    chosen,
    h("label", { class: "field" }, "Format ", format),
    result,
    h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Close"), submit),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const query = new URLSearchParams({ name: file.name, ...(format.value ? { format: format.value } : {}) });
    try {
      const answer = await upload(`/videos/${video.id}/import?${query}`, file, () => {});
      done(answer);
      result.replaceChildren(h("p", { class: "good" }, `Imported ${plural(answer.targets.length, "target")}.`), notes(answer.notes));
    } catch (error) {
      result.replaceChildren(h("p", { class: "bad" }, error.message));
      submit.disabled = false;
    }
  });
  const dialog = open("Import boxes", form);
  take(file);
}

/** The server's folder: resolves to the chosen entry, or null. */
export function chooseFromLibrary(entries) {
  return new Promise((resolve) => {
    const list = h("ul", { class: "files" });
    const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search" });
    const fill = () => {
      const word = search.value.toLowerCase();
      const found = entries.filter(({ name }) => name.toLowerCase().includes(word));
      list.replaceChildren(
        ...found.slice(0, 300).map((entry) =>
          h(
            "li",
            {},
            h("button", { class: "quiet", onclick: () => ((dialog.entry = entry), dialog.close()) }, icon("video"), h("span", { class: "grow" }, entry.name), h("small", {}, entry.kind === "images" ? "images" : bytes(entry.bytes))),
          ),
        ),
      );
      if (!found.length) list.append(h("li", { class: "muted" }, entries.length ? "Nothing has that name." : "There is no video in the folder."));
    };
    search.addEventListener("input", fill);
    const dialog = open("The server’s folder", search, list);
    dialog.addEventListener("close", () => resolve(dialog.entry ?? null));
    fill();
  });
}

/** Asks for a name; null if it stays. */
export function askName(title, name) {
  return new Promise((resolve) => {
    const input = h("input", { value: name, "aria-label": "Name", required: true, maxlength: 200 });
    const form = h(
      "form",
      { method: "dialog" },
      input,
      h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", { class: "primary", value: "yes" }, "Save")),
    );
    const dialog = open(title, form);
    input.select();
    dialog.addEventListener("close", () => {
      const to = input.value.trim();
      resolve(dialog.returnValue === "yes" && to && to !== name ? to : null);
    });
  });
}
