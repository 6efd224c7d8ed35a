/** Small tools to build the page. Text always becomes a text node, so no data is ever read as HTML. */

const SVG = "http://www.w3.org/2000/svg";

function append(element, children) {
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false) element.append(child);
}

function build(element, properties, children) {
  const { on = {}, data = {}, css = {}, value, ...attributes } = properties;
  for (const [name, content] of Object.entries(attributes))
    if (content !== undefined && content !== null && content !== false)
      element.setAttribute(name, content === true ? "" : content);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  Object.assign(element.dataset, data);
  setCss(element, css);
  append(element, children);
  // A <select> takes its value only once its options are there.
  if (value !== undefined && value !== null) element.value = value;
  return element;
}

/** h("button", { class: "quiet", on: { click } }, "Cancel") */
export function h(tag, properties = {}, ...children) {
  return build(document.createElement(tag), properties, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

export function button(text, click, properties = {}) {
  return h("button", { type: "button", ...properties, on: { click, ...properties.on } }, text);
}

export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** By script, because the policy of the page refuses style attributes in HTML. */
export function setCss(element, css) {
  for (const [name, content] of Object.entries(css)) element.style.setProperty(name, content);
}

let ids = 0;
export const uniqueId = (prefix) => `${prefix}-${++ids}`;

/** Calls back once nothing has happened for a while. */
export function settle(callback, pause) {
  let timer = 0;
  const settled = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...values), pause);
  };
  settled.cancel = () => clearTimeout(timer);
  return settled;
}

/** Tells a screen reader; what is seen does not change. */
export function announce(text) {
  document.querySelector("#announcer").textContent = text;
}

let messageTimer = 0;

/** A line at the foot of the window, for what belongs to no place of the page. */
export function message(text) {
  const line = document.querySelector("#message");
  line.textContent = text;
  line.hidden = false;
  clearTimeout(messageTimer);
  messageTimer = setTimeout(() => (line.hidden = true), 8000);
}
