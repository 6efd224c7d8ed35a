/** Pictures that are made: what a class or a channel looks for, and what a layer still knows of an image. */

import { createDreamForm } from "./dream_form.js";
import { fill, h } from "./dom.js";
import { createInversion } from "./inversion.js";
import { createSwitch, pageHead } from "./parts.js";

export const title = "Synthesis";

const sentence =
  "Pictures that nobody took: begun as noise and changed step by step until a class or a channel responds strongly, " +
  "or until a layer cannot tell them from your image. The colours are those of the picture itself and mean nothing else.";

export function mount(host, context) {
  const kinds = createSwitch(
    "What is made",
    [
      ["dream", "What does it look for?"],
      ["invert", "What does a layer still know?"],
    ],
    (make) => context.go({ make, run: null }),
  );
  const place = h("div", {});
  const made = { dream: createDreamForm(context), invert: createInversion(context) };
  fill(host, pageHead(title, sentence), kinds.element, place);
  let shown = null;

  return {
    update(params) {
      const make = params.make === "invert" ? "invert" : "dream";
      kinds.show(make);
      if (make !== shown) {
        if (shown) made[shown].leave();
        shown = make;
        fill(place, made[make].element);
      }
      made[make].update(params);
    },
    leave: () => shown && made[shown].leave(),
  };
}
