/** Arrow keys move among the items of a grid; one of them is a tab stop, so that Tab leaves the grid. */

const centre = (item) => {
  const at = item.getBoundingClientRect();
  return { x: at.left + at.width / 2, y: at.top + at.height / 2, top: at.top, bottom: at.bottom };
};

function inDirection(items, from, key) {
  const index = items.indexOf(from);
  if (key === "ArrowRight") return items[index + 1];
  if (key === "ArrowLeft") return items[index - 1];
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  const here = centre(from);
  const beyond = items
    .map((item) => ({ item, at: centre(item) }))
    .filter(({ at }) => (key === "ArrowDown" ? at.top >= here.bottom - 1 : at.bottom <= here.top + 1));
  const distance = ({ at }) => 4 * Math.abs(at.y - here.y) + Math.abs(at.x - here.x);
  return beyond.reduce((best, one) => (!best || distance(one) < distance(best) ? one : best), null)?.item;
}

const keys = ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"];

/** Returns what must be called after the items changed. */
export function rove(host, selector) {
  const items = () => [...host.querySelectorAll(selector)];
  const makeStop = (stop) => items().forEach((item) => (item.tabIndex = item === stop ? 0 : -1));
  host.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) makeStop(item);
  });
  host.addEventListener("keydown", (event) => {
    const from = event.target.closest(selector);
    if (!from || !keys.includes(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = inDirection(items(), from, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  return () => {
    const all = items();
    makeStop(all.find((item) => item.getAttribute("aria-pressed") === "true") ?? all[0]);
  };
}
