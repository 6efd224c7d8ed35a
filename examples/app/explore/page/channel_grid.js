/** The channels of a layer as small maps, strongest first; of a layer without maps, bars. */

import { button, fill, h, setCss } from "./dom.js";
import { classText, count, number } from "./format.js";
import { rove } from "./roving.js";

const tileWidth = 60;
const atFirst = 72;
const barsShown = 24;

/** One tile, cut out of the picture that holds those of all channels. */
export function tileCss({ sprite, channels }, channel, width) {
  const [tileHeight, tileWide] = sprite.tile;
  const height = Math.round((width * tileHeight) / tileWide);
  const rows = Math.ceil(channels / sprite.columns);
  const column = channel % sprite.columns;
  const row = Math.floor(channel / sprite.columns);
  return {
    width: `${width}px`,
    height: `${height}px`,
    "background-image": `url("${sprite.picture}")`,
    "background-size": `${sprite.columns * width}px ${rows * height}px`,
    "background-position": `-${column * width}px -${row * height}px`,
  };
}

export function createChannelGrid({ choose }) {
  const tiles = h("div", { class: "tiles", role: "group", "aria-label": "Channels, strongest first" });
  const more = h("div", {});
  const element = h("div", {}, tiles, more);
  const refresh = rove(tiles, "[data-channel]");
  let shown = null;
  let amount = atFirst;

  function tileOf(result, channel) {
    const words = `Channel ${channel}, largest value ${number(result.most[channel])}`;
    return h("button", {
      type: "button",
      class: "tile",
      title: words,
      "aria-label": words,
      data: { channel },
      css: tileCss(result, channel, tileWidth),
      on: { click: () => choose(channel) },
    });
  }

  function barOf(result, channel, names, largest) {
    const value = result.values[channel];
    const name = names ? classText(names[channel], channel) : `unit ${channel}`;
    const css = { "--share": Math.abs(value) / largest };
    return h(
      "button",
      { type: "button", class: "unit", data: { channel }, on: { click: () => choose(channel) } },
      h("span", { class: "class-name" }, h("span", {}, name)),
      h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: value < 0 ? "bar negative" : "bar", css })),
      h("span", { class: "figure" }, number(value)),
    );
  }

  function drawTiles(result, chosen) {
    amount = Math.max(amount, result.order.indexOf(chosen) + 1);
    fill(tiles, result.order.slice(0, amount).map((channel) => tileOf(result, channel)));
    const left = result.order.length - amount;
    fill(more, left > 0 && button(`Show ${count(left, "more channel")}`, () => showAll(result), { class: "small" }));
  }

  function drawBars(result, names) {
    const largest = Math.max(...result.values.map(Math.abs), 1e-12);
    fill(tiles, result.order.slice(0, barsShown).map((channel) => barOf(result, channel, names, largest)));
    const left = result.order.length - barsShown;
    fill(more, left > 0 && h("p", { class: "soft" }, `and ${count(left, "unit")} with smaller values`));
  }

  function mark(chosen) {
    for (const tile of tiles.children) tile.setAttribute("aria-pressed", String(Number(tile.dataset.channel) === chosen));
    refresh();
  }

  function showAll(result) {
    amount = result.order.length;
    const pressed = tiles.querySelector('[aria-pressed="true"]');
    const chosen = Number(pressed?.dataset.channel ?? result.order[0]);
    drawTiles(result, chosen);
    mark(chosen);
    tiles.querySelector('[tabindex="0"]')?.focus();
  }

  return {
    element,
    show(result, chosen, names) {
      if (result !== shown) {
        shown = result;
        tiles.classList.toggle("bars", !result.sprite);
        if (result.sprite) drawTiles(result, chosen);
        else if (result.values) drawBars(result, names);
        else fill(tiles);
      }
      mark(chosen);
    },
    /** Grey tiles, as many as there will be. */
    wait(channels) {
      shown = null;
      amount = atFirst;
      tiles.classList.remove("bars");
      const grey = () => {
        const tile = h("span", { class: "tile skeleton", "aria-hidden": "true" });
        setCss(tile, { width: `${tileWidth}px`, height: `${tileWidth}px` });
        return tile;
      };
      fill(tiles, Array.from({ length: Math.min(channels, atFirst) }, grey));
      fill(more);
    },
  };
}
