/** How far a piece of work is, with a button to stop it or to try again. */

import { button, h } from "./dom.js";
import { count, timeLeft } from "./format.js";

export function createStatus({ name, cancel, again }) {
  const line = h("span", { class: "status-line" });
  const bar = h("progress", { max: 1, "aria-label": name });
  const stop = button("Cancel", cancel, { class: "small", "aria-label": `Cancel ${name}` });
  const retry = button("Try again", again, { class: "small", "aria-label": `Try again: ${name}` });
  const element = h("div", { class: "status", hidden: true }, line, bar, stop, retry);

  // The same elements are kept, so that the keyboard's focus stays on the button while the bar moves.
  function set({ text, state, fraction }) {
    element.hidden = false;
    element.dataset.state = state;
    if (line.textContent !== text) line.textContent = text;
    bar.hidden = state !== "busy";
    stop.hidden = state !== "busy";
    retry.hidden = state === "busy";
    if (fraction === undefined) bar.removeAttribute("value");
    else bar.value = fraction;
    if (state === "failed") line.setAttribute("role", "alert");
    else line.removeAttribute("role");
  }

  return {
    element,
    clear: () => (element.hidden = true),
    /** `ahead`: how many jobs the program does before; left out where the question has not been sent yet. */
    wait(ahead) {
      const text = ahead === undefined ? "Waits for its turn" : ahead > 0 ? `Waits for ${count(ahead, "other job")}` : "Begins";
      set({ text, state: "busy" });
    },
    progress(fraction, secondsLeft) {
      const share = Math.min(1, Math.max(0, fraction ?? 0));
      set({ text: timeLeft(secondsLeft) || "Works", state: "busy", fraction: share });
    },
    fail: (error) => set({ text: error.message, state: "failed" }),
    stopped: () => set({ text: "Stopped.", state: "stopped" }),
  };
}
