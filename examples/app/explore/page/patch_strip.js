/** The top patches of one channel. */

import { ask, isAbort, query } from "./api.js";
import { fill, h } from "./dom.js";
import { createIndexOffer } from "./index_offer.js";
import { failureNote } from "./parts.js";
import { hidePatchCard, patchRow } from "./patch_tile.js";
import { rove } from "./roving.js";

const most = 9;

export function createPatchStrip(context) {
  const element = h("div", { class: "patch-strip" });
  const refresh = rove(element, ".patch");
  const offer = createIndexOffer(context, () => show(wish));
  let wish = null;
  let controller = null;

  async function show(next) {
    wish = next;
    controller?.abort();
    controller = new AbortController();
    const { model, layer, channel } = wish;
    fill(element, h("div", { class: "skeleton strip" }));
    const top = Math.min(most, context.about.limits.top);
    const path = query(`/api/models/${model}/patches`, { layer, from: channel, to: channel, top });
    try {
      const { indexed, rows } = await ask(path, { signal: controller.signal });
      if (wish !== next) return;
      if (indexed) fill(element, rows.map((row) => patchRow(context, { model, layer, row })));
      else fill(element, offer.show({ model, layer }));
      refresh();
    } catch (error) {
      if (isAbort(error) || wish !== next) return;
      fill(element, failureNote(error, () => show(next)));
    }
  }

  return {
    element,
    show,
    leave() {
      wish = null;
      controller?.abort();
      offer.leave();
      hidePatchCard();
    },
  };
}
