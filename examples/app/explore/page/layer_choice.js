/** Layers to choose from, and which one a page begins with. */

import { fill, h } from "./dom.js";
import { shapeText } from "./format.js";

const hasMaps = ({ shape }) => shape.length === 4 && shape[2] * shape[3] > 1;

/** Those with maps; a module gives what its last part gives, and is left out for that part. */
function mappedLayers({ layers }) {
  const isModule = ({ name }) => layers.some((other) => other.name.startsWith(`${name}.`));
  return layers.filter((layer) => hasMaps(layer) && !isModule(layer));
}

/** The deepest layer with maps of which an index is there; else the deepest with maps; else the last. */
export function defaultLayer(model, graph) {
  const mapped = mappedLayers(graph);
  const indexed = mapped.filter(({ name }) => model.indexed.includes(name));
  return (indexed.at(-1) ?? mapped.at(-1) ?? graph.layers.at(-1))?.name ?? null;
}

export const layerNamed = (graph, name) => graph.layers.find((layer) => layer.name === name) ?? null;

/** The layer that an address names, or the default where it names none of this model. */
export function layerOr(name, model, graph) {
  return layerNamed(graph, name) ? name : defaultLayer(model, graph);
}

/** Some layers spread over the depth of the network, for a first view. */
export function spreadLayers(graph, amount) {
  const mapped = mappedLayers(graph);
  const names = (mapped.length > 0 ? mapped : graph.layers).map(({ name }) => name);
  if (names.length <= amount) return names;
  const at = (index) => names[Math.round((index * (names.length - 1)) / (amount - 1))];
  return [...new Set(Array.from({ length: amount }, (_, index) => at(index)))];
}

// Filling a long list anew would close it under a person's hand.
const filledWith = new WeakMap();

/** `none`: the words for "no layer", where that can be chosen. */
export function fillLayers(select, graph, value, none = null) {
  const entry = ({ name, kind, shape }) => h("option", { value: name }, `${name} · ${kind} · ${shapeText(shape)}`);
  if (filledWith.get(select) !== graph) {
    fill(select, none !== null && h("option", { value: "" }, none), graph.layers.map(entry));
    filledWith.set(select, graph);
  }
  select.value = value ?? "";
}
