/** The controls above the attribution table. */

import { createClassField } from "./class_field.js";
import { button, fill, h } from "./dom.js";
import { field, options } from "./parts.js";
import { opacityFrom, overlaySlider } from "./picture.js";

/** add(model, method), addImage(), target(label or null), opacity(share). */
export function createAttributionTools({ about, host, add, addImage, target, opacity }) {
  const model = h("select", {}, options(about.models.map(({ name }, index) => [index, name])));
  const method = h("select", {}, options(about.methods.map(({ name, title }) => [name, title])));
  const does = h("p", { class: "soft does" });
  const tell = () => (does.textContent = about.methods.find(({ name }) => name === method.value)?.does ?? "");
  method.addEventListener("change", tell);
  tell();

  const asked = createClassField({ label: "Ask about the class", none: "what the model says", chosen: target });
  const slider = overlaySlider({ host, value: opacityFrom({}), settled: opacity });
  const element = fill(
    h("div", {}),
    h("div", { class: "toolbar" }, asked.element, slider.element, button("Add an image", addImage)),
    h(
      "div",
      { class: "toolbar" },
      about.models.length > 1 && field("Model", model),
      field("Method", method),
      button("Add a column", () => add(Number(model.value), method.value)),
      does,
    ),
  );
  return {
    element,
    show({ modelInfo, modelNumber, chosen, share }) {
      asked.show(modelInfo, chosen);
      slider.show(share);
      if (document.activeElement !== model) model.value = modelNumber;
    },
  };
}
