/** A table of maps: images in rows, methods of models in columns. */

import { createAttributionCell } from "./attribution_cell.js";
import { createColumn } from "./attribution_column.js";
import { createAttributionTools } from "./attribution_tools.js";
import { cellText, cellsText, firstCells, moreSamples, optionName, optionsOf, parseCells } from "./cells.js";
import { button, fill, h, setCss } from "./dom.js";
import { defaultLayer } from "./layer_choice.js";
import { imagesIn } from "./navigation.js";
import { failureNote, noImageNote, pageHead } from "./parts.js";
import { opacityFrom } from "./picture.js";
import { predictionBars } from "./prediction.js";
import { graphOf, imageOf, pictureUrl, predictionOf } from "./store.js";

export const title = "Attribution";

const sentence =
  "Which pixels decided the answer? Each picture is your image with a map over it, made by a method of its own; " +
  "where methods that work differently agree, there is something in it.";
const legend = [
  ["magnitude", "one colour: bright counts much, black not at all"],
  ["signed", "two colours: warm (red, orange) speaks for the class, blue against it"],
];

const labelFrom = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);

/** The head of a row: an image, and what the model of the page says of it. */
function createRowHead(context, id, { remove, choose }) {
  const name = h("span", { class: "name" }, id);
  const bars = h("div", {});
  const drop = button("×", remove, { class: "small", "aria-label": "Remove this image", title: "Remove this row" });
  const img = h("img", { alt: "" });
  const element = h("th", { scope: "row" }, h("div", { class: "row-head" }, img, name, drop), bars);
  let shown = null;
  let prediction = null;
  let imageName = id;

  imageOf(id).then(
    (image) => (name.textContent = imageName = image.name),
    () => (name.textContent = "not there any more"),
  );

  function draw(chosen) {
    if (prediction) fill(bars, predictionBars(prediction.top, { choose, chosen }));
  }

  return {
    element,
    name: () => imageName,
    async show(model, chosen, canDrop) {
      drop.hidden = !canDrop;
      if (shown === model) {
        draw(chosen);
        return;
      }
      shown = model;
      prediction = null;
      img.src = pictureUrl(model, id);
      fill(bars, h("div", { class: "skeleton bars-waiting" }));
      try {
        const answer = await predictionOf(model, id);
        if (shown !== model) return;
        prediction = answer;
        draw(labelFrom(context.params.target));
      } catch (error) {
        if (shown !== model) return;
        shown = null;
        fill(bars, failureNote(error, () => context.go({})));
      }
    },
  };
}

export function mount(host, context) {
  const { about } = context;
  const table = h("table", { class: "attributions" });
  const head = h("tr", {});
  const body = h("tbody", {});
  fill(table, h("caption", { class: "visually-hidden" }, "Maps: images in rows, methods in columns"), h("thead", {}, head), body);
  const place = h("div", { class: "table-place", tabindex: 0, role: "region", "aria-label": "Table of maps" }, table);
  const none = h("div", { hidden: true }, noImageNote(context));
  const tools = createAttributionTools({
    about,
    host: place,
    add: (model, method) => setCells([...cellsOf(context.params), { model, method, layer: "" }]),
    addImage: () => context.openImages({ title: "Add an image", choose: ({ id }) => addImage(id) }),
    target: (label) => context.go({ target: label }),
    opacity: (share) => context.go({ opacity: share }, { replace: true }),
  });
  fill(host, pageHead(title, sentence, legend), tools.element, none, place);

  const columns = new Map();
  const rows = new Map();
  const cells = new Map();
  let structure = null;
  let turns = 0;

  const methodOf = (name) => about.methods.find((method) => method.name === name);
  const cellsOf = (params) => (params.cells === undefined ? firstCells(context.model, about) : parseCells(params.cells, about));
  // An empty table is a choice, too, and must not fall back to the first one.
  const setCells = (list) => context.go({ cells: list.length > 0 ? cellsText(unique(list)) : "none" });
  const unique = (list) => [...new Map(list.map((cell) => [cellText(cell), cell])).values()];
  const addImage = (id) => context.go({ image: [...new Set([...imagesIn(context.params), id])].join(",") });

  function setOption(method, option, value, isDefault) {
    // A default is left out of the address, unless the address sets the option for all methods.
    const isLeftOut = isDefault && context.params[option] === undefined;
    context.go({ [optionName(method, option)]: isLeftOut ? null : value }, { replace: true });
  }

  function columnFor(cell) {
    const spec = cellText(cell);
    const method = methodOf(cell.method);
    const others = () => cellsOf(context.params).filter((one) => cellText(one) !== spec);
    return createColumn({
      cell,
      method,
      modelName: about.models[cell.model].name,
      remove: () => setCells(others()),
      changed: (option, value, isDefault) => setOption(cell.method, option, value, isDefault),
      layerChosen: (layer) =>
        setCells(cellsOf(context.params).map((one) => (cellText(one) === spec ? { ...one, layer } : one))),
    });
  }

  function rowFor(id) {
    return createRowHead(context, id, {
      remove: () => context.go({ image: imagesIn(context.params).filter((other) => other !== id).join(",") }),
      choose: (label) => context.go({ target: label === labelFrom(context.params.target) ? null : label }),
    });
  }

  function cellFor(method) {
    const more = ({ options }) => moreSamples(method, options);
    return createAttributionCell({ more, go: (changes) => context.go(changes, { replace: true }) });
  }

  /** Keeps what is still asked for, ends the work on the rest. */
  function keepOnly(map, wanted, drop = () => {}) {
    for (const [key, one] of map)
      if (!wanted.has(key)) {
        drop(one);
        map.delete(key);
      }
  }

  function build(images, list) {
    const specs = list.map(cellText);
    const keys = images.flatMap((image) => specs.map((spec) => `${image} ${spec}`));
    keepOnly(columns, new Set(specs));
    keepOnly(rows, new Set(images));
    keepOnly(cells, new Set(keys), (cell) => cell.stop());
    for (const cell of list) if (!columns.has(cellText(cell))) columns.set(cellText(cell), columnFor(cell));
    for (const image of images) {
      if (!rows.has(image)) rows.set(image, rowFor(image));
      for (const cell of list) {
        const key = `${image} ${cellText(cell)}`;
        if (!cells.has(key)) cells.set(key, cellFor(methodOf(cell.method)));
      }
    }
    // Moving elements in the document takes the focus from them, so it is done only when the table changes.
    const next = JSON.stringify([images, specs]);
    if (next === structure) return;
    structure = next;
    setCss(table, { "--columns": list.length });
    fill(head, h("td", {}), specs.map((spec) => columns.get(spec).element));
    const cellsOfRow = (image) => specs.map((spec) => h("td", {}, cells.get(`${image} ${spec}`).element));
    fill(body, images.map((image) => h("tr", {}, rows.get(image).element, cellsOfRow(image))));
  }

  async function graphsOf(list) {
    const models = [...new Set(list.filter(({ method }) => methodOf(method).layer !== "none").map(({ model }) => model))];
    const found = await Promise.allSettled(models.map(graphOf));
    return new Map(models.map((model, index) => [model, found[index].value ?? null]));
  }

  function requestOf(params, image, { model, method, layer }, graphs) {
    const options = optionsOf(params, methodOf(method), { plain: true });
    const explained = methodOf(method).layer === "explained" && graphs.get(model);
    const its = layer || (explained ? defaultLayer(about.models[model], explained) : null);
    const target = labelFrom(params.target);
    return { kind: "explain", model, image, method, options, target, layer: its || null, channel: null, place: null };
  }

  async function update(params) {
    const turn = ++turns;
    const images = imagesIn(params);
    const list = unique(cellsOf(params));
    none.hidden = images.length > 0;
    place.hidden = images.length === 0;
    const target = labelFrom(params.target);
    tools.show({ modelInfo: context.modelInfo, modelNumber: context.model, chosen: target, share: opacityFrom(params) });
    build(images, list);
    for (const row of rows.values()) row.show(context.model, target, images.length > 1);
    const graphs = await graphsOf(list);
    if (turn !== turns) return;
    for (const cell of list) {
      const options = optionsOf(params, methodOf(cell.method), { plain: true });
      columns.get(cellText(cell)).show({ options, graph: graphs.get(cell.model) });
      for (const image of images)
        cells.get(`${image} ${cellText(cell)}`).ask({
          request: requestOf(params, image, cell, graphs),
          title: methodOf(cell.method).title,
          imageName: rows.get(image).name,
        });
    }
  }

  return {
    update,
    leave() {
      ++turns;
      for (const cell of cells.values()) cell.stop();
    },
  };
}
