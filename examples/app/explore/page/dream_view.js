/** A picture that is being made: its frames, its score, and how far it is. */

import { fill, h, svg } from "./dom.js";
import { classText, number, percent } from "./format.js";
import { createResultFoot } from "./command.js";
import { Task } from "./task.js";

const curveWidth = 260;
const curveHeight = 56;
const border = 4;

function curveOf(points) {
  const steps = points.map(([step]) => step);
  const values = points.map(([, value]) => value);
  const last = Math.max(...steps, 1);
  const least = Math.min(...values);
  const range = Math.max(...values) - least || 1;
  const across = (step) => (step / last) * (curveWidth - 2 * border) + border;
  const down = (value) => curveHeight - border - ((value - least) / range) * (curveHeight - 2 * border);
  const at = ([step, value]) => `${across(step).toFixed(1)},${down(value).toFixed(1)}`;
  const words = `The score went from ${number(values[0])} to ${number(values.at(-1))}`;
  return svg(
    "svg",
    { class: "curve", viewBox: `0 0 ${curveWidth} ${curveHeight}`, role: "img", "aria-label": words },
    svg("polyline", { points: points.map(at).join(" ") }),
  );
}

/** The way of synthesis that a form begins with. */
export function firstPreset({ presets }) {
  return (presets.find(({ name }) => name === "natural") ?? presets[0]).name;
}

/** `name` is read to people: "the feature visualisation". */
export function createDreamView(name) {
  const img = h("img", { class: "dream-picture", alt: "" });
  const said = h("p", {});
  const steps = h("p", { class: "soft" });
  const curve = h("div", {});
  const foot = createResultFoot();
  let points = [];

  function show(result, final) {
    const was = points.at(-1)?.[0] ?? -1;
    if (points.length === 0) points.push([0, result.before]);
    if (result.step > Math.max(0, was)) points.push([result.step, result.value]);
    img.src = result.pictures.image;
    img.alt = `A picture that ${result.asked} likes, after ${result.step} steps`;
    img.hidden = false;
    const sure = Number.isFinite(result.probability) ? ` The model is ${percent(result.probability)} sure of it.` : "";
    const says = result.predicted ? ` The model calls it ${classText(result.predicted.name, result.predicted.label)}.` : "";
    const score = `its score went from ${number(result.before)} to ${number(result.value)}`;
    said.textContent = `${result.asked}: ${score}.${sure || says}`;
    steps.textContent = `Step ${result.step} of ${result.steps}. The score, from the first step on:`;
    fill(curve, points.length > 1 && curveOf(points));
    if (final) foot.show(result, `dream-${result.asked.replace(/[^\w.-]+/g, "-")}`);
  }

  const task = new Task({
    name,
    show,
    begin: () => {
      points = [];
      said.textContent = "";
      steps.textContent = "";
      curve.replaceChildren();
      foot.clear();
    },
  });
  const element = h("div", { class: "dream" }, img, h("div", {}, said, steps, curve, task.element, foot.element));
  img.hidden = true;
  element.hidden = true;
  return {
    element,
    ask(request, options) {
      element.hidden = false;
      task.ask(request, options);
    },
    stop() {
      task.stop();
      img.hidden = true;
      element.hidden = true;
    },
  };
}
