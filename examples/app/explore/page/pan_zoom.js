/** A surface that is dragged and zoomed: wheel, pointer and calls. */

const least = 0.08;
const most = 3;
const margin = 14;

export function createPanZoom(surface, world) {
  let x = margin;
  let y = margin;
  let scale = 1;
  let grip = null;
  let dragged = false;

  const apply = () => world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);

  function zoomAt(px, py, factor) {
    const next = Math.min(most, Math.max(least, scale * factor));
    x = px - ((px - x) * next) / scale;
    y = py - ((py - y) * next) / scale;
    scale = next;
    apply();
  }

  const size = () => surface.getBoundingClientRect();

  surface.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = size();
      const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 0.05 : 0.0015;
      zoomAt(event.clientX - at.left, event.clientY - at.top, Math.exp(-event.deltaY * step));
    },
    { passive: false },
  );
  surface.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.button === 0) grip = { pointer: event.pointerId, fromX: event.clientX, fromY: event.clientY, x, y };
  });
  surface.addEventListener("pointermove", (event) => {
    if (!grip || event.pointerId !== grip.pointer) return;
    const byX = event.clientX - grip.fromX;
    const byY = event.clientY - grip.fromY;
    // A hand that trembles still clicks.
    if (!dragged && Math.hypot(byX, byY) < 5) return;
    if (!dragged) surface.setPointerCapture(event.pointerId);
    dragged = true;
    surface.classList.add("dragging");
    x = grip.x + byX;
    y = grip.y + byY;
    apply();
  });
  const release = () => {
    grip = null;
    surface.classList.remove("dragging");
  };
  surface.addEventListener("pointerup", release);
  surface.addEventListener("pointercancel", release);

  return {
    /** Whether the click that is being told of ended a drag. */
    wasDragged: () => dragged,
    zoomBy(factor) {
      const { width, height } = size();
      zoomAt(width / 2, height / 2, factor);
    },
    moveBy(byX, byY) {
      x += byX * scale;
      y += byY * scale;
      apply();
    },
    /** The whole width from the top, but large enough to be read. */
    home(width) {
      const room = size().width;
      scale = Math.min(1, Math.max(0.55, (room - 2 * margin) / width));
      x = Math.max(margin, (room - width * scale) / 2);
      y = margin;
      apply();
    },
    /** All of it. */
    fit(width, height) {
      const room = size();
      scale = Math.max(least, Math.min(1.2, (room.width - 2 * margin) / width, (room.height - 2 * margin) / height));
      x = (room.width - width * scale) / 2;
      y = (room.height - height * scale) / 2;
      apply();
    },
    centre(atX, atY) {
      const { width, height } = size();
      x = width / 2 - atX * scale;
      y = height / 2 - atY * scale;
      apply();
    },
    /** Whether a box can be seen as a whole. */
    sees(box) {
      const { width, height } = size();
      const left = x + box.x * scale;
      const top = y + box.y * scale;
      return left >= 0 && top >= 0 && left + box.width * scale <= width && top + box.height * scale <= height;
    },
  };
}
