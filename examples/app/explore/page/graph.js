/** The network as a tree of modules, folded where it is too much, and the layout of what is then visible. */

import { layered } from "./layered.js";

const nodeWidth = 196;
const nodeHeight = 44;
const imageHeight = 84;
const header = 26;
const padding = 12;
const letter = 7.2;

/** The image, which the edges of a graph call by this name. */
export const input = "input";

/** Whether a name is that of a part of the module. */
const isPartOf = (name, module) => name.startsWith(`${module}.`);

// A blank is in the name of no module.
const outputOf = (module) => `${module} output`;

/**
 * Every layer, and every module that its name says it is part of: { name, label, layer, parent, children }.
 * label: the name within the parent. Where an edge skips all parts of a module and meets its output, as in a
 * residual block, the output is a part of its own, whose `module` is the module's name.
 */
export function treeOf(graph) {
  const root = { name: "", label: "", layer: null, parent: null, children: [] };
  const nodes = new Map([["", root]]);
  const reach = (name) => {
    if (nodes.has(name)) return nodes.get(name);
    const dot = name.lastIndexOf(".");
    const parent = reach(dot < 0 ? "" : name.slice(0, dot));
    const node = { name, label: name.slice(dot + 1), layer: null, parent, children: [] };
    parent.children.push(node);
    nodes.set(name, node);
    return node;
  };
  if (graph.edges.some(([from]) => from === input)) reach(input);
  for (const layer of graph.layers) reach(layer.name).layer = layer;
  for (const [from, to] of graph.edges) {
    const parent = nodes.get(to);
    if (!parent || !isGroup(parent) || isPartOf(from, to) || nodes.has(outputOf(to))) continue;
    const layer = { ...parent.layer, kind: "joined" };
    const output = { name: outputOf(to), module: to, label: "output", layer, parent, children: [] };
    parent.children.push(output);
    nodes.set(output.name, output);
  }
  return { root, nodes };
}

export const isGroup = (node) => node.children.length > 0;

export function countLayers(node) {
  return node.children.reduce((sum, child) => sum + countLayers(child), node.layer && !isGroup(node) && !node.module ? 1 : 0);
}

export function ancestorsOf(node) {
  const names = [];
  for (let one = node.parent; one && one.name !== ""; one = one.parent) names.push(one.name);
  return names;
}

/**
 * The groups that are unfolded at first: level by level, as long as at most `most` nodes are visible. Where
 * that would leave next to nothing to see, as of a network in one long module, twice as many may be.
 */
export function startOpen({ root }, most = 40) {
  const few = 8;
  const open = new Set();
  let visible = root.children.length;
  let level = root.children.filter(isGroup);
  while (level.length > 0) {
    const room = visible < few ? 2 * most : most;
    const whole = visible + level.reduce((sum, group) => sum + group.children.length - 1, 0);
    if (whole > room && visible >= few) break;
    const next = [];
    for (const group of level) {
      if (visible + group.children.length - 1 > room) continue;
      visible += group.children.length - 1;
      open.add(group.name);
      next.push(...group.children.filter(isGroup));
    }
    level = next;
  }
  return open;
}

const pathTo = (node) => (node ? [...pathTo(node.parent), node] : []);

/**
 * The edges, each at the level where its ends part, and where it crosses into groups and out of them:
 * group → { between: [[child, child]], entered: [child], left: [child] }, by name.
 */
export function linksOf({ nodes }, edges) {
  const links = new Map();
  const of = (group) => {
    if (!links.has(group.name)) links.set(group.name, { between: new Map(), entered: new Set(), left: new Set() });
    return links.get(group.name);
  };
  const endOf = (name) => nodes.get(outputOf(name)) ?? nodes.get(name);
  for (const [source, target] of edges) {
    if (source === target || !nodes.has(source) || !nodes.has(target)) continue;
    const from = pathTo(isPartOf(target, source) ? nodes.get(source) : endOf(source));
    const to = pathTo(endOf(target));
    let fork = 0;
    while (fork < from.length && from[fork] === to[fork]) ++fork;
    if (fork < from.length && fork < to.length)
      of(from[fork - 1]).between.set(`${from[fork].name} to ${to[fork].name}`, [from[fork].name, to[fork].name]);
    // An edge from a module to one of its own parts begins at the module's entry.
    const beyond = fork < from.length && fork < to.length ? fork + 1 : fork;
    for (let k = beyond; k < from.length; ++k) of(from[k - 1]).left.add(from[k].name);
    for (let k = beyond; k < to.length; ++k) of(to[k - 1]).entered.add(to[k].name);
  }
  const listed = ({ between, entered, left }) => ({ between: [...between.values()], entered: [...entered], left: [...left] });
  return new Map([...links].map(([name, its]) => [name, listed(its)]));
}

const noLinks = { between: [], entered: [], left: [] };

function boxOf(node, links, open) {
  if (node.name === input) return { node, state: "image", width: nodeWidth, height: imageHeight };
  if (!isGroup(node)) return { node, state: "layer", width: nodeWidth, height: nodeHeight };
  if (!open.has(node.name)) return { node, state: "folded", width: nodeWidth, height: nodeHeight };
  const inside = insideOf(node, links, open);
  const label = letter * (node.label.length + (node.layer?.kind.length ?? 0)) + 60;
  const entry = inside.level.entry === null ? null : inside.level.entry + padding;
  const exit = inside.level.exit === null ? entry : inside.level.exit + padding;
  const width = Math.max(label, inside.level.width + 2 * padding);
  return {
    node,
    state: "open",
    width,
    height: inside.level.height + header + padding,
    anchor: entry ?? exit ?? width / 2,
    exit: exit ?? width / 2,
    inside,
  };
}

function insideOf(group, links, open) {
  const { between, entered, left } = links.get(group.name) ?? noLinks;
  const boxes = group.children.map((child) => boxOf(child, links, open));
  const sizes = boxes.map(({ node, width, height, anchor, exit }) => ({
    id: node.name,
    width,
    height,
    anchor: anchor ?? width / 2,
    exit: exit ?? width / 2,
  }));
  return { boxes, level: layered(sizes, between, { entered, left }) };
}

function flattened({ boxes, level }, x, y, items, routes) {
  for (const box of boxes) {
    const at = level.places.get(box.node.name);
    const { node, state, width, height } = box;
    items.push({ name: node.name, node, state, x: x + at.x, y: y + at.y, width, height });
    if (box.inside) flattened(box.inside, x + at.x + padding, y + at.y + header, items, routes);
  }
  for (const { points, entering, leaving, ...route } of level.routes) {
    const moved = points.map(([px, py]) => [x + px, y + py]);
    // Lines from outside arrive at the border of the group, which is a header above its first row.
    if (entering) moved.unshift([moved[0][0], y - header]);
    if (leaving) moved.push([moved.at(-1)[0], y + level.height + padding]);
    routes.push({ ...route, points: moved, arrow: !leaving });
  }
}

/**
 * → { width, height, items: [{ name, node, state, x, y, width, height }], routes: [{ from, to, points, loop,
 * arrow }] }. state: "image", "layer", "folded" or "open"; a group stands before its parts.
 */
export function layOut(tree, links, open) {
  const inside = insideOf(tree.root, links, open);
  const items = [];
  const routes = [];
  flattened(inside, 0, 0, items, routes);
  return { width: inside.level.width, height: inside.level.height, items, routes };
}

/** The layers whose name or kind has the text, in their order. */
export function matching(graph, text) {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  return graph.layers
    .filter(({ name, kind }) => name.toLowerCase().includes(wanted) || kind.toLowerCase().includes(wanted))
    .map(({ name }) => name);
}

/** The node that stands for a layer while groups are folded. */
export function visibleFor(tree, name, open) {
  const node = tree.nodes.get(name);
  if (!node) return null;
  const folded = ancestorsOf(node).filter((group) => !open.has(group));
  return folded.at(-1) ?? name;
}
