/** Images of one's own: chosen, dropped or pasted. */

import { Refusal, ask } from "./api.js";
import { h } from "./dom.js";
import { number } from "./format.js";

const kinds = ["image/png", "image/jpeg"];

async function upload(file, limits) {
  const name = file.name || "pasted.png";
  if (!kinds.includes(file.type))
    throw new Refusal(`${name} is ${file.type || "of an unknown kind"}; give a PNG or a JPEG.`);
  if (file.size > limits.upload_bytes)
    throw new Refusal(`${name} has ${number(file.size / 1e6)} MB; give one of ${number(limits.upload_bytes / 1e6)} MB or less.`);
  const headers = { "X-Name": encodeURIComponent(name), "Content-Type": file.type };
  return ask("/api/images", { method: "POST", bytes: file, headers });
}

let taken = 0;

/** Grows with every image that was uploaded. */
export const uploadsSoFar = () => taken;

/** Takes the files one by one; `done` is told of the last that was taken. */
async function uploadAll(files, limits, { done, failed }) {
  let last = null;
  for (const file of files) {
    try {
      last = await upload(file, limits);
      ++taken;
    } catch (error) {
      failed(error);
    }
  }
  if (last) done(last);
}

export function createUploader({ limits, done }) {
  const said = h("p", { class: "failure", role: "alert", hidden: true });
  const input = h("input", { type: "file", accept: kinds.join(","), multiple: true, class: "visually-hidden" });
  const label = h("label", { class: "button" }, "Upload PNG or JPEG", input);
  const failed = (error) => {
    said.textContent = error.message;
    said.hidden = false;
  };
  input.addEventListener("change", async () => {
    said.hidden = true;
    label.classList.add("busy");
    await uploadAll([...input.files], limits, { done, failed });
    label.classList.remove("busy");
    input.value = "";
  });
  return h("div", { class: "uploader" }, label, h("span", { class: "soft" }, "or drop a file anywhere, or paste one"), said);
}

/** Files that are dropped on the window, or pasted. */
export function listenForFiles({ limits, done, failed }) {
  const take = (list) => uploadAll([...list], limits, { done, failed });
  const bringsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => document.body.classList.toggle("dropping", on);

  addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  });
  addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    mark(false);
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length > 0) take(event.clipboardData.files);
  });
}
