/** Parts that every page has. */

import { button, h, uniqueId } from "./dom.js";

/** What one sees here, in a sentence, and what the colours mean: legend entries are [class, words]. */
export function pageHead(title, sentence, legend = []) {
  const entries = legend.map(([kind, words]) =>
    h("li", {}, h("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), words),
  );
  return h(
    "header",
    { class: "page-head" },
    h("h1", {}, title),
    h("p", { class: "intro" }, sentence),
    entries.length > 0 && h("ul", { class: "legend", "aria-label": "What the colours mean" }, entries),
  );
}

/** A refusal as a sentence, where it happened. */
export function failureNote(error, again) {
  return h(
    "div",
    { class: "failure", role: "alert" },
    h("p", {}, error.message),
    again && button("Try again", again, { class: "small" }),
  );
}

export const emptyNote = (...content) => h("div", { class: "empty" }, content);

/** A control with its label before it. */
export function field(label, control, { hint = "" } = {}) {
  const id = control.id || uniqueId("field");
  control.id = id;
  if (hint) control.title = hint;
  return h("div", { class: "field" }, h("label", { for: id, title: hint }, label), control);
}

/** What to do where no image is chosen. */
export function noImageNote(context) {
  return emptyNote(
    h("p", {}, "No image is chosen, so there is nothing to look at yet."),
    button("Choose or upload an image", () => context.openImages(), { class: "main" }),
  );
}

export const options = (entries) => entries.map(([value, text]) => h("option", { value }, text));

/** Choices of which one holds, as buttons in a row. */
export function createSwitch(label, entries, choose) {
  const buttons = new Map(
    entries.map(([value, text]) => [value, button(text, () => choose(value), { "aria-pressed": "false" })]),
  );
  const element = h("div", { class: "switch", role: "group", "aria-label": label }, [...buttons.values()]);
  return {
    element,
    show(value) {
      for (const [its, one] of buttons) one.setAttribute("aria-pressed", String(its === value));
    },
  };
}
