/** One place of the page that shows the result of a job. The latest question wins. */

import { announce } from "./dom.js";
import { startJob, timesBack } from "./jobs.js";
import { createStatus } from "./status.js";

export class Task {
  #name;
  #show;
  #begin;
  #urgent;
  #status;
  #request = null;
  #key = null;
  #job = null;
  #turn = 0;
  #failedAt = null;
  #halted = false;

  /** show(result, final); begin() when a new question goes out. `name` is read to people: "the map". */
  constructor({ name, show, begin = () => {}, urgent = false }) {
    this.#name = name;
    this.#show = show;
    this.#begin = begin;
    this.#urgent = urgent;
    this.#status = createStatus({ name, cancel: () => this.#cancel(), again: () => this.#start() });
  }

  get element() {
    return this.#status.element;
  }

  /**
   * Does nothing where this is what was asked last, unless it failed and the program has come back since, or it
   * was stopped or failed and a person asks `again`.
   */
  ask(request, { again = false } = {}) {
    const key = JSON.stringify(request);
    const cameBack = this.#failedAt !== null && this.#failedAt !== timesBack();
    const worthAnother = cameBack || (again && this.#halted);
    if (key === this.#key && !worthAnother) return;
    this.#request = request;
    this.#key = key;
    this.#start();
  }

  /** Forgets the question, and ends the work on it. */
  stop() {
    this.#quit((job) => job.stop());
  }

  /** Forgets the question; the work goes on. */
  detach() {
    this.#quit((job) => job.detach());
  }

  #quit(end) {
    ++this.#turn;
    if (this.#job) end(this.#job);
    this.#job = null;
    this.#key = null;
    this.#failedAt = null;
    this.#status.clear();
  }

  #start() {
    this.#job?.stop();
    this.#failedAt = null;
    this.#halted = false;
    const turn = ++this.#turn;
    this.#begin();
    this.#status.wait();
    const tell = (state) => {
      if (turn === this.#turn) this.#told(state);
    };
    this.#job = startJob(this.#request, tell, { urgent: this.#urgent });
  }

  #cancel() {
    this.#job?.stop();
    this.#job = null;
    ++this.#turn;
    this.#halted = true;
    this.#status.stopped();
  }

  #told(state) {
    switch (state.phase) {
      case "queued":
        this.#status.wait(state.ahead);
        break;
      case "progress":
        this.#status.progress(state.fraction, state.seconds_left);
        break;
      case "frame":
        this.#show(state.result, false);
        break;
      case "done":
        this.#status.clear();
        this.#show(state.result, true);
        announce(`Ready: ${this.#name}.`);
        break;
      case "cancelled":
        this.#halted = true;
        this.#status.stopped();
        break;
      case "failed":
        this.#halted = true;
        this.#failedAt = timesBack();
        this.#status.fail(state.error);
        break;
    }
  }
}
