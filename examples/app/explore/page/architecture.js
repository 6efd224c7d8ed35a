/** The network as a diagram, and beside it what the chosen layer makes of the image. */

import { Diagram, families } from "./diagram.js";
import { button, fill, h, settle } from "./dom.js";
import { count } from "./format.js";
import { ancestorsOf, input, isGroup, layOut, linksOf, matching, startOpen, treeOf, visibleFor } from "./graph.js";
import { layerOr } from "./layer_choice.js";
import { createLayerPanel } from "./layer_panel.js";
import { failureNote, field, pageHead } from "./parts.js";
import { graphOf, imageOf } from "./store.js";

export const title = "Architecture";

const sentence =
  "The network from the image (top) to its answer (bottom): click a layer to see at the right what each of its " +
  "channels makes of your image. In the channels' pictures black is zero and bright a strong response; blue is below zero.";

function openGroups(network, folds) {
  const open = new Set(network.open);
  for (const name of folds.split(",").filter(Boolean)) {
    if (open.has(name)) open.delete(name);
    else open.add(name);
  }
  return open;
}

/** The address keeps what differs from the first view. */
function foldsText(network, open) {
  const groups = [...network.tree.nodes.values()].filter((node) => isGroup(node) && node.name !== "");
  return groups.map(({ name }) => name).filter((name) => open.has(name) !== network.open.has(name)).join(",");
}

export function mount(host, context) {
  const diagram = new Diagram({ choose: (name) => choose(name), toggle: (name) => toggle(name) });
  const panel = createLayerPanel(context);
  const search = h("input", { type: "search", autocomplete: "off", placeholder: "name or kind, such as conv" });
  const found = h("span", { class: "soft", role: "status" });
  const size = h("span", { class: "soft" });
  const place = h("div", { class: "diagram-place skeleton" });
  const controls = h(
    "div",
    { class: "toolbar" },
    field("Find a layer", search),
    found,
    h("span", { class: "grow" }),
    button("Unfold all", () => fold(true), { class: "small" }),
    button("Fold all", () => fold(false), { class: "small" }),
    button("−", () => diagram.zoomBy(0.8), { class: "small", "aria-label": "Zoom out" }),
    button("+", () => diagram.zoomBy(1.25), { class: "small", "aria-label": "Zoom in" }),
    button("All", () => diagram.fit(), { class: "small", "aria-label": "Show the whole network" }),
  );
  const left = h("section", { class: "network", "aria-label": "Diagram" }, controls, place, size);
  fill(
    host,
    pageHead(title, sentence, families.map(([kind, , words]) => [kind, words])),
    h("div", { class: "architecture" }, left, panel.element),
  );

  let network = null;
  let drawn = null;
  let matches = [];
  let turns = 0;

  const choose = (name, { replace = false, folds } = {}) =>
    context.go({ layer: name, channel: null, place: null, ...(folds === undefined ? {} : { folds }) }, { replace });

  let kept = null;
  function toggle(name) {
    const open = openGroups(network, context.params.folds ?? "");
    if (open.has(name)) open.delete(name);
    else open.add(name);
    kept = name;
    context.go({ folds: foldsText(network, open) }, { replace: true });
  }

  function fold(unfolded) {
    if (!network) return;
    const groups = [...network.tree.nodes.values()].filter((node) => isGroup(node) && node.name !== "");
    const open = new Set(unfolded ? groups.map(({ name }) => name) : []);
    context.go({ folds: foldsText(network, open) }, { replace: true });
    diagram.home();
  }

  async function load(model) {
    const turn = ++turns;
    network = null;
    drawn = null;
    place.classList.add("skeleton");
    fill(place);
    panel.wait();
    try {
      const graph = await graphOf(model);
      if (turn !== turns) return;
      const tree = treeOf(graph);
      network = { model, graph, tree, links: linksOf(tree, graph.edges), open: startOpen(tree) };
      const layers = count(graph.layers.length, "layer");
      size.textContent = `${layers}. Drag to move, turn the wheel to zoom, + and − at modules unfold and fold them.`;
      place.classList.remove("skeleton");
      fill(place, diagram.element);
      showFound();
      show(context.params);
    } catch (error) {
      if (turn !== turns) return;
      place.classList.remove("skeleton");
      fill(place, failureNote(error, () => load(model)));
    }
  }

  async function thumbnailOf(image) {
    if (image === null) return null;
    try {
      return (await imageOf(image)).thumbnail;
    } catch {
      return null;
    }
  }

  /** Draws anew only where something else is visible. */
  async function draw(params, selected) {
    const key = JSON.stringify([network.model, params.folds ?? "", context.image]);
    if (key === drawn?.key) return;
    const isFirst = drawn === null;
    const { tree, links } = network;
    const open = openGroups(network, params.folds ?? "");
    const layout = layOut(tree, links, open);
    drawn = { key, open, picture: drawn?.picture ?? null, image: drawn?.image };
    diagram.show(layout, { picture: drawn.picture, keep: kept });
    kept = null;
    if (isFirst) {
      diagram.home();
      diagram.reveal(visibleFor(tree, selected, open));
    }
    if (drawn.image === context.image) return;
    const picture = await thumbnailOf(context.image);
    if (drawn?.key !== key) return;
    drawn.picture = picture;
    drawn.image = context.image;
    diagram.show(layout, { picture });
    mark(context.params);
  }

  const selectedLayer = (params) =>
    params.layer === input ? input : layerOr(params.layer, context.modelInfo, network.graph);

  function mark(params) {
    const visible = (name) => visibleFor(network.tree, name, drawn.open);
    diagram.mark({ selected: visible(selectedLayer(params)), found: new Set(matches.map(visible)) });
  }

  function show(params) {
    const layer = selectedLayer(params);
    draw(params, layer);
    mark(params);
    panel.show({ model: network.model, image: context.image, graph: network.graph, layer, params });
  }

  function showFound() {
    matches = network ? matching(network.graph, search.value) : [];
    const at = matches.indexOf(context.params.layer);
    const position = at >= 0 ? `${at + 1} of ` : "";
    found.textContent = search.value.trim() === "" ? "" : `${position}${count(matches.length, "match", "matches")}`;
    if (network && drawn) mark(context.params);
  }

  function goToMatch(by) {
    if (matches.length === 0) return;
    const at = matches.indexOf(context.params.layer);
    const next = at < 0 ? (by > 0 ? 0 : matches.length - 1) : (at + by + matches.length) % matches.length;
    const name = matches[next];
    const open = openGroups(network, context.params.folds ?? "");
    for (const group of ancestorsOf(network.tree.nodes.get(name))) open.add(group);
    choose(name, { replace: true, folds: foldsText(network, open) });
    diagram.reveal(name);
    showFound();
  }

  search.addEventListener("input", settle(showFound, 120));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    showFound();
    goToMatch(event.shiftKey ? -1 : 1);
  });

  return {
    update(params) {
      if (network?.model === context.model) show(params);
      else load(context.model);
    },
    leave() {
      ++turns;
      panel.leave();
    },
  };
}
