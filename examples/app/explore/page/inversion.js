/** What layers still know of an image: pictures that they cannot tell from it. */

import { createResultFoot } from "./command.js";
import { button, fill, h } from "./dom.js";
import { number } from "./format.js";
import { fillLayers, layerNamed, spreadLayers } from "./layer_choice.js";
import { emptyNote, failureNote, field, noImageNote, options } from "./parts.js";
import { graphOf, pictureUrl } from "./store.js";
import { Task } from "./task.js";

const layersAtFirst = 4;
const usualHaste = "4";
const hastes = [["1", "as exact as can be"], ["4", "four times as fast"], ["16", "sixteen times as fast, and rough"]];
const lesson =
  "Press “Make the pictures”: for each layer a picture is made out of noise until the layer responds to it as to " +
  "your image. What it shows is what the layer still knows; what is lost was thrown away on the way there. Early " +
  "layers keep almost everything, late ones only what decides.";

/** One layer's picture. */
function createInverted(layer, remove) {
  const img = h("img", { alt: "", class: "skeleton" });
  const said = h("p", { class: "soft" });
  const foot = createResultFoot();
  const drop = button("×", remove, { class: "small", "aria-label": `Remove ${layer}`, title: "Remove this layer" });
  const task = new Task({
    name: `what ${layer} knows`,
    begin: () => foot.clear(),
    show: (result, final) => {
      img.classList.remove("skeleton");
      img.src = result.pictures.image;
      img.alt = `A picture that ${layer} can hardly tell from the image`;
      said.textContent = `Step ${result.step} of ${result.steps}; the layer's values differ by ${number(100 * result.error)} %.`;
      if (final) foot.show(result, `inverted-${layer}`);
    },
  });
  const caption = h("figcaption", {}, h("strong", {}, layer), drop);
  return { element: h("figure", {}, img, caption, said, task.element, foot.element), task };
}

export function createInversion(context) {
  const original = h("img", { alt: "The image as the model sees it" });
  const figures = h("div", { class: "figures inversions" });
  const adder = h("select", {});
  const haste = h("select", {}, options(hastes));
  haste.addEventListener("change", () => {
    const faster = haste.value === usualHaste ? null : haste.value;
    context.go({ faster, run: null }, { replace: true });
  });
  const form = h(
    "form",
    { class: "controls" },
    h(
      "div",
      { class: "toolbar" },
      field("Layer", adder),
      button("Add the layer", () => setLayers([...layersOf(context.params), adder.value])),
      field("How thoroughly", haste),
      h("button", { type: "submit", class: "main" }, "Make the pictures"),
    ),
  );
  let again = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again = true;
    context.go({ run: "1" });
  });
  const note = emptyNote(h("p", {}, lesson));
  const none = noImageNote(context);
  const wrong = h("div", {});
  const element = h("div", {}, wrong, form, note, none, figures);
  const inverted = new Map();
  let graph = null;
  let structure = null;
  let turns = 0;

  const layersOf = (params) => {
    const named = (params.layers ?? "").split(",").filter((name) => graph && layerNamed(graph, name));
    return named.length > 0 ? [...new Set(named)] : graph ? spreadLayers(graph, layersAtFirst) : [];
  };
  const setLayers = (layers) => context.go({ layers: [...new Set(layers)].filter(Boolean).join(",") });

  function build(layers) {
    for (const [layer, one] of inverted)
      if (!layers.includes(layer)) {
        one.task.stop();
        inverted.delete(layer);
      }
    for (const layer of layers)
      if (!inverted.has(layer)) {
        const remove = () => setLayers(layersOf(context.params).filter((other) => other !== layer));
        inverted.set(layer, createInverted(layer, remove));
      }
    const next = layers.join(",");
    if (next === structure) return;
    structure = next;
    const first = h("figure", {}, original, h("figcaption", {}, h("strong", {}, "the image")));
    fill(figures, first, layers.map((layer) => inverted.get(layer).element));
  }

  /** Pictures of another image or model must not stay beside this one. */
  function startAnewFor(subject) {
    if (figures.dataset.subject === subject) return;
    figures.dataset.subject = subject;
    stop();
    inverted.clear();
    structure = null;
  }

  function stop() {
    for (const { task } of inverted.values()) task.stop();
  }

  async function update(params) {
    const turn = ++turns;
    const { model, image } = context;
    none.hidden = image !== null;
    form.hidden = figures.hidden = image === null;
    note.hidden = image === null || params.run === "1";
    wrong.replaceChildren();
    if (image === null) return;
    haste.value = hastes.some(([value]) => value === params.faster) ? params.faster : usualHaste;
    try {
      const answer = await graphOf(model);
      if (turn !== turns) return;
      graph = answer;
    } catch (error) {
      if (turn === turns) fill(wrong, failureNote(error, () => update(context.params)));
      return;
    }
    startAnewFor(`${model} ${image}`);
    fillLayers(adder, graph, adder.value || graph.layers[0]?.name);
    if (!adder.value) adder.value = graph.layers[0]?.name;
    const src = pictureUrl(model, image);
    if (original.getAttribute("src") !== src) original.src = src;
    build(layersOf(params));
    if (params.run !== "1") return;
    const faster = Number(haste.value);
    for (const [layer, { task }] of inverted) task.ask({ kind: "invert", model, image, layer, faster }, { again });
    again = false;
  }

  return {
    element,
    update,
    leave() {
      ++turns;
      stop();
    },
  };
}
