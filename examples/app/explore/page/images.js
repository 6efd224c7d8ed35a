/** All images: searched, looked at, uploaded. */

import { fill, h } from "./dom.js";
import { createImageBrowser } from "./image_browser.js";
import { pageHead } from "./parts.js";
import { createUploader, uploadsSoFar } from "./upload.js";

export const title = "Images";

const sentence =
  "The images that you can ask about: those of the folder that the program was started with, and your own. Click " +
  "one to make it the current image, which all other pages then look at; it has the coloured border.";

export function mount(host, context) {
  const { about } = context;
  const browser = createImageBrowser({
    labels: about.images.labels,
    choose: (image) => context.chooseImage(image.id),
    changed: ({ text, label, from }) => context.go({ text, label, from: from || null }, { replace: true }),
  });
  const uploader = createUploader({ limits: about.limits, done: (image) => context.chooseImage(image.id) });
  fill(host, pageHead(title, sentence), uploader, h("section", { "aria-label": "All images" }, browser.element));
  let uploads = uploadsSoFar();

  return {
    update({ text = "", label = "", from = "0" }) {
      const isChanged = uploads !== uploadsSoFar();
      uploads = uploadsSoFar();
      browser.show({ text, label, from: /^\d+$/.test(from) ? Number(from) : 0 }, context.image, isChanged);
    },
    leave: () => browser.leave(),
  };
}
