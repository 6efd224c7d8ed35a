/** What counts for the answer before the attack, and after it. */

import { createAttributionCell } from "./attribution_cell.js";
import { moreSamples, optionsOf } from "./cells.js";
import { h } from "./dom.js";
import { field, options } from "./parts.js";
import { opacityFrom, overlaySlider } from "./picture.js";

const first = "smoothgrad";
const sentence =
  "Two attributions by the same method: the pixels that the answer stands on may be quite different ones, " +
  "although the images look alike.";

export function createAttackExplanation(context) {
  // A method that explains a layer draws no map of the image's pixels to compare.
  const methods = context.about.methods.filter(({ layer }) => layer !== "explained");
  const method = h("select", {}, options(methods.map(({ name, title }) => [name, title])));
  method.addEventListener("change", () => context.go({ explain: method.value }));
  const questions = [["says", "what the model says of each"], ["attacked", "the attacked class, in both"]];
  const asked = h("select", {}, options(questions));
  asked.addEventListener("change", () => context.go({ about: asked.value }));

  const named = (wanted) => methods.find(({ name }) => name === wanted);
  const chosen = () => named(context.params.explain) ?? named(first) ?? methods[0];
  const cellOf = () =>
    createAttributionCell({
      more: ({ options: its }) => moreSamples(chosen(), its),
      go: (changes) => context.go(changes, { replace: true }),
    });
  const before = cellOf();
  const after = cellOf();
  const maps = h(
    "div",
    { class: "figures" },
    h("div", {}, h("h3", {}, "Before the attack"), before.element),
    h("div", {}, h("h3", {}, "After the attack"), after.element),
  );
  const slider = overlaySlider({
    host: maps,
    value: opacityFrom(context.params),
    settled: (share) => context.go({ opacity: share }, { replace: true }),
  });
  const element = h(
    "section",
    { class: "attack-explanation", hidden: true },
    h("h2", {}, "What counted, before and after"),
    h("p", { class: "soft" }, sentence),
    h("div", { class: "toolbar" }, field("Method", method), field("Asked about", asked), slider.element),
    maps,
  );
  let latest = null;

  function ask() {
    if (!latest || methods.length === 0) return;
    const { result, model, image } = latest;
    const its = chosen();
    const target = context.params.about === "attacked" ? result.label : null;
    const itsOptions = optionsOf(context.params, its);
    const asksNoLayer = { layer: null, channel: null, place: null };
    const request = { kind: "explain", model, method: its.name, options: itsOptions, target, ...asksNoLayer };
    before.ask({ request: { ...request, image }, title: its.title, imageName: () => "the image before the attack" });
    after.ask({ request: { ...request, image: result.adversarial }, title: its.title, imageName: () => "the adversarial image" });
  }

  function stop() {
    before.stop();
    after.stop();
  }

  return {
    element,
    show(result, { model, image }) {
      // Where no ε was found there is no adversarial image to look at.
      element.hidden = !result.adversarial || methods.length === 0;
      latest = element.hidden ? null : { result, model, image };
      ask();
    },
    update(params) {
      slider.show(opacityFrom(params));
      if (methods.length > 0) method.value = chosen().name;
      asked.value = params.about === "attacked" ? "attacked" : "says";
      ask();
    },
    clear() {
      latest = null;
      element.hidden = true;
      stop();
    },
    stop,
  };
}
