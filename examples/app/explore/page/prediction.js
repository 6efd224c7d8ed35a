/** What a model says, as bars. */

import { h } from "./dom.js";
import { classText, percent } from "./format.js";

function rowOf(one, { marks, choose, chosen }) {
  const text = classText(one.name, one.label);
  const mark = marks.get(one.label);
  const css = { "--share": one.probability };
  const parts = [
    h("span", { class: "class-name" }, h("span", {}, text), mark && h("em", { class: `mark ${mark}` }, mark)),
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: `bar ${mark ?? ""}`, css })),
    h("span", { class: "figure" }, percent(one.probability)),
  ];
  if (!choose) return h("li", {}, h("div", { class: "prediction" }, parts));
  const properties = { type: "button", class: "prediction", "aria-pressed": String(one.label === chosen) };
  return h("li", {}, h("button", { ...properties, title: `Ask about ${text}`, on: { click: () => choose(one.label) } }, parts));
}

/** `marks`: what to write at a class, by number. With `choose` each class is a button. */
export function predictionBars(top, { marks = new Map(), choose = null, chosen = null } = {}) {
  const rows = top.map((one) => rowOf(one, { marks, choose, chosen }));
  return h("ol", { class: "predictions", "aria-label": "What the model says" }, rows);
}
