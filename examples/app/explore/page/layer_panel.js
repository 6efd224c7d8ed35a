/** What one layer makes of the image: its facts, its channels, and the chosen channel. */

import { createChannelGrid } from "./channel_grid.js";
import { createChannelView } from "./channel_view.js";
import { fill, h } from "./dom.js";
import { shapeInWords, wholeNumber } from "./format.js";
import { input } from "./graph.js";
import { layerNamed } from "./layer_choice.js";
import { failureNote, noImageNote } from "./parts.js";
import { predictionBars } from "./prediction.js";
import { createResultFoot } from "./command.js";
import { pictureUrl, predictionOf } from "./store.js";
import { Task } from "./task.js";

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function chosenChannel(params, result) {
  const channel = Number(params.channel);
  const isThere = params.channel !== undefined && Number.isInteger(channel) && channel >= 0 && channel < result.channels;
  return isThere ? channel : (result.order[0] ?? 0);
}

function channelsTold({ sprite, values, order }) {
  if (sprite)
    return (
      `Strongest first, all with one scale of brightness; channel ${order[0]} responds most. ` +
      "Click one to see what it looks for."
    );
  if (values) return "This layer gives one value for each unit, and no maps. Longest bars first.";
  return "The values of this layer form no maps that lie over an image, so none can be drawn.";
}

export function createLayerPanel(context) {
  const heading = h("h2", { class: "layer-name" });
  const facts = h("dl", { class: "facts" });
  const told = h("p", { class: "soft" });
  const grid = createChannelGrid({ choose: (channel) => context.go({ channel, place: null }) });
  const view = createChannelView(context);
  const foot = createResultFoot();
  const task = new Task({
    name: "the channels of the layer",
    urgent: true,
    begin: () => {
      result = null;
      foot.clear();
    },
    show: (next) => {
      result = next;
      showChannels();
      foot.show(next, `${wish.layer}-channels`);
    },
  });
  const channels = h(
    "section",
    { "aria-label": "Channels" },
    h("h3", {}, "Its channels on your image"),
    told,
    task.element,
    grid.element,
    foot.element,
  );
  const body = h("div", { class: "panel-body" });
  const element = h("section", { class: "panel", "aria-label": "The chosen layer" }, heading, facts, body);

  let wish = null;
  let key = null;
  let result = null;

  function showChannels() {
    const channel = chosenChannel(wish.params, result);
    const { model, image, layer } = wish;
    const names = isAnswer() ? context.modelInfo.class_names : null;
    told.textContent = channelsTold(result);
    grid.show(result, channel, names);
    view.element.hidden = !result.sprite && !result.values;
    if (view.element.hidden) return;
    view.show({ model, image, layer, channel, result, place: wish.params.place ?? null });
  }

  /** Whether the units of the layer are the classes. */
  function isAnswer() {
    const last = wish.graph.layers.at(-1);
    return last?.name === wish.layer && last.shape.length === 2 && last.shape[1] === context.modelInfo.classes;
  }

  async function showInput() {
    fill(heading, "The image");
    const values = wish.graph.input.slice(1).join(" × ");
    fill(facts, fact("Seen by the network as", `${values} values: colours × rows × columns`));
    if (wish.image === null) {
      fill(body, noImageNote(context));
      return;
    }
    const bars = h("div", { class: "skeleton" }, "Asking the model");
    const src = pictureUrl(wish.model, wish.image);
    const picture = h("img", { class: "seen", src, alt: "The image as the model sees it" });
    fill(body, h("div", { class: "input-view" }, picture, h("div", {}, h("h3", {}, "What the model says"), bars)));
    const asked = key;
    try {
      const { top } = await predictionOf(wish.model, wish.image);
      if (asked === key) bars.replaceWith(predictionBars(top));
    } catch (error) {
      if (asked === key) bars.replaceWith(failureNote(error, showInput));
    }
  }

  function showLayer() {
    const layer = layerNamed(wish.graph, wish.layer);
    fill(heading, wish.layer);
    fill(
      facts,
      fact("Kind", layer.kind),
      fact("Gives", shapeInWords(layer.shape)),
      fact("Parameters", layer.parameters > 0 ? wholeNumber(layer.parameters) : "none"),
    );
    if (wish.image === null) {
      fill(body, noImageNote(context));
      return;
    }
    told.textContent = "";
    grid.wait(layer.shape[1] ?? 1);
    view.wait();
    fill(body, channels, view.element);
  }

  function stop() {
    task.stop();
    view.leave();
    result = null;
  }

  return {
    element,
    wait() {
      stop();
      key = null;
      fill(heading, "…");
      fill(facts);
      fill(body, h("div", { class: "skeleton tall" }));
    },
    show(next) {
      wish = next;
      const nextKey = JSON.stringify([wish.model, wish.image, wish.layer]);
      if (nextKey !== key) {
        key = nextKey;
        stop();
        if (wish.layer === input) showInput();
        else showLayer();
      } else if (result) {
        showChannels();
      }
      if (wish.layer !== input && wish.image !== null)
        task.ask({ kind: "activations", model: wish.model, image: wish.image, layer: wish.layer });
    },
    leave: stop,
  };
}
