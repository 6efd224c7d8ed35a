/** One attribution: the map over its image, what was asked, and how exact the answer is. */

import { createResultFoot } from "./command.js";
import { button, fill, h } from "./dom.js";
import { classText, count, percent } from "./format.js";
import { createOverlay } from "./picture.js";
import { pictureUrl } from "./store.js";
import { Task } from "./task.js";

const meaning = (signed) =>
  signed ? "warm colours speak for it, blue against it, black not at all" : "bright counts much, black not at all";

const sureness = ({ name, label, probability }) => `${classText(name, label)}, ${percent(probability)}`;

/** more(request): changes of the address that ask for fifty samples more, or null. go(changes) makes them. */
export function createAttributionCell({ more, go }) {
  const overlay = createOverlay();
  const scale = h("img", { class: "scale", alt: "", hidden: true });
  const says = h("p", {});
  const asked = h("p", { class: "soft" });
  const exact = h("p", { class: "soft exact" });
  const error = h("span", {});
  const extend = button("50 more samples", () => go(more(wish.request)), { class: "small" });
  const foot = createResultFoot();
  fill(exact, error, " ", extend);
  exact.hidden = true;
  let wish = null;

  function show(result, final) {
    element.classList.remove("stale");
    const about = `${wish.title} of ${wish.imageName()} for ${result.asked}: ${meaning(result.signed)}`;
    // What explains a layer may not lie over the image.
    if (result.pictures.map) overlay.showMap(result.pictures.map, about);
    else overlay.hideMap();
    scale.hidden = !result.pictures.scale;
    if (result.pictures.scale) {
      scale.src = result.pictures.scale;
      scale.alt = `The colours: ${meaning(result.signed)}`;
    }
    says.textContent = result.predicted ? `The model says ${sureness(result.predicted)}.` : "";
    const sure = Number.isFinite(result.probability) ? `, ${percent(result.probability)}` : "";
    asked.textContent = `The map: what counts for ${result.asked}${sure}.`;
    showExactness(result);
    if (final) foot.show(result, `${wish.request.method}-${wish.imageName().replace(/[^\w.-]+/g, "-")}`);
  }

  function showExactness({ samples, standard_error: standardError }) {
    exact.hidden = !Number.isFinite(samples);
    if (exact.hidden) return;
    const uncertain = Number.isFinite(standardError) ? `, standard error ${percent(standardError)} of the map` : "";
    error.textContent = `${count(samples, "sample")}${uncertain}`;
    extend.hidden = more(wish.request) === null;
  }

  const task = new Task({
    name: "the map",
    show,
    // What was there stays until something better comes, but does not look like the answer.
    begin: () => element.classList.add("stale"),
  });
  const words = [says, asked, exact, task.element, foot.element];
  const element = h("div", { class: "attribution-cell" }, overlay.element, scale, words);

  return {
    element,
    /** { request, title (of the method), imageName() } */
    ask(next) {
      const isOther = wish && (wish.request.image !== next.request.image || wish.request.model !== next.request.model);
      if (isOther) {
        overlay.hideMap();
        foot.clear();
      }
      wish = next;
      const { model, image } = wish.request;
      if (isOther || element.dataset.begun === undefined)
        overlay.showImage(pictureUrl(model, image), `${wish.imageName()}, without a map yet`);
      element.dataset.begun = "";
      task.ask(wish.request);
    },
    stop: () => task.stop(),
  };
}
