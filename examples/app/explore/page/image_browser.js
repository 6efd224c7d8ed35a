/** All images as small pictures, page by page, with a search. */

import { ask, isAbort, query } from "./api.js";
import { button, fill, h, settle } from "./dom.js";
import { count, wholeNumber } from "./format.js";
import { emptyNote, failureNote, field, options } from "./parts.js";
import { rove } from "./roving.js";

const atOnce = 60;

function tileOf(image, choose) {
  const data = { id: image.id };
  return h(
    "button",
    { type: "button", class: "image-tile", tabindex: -1, data, on: { click: () => choose(image) } },
    h("img", { src: image.thumbnail, alt: "", loading: "lazy" }),
    h("span", { class: "name" }, image.name),
    image.label !== null && h("span", { class: "soft" }, image.label),
  );
}

/**
 * choose(image) is told what was clicked; changed(query) what is searched for: { text, label, from }. The
 * owner answers that with show(query, current).
 */
export function createImageBrowser({ labels, choose, changed }) {
  const text = h("input", { type: "search", autocomplete: "off" });
  const label = h("select", {}, options([["", "every label"], ...labels.map((name) => [name, name])]));
  const grid = h("div", { class: "image-grid", role: "group", "aria-label": "Images" });
  const line = h("p", { class: "soft", "aria-live": "polite" });
  const before = button("Previous", () => turn(-atOnce));
  const after = button("Next", () => turn(atOnce));
  const refresh = rove(grid, ".image-tile");
  let shown = { text: "", label: "", from: 0 };
  let asked = null;
  let controller = null;

  const search = settle(() => changed({ text: text.value.trim(), label: label.value, from: 0 }), 250);
  const turn = (by) => changed({ ...shown, from: Math.max(0, shown.from + by) });
  text.addEventListener("input", search);
  label.addEventListener("change", search);

  const element = h(
    "div",
    { class: "browser" },
    h(
      "div",
      { class: "toolbar" },
      field("Part of the name", text),
      labels.length > 0 && field("Label", label),
      line,
      before,
      after,
    ),
    grid,
  );

  function mark(current) {
    for (const tile of grid.querySelectorAll(".image-tile"))
      tile.setAttribute("aria-pressed", String(tile.dataset.id === current));
    refresh();
  }

  function draw(answer, current) {
    const last = shown.from + answer.images.length;
    const range = answer.images.length > 0 ? `, ${wholeNumber(shown.from + 1)} to ${wholeNumber(last)}` : "";
    line.textContent = `${count(answer.total, "image")}${range}`;
    before.disabled = shown.from === 0;
    after.disabled = last >= answer.total;
    const searched = shown.text !== "" || shown.label !== "";
    const none = searched
      ? "No image has such a name and label. Make the search shorter."
      : "There is no image yet. Upload one, or start the program with a folder of images.";
    const tiles = answer.images.map((image) => tileOf(image, choose));
    fill(grid, tiles.length > 0 ? tiles : emptyNote(h("p", {}, none)));
    mark(current);
  }

  /** `again` asks although the search is the same, as after an upload. */
  async function show(next, current, again = false) {
    shown = { text: next.text ?? "", label: next.label ?? "", from: next.from ?? 0 };
    if (document.activeElement !== text) text.value = shown.text;
    label.value = shown.label;
    const path = query("/api/images", { from: shown.from, count: atOnce, text: shown.text, label: shown.label });
    if (path === asked && !again) {
      mark(current);
      return;
    }
    controller?.abort();
    controller = new AbortController();
    asked = path;
    try {
      draw(await ask(path, { signal: controller.signal }), current);
    } catch (error) {
      if (isAbort(error)) return;
      asked = null;
      fill(grid, failureNote(error, () => show(shown, current)));
    }
  }

  return { element, show, leave: () => controller?.abort() };
}
