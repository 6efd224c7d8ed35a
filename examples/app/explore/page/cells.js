/** The columns of the attribution table as text, "0:smoothgrad,1:grad-cam@features.7", and the options of a method. */

export function parseCells(text, about) {
  const cells = [];
  for (const part of (text ?? "").split(",")) {
    const found = /^(\d+):([^@]+)(?:@(.+))?$/.exec(part);
    if (!found) continue;
    const [, model, method, layer = ""] = found;
    if (Number(model) < about.models.length && about.methods.some(({ name }) => name === method))
      cells.push({ model: Number(model), method, layer });
  }
  return cells;
}

export const cellText = ({ model, method, layer }) => `${model}:${method}${layer ? `@${layer}` : ""}`;

export const cellsText = (cells) => cells.map(cellText).join(",");

/** What a table begins with: three methods that work differently. */
export function firstCells(model, about) {
  const wanted = ["smoothgrad", "integrated-gradients", "grad-cam"];
  const there = wanted.filter((method) => about.methods.some(({ name }) => name === method));
  const methods = there.length > 0 ? there : about.methods.slice(0, 1).map(({ name }) => name);
  return methods.map((method) => ({ model, method, layer: "" }));
}

/** A table of one model alone follows the model that is chosen; one that compares models stays. */
export function cellsForModel(text, from, to) {
  const parts = text.split(",");
  if (!parts.every((part) => part.startsWith(`${from}:`))) return text;
  return parts.map((part) => `${to}:${part.slice(part.indexOf(":") + 1).replace(/@.*$/, "")}`).join(",");
}

export const optionName = (method, option) => `${method}.${option}`;

function valueOf(option, text) {
  if (option.kind === "choice") return option.choices.map(String).includes(text) ? text : undefined;
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : undefined;
}

/**
 * The options of a method that an address names: "smoothgrad.samples=100", or, where `plain` is true,
 * "samples=100" for every method that has it.
 */
export function optionsOf(params, method, { plain = false } = {}) {
  const options = {};
  for (const option of method.options) {
    const text = params[optionName(method.name, option.name)] ?? (plain ? params[option.name] : undefined);
    const value = text === undefined ? undefined : valueOf(option, text);
    if (value !== undefined) options[option.name] = value;
  }
  return options;
}

/** How many samples a method takes, and what asks for fifty more. */
export function moreSamples(method, options) {
  const option = method.options.find(({ name }) => name === "samples");
  if (!method.averages || !option) return null;
  const next = (options.samples ?? option.default) + 50;
  return next <= (option.most ?? Infinity) ? { [optionName(method.name, "samples")]: next } : null;
}
