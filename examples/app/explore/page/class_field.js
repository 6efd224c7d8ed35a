/** A class by its name or its number. */

import { Refusal } from "./api.js";
import { button, fill, h, uniqueId } from "./dom.js";
import { classOf } from "./format.js";

/** The number of a class, null for an empty text. Throws Refusal where there is no such class. */
export function classFrom(text, model) {
  const wanted = text.trim();
  if (wanted === "") return null;
  const numbered = /^(?:class )?(\d+)$/.exec(wanted) ?? /\((\d+)\)$/.exec(wanted);
  const names = model.class_names ?? [];
  const label = numbered ? Number(numbered[1]) : names.findIndex((name) => name.toLowerCase() === wanted.toLowerCase());
  if (label >= 0 && label < (model.classes ?? Infinity)) return label;
  const known = model.classes === null ? "a number" : `a number from 0 to ${model.classes - 1}`;
  throw new Refusal(`There is no class “${wanted}”; give ${known}${names.length > 0 ? " or a name" : ""}.`);
}

/** chosen(label or null); `none` is what an empty field means: "what the model says". */
export function createClassField({ label, none, chosen }) {
  const id = uniqueId("class");
  const list = h("datalist", { id: `${id}-list` });
  const input = h("input", { id, list: `${id}-list`, placeholder: none, autocomplete: "off" });
  const said = h("p", { class: "failure", role: "alert", hidden: true });
  const clear = button("×", () => chosen(null), { class: "small", "aria-label": `${label}: ${none}`, title: none });
  const element = h("div", { class: "field class-field" }, h("label", { for: id }, label), input, clear, list, said);
  let model = null;

  input.addEventListener("change", () => {
    try {
      const found = classFrom(input.value, model);
      said.hidden = true;
      chosen(found);
    } catch (error) {
      said.textContent = error.message;
      said.hidden = false;
    }
  });

  return {
    element,
    show(nextModel, value) {
      if (nextModel !== model) {
        model = nextModel;
        fill(list, (model.class_names ?? []).map((_, index) => h("option", { value: classOf(model, index) })));
      }
      if (document.activeElement !== input) input.value = value === null ? "" : classOf(model, value);
      clear.disabled = value === null;
      said.hidden = true;
    },
  };
}
