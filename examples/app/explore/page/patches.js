/** What each channel of a layer responds to most in a folder of images. */

import { ask, isAbort, query } from "./api.js";
import { button, fill, h, settle } from "./dom.js";
import { count } from "./format.js";
import { createIndexOffer } from "./index_offer.js";
import { defaultLayer, fillLayers, layerNamed } from "./layer_choice.js";
import { failureNote, field, pageHead } from "./parts.js";
import { hidePatchCard, patchRow } from "./patch_tile.js";
import { rove } from "./roving.js";
import { graphOf } from "./store.js";

export const title = "Patches";

const sentence =
  "Each row is one channel of a layer, and shows the parts of all images that excite it most, strongest first: what " +
  "they have in common is what the channel looks for. The number is the channel's value there; stripes are what lies " +
  "beyond the border of the image.";

const rowsAtOnce = 8;
const usualTop = 7;
const pause = 300;

export function rangeFrom(text, channels) {
  const found = /^(\d+)(?:-(\d+))?$/.exec(text ?? "");
  const last = Math.max(0, channels - 1);
  const from = Math.min(last, found ? Number(found[1]) : 0);
  const to = found ? Number(found[2] ?? found[1]) : from + rowsAtOnce - 1;
  return [from, Math.min(last, Math.max(from, to))];
}

export function mount(host, context) {
  const { about } = context;
  const layer = h("select", { on: { change: () => context.go({ layer: layer.value, channels: null }) } });
  const first = h("input", { type: "number", min: 0, step: 1 });
  const last = h("input", { type: "number", min: 0, step: 1 });
  const top = h("input", { type: "number", min: 1, max: about.limits.top, step: 1 });
  const told = h("p", { class: "soft", "aria-live": "polite" });
  const body = h("div", { class: "patch-table" });
  const refresh = rove(body, ".patch");
  const before = button("Previous", () => turnBy(-1));
  const after = button("Next", () => turnBy(1));
  const setRange = settle(() => {
    if (first.checkValidity() && last.checkValidity() && first.value !== "" && last.value !== "")
      context.go({ channels: `${first.value}-${Math.max(Number(first.value), Number(last.value))}` }, { replace: true });
  }, pause);
  const setTop = settle(() => {
    if (top.checkValidity() && top.value !== "") context.go({ top: top.value }, { replace: true });
  }, pause);
  first.addEventListener("input", setRange);
  last.addEventListener("input", setRange);
  top.addEventListener("input", setTop);
  const offer = createIndexOffer(context, () => {
    asked = null;
    update(context.params);
  });
  const controls = h(
    "div",
    { class: "toolbar" },
    field("Layer", layer),
    field("Channels from", first),
    field("to", last),
    field("Patches of each", top),
    before,
    after,
  );
  fill(host, pageHead(title, sentence), controls, told, body);

  let shown = null;
  let asked = null;
  let controller = null;
  let turns = 0;

  function turnBy(direction) {
    const { from, to, channels } = shown;
    const size = to - from + 1;
    const start = Math.min(Math.max(0, from + direction * size), Math.max(0, channels - size));
    context.go({ channels: `${start}-${Math.min(channels, start + size) - 1}` });
  }

  function showControls(graph, name, from, to, channels) {
    fillLayers(layer, graph, name);
    for (const [control, value] of [[first, from], [last, to]]) {
      control.max = channels - 1;
      if (document.activeElement !== control) control.value = value;
    }
    before.disabled = from === 0;
    after.disabled = to >= channels - 1;
  }

  function channelRow(model, name, row) {
    const link = context.href("architecture", { layer: name, channel: row.channel, place: null });
    return h(
      "section",
      { class: "channel-row", "aria-label": `Channel ${row.channel}` },
      h("h3", {}, h("a", { href: link, title: "Look at this channel in Architecture" }, `channel ${row.channel}`)),
      patchRow(context, { model, layer: name, row }),
    );
  }

  function wait(rows) {
    told.textContent = "";
    fill(body, Array.from({ length: rows }, () => h("div", { class: "skeleton strip" })));
  }

  async function askFor(wish) {
    const { layer: name, from, to, top: each } = wish;
    const path = query(`/api/models/${wish.model}/patches`, { layer: name, from, to, top: each });
    if (path === asked) return;
    asked = path;
    controller?.abort();
    controller = new AbortController();
    wait(wish.to - wish.from + 1);
    try {
      const answer = await ask(path, { signal: controller.signal });
      if (path !== asked) return;
      if (!answer.indexed) {
        fill(body, offer.show({ model: wish.model, layer: wish.layer }));
        return;
      }
      const found = `${count(answer.channels, "channel")}; found in ${count(answer.indexed_images, "image")}`;
      told.textContent = `${wish.layer}, ${found}. Hover to enlarge, click to see the whole image.`;
      fill(body, answer.rows.map((row) => channelRow(wish.model, wish.layer, row)));
      refresh();
    } catch (error) {
      if (isAbort(error) || path !== asked) return;
      asked = null;  // the next change asks again
      fill(body, failureNote(error, () => update(context.params)));
    }
  }

  async function update(params) {
    const turn = ++turns;
    const { model, modelInfo } = context;
    if (shown?.model !== model) wait(4);
    try {
      const graph = await graphOf(model);
      if (turn !== turns) return;
      const usual = modelInfo.indexed.at(-1) ?? defaultLayer(modelInfo, graph);
      const name = layerNamed(graph, params.layer) ? params.layer : usual;
      const channels = layerNamed(graph, name)?.shape[1] ?? 1;
      const [from, to] = rangeFrom(params.channels, channels);
      const wanted = Number(params.top);
      const patches = Math.min(Number.isInteger(wanted) && wanted > 0 ? wanted : usualTop, about.limits.top);
      shown = { model, from, to, channels };
      showControls(graph, name, from, to, channels);
      if (document.activeElement !== top) top.value = patches;
      await askFor({ model, layer: name, from, to, top: patches });
    } catch (error) {
      if (turn === turns) fill(body, failureNote(error, () => update(context.params)));
    }
  }

  return {
    update,
    leave() {
      ++turns;
      setRange.cancel();
      setTop.cancel();
      controller?.abort();
      offer.leave();
      hidePatchCard();
    },
  };
}
