/** Long work: posted, listened to, stopped. */

import { Refusal, ask, connection } from "./api.js";

// A browser opens six connections to one server, and every job that is listened to holds one of them. The
// program works on one job at a time, so what waits here loses nothing, and can still be dropped unseen.
const mostAtOnce = 3;
const waiting = [];
const active = new Set();

/** Fires "change" when a job of this page begins or ends. */
export const jobEvents = new EventTarget();

export const waitingHere = () => waiting.length;

let backs = 0;
connection.addEventListener("back", () => ++backs);

/** Grows whenever the program came back; what failed before then is worth another try. */
export const timesBack = () => backs;

export async function cancelJob(number) {
  try {
    await ask(`/api/jobs/${number}`, { method: "DELETE" });
  } catch {
    // It ended by itself in the meantime.
  }
}

class Job {
  #request;
  #tell;
  #number = null;
  #key = null;
  #source = null;
  #over = false;
  #cancelOnceKnown = false;
  #release = () => {};

  constructor(request, tell) {
    this.#request = request;
    this.#tell = tell;
  }

  async run() {
    let answer;
    try {
      answer = await ask("/api/jobs", { method: "POST", json: this.#request });
    } catch (error) {
      this.#end({ phase: "failed", error });
      return;
    }
    if (this.#over) {
      if (this.#cancelOnceKnown && answer.job !== undefined) cancelJob(answer.job);
      return;
    }
    if (answer.result) {
      this.#end({ phase: "done", result: answer.result });
      return;
    }
    this.#number = answer.job;
    this.#key = answer.key;
    this.#tell({ phase: "queued", ahead: answer.ahead });
    await this.#listen();
  }

  /** Ends the work itself; nothing more is told. */
  stop() {
    if (this.#over) return;
    this.#leave();
    if (this.#number === null) this.#cancelOnceKnown = true;
    else cancelJob(this.#number);
  }

  /** Stops listening; the program goes on with the work. */
  detach() {
    if (!this.#over) this.#leave();
  }

  #listen() {
    return new Promise((resolve) => {
      this.#release = resolve;
      const source = new EventSource(`/api/jobs/${this.#number}/events`);
      this.#source = source;
      const on = (name, take) => source.addEventListener(name, (event) => take(JSON.parse(event.data)));
      on("queued", ({ ahead }) => this.#tell({ phase: "queued", ahead }));
      on("progress", (progress) => this.#tell({ phase: "progress", ...progress }));
      on("frame", (result) => this.#tell({ phase: "frame", result }));
      on("done", (result) => this.#end({ phase: "done", result }));
      on("failed", ({ error }) => this.#end({ phase: "failed", error: new Refusal(error) }));
      on("cancelled", () => this.#end({ phase: "cancelled" }));
      // While the browser itself tries to connect again there is nothing to do; it closes the stream for
      // good when the program no longer knows the job.
      source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED) this.#recover();
      });
    });
  }

  async #recover() {
    try {
      this.#end({ phase: "done", result: await ask(`/api/results/${this.#key}`) });
    } catch (error) {
      const lost = error.status === 404;
      this.#end({ phase: "failed", error: lost ? new Refusal("The program lost this work; ask for it again.", 404) : error });
    }
  }

  #leave() {
    const index = waiting.indexOf(this);
    if (index >= 0) waiting.splice(index, 1);
    this.#over = true;
    this.#source?.close();
    this.#release();
    jobEvents.dispatchEvent(new Event("change"));
  }

  #end(state) {
    if (this.#over) return;
    this.#leave();
    this.#tell(state);
  }
}

function pump() {
  while (active.size < mostAtOnce && waiting.length > 0) {
    const job = waiting.shift();
    active.add(job);
    job.run().finally(() => {
      active.delete(job);
      pump();
    });
  }
  jobEvents.dispatchEvent(new Event("change"));
}

/**
 * Tells { phase }: "queued" with ahead, "progress" with fraction and seconds_left, "frame" and "done" with
 * result, "failed" with error, "cancelled". What a person just clicked is urgent, and waits for nothing else
 * of this page.
 */
export function startJob(request, tell, { urgent = false } = {}) {
  const job = new Job(request, tell);
  if (urgent) waiting.unshift(job);
  else waiting.push(job);
  pump();
  return job;
}
