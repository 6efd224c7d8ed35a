/** Starts the page, and keeps address, bar and page together. */

import * as architecture from "./architecture.js";
import * as attack from "./attack.js";
import * as attribution from "./attribution.js";
import * as images from "./images.js";
import * as patches from "./patches.js";
import * as synthesis from "./synthesis.js";
import { ask, connection } from "./api.js";
import { announce, fill, message } from "./dom.js";
import { giveToChooser, openImageDialog } from "./image_dialog.js";
import { forModel, hashOf, imagesIn, parseHash, withChanges, withFirst } from "./navigation.js";
import { failureNote } from "./parts.js";
import { keepPixelsSharp } from "./picture.js";
import { forgetAll } from "./store.js";
import { createTopBar } from "./topbar.js";
import { listenForFiles } from "./upload.js";

const pages = { architecture, patches, attribution, attack, synthesis, images };
const host = document.querySelector("#page");

function run(about, firstImage) {
  let page = "architecture";
  let params = {};
  let mounted = null;
  const lastParams = new Map();

  const currentImage = () => imagesIn(params)[0] ?? null;

  /** What an address leaves out, or says of what is not there. */
  function completed(given) {
    const model = /^\d+$/.test(given.model ?? "") && Number(given.model) < about.models.length ? given.model : "0";
    return withChanges({ model, image: firstImage }, { ...given, model, image: given.image || firstImage });
  }

  /** The state in which a page was left, with the model and the image of now. */
  function paramsOf(name) {
    if (name === page) return params;
    const left = forModel({ ...(lastParams.get(name) ?? { model: params.model }) }, params.model);
    const now = currentImage();
    const list = name === "attribution" ? imagesIn(left) : [];
    const image = now === null ? null : list.includes(now) ? withFirst([now, ...list], now) : withFirst(list, now);
    return withChanges(left, { image });
  }

  function route() {
    const parsed = parseHash(location.hash);
    page = Object.hasOwn(pages, parsed.page) ? parsed.page : "architecture";
    params = completed(parsed.params);
    lastParams.set(page, params);
    const address = hashOf(page, params);
    if (address !== location.hash) history.replaceState(null, "", address);
    if (mounted?.name !== page) {
      mounted?.view.leave();
      fill(host);
      host.className = `page ${page}-page`;
      mounted = { name: page, view: pages[page].mount(host, contextFor(page)) };
      document.title = `${pages[page].title} · pellucid explore`;
      scrollTo(0, 0);
    }
    bar.update();
    mounted.view.update(params);
  }

  function go(changes, { replace = false } = {}) {
    const address = hashOf(page, withChanges(params, changes));
    if (address !== location.hash) history[replace ? "replaceState" : "pushState"](null, "", address);
    route();
  }

  function chooseImage(id) {
    const image = page === "attribution" ? withFirst(imagesIn(params), id) : id;
    go({ image, place: null });
  }

  function openImages({ title = "Choose an image", choose = (image) => chooseImage(image.id) } = {}) {
    openImageDialog({ about, title, current: currentImage(), choose });
  }

  const context = {
    about,
    get page() {
      return page;
    },
    get params() {
      return params;
    },
    get model() {
      return Number(params.model);
    },
    get modelInfo() {
      return about.models[Number(params.model)];
    },
    get image() {
      return currentImage();
    },
    go,
    chooseImage,
    openImages,
    chooseModel(model) {
      const address = hashOf(page, forModel(params, String(model)));
      if (address !== location.hash) history.pushState(null, "", address);
      route();
    },
    href: (name, changes = {}) => hashOf(name, withChanges(paramsOf(name), changes)),
  };

  // A control that settles after its page was left must not change the address of another page.
  function contextFor(name) {
    const own = (changes, options) => {
      if (page === name) go(changes, options);
    };
    return Object.create(context, { go: { value: own } });
  }

  const bar = createTopBar(context, pages);
  addEventListener("hashchange", route);
  connection.addEventListener("back", () => comeBack(about, route));
  listenForFiles({
    limits: about.limits,
    failed: (error) => message(error.message),
    done(image) {
      announce(`${image.name} is uploaded.`);
      if (!giveToChooser(image)) chooseImage(image.id);
    },
  });
  keepPixelsSharp();
  route();
}

/** Another program may have been started at the same address. */
async function comeBack(about, route) {
  forgetAll();
  const names = ({ models }) => models.map(({ name }) => name).join();
  try {
    if (names(await ask("/api/about")) === names(about)) route();
    else location.reload();
  } catch (error) {
    message(error.message);
  }
}

async function start() {
  try {
    const [about, first] = await Promise.all([ask("/api/about"), ask("/api/images?from=0&count=1")]);
    run(about, first.images[0]?.id ?? null);
  } catch (error) {
    fill(host, failureNote(error, start));
  }
}

start();
