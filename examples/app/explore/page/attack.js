/** A small change that makes the model say something else. */

import { createAttackControls, epsilonFrom, mostEpsilon } from "./attack_controls.js";
import { createAttackExplanation } from "./attack_explanation.js";
import { optionsOf } from "./cells.js";
import { createResultFoot } from "./command.js";
import { fill, h } from "./dom.js";
import { classText, epsilonText, number } from "./format.js";
import { noImageNote, pageHead } from "./parts.js";
import { predictionBars } from "./prediction.js";
import { pictureUrl } from "./store.js";
import { Task } from "./task.js";

export const title = "Attack";

const sentence =
  "A change too small to see can make a model say something else: the image plus the change is the adversarial " +
  "image, and below each stands what the model says of it. In the picture of the change grey is nothing, brighter " +
  "is added, darker taken away.";
const legend = [
  ["attacked", "the class that the model said before, and that is attacked"],
  ["reached", "the class that it says afterwards"],
];

const wholeOrNull = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);

function createTerm(caption) {
  const img = h("img", { alt: "", class: "skeleton" });
  const words = h("figcaption", {}, caption);
  const below = h("div", {});
  const element = h("figure", {}, img, words, below);
  return {
    element,
    below,
    show(src, alt, text = caption) {
      if (img.getAttribute("src") !== src) img.src = src;
      img.alt = alt;
      img.classList.remove("skeleton");
      words.textContent = text;
    },
    clear() {
      img.removeAttribute("src");
      img.alt = "";
      img.classList.add("skeleton");
      words.textContent = caption;
      below.replaceChildren();
    },
  };
}

const sign = (text, words) => h("span", { class: "sign", role: "img", "aria-label": words }, text);

function sentenceOf(result, { find, target }) {
  const was = result.before.find(({ label }) => label === result.label) ?? result.before[0];
  const now = result.after?.[0] ?? was;
  const before = classText(was.name, was.label);
  const after = classText(now.name, now.label);
  if (find && result.epsilon === null)
    return (
      `No change of FGSM up to ${epsilonText(mostEpsilon)} makes the model say something else than ${before}; the pictures show the largest. ` +
      "Several steps may: choose ifgsm or pgd."
    );
  const size = `No pixel changes by more than ${epsilonText(result.epsilon)}`;
  if (find)
    return `The smallest change of FGSM that turns ${before} into ${after}: ε = ${epsilonText(result.epsilon)}. ${size}.`;
  if (result.succeeded) return `${size}, and the model says ${after} instead of ${before}.`;
  const wished = target === null ? "it still says" : "it does not say the class that was aimed at, but";
  return `${size}, and ${wished} ${after}: the attack did not succeed. Give it a larger ε, or a method with more steps.`;
}

export function mount(host, context) {
  const { about } = context;
  const original = createTerm("the image");
  const change = createTerm("the change");
  const adversarial = createTerm("the adversarial image");
  const told = h("p", { class: "verdict", "aria-live": "polite" });
  const foot = createResultFoot();
  const equation = h(
    "div",
    { class: "equation" },
    original.element,
    sign("+", "plus"),
    change.element,
    sign("=", "gives"),
    adversarial.element,
  );
  const task = new Task({
    name: "the attack",
    urgent: true,
    begin: () => equation.classList.add("stale"),
    show: (result) => showResult(result),
  });
  const controls = createAttackControls({ about, go: (changes, replace = true) => context.go(changes, { replace }) });
  const explanation = createAttackExplanation(context);
  const work = h("div", {}, controls.element, told, task.element, equation, foot.element, explanation.element);
  const none = h("div", { hidden: true }, noImageNote(context));
  fill(host, pageHead(title, sentence, legend), none, work);

  let wish = null;
  let shownOf = null;

  function showResult(result) {
    equation.classList.remove("stale");
    const attacked = result.label;
    const reached = result.after?.[0].label;
    const marks = new Map([[attacked, "attacked"]]);
    if (reached !== undefined && reached !== attacked) marks.set(reached, "reached");
    original.show(result.pictures.image, "The image before the attack");
    if (result.pictures.perturbation) {
      const gain = number(result.gain);
      const words = `the change × ${gain}, to be seen at all`;
      change.show(result.pictures.perturbation, `The change, enlarged ${gain} times`, words);
    }
    if (result.pictures.adversarial)
      adversarial.show(result.pictures.adversarial, "The adversarial image, which looks like the image before");
    fill(original.below, predictionBars(result.before, { marks: new Map([[attacked, "attacked"]]) }));
    fill(adversarial.below, result.after && predictionBars(result.after, { marks }));
    told.textContent = sentenceOf(result, wish);
    if (wish.find && result.epsilon !== null) controls.showEpsilon(result.epsilon);
    foot.show(result, `attack-${context.params.method ?? "fgsm"}`);
    explanation.show(result, wish);
  }

  function requestOf({ model, image, method, epsilon, target, find }, params) {
    if (find) return { kind: "smallest", model, image, most: mostEpsilon, target };
    const options = optionsOf(params, method);
    delete options.epsilon;
    return { kind: "attack", model, image, method: method.name, epsilon, options, target };
  }

  return {
    update(params) {
      const { model, image } = context;
      none.hidden = image !== null;
      work.hidden = image === null;
      if (image === null) {
        task.stop();
        explanation.stop();
        return;
      }
      const method = about.attacks.find(({ name }) => name === params.method) ?? about.attacks[0];
      wish = {
        model,
        image,
        method,
        epsilon: epsilonFrom(params.epsilon),
        target: wholeOrNull(params.target),
        find: params.find === "smallest",
      };
      controls.show({ ...wish, modelInfo: context.modelInfo, options: optionsOf(params, method) });
      const of = `${model} ${image}`;
      if (of !== shownOf) {
        shownOf = of;
        told.textContent = "";
        foot.clear();
        change.clear();
        adversarial.clear();
        original.clear();
        original.show(pictureUrl(model, image), "The image before the attack");
        explanation.clear();
      }
      task.ask(requestOf(wish, params));
      explanation.update(params);
    },
    leave() {
      controls.leave();
      task.stop();
      explanation.stop();
    },
  };
}
