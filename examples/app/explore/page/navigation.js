/** Every state has an address: #/attribution?model=0&image=f3,f5&cells=0:smoothgrad */

import { cellsForModel } from "./cells.js";

// These stay as they are, because an address is read by people, too.
const readable = (text) =>
  encodeURIComponent(text).replace(/%(2C|3A|2F|40)/g, (escaped) => decodeURIComponent(escaped));

export function parseHash(hash) {
  const [page, rest = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { page, params: Object.fromEntries(new URLSearchParams(rest)) };
}

export function hashOf(page, params) {
  const parts = Object.entries(params).map(([name, value]) => `${readable(name)}=${readable(String(value))}`);
  return `#/${page}${parts.length > 0 ? `?${parts.join("&")}` : ""}`;
}

/** Without what is empty, which is the default everywhere. */
export function withChanges(params, changes) {
  const all = Object.entries({ ...params, ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined && value !== ""));
}

const ofOneModel = ["layer", "layers", "channel", "channels", "place", "folds", "target", "run"];

/** The same view of another model: its layers and classes are others. */
export function forModel(params, model) {
  if (params.model === String(model)) return params;
  const kept = Object.entries(params).filter(([name]) => !ofOneModel.includes(name));
  const changed = { ...Object.fromEntries(kept), model: String(model) };
  if (changed.cells) changed.cells = cellsForModel(changed.cells, params.model, model);
  return changed;
}

export const imagesIn = (params) => (params.image ?? "").split(",").filter((id) => id !== "");

/** A list of images with another one at the front, in the place of the one that stood there. */
export function withFirst(list, id) {
  const others = list.slice(1).filter((other) => other !== id);
  return [id, ...others].join(",");
}
