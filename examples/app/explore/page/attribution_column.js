/** The head of a column of the attribution table: a method of a model, and its options. */

import { button, h } from "./dom.js";
import { createOptionsForm } from "./options_form.js";
import { fillLayers } from "./layer_choice.js";
import { field } from "./parts.js";

/** remove(), changed(option, value), layerChosen(layer). */
export function createColumn({ cell, method, modelName, remove, changed, layerChosen }) {
  const form = createOptionsForm(method.options, changed);
  const layer = h("select", { on: { change: () => layerChosen(layer.value) } });
  const layerWords = method.layer === "explained" ? "Layer it explains" : "Layer whose map it makes";
  const hasLayer = method.layer !== "none";
  const hasOptions = method.options.length > 0 || hasLayer;
  const drop = { class: "small", "aria-label": `Remove ${method.title} of ${modelName}`, title: "Remove this column" };
  const element = h(
    "th",
    { scope: "col" },
    h(
      "div",
      { class: "column-head" },
      h("span", { class: "soft" }, modelName),
      h("a", { href: method.link, target: "_blank", rel: "noopener", title: method.does }, method.title),
      button("×", remove, drop),
    ),
    h("p", { class: "soft does" }, method.does),
    hasOptions &&
      h(
        "details",
        { open: cell.layer !== "" },
        h("summary", {}, "Options"),
        hasLayer && field(layerWords, layer),
        form.element,
      ),
  );
  return {
    element,
    method,
    show({ options, graph }) {
      form.show(options);
      const none = method.layer === "mapped" ? "chosen by the method" : "the deepest with maps";
      if (hasLayer && graph) fillLayers(layer, graph, cell.layer, none);
    },
  };
}
