/** The options of a method; a change counts after a short pause. */

import { h, settle } from "./dom.js";
import { number } from "./format.js";
import { field, options as choices } from "./parts.js";

const pause = 500;

function controlOf(option) {
  if (option.kind === "choice") return h("select", {}, choices(option.choices.map((choice) => [choice, choice])));
  const step = option.kind === "integer" ? 1 : "any";
  return h("input", { type: "number", min: option.least, max: option.most, step });
}

function hintOf(option) {
  if (option.kind === "choice") return option.does;
  const isBounded = Number.isFinite(option.least) && Number.isFinite(option.most);
  return isBounded ? `${option.does} (${number(option.least)} to ${number(option.most)})` : option.does;
}

/** changed(name, value, isDefault) */
export function createOptionsForm(options, changed) {
  const controls = new Map();
  const rows = options.map((option) => {
    const control = controlOf(option);
    const said = h("p", { class: "failure", role: "alert", hidden: true });
    const settled = settle(() => {
      const wrong = !control.checkValidity();
      said.hidden = !wrong;
      said.textContent = wrong ? control.validationMessage : "";
      if (wrong || control.value === "") return;
      const value = option.kind === "choice" ? control.value : Number(control.value);
      changed(option.name, value, value === option.default);
    }, pause);
    control.addEventListener("input", settled);
    controls.set(option.name, { control, option });
    return [field(option.name, control, { hint: hintOf(option) }), said];
  });
  return {
    element: h("div", { class: "options" }, rows),
    show(values) {
      for (const [name, { control, option }] of controls)
        if (document.activeElement !== control) control.value = values[name] ?? option.default ?? "";
    },
  };
}
