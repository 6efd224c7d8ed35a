/** Pictures: sharp when enlarged, and with the place marked that is talked about. */

import { h, svg } from "./dom.js";

/** A small picture that is shown large keeps its pixels, so that nobody takes blur for content. */
export function keepPixelsSharp() {
  const look = (event) => {
    const img = event.target;
    if (img instanceof HTMLImageElement) img.classList.toggle("sharp", img.clientWidth > 2 * img.naturalWidth);
  };
  document.addEventListener("load", look, true);
}

/** A picture with a frame around a box [top, left, bottom, right] of its own pixels. */
export function createFramedPicture() {
  const img = h("img", { alt: "" });
  const frame = svg("svg", { class: "frame", "aria-hidden": "true", preserveAspectRatio: "none" });
  const element = h("div", { class: "framed skeleton" }, img, frame);
  let box = null;

  function draw() {
    frame.replaceChildren();
    if (!box || img.naturalWidth === 0) return;
    frame.setAttribute("viewBox", `0 0 ${img.naturalWidth} ${img.naturalHeight}`);
    const [top, left, bottom, right] = box;
    const place = { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
    // Two lines, dark and bright, are seen on any picture.
    for (const kind of ["edge", "line"]) frame.append(svg("rect", { class: kind, ...place }));
  }

  img.addEventListener("load", () => {
    element.classList.remove("skeleton");
    draw();
  });
  return {
    element,
    show({ src, alt, box: next = null }) {
      box = next;
      img.alt = alt;
      if (img.getAttribute("src") === src) draw();
      else img.src = src;
    },
    clear() {
      box = null;
      img.removeAttribute("src");
      img.alt = "";
      frame.replaceChildren();
      element.classList.add("skeleton");
    },
  };
}

/** A map over its image; how much of the image shows through is the page's --opacity. */
export function createOverlay() {
  const under = h("img", { class: "under", alt: "" });
  const over = h("img", { class: "over", alt: "", hidden: true });
  const element = h("div", { class: "stack", role: "img" }, under, over);
  const setSource = (img, src) => {
    if (img.getAttribute("src") !== src) img.src = src;
  };
  return {
    element,
    showImage(src, label) {
      setSource(under, src);
      element.setAttribute("aria-label", label);
    },
    showMap(src, label) {
      setSource(over, src);
      over.hidden = false;
      element.classList.add("mapped");
      element.setAttribute("aria-label", label);
    },
    hideMap() {
      over.hidden = true;
      element.classList.remove("mapped");
    },
  };
}

/** How much of a map covers its image, as the address says. */
export function opacityFrom(params) {
  const share = Number(params.opacity ?? 0.6);
  return share >= 0 && share <= 1 ? share : 0.6;
}

/** The slider that all overlays of a page follow. */
export function overlaySlider({ host, value, settled }) {
  const told = h("output", {});
  const slider = h("input", { type: "range", min: 0, max: 100, step: 5, id: "opacity" });
  const show = (share) => {
    slider.value = Math.round(100 * share);
    told.textContent = `${slider.value} %`;
    host.style.setProperty("--opacity", share);
  };
  slider.addEventListener("input", () => show(slider.value / 100));
  slider.addEventListener("change", () => settled(slider.value / 100));
  show(value);
  const element = h("div", { class: "field" }, h("label", { for: "opacity" }, "Map over image"), slider, told);
  return { element, show };
}
