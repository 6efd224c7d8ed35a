/** What stands where a layer has no index of top patches yet, and makes one. */

import { button, h } from "./dom.js";
import { count } from "./format.js";
import { Task } from "./task.js";

function sentenceFor(layer, { count: amount, folder }) {
  if (amount === 0) return "Top patches come from a folder of images, and the program was started without one.";
  const all = amount === 1 ? "the one image" : `all ${count(amount, "image")}`;
  return (
    `No index of ${layer} is there yet. To make it the program shows the layer ${all} of “${folder}” once, and ` +
    "keeps what excites each channel most."
  );
}

/** ready() when the index is there. */
export function createIndexOffer(context, ready) {
  const sentence = h("p", {});
  const task = new Task({ name: "the index of patches", show: (result, final) => final && finished() });
  const start = button("Make the index", () => {
    start.hidden = true;
    task.ask({ kind: "index", model: wish.model, layers: [wish.layer] });
  });
  const element = h("div", { class: "empty" }, sentence, start, task.element);
  let wish = null;

  function finished() {
    const { indexed } = context.about.models[wish.model];
    if (!indexed.includes(wish.layer)) indexed.push(wish.layer);
    ready();
  }

  return {
    show(next) {
      const isSame = wish?.model === next.model && wish.layer === next.layer;
      if (!isSame) {
        task.detach();
        start.hidden = false;
      }
      wish = next;
      const { images } = context.about;
      start.disabled = images.count === 0;
      sentence.textContent = sentenceFor(wish.layer, images);
      return element;
    },
    // A scan is long and is kept for ever: it goes on while its asker looks at something else.
    leave() {
      task.detach();
      start.hidden = false;
    },
  };
}
