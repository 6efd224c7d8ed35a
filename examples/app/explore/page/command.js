/** How a result is made again, and taken away. */

import { button, fill, h, message } from "./dom.js";

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    message("The command is copied.");
  } catch {
    getSelection().selectAllChildren(code);
    message("The command is marked; copy it with Ctrl+C.");
  }
}

function commandLine(command) {
  const code = h("code", { tabindex: 0 }, command);
  return h(
    "details",
    { class: "command" },
    h("summary", {}, "Command line"),
    h("p", { class: "soft" }, "This makes the same in a shell:"),
    h("div", {}, code, button("Copy", () => copy(code), { class: "small" })),
  );
}

const saving = (url, name, text) => h("a", { href: url, download: name, class: "save" }, text);

/** Links to the pictures and arrays of a result, its command and its notices; `name` begins the names of the files. */
export function createResultFoot() {
  const element = h("div", { class: "result-foot" });
  let shown = null;
  return {
    element,
    show(result, name) {
      const key = JSON.stringify([result.pictures, result.arrays, result.command, result.notices]);
      if (key === shown) return;
      shown = key;
      const pictures = Object.entries(result.pictures ?? {}).filter(([kind]) => kind !== "scale");
      const arrays = Object.entries(result.arrays ?? {});
      fill(
        element,
        (result.notices ?? []).map((notice) => h("p", { class: "notice" }, notice)),
        h(
          "p",
          { class: "saves" },
          "Save ",
          pictures.map(([kind, url]) => saving(url, `${name}-${kind}.png`, `${kind}.png`)),
          arrays.map(([kind, url]) => saving(url, `${name}-${kind}.npy`, `${kind}.npy`)),
        ),
        result.command && commandLine(result.command),
      );
    },
    clear() {
      shown = null;
      element.replaceChildren();
    },
  };
}
