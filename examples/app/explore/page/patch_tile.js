/** A patch: what a place of a channel saw, in which image. */

import { openDialog } from "./dialog.js";
import { button, fill, h, setCss } from "./dom.js";
import { number } from "./format.js";
import { createFramedPicture } from "./picture.js";
import { pictureUrl } from "./store.js";

const cardWidth = 268;

function createCard() {
  const img = h("img", { alt: "" });
  const value = h("strong", {});
  const words = h("span", {});
  const name = h("span", { class: "soft" });
  const element = h("div", { class: "card", "aria-hidden": "true", hidden: true }, img, value, words, name);
  return {
    element,
    show(patch, tile) {
      img.src = patch.picture;
      value.textContent = number(patch.value);
      words.textContent = patch.label ?? "";
      name.textContent = patch.name;
      if (!element.isConnected) document.body.append(element);
      element.hidden = false;
      const at = tile.getBoundingClientRect();
      const left = Math.max(8, Math.min(at.left, innerWidth - cardWidth - 16));
      const isLow = at.bottom + element.offsetHeight + 12 > innerHeight && at.top > element.offsetHeight;
      const top = isLow ? at.top - element.offsetHeight - 6 : at.bottom + 6;
      setCss(element, { left: `${left + scrollX}px`, top: `${top + scrollY}px` });
    },
    hide: () => (element.hidden = true),
  };
}

// One card serves all patches; the keys and the pointer move it.
const card = createCard();
addEventListener("keydown", (event) => {
  if (event.key === "Escape") card.hide();
});

export const hidePatchCard = () => card.hide();

/** The image that a patch is of, with the place marked. */
function openPatch(context, model, layer, channel, patch) {
  card.hide();
  const framed = createFramedPicture();
  const alt = `${patch.name}, with a frame around the patch`;
  framed.show({ src: pictureUrl(model, patch.image), alt, box: patch.box });
  const where = patch.box
    ? "The frame is all that this place of the channel can see."
    : "This place sees the whole image, so there is no frame.";
  const [row, column] = patch.place;
  const said = `Channel ${channel} of ${layer} says ${number(patch.value)} at row ${row}, column ${column} of its map. ${where}`;
  const choose = button("Make it the current image", () => {
    dialog.close();
    context.chooseImage(patch.image);
  });
  const href = context.href("architecture", { image: patch.image, layer, channel, place: patch.place.join(",") });
  const look = h("a", { href }, "Look at this place in Architecture");
  const words = h("div", {}, patch.label && h("p", {}, patch.label), h("p", {}, said), choose, h("p", {}, look));
  const dialog = openDialog(patch.name, h("div", { class: "patch-view" }, framed.element, words));
  look.addEventListener("click", () => dialog.close());
}

function patchTile(context, { model, layer, channel, patch, rank }) {
  const label = patch.label ? `${patch.label}, ` : "";
  const words = `Patch ${rank} of channel ${channel}: value ${number(patch.value)}, ${label}${patch.name}`;
  const tile = h(
    "button",
    { type: "button", class: "patch", "aria-label": words, tabindex: -1 },
    h("img", { src: patch.picture, alt: "", loading: "lazy" }),
    h("span", { class: "figure" }, number(patch.value)),
  );
  tile.addEventListener("mouseenter", () => card.show(patch, tile));
  tile.addEventListener("mouseleave", card.hide);
  tile.addEventListener("focus", () => card.show(patch, tile));
  tile.addEventListener("blur", card.hide);
  tile.addEventListener("click", () => openPatch(context, model, layer, channel, patch));
  return tile;
}

export function patchRow(context, { model, layer, row }) {
  const { channel } = row;
  const tiles = row.patches.map((patch, index) => patchTile(context, { model, layer, channel, patch, rank: index + 1 }));
  const none = h("p", { class: "soft" }, "This channel responded to no image.");
  return fill(h("div", { class: "patch-row" }), tiles.length > 0 ? tiles : none);
}
