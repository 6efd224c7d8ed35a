/**
 * One level of a diagram: nodes in rows by their longest path from the start, from top to bottom, branches side
 * by side, and what skips a row in a lane of its own beside it. Pure functions of plain data.
 */

const rowGap = 26;
const portGap = 13;
const nodeGap = 26;
const laneGap = 14;
const loopRoom = 34;

// Blanks are in the name of no module.
const entry = "the entry";
const exit = "the exit";

function grouped(pairs, by, of) {
  const groups = new Map();
  for (const pair of pairs) {
    if (!groups.has(pair[by])) groups.set(pair[by], []);
    groups.get(pair[by]).push(of === undefined ? pair : pair[of]);
  }
  return groups;
}

/** Edges that lead back to where a walk came from, as when a module is used twice, and the rest. */
export function splitLoops(ids, edges) {
  const following = grouped(edges, 0);
  const entered = new Set(edges.map(([, to]) => to));
  const walked = new Map();
  const loops = new Set();
  const walk = (id) => {
    walked.set(id, "begun");
    for (const edge of following.get(id) ?? []) {
      const state = walked.get(edge[1]);
      if (state === "begun") loops.add(edge);
      else if (state === undefined) walk(edge[1]);
    }
    walked.set(id, "done");
  };
  for (const id of [...ids.filter((one) => !entered.has(one)), ...ids]) if (!walked.has(id)) walk(id);
  return { forward: edges.filter((edge) => !loops.has(edge)), loops: [...loops] };
}

/** The longest path to each node of a graph without loops; no node stands before its start. */
export function longestPaths(ids, edges, startOf = () => 0) {
  const ranks = new Map(ids.map((id) => [id, startOf(id)]));
  const missing = new Map(ids.map((id) => [id, 0]));
  for (const [, to] of edges) missing.set(to, missing.get(to) + 1);
  const following = grouped(edges, 0, 1);
  const ready = ids.filter((id) => missing.get(id) === 0);
  for (let next = 0; next < ready.length; ++next)
    for (const to of following.get(ready[next]) ?? []) {
      ranks.set(to, Math.max(ranks.get(to), ranks.get(ready[next]) + 1));
      missing.set(to, missing.get(to) - 1);
      if (missing.get(to) === 0) ready.push(to);
    }
  return ranks;
}

function ranksOf(ids, edges) {
  if (edges.length === 0) return new Map(ids.map((id, index) => [id, index]));
  const first = ids.includes(entry) ? 1 : 0;
  const ranks = longestPaths(ids, edges, (id) => (id === entry ? 0 : first));
  if (ranks.has(exit)) ranks.set(exit, 1 + Math.max(...ids.filter((id) => id !== exit).map((id) => ranks.get(id))));
  return ranks;
}

/** Rows of ids, with a lane in each row that an edge skips. The long edges of one node share their lanes. */
function rowsOf(ids, ranks, edges) {
  const rows = [];
  for (const id of ids) (rows[ranks.get(id)] ??= []).push(id);
  const lanes = new Set();
  const links = new Map();
  const paths = edges.map(([from, to]) => {
    const path = [from];
    for (let rank = ranks.get(from) + 1; rank < ranks.get(to); ++rank) {
      const lane = `lane ${rank} of ${from}`;
      if (!lanes.has(lane)) rows[rank].push(lane);
      lanes.add(lane);
      path.push(lane);
    }
    path.push(to);
    for (let i = 1; i < path.length; ++i) links.set(`${path[i - 1]} to ${path[i]}`, [path[i - 1], path[i]]);
    return { from, to, path };
  });
  const pairs = [...links.values()];
  return { rows, lanes, paths, above: grouped(pairs, 1, 0), below: grouped(pairs, 0, 1) };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Fewer crossings: each node to the middle of its neighbours, from above and from below in turns. */
function sortRows(rows, above, below) {
  const sortBy = (row, neighbours, near) => {
    const places = new Map(near.map((id, index) => [id, index]));
    const wish = (id, index) => {
      const its = neighbours.get(id) ?? [];
      return its.length > 0 ? mean(its.map((other) => places.get(other))) : index;
    };
    const wishes = new Map(row.map((id, index) => [id, wish(id, index)]));
    row.sort((a, b) => wishes.get(a) - wishes.get(b));
  };
  for (let sweep = 0; sweep < 4; ++sweep) {
    for (let i = 1; i < rows.length; ++i) sortBy(rows[i], above, rows[i - 1]);
    for (let i = rows.length - 2; i >= 0; --i) sortBy(rows[i], below, rows[i + 1]);
  }
}

/**
 * Places in a row that are as near to the wishes as the order and the widths allow, by least squares: where
 * neighbours are in each other's way they become a block that stands at its mean (pool adjacent violators).
 * Wishes: { wish, weight, left, right, gap }, gap being the room towards the one before.
 */
export function spread(wishes) {
  const offsets = [];
  wishes.forEach((one, i) => offsets.push(i === 0 ? 0 : offsets[i - 1] + wishes[i - 1].right + one.gap + one.left));
  const blocks = [];
  wishes.forEach((one, i) => {
    let block = { sum: one.weight * (one.wish - offsets[i]), weight: one.weight, count: 1 };
    while (blocks.length > 0 && blocks.at(-1).sum / blocks.at(-1).weight > block.sum / block.weight) {
      const before = blocks.pop();
      block = { sum: before.sum + block.sum, weight: before.weight + block.weight, count: before.count + block.count };
    }
    blocks.push(block);
  });
  return blocks.flatMap(({ sum, weight, count }) => Array(count).fill(sum / weight)).map((place, i) => place + offsets[i]);
}

// Lanes give way to nodes, so that a chain of nodes stays straight beside what skips it.
const laneWeight = 1e-4;

function placeInRows({ rows, lanes, above, below }, sizes) {
  const x = new Map(rows.flat().map((id) => [id, 0]));
  const weightOf = (id) => (lanes.has(id) ? laneWeight : 1);
  const wishOf = (id, neighbours) => {
    const its = neighbours.get(id) ?? [];
    if (its.length === 0) return x.get(id);
    const weights = its.map(weightOf);
    const sum = its.reduce((total, other, i) => total + weights[i] * x.get(other), 0);
    return sum / weights.reduce((total, weight) => total + weight, 0);
  };
  const place = (row, neighbours) => {
    const wishes = row.map((id, i) => {
      const { anchor, width } = sizes.get(id) ?? { anchor: 0, width: 0 };
      const besideLane = i > 0 && (lanes.has(id) || lanes.has(row[i - 1]));
      const gap = besideLane ? laneGap : nodeGap;
      return { wish: wishOf(id, neighbours), weight: weightOf(id), left: anchor, right: width - anchor, gap };
    });
    spread(wishes).forEach((at, i) => x.set(row[i], at));
  };
  for (let sweep = 0; sweep < 6; ++sweep) {
    rows.forEach((row) => place(row, above));
    [...rows].reverse().forEach((row) => place(row, below));
  }
  return x;
}

function bands(rows, sizes) {
  let y = 0;
  return rows.map((row, i) => {
    const height = Math.max(0, ...row.map((id) => sizes.get(id)?.height ?? 0));
    const band = { top: y, bottom: y + height };
    const isPort = row[0] === entry || rows[i + 1]?.[0] === exit;
    y += height + (isPort ? portGap : rowGap);
    return band;
  });
}

function withPorts(nodes, edges, { entered = [], left = [] }) {
  const port = { width: 0, height: 0, anchor: 0, exit: 0 };
  const sizes = new Map(nodes.map(({ id, ...size }) => [id, { anchor: size.width / 2, exit: size.width / 2, ...size }]));
  const all = [...edges];
  if (entered.length > 0) {
    sizes.set(entry, port);
    all.unshift(...entered.map((id) => [entry, id]));
  }
  if (left.length > 0) {
    sizes.set(exit, port);
    all.push(...left.map((id) => [id, exit]));
  }
  return { sizes, edges: all };
}

/**
 * nodes: [{ id, width, height, anchor, exit }], anchor and exit being where lines arrive and leave, from the
 * node's left side; edges: [[from, to]]; ports: the nodes that are entered from outside the level and left to
 * there. → { width, height, entry, exit (x of the ports), places: id → { x, y }, routes }
 */
export function layered(nodes, edges, ports = {}) {
  const level = withPorts(nodes, edges, ports);
  const { sizes } = level;
  const ids = [...sizes.keys()];
  const { forward, loops } = splitLoops(ids, level.edges);
  const ranks = ranksOf(ids, forward);
  const grid = rowsOf(ids, ranks, forward);
  sortRows(grid.rows, grid.above, grid.below);
  const x = placeInRows(grid, sizes);
  const bandOf = bands(grid.rows, sizes);

  const ends = [...x].map(([id, at]) => {
    const { anchor, width } = sizes.get(id) ?? { anchor: laneGap / 2, width: laneGap };
    return [at - anchor, at - anchor + width];
  });
  const leftEnd = Math.min(0, ...ends.map(([left]) => left));
  const nodesEnd = Math.max(0, ...ends.map(([, right]) => right));
  const shift = (value) => Math.round(value - leftEnd);

  const places = new Map();
  for (const [id, { height, anchor }] of sizes) {
    const { top, bottom } = bandOf[ranks.get(id)];
    places.set(id, { x: shift(x.get(id) - anchor), y: Math.round(top + (bottom - top - height) / 2) });
  }
  const place = { sizes, places, ranks, bandOf, laneAt: (id) => shift(x.get(id)) };
  const routes = grid.paths.map((path) => routeOf(path, place));
  for (const [from, to] of loops) routes.push(loopOf(from, to, place, shift(nodesEnd)));
  const shown = (id) => (places.has(id) ? places.get(id).x : null);
  return {
    width: shift(nodesEnd) + (loops.length > 0 ? loopRoom : 0),
    height: bandOf.at(-1)?.bottom ?? 0,
    entry: shown(entry),
    exit: shown(exit),
    places,
    routes,
  };
}

/** Straight beside the nodes of a row; it bends between the rows only. */
function routeOf({ from, to, path }, { sizes, places, ranks, bandOf, laneAt }) {
  const start = places.get(from);
  const goal = places.get(to);
  const first = ranks.get(from);
  const points = [[start.x + sizes.get(from).exit, start.y + sizes.get(from).height]];
  if (points[0][1] < bandOf[first].bottom) points.push([points[0][0], bandOf[first].bottom]);
  path.slice(1, -1).forEach((lane, i) => {
    const { top, bottom } = bandOf[first + 1 + i];
    points.push([laneAt(lane), top], [laneAt(lane), bottom]);
  });
  const end = goal.x + sizes.get(to).anchor;
  const top = bandOf[ranks.get(to)].top;
  if (top < goal.y) points.push([end, top]);
  points.push([end, goal.y]);
  return { from, to, points, loop: false, entering: from === entry, leaving: to === exit };
}

/** Back to an earlier node, around the right side of the level. */
function loopOf(from, to, { sizes, places }, side) {
  const right = (id) => places.get(id).x + sizes.get(id).width;
  const middle = (id) => places.get(id).y + sizes.get(id).height / 2;
  const turn = side + loopRoom;
  const points = [[right(from), middle(from)], [turn, middle(from)], [turn, middle(to)], [right(to), middle(to)]];
  return { from, to, points, loop: true, entering: false, leaving: false };
}
