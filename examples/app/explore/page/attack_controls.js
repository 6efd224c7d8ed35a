/** How large a change, by which method, towards which class. */

import { createClassField } from "./class_field.js";
import { optionName } from "./cells.js";
import { button, fill, h, settle } from "./dom.js";
import { epsilonText } from "./format.js";
import { createOptionsForm } from "./options_form.js";
import { field, options as choices } from "./parts.js";

const leastEpsilon = 0.25;
export const mostEpsilon = 32;

// Long enough that a hand on its way does not ask at every step.
const pause = 160;

export function epsilonFrom(text) {
  const value = Number(text ?? 4);
  return Number.isFinite(value) ? Math.min(mostEpsilon, Math.max(leastEpsilon, value)) : 4;
}

/** go(changes, replace): what the controls change in the address. */
export function createAttackControls({ about, go }) {
  const slider = h("input", { type: "range", min: leastEpsilon, max: mostEpsilon, step: 0.25, id: "epsilon" });
  const told = h("output", { for: "epsilon" });
  const settled = settle(() => go({ epsilon: slider.value, find: null }), pause);
  slider.addEventListener("input", () => {
    told.textContent = epsilonText(Number(slider.value));
    settled();
  });
  const smallest = button("Find the smallest ε", () => go({ find: "smallest" }, false), {
    "aria-pressed": "false",
    title: "The smallest ε with which one step of FGSM changes the answer",
  });
  const method = h("select", {}, choices(about.attacks.map(({ name, title }) => [name, title ?? name])));
  method.addEventListener("change", () => go({ method: method.value, find: null }, false));
  const target = createClassField({
    label: "Towards the class",
    none: "any other",
    chosen: (label) => go({ target: label }, false),
  });
  const does = h("p", { class: "soft does" });
  const optionsPlace = h("details", { hidden: true });
  let form = null;
  let formOf = null;

  function showOptions({ name, options }, values) {
    const own = options.filter((option) => option.name !== "epsilon");
    optionsPlace.hidden = own.length === 0;
    if (formOf !== name) {
      formOf = name;
      form = createOptionsForm(own, (option, value, isDefault) =>
        go({ [optionName(name, option)]: isDefault ? null : value, find: null }),
      );
      fill(optionsPlace, h("summary", {}, `Options of ${name}`), form.element);
    }
    form.show(values);
  }

  function showEpsilon(epsilon) {
    slider.value = epsilon;
    told.textContent = epsilonText(epsilon);
  }

  const element = h(
    "div",
    { class: "controls" },
    h(
      "div",
      { class: "toolbar" },
      h("div", { class: "field wide" }, h("label", { for: "epsilon" }, "Largest change of a pixel, ε"), slider, told),
      smallest,
    ),
    h("div", { class: "toolbar" }, field("Method", method), target.element, does),
    optionsPlace,
  );

  return {
    element,
    showEpsilon,
    show({ epsilon, find, method: chosen, target: label, modelInfo, options }) {
      if (!find && document.activeElement !== slider) showEpsilon(epsilon);
      smallest.setAttribute("aria-pressed", String(find));
      method.value = chosen.name;
      does.textContent = find ? "The smallest ε is looked for with FGSM, one step along the gradient." : (chosen.does ?? "");
      target.show(modelInfo, label);
      showOptions(chosen, options);
    },
    leave: () => settled.cancel(),
  };
}
