/** Draws the layout of a network, and lets people walk in it. */

import { fill, svg } from "./dom.js";
import { count, shapeText, shortened } from "./format.js";
import { countLayers } from "./graph.js";
import { createPanZoom } from "./pan_zoom.js";

/** Kinds of layers by what they do; the colour at the left of a node tells. */
export const families = [
  ["convolution", /conv/i, "convolution"],
  ["linear", /linear/i, "linear"],
  ["normalisation", /norm/i, "normalisation"],
  ["activation", /relu|elu|silu|sigmoid|swish|tanh|softmax|mish/i, "activation"],
  ["pooling", /pool|upsample|flatten/i, "pooling, reshaping"],
  ["other", /./, "other, or several layers"],
];

const familyOf = (kind) => families.find(([, pattern]) => pattern.test(kind))?.[0] ?? "other";

function pathOf({ points, loop }) {
  const at = ([x, y]) => `${x} ${y}`;
  if (loop) return `M${at(points[0])} C${points.slice(1).map(at).join(", ")}`;
  const parts = [`M${at(points[0])}`];
  for (let i = 1; i < points.length; ++i) {
    const [fromX, fromY] = points[i - 1];
    const [toX, toY] = points[i];
    const middle = (fromY + toY) / 2;
    parts.push(fromX === toX ? `L${toX} ${toY}` : `C${fromX} ${middle}, ${toX} ${middle}, ${toX} ${toY}`);
  }
  return parts.join(" ");
}

const arrowHead = () =>
  svg(
    "defs",
    {},
    svg(
      "marker",
      { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
      svg("path", { d: "M0 0.5 L8 4 L0 7.5 z", class: "arrow" }),
    ),
  );

function spoken({ state, node }) {
  if (state === "image") return "The image that goes in";
  const shape = node.layer ? `, gives ${shapeText(node.layer.shape)}` : "";
  if (state === "layer") return `${node.name}, ${node.layer.kind}${shape}`;
  return `${node.name}, ${state === "open" ? "unfolded" : "folded"} module of ${count(countLayers(node), "layer")}${shape}`;
}

const toggleOf = (item) =>
  svg(
    "g",
    { class: "toggle", "data-toggle": item.name, transform: `translate(${item.width - 26} 3)` },
    svg("title", {}, item.state === "open" ? "Fold this module" : "Unfold this module"),
    svg("rect", { width: 22, height: 20, rx: 4 }),
    svg("path", { d: item.state === "open" ? "M6 10 H16" : "M6 10 H16 M11 5 V15" }),
  );

const text = (x, y, kind, content) => svg("text", { x, y, class: kind }, content);

function frameParts(item) {
  const kind = item.node.layer?.kind ?? "";
  return [
    svg("rect", { class: "body", width: item.width, height: item.height, rx: 9 }),
    text(12, 18, "name", `${item.node.label}${kind ? ` · ${kind}` : ""}`),
    toggleOf(item),
  ];
}

function nodeParts(item) {
  const { node, state, width, height } = item;
  const isFolded = state === "folded";
  const layer = node.layer;
  const family = isFolded ? "other" : familyOf(layer.kind);
  const detail = isFolded ? count(countLayers(node), "layer") : layer.kind;
  const shape = layer ? ` · ${shapeText(layer.shape)}` : "";
  return [
    svg("title", {}, `${node.name}${layer ? `: ${layer.kind}${shape}` : ""}`),
    isFolded && svg("rect", { class: "behind", x: 4, y: 4, width, height, rx: 6 }),
    svg("rect", { class: "body", width, height, rx: 6 }),
    svg("rect", { class: `family ${family}`, width: 6, height: height - 12, x: 4, y: 6, rx: 3 }),
    text(17, 18, "name", shortened(node.label, isFolded ? 19 : 23)),
    text(17, 35, "detail", shortened(`${detail}${shape}`, 27)),
    isFolded && toggleOf(item),
  ];
}

function imageParts({ width, height }, picture) {
  return [
    svg("rect", { class: "body", width, height, rx: 6 }),
    picture && svg("image", { href: picture, x: 8, y: 8, width: 68, height: 68 }),
    text(picture ? 86 : 17, 38, "name", "the image"),
    text(picture ? 86 : 17, 55, "detail", "goes in here"),
  ];
}

const isBeyond = { ArrowDown: (dx, dy) => dy, ArrowUp: (dx, dy) => -dy, ArrowRight: (dx) => dx, ArrowLeft: (dx) => -dx };

const manual =
  "The network's layers. Arrow keys move, Enter chooses, Space folds and unfolds, plus and minus zoom.";

export class Diagram {
  #world = svg("g", {});
  #surface = svg("svg", { class: "diagram", role: "group", "aria-label": manual }, arrowHead(), this.#world);
  #panZoom = createPanZoom(this.#surface, this.#world);
  #layout = { width: 1, height: 1, items: [], routes: [] };
  #drawn = new Map();
  #focused = null;
  #choose;
  #toggle;

  /** choose(name) of a layer, toggle(name) of a group. */
  constructor({ choose, toggle }) {
    this.#choose = choose;
    this.#toggle = toggle;
    this.#surface.addEventListener("click", (event) => this.#clicked(event));
    this.#surface.addEventListener("keydown", (event) => this.#pressed(event));
  }

  get element() {
    return this.#surface;
  }

  /** `keep`: the node that stays where it is on the screen. */
  show(layout, { picture = null, keep = null } = {}) {
    const before = this.#itemOf(keep);
    const hadFocus = this.#world.contains(document.activeElement);
    this.#layout = layout;
    this.#draw(picture);
    const after = this.#itemOf(keep);
    if (before && after) this.#panZoom.moveBy(before.x - after.x, before.y - after.y);
    if (hadFocus) this.#drawn.get(keep ?? this.#focused)?.focus();
  }

  #draw(picture) {
    const element = (item) => {
      const { name, state, x, y } = item;
      const parts = state === "open" ? frameParts(item) : state === "image" ? imageParts(item, picture) : nodeParts(item);
      const isModule = state === "open" || state === "folded";
      const properties = {
        class: `node ${state}`,
        role: "button",
        tabindex: -1,
        "data-name": name,
        "aria-label": spoken(item),
        "aria-expanded": isModule ? String(state === "open") : null,
        transform: `translate(${x} ${y})`,
      };
      const node = svg("g", properties, parts);
      this.#drawn.set(name, node);
      return node;
    };
    this.#drawn.clear();
    const { items, routes } = this.#layout;
    const lines = routes.map((route) => {
      const marker = route.arrow ? { "marker-end": "url(#arrow)" } : {};
      return svg("path", { class: route.loop ? "edge loop" : "edge", d: pathOf(route), ...marker });
    });
    const frames = items.filter(({ state }) => state === "open").map(element);
    const nodes = items.filter(({ state }) => state !== "open").map(element);
    fill(this.#world, svg("g", {}, frames), svg("g", {}, lines), svg("g", {}, nodes));
    this.#drawn.get(this.#focused)?.setAttribute("tabindex", 0);
  }

  /** selected: the node that is looked at; found: names that a search found. */
  mark({ selected, found }) {
    for (const [name, node] of this.#drawn) {
      node.classList.toggle("selected", name === selected);
      node.classList.toggle("found", found.has(name));
      node.setAttribute("aria-pressed", String(name === selected));
    }
    if (!this.#drawn.has(this.#focused)) this.#makeStop(selected ?? this.#layout.items[0]?.name);
  }

  #makeStop(name) {
    this.#drawn.get(this.#focused)?.setAttribute("tabindex", -1);
    this.#focused = name;
    this.#drawn.get(name)?.setAttribute("tabindex", 0);
  }

  home() {
    this.#panZoom.home(this.#layout.width);
  }

  fit() {
    this.#panZoom.fit(this.#layout.width, this.#layout.height);
  }

  zoomBy(factor) {
    this.#panZoom.zoomBy(factor);
  }

  /** Into the middle, where it cannot be seen as it is. */
  reveal(name) {
    const item = this.#itemOf(name);
    if (!item) return;
    const head = { ...item, height: item.state === "open" ? 26 : item.height };
    if (!this.#panZoom.sees(head)) this.#panZoom.centre(head.x + head.width / 2, head.y + head.height / 2);
  }

  #itemOf(name) {
    return this.#layout.items.find((item) => item.name === name) ?? null;
  }

  #clicked(event) {
    if (this.#panZoom.wasDragged()) return;
    const toggle = event.target.closest("[data-toggle]");
    const node = event.target.closest("[data-name]");
    if (node) this.#makeStop(node.dataset.name);
    if (toggle) this.#toggle(toggle.dataset.toggle);
    else if (node) this.#use(this.#itemOf(node.dataset.name));
  }

  /** A module that is no layer itself has nothing to show but its parts. */
  #use({ name, state, node }) {
    if (node.layer || state === "image") this.#choose(node.module ?? name);
    else this.#toggle(name);
  }

  #pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const item = this.#itemOf(event.target.closest("[data-name]")?.dataset.name);
    const act = {
      "+": () => this.zoomBy(1.25),
      "=": () => this.zoomBy(1.25),
      "-": () => this.zoomBy(0.8),
      0: () => this.fit(),
      Enter: () => item && this.#use(item),
      " ": () => item && (item.state === "layer" || item.state === "image" ? this.#use(item) : this.#toggle(item.name)),
    }[event.key] ?? (event.key in isBeyond && item ? () => this.#step(item, isBeyond[event.key]) : null);
    if (!act) return;
    event.preventDefault();
    act();
  }

  #step(from, along) {
    const head = ({ x, y, width, height, state }) => [x + width / 2, y + (state === "open" ? 13 : height / 2)];
    const [fromX, fromY] = head(from);
    let best = null;
    for (const item of this.#layout.items) {
      const [x, y] = head(item);
      const ahead = along(x - fromX, y - fromY);
      if (item === from || ahead < 4) continue;
      const aside = Math.hypot(x - fromX, y - fromY) - ahead;
      const distance = ahead + 4 * aside;
      if (!best || distance < best.distance) best = { distance, name: item.name };
    }
    if (!best) return;
    this.#makeStop(best.name);
    this.reveal(best.name);
    this.#drawn.get(best.name).focus();
  }
}
