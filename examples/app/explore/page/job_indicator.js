/** What the program works on, for whom ever, and how much waits. */

import { ask } from "./api.js";
import { button, h } from "./dom.js";
import { count, percent } from "./format.js";
import { cancelJob, jobEvents, waitingHere } from "./jobs.js";

const busyPause = 1000;
const idlePause = 5000;
const lostPause = 2000;

function createRow(job, lookAgain) {
  const text = h("span", {});
  const bar = h("progress", { max: 1, "aria-label": job.title });
  const cancel = () => cancelJob(job.job).then(lookAgain);
  const stop = button("Cancel", cancel, { class: "small", "aria-label": `Cancel ${job.title}` });
  return {
    element: h("li", {}, text, bar, stop),
    show(state, runs) {
      text.textContent = runs ? state.title : `${state.title}, waits`;
      bar.hidden = !runs;
      bar.value = state.fraction ?? 0;
    },
  };
}

/** Also finds out when the program went away and when it is back, because it asks all the time. */
export function startJobIndicator() {
  const line = document.querySelector("#jobs-line");
  const list = document.querySelector("#jobs-items");
  const note = document.querySelector("#jobs-note");
  const rows = new Map();
  let timer = 0;

  function drawList(jobs) {
    const there = new Set(jobs.map(({ job }) => job));
    for (const [number, row] of rows) {
      if (there.has(number)) continue;
      row.element.remove();
      rows.delete(number);
    }
    jobs.forEach((job, index) => {
      if (!rows.has(job.job)) rows.set(job.job, createRow(job, look));
      const row = rows.get(job.job);
      row.show(job, job.runs);
      if (list.children[index] !== row.element) list.insertBefore(row.element, list.children[index] ?? null);
    });
  }

  function draw({ running, queued }) {
    const waits = queued.length + waitingHere();
    const runs = running ? `${running.title}, ${percent(running.fraction ?? 0)}` : "Nothing runs";
    line.textContent = waits > 0 ? `${runs}; ${waits} ${waits === 1 ? "waits" : "wait"}` : runs;
    drawList([...(running ? [{ ...running, runs: true }] : []), ...queued]);
    const here = waitingHere();
    if (here > 0) note.textContent = `${count(here, "more question")} of this page will follow.`;
    else note.textContent = running || queued.length > 0 ? "" : "The program is idle.";
  }

  async function look() {
    clearTimeout(timer);
    let pause = lostPause;
    try {
      const jobs = await ask("/api/jobs");
      draw(jobs);
      pause = jobs.running || jobs.queued.length > 0 || waitingHere() > 0 ? busyPause : idlePause;
    } catch {
      line.textContent = "No connection";
    }
    lookIn(document.hidden ? 4 * pause : pause);
  }

  function lookIn(pause) {
    clearTimeout(timer);
    timer = setTimeout(look, pause);
  }

  jobEvents.addEventListener("change", () => lookIn(150));
  look();
}
