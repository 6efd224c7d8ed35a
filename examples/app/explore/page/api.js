/** Questions to the program, and whether it answers at all. */

export class Refusal extends Error {
  constructor(message, status = 0, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

class Connection extends EventTarget {
  #lost = false;

  get lost() {
    return this.#lost;
  }

  report(reached) {
    if (this.#lost === !reached) return;
    this.#lost = !reached;
    this.dispatchEvent(new Event(reached ? "back" : "lost"));
  }
}

/** Fires "lost" when the program stops answering, and "back" when it answers again. */
export const connection = new Connection();

export const isAbort = (error) => error?.name === "AbortError";

/** A path with the values that are there: query("/api/images", { text: "dog" }) */
export function query(path, values) {
  const parts = Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return parts.length > 0 ? `${path}?${parts.join("&")}` : path;
}

const unread = Symbol("unread");

async function bodyOf(response) {
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    return unread;
  }
}

function refusal(response, body) {
  const said = body !== unread && body.error;
  if (response.status === 429)
    return new Refusal(said || "The queue is full: wait until something is done, or cancel it.", 429, body);
  return new Refusal(said || `The program refused this (${response.status}) and did not say why.`, response.status, body);
}

/** The JSON that a path answers. Throws Refusal with a sentence that a person can read. */
export async function ask(path, { method = "GET", json, bytes, headers = {}, signal } = {}) {
  const sent = json === undefined ? bytes : JSON.stringify(json);
  const told = json === undefined ? headers : { ...headers, "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers: told, body: sent, signal });
  } catch (error) {
    if (isAbort(error)) throw error;
    connection.report(false);
    throw new Refusal("The program does not answer: it was stopped, or is being started again.");
  }
  connection.report(true);
  if (response.status === 204) return null;
  const body = await bodyOf(response);
  if (!response.ok) throw refusal(response, body);
  if (body === unread) throw new Refusal("The program's answer could not be read.", response.status);
  return body;
}
