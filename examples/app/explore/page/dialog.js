import { button, h, uniqueId } from "./dom.js";

/** A window over the page; Escape, its button and a click beside it close it. */
export function openDialog(title, content, { wide = false } = {}) {
  const id = uniqueId("dialog");
  const inside = h(
    "div",
    { class: "dialog-inside" },
    h("header", {}, h("h2", { id }, title), button("Close", () => dialog.close(), { class: "small" })),
    content,
  );
  const dialog = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": id }, inside);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
