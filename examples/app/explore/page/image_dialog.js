import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { createImageBrowser } from "./image_browser.js";
import { createUploader } from "./upload.js";

let waitingFor = null;

/** Gives an image to the chooser that is open, as one that was dropped on it; false where none is. */
export function giveToChooser(image) {
  if (!waitingFor) return false;
  waitingFor(image);
  return true;
}

/** A window in which an image is chosen, or uploaded. */
export function openImageDialog({ about, title, current, choose }) {
  const taken = (image) => {
    dialog.close();
    choose(image);
  };
  const browser = createImageBrowser({
    labels: about.images.labels,
    choose: taken,
    changed: (query) => browser.show(query, current),
  });
  const content = h("div", {}, createUploader({ limits: about.limits, done: taken }), browser.element);
  const dialog = openDialog(title, content, { wide: true });
  waitingFor = taken;
  dialog.addEventListener("close", () => {
    waitingFor = null;
    browser.leave();
  });
  browser.show({}, current);
}
