/** One channel: its map, what drives a place of it, its top patches, and what it looks for. */

import { tileCss } from "./channel_grid.js";
import { createDreamView, firstPreset } from "./dream_view.js";
import { announce, button, fill, h, setCss } from "./dom.js";
import { number } from "./format.js";
import { createPatchStrip } from "./patch_strip.js";
import { createFramedPicture } from "./picture.js";
import { Task } from "./task.js";

const mapWidth = 256;

const clamped = (value, most) => Math.min(most, Math.max(0, value));

/** The enlarged map: a click, or arrow keys and Enter, ask about a place. */
function createMap(ask) {
  const marker = h("span", { class: "place-marker", "aria-hidden": "true", hidden: true });
  const element = h("button", { type: "button", class: "channel-map" }, marker);
  let grid = [1, 1];
  let place = [0, 0];

  function put(next) {
    place = [clamped(next[0], grid[0] - 1), clamped(next[1], grid[1] - 1)];
    marker.hidden = false;
    const share = (part, of) => `${(100 * part) / of}%`;
    setCss(marker, {
      top: share(place[0], grid[0]),
      left: share(place[1], grid[1]),
      height: share(1, grid[0]),
      width: share(1, grid[1]),
    });
  }

  element.addEventListener("click", (event) => {
    // A click of the keyboard comes from no place, and means the marked one.
    if (event.detail > 0) {
      const at = element.getBoundingClientRect();
      const down = (event.clientY - at.top) / at.height;
      const right = (event.clientX - at.left) / at.width;
      put([Math.floor(down * grid[0]), Math.floor(right * grid[1])]);
    }
    ask(place);
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    put([place[0] + step[0], place[1] + step[1]]);
    announce(`Row ${place[0]}, column ${place[1]}`);
  });

  return {
    element,
    put,
    show(result, channel) {
      grid = result.sprite.map;
      setCss(element, tileCss(result, channel, mapWidth));
      const places = `${grid[0]} × ${grid[1]} places`;
      const use = "Click a place to see what drives it; arrow keys move, Enter asks.";
      element.setAttribute("aria-label", `Map of channel ${channel}, ${places}. ${use}`);
    },
    hideMarker: () => (marker.hidden = true),
  };
}

const parsePlace = (text) => {
  const found = /^(\d+),(\d+)$/.exec(text ?? "");
  return found ? [Number(found[1]), Number(found[2])] : null;
};

export function createChannelView(context) {
  let wish = null;
  let key = null;
  const heading = h("h3", {});
  const map = createMap((place) => context.go({ channel: wish.channel, place: place.join(",") }, { replace: true }));
  const mapPart = h("figure", {}, map.element, h("figcaption", {}, "Its map, enlarged. Click a place."));
  const seen = createFramedPicture();
  const said = h("figcaption", {});
  const neuron = new Task({
    name: "what drives the neuron",
    urgent: true,
    begin: () => said.replaceChildren("Asking for the gradient of this place"),
    show: (result) => showNeuron(result),
  });
  const strip = createPatchStrip(context);
  const dream = createDreamView("the feature visualisation");
  const start = button("Make a picture that it looks for", () => {
    start.hidden = true;
    const { model, layer, channel } = wish;
    const recipe = { preset: firstPreset(context.about), steps: null, seed: 0, octaves: 1 };
    dream.ask({ kind: "dream", model, layer, channel, place: null, target: null, ...recipe });
  });
  const links = h("p", { class: "links" });
  const element = h(
    "section",
    { class: "channel-view", "aria-label": "The chosen channel" },
    heading,
    h("div", { class: "figures" }, mapPart, h("figure", {}, seen.element, said, neuron.element)),
    h("h4", {}, "What excites it most in all images"),
    strip.element,
    h("h4", {}, "What it looks for"),
    h("p", { class: "soft" }, "A picture made from noise, step by step, that this channel likes more and more."),
    start,
    dream.element,
    links,
  );

  function showNeuron(result) {
    const [y, x] = result.place ?? [null, null];
    const hasPlace = y !== null && wish.result.sprite;
    if (hasPlace) map.put([y, x]);
    const where = hasPlace ? `At row ${y}, column ${x}` : "For this image";
    const frame = result.box ? " The frame is all that this place can see." : "";
    said.textContent = `${where} the channel says ${number(result.value)}.${frame} Bright pixels drive it most.`;
    const alt = `The image, with the pixels that drive channel ${wish.channel} bright`;
    seen.show({ src: result.pictures.overlay, alt, box: result.box });
  }

  function begin() {
    dream.stop();
    start.hidden = false;
    seen.clear();
    map.hideMarker();
    const { channel, layer, result } = wish;
    const what = result.sprite ? "Channel" : "Unit";
    heading.textContent = `${what} ${channel}, at most ${number(result.most[channel])} on this image`;
    mapPart.hidden = !result.sprite;
    if (result.sprite) map.show(result, channel);
    const patches = context.href("patches", { layer, channels: `${channel}-${channel}` });
    const synthesis = context.href("synthesis", { make: "dream", of: "channel", layer, channel, target: null, run: null });
    const link = (href, page) => h("a", { href }, `This channel in ${page}`);
    fill(links, link(patches, "Patches"), link(synthesis, "Synthesis"));
    strip.show({ model: wish.model, layer, channel });
  }

  return {
    element,
    /** `result`: the activations of the layer. */
    show(next) {
      wish = next;
      element.classList.remove("pending");
      const nextKey = JSON.stringify([wish.model, wish.image, wish.layer, wish.channel]);
      if (nextKey !== key) {
        key = nextKey;
        begin();
      }
      const { model, image, layer, channel } = wish;
      neuron.ask({ kind: "neuron", model, image, layer, channel, place: parsePlace(wish.place) });
    },
    wait() {
      key = null;
      heading.textContent = "The chosen channel";
      seen.clear();
      said.textContent = "";
      element.classList.add("pending");
    },
    leave() {
      key = null;
      neuron.stop();
      strip.leave();
      dream.stop();
    },
  };
}
