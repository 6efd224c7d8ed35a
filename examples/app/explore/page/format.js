/** Numbers, shapes and names in words. */

const threeDigits = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export function number(value) {
  return Number.isFinite(value) ? threeDigits.format(value) : "not a number";
}

export const wholeNumber = (value) => whole.format(value);

export function count(amount, one, many = `${one}s`) {
  return `${whole.format(amount)} ${amount === 1 ? one : many}`;
}

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** ε is told in grey levels, as in the literature. */
export const epsilonText = (epsilon) => `${number(epsilon)}/255`;

export function timeLeft(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 1.5) return "about a second left";
  if (seconds < 90) return `about ${Math.round(seconds)} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${number(seconds / 3600)} h left`;
}

/** Without the first number, which counts the images. */
export function shapeText(shape) {
  return shape.length > 1 ? shape.slice(1).join(" × ") : "one value";
}

export function shapeInWords(shape) {
  if (shape.length === 4) return `${count(shape[1], "channel")}, each a map of ${shape[2]} × ${shape[3]} values`;
  if (shape.length === 2) return count(shape[1], "value");
  return `${shapeText(shape)} values`;
}

export const classText = (name, label) => (name ? `${name} (${label})` : `class ${label}`);

export function classOf(model, label) {
  return classText(model.class_names?.[label], label);
}

/** "a", "a and b", "a, b and c" */
export function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
