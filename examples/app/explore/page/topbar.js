/** The bar on top: model, image, pages. */

import { connection } from "./api.js";
import { fill, h } from "./dom.js";
import { count } from "./format.js";
import { startJobIndicator } from "./job_indicator.js";
import { options } from "./parts.js";
import { imageOf } from "./store.js";
import { startTheme } from "./theme.js";

const find = (id) => document.querySelector(`#${id}`);

function watchConnection() {
  const banner = find("banner");
  connection.addEventListener("lost", () => {
    banner.textContent =
      "The program does not answer. If it was stopped, start it again: this page asks every two seconds, and goes on by itself.";
    banner.hidden = false;
  });
  connection.addEventListener("back", () => (banner.hidden = true));
}

function createImageButton(context) {
  const thumbnail = find("current-thumbnail");
  const name = find("current-name");
  let shown = null;
  find("current-image").addEventListener("click", () => context.openImages());
  return async (id) => {
    if (id === shown) return;
    shown = id;
    thumbnail.hidden = true;
    name.textContent = id === null ? "none chosen" : "…";
    if (id === null) return;
    try {
      const image = await imageOf(id);
      if (id !== shown) return;
      thumbnail.src = image.thumbnail;
      thumbnail.hidden = false;
      name.textContent = image.name;
    } catch {
      if (id !== shown) return;
      shown = null;
      name.textContent = "not there any more; choose another";
    }
  };
}

/** `pages` by name, each with its title. */
export function createTopBar(context, pages) {
  const model = find("model");
  fill(model, options(context.about.models.map(({ name }, index) => [index, name])));
  model.addEventListener("change", () => context.chooseModel(Number(model.value)));

  const links = new Map(Object.entries(pages).map(([name, { title }]) => [name, h("a", {}, title)]));
  fill(find("tabs"), [...links.values()]);

  find("skip").addEventListener("click", () => find("page").focus());
  startTheme(find("theme"));
  startJobIndicator();
  watchConnection();
  const showImage = createImageButton(context);

  return {
    update() {
      model.value = context.model;
      const { parameters, classes } = context.modelInfo;
      const facts = [count(parameters, "parameter"), classes !== null && count(classes, "class", "classes")];
      find("model-facts").textContent = facts.filter(Boolean).join(", ");
      showImage(context.image);
      for (const [name, link] of links) {
        link.href = context.href(name);
        if (name === context.page) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    },
  };
}
