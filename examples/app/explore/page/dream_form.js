/** What a class, or a channel of a layer, looks for. */

import { createClassField } from "./class_field.js";
import { fill, h } from "./dom.js";
import { createDreamView, firstPreset } from "./dream_view.js";
import { fillLayers, layerNamed, layerOr } from "./layer_choice.js";
import { createSwitch, emptyNote, failureNote, field, options } from "./parts.js";
import { graphOf } from "./store.js";

const lesson =
  "Choose a class or a channel, then press “Make the picture”. You can watch it grow out of noise; with the preset " +
  "natural the form that the network looks for shows best. Noise that the network is sure of, as plain gives it, is " +
  "worth a look, too.";

const whole = (text, otherwise) => (/^\d+$/.test(text ?? "") ? Number(text) : otherwise);

export function createDreamForm(context) {
  const { about } = context;
  // While something is being chosen the picture that is there stays; the button asks for a new one.
  const set = (changes) => context.go({ ...changes, run: null }, { replace: true });
  const numberField = (name, properties) => {
    const input = h("input", { type: "number", step: 1, ...properties });
    input.addEventListener("change", () => input.checkValidity() && set({ [name]: input.value }));
    return input;
  };

  const kinds = createSwitch("Looked for by", [["class", "a class"], ["channel", "a channel of a layer"]], (of) => set({ of }));
  const target = createClassField({ label: "Class", none: "class 0", chosen: (label) => set({ target: label }) });
  const layer = h("select", { on: { change: () => set({ layer: layer.value, channel: null }) } });
  const channel = numberField("channel", { min: 0, value: 0 });
  const presets = options(about.presets.map(({ name }) => [name, name]));
  const preset = h("select", { on: { change: () => set({ preset: preset.value }) } }, presets);
  const does = h("p", { class: "soft does" });
  const steps = numberField("steps", { min: 1, max: 4000, placeholder: "its own" });
  const octaves = numberField("octaves", { min: 1, max: 8, value: 1 });
  const seed = numberField("seed", { min: 0, value: 0 });
  const submit = h("button", { type: "submit", class: "main" }, "Make the picture");

  const classPart = h("div", {}, target.element);
  const channelPart = h("div", { class: "toolbar" }, field("Layer", layer), field("Channel", channel));
  const wrong = h("div", {});
  const form = h(
    "form",
    { class: "controls" },
    kinds.element,
    classPart,
    channelPart,
    wrong,
    h(
      "div",
      { class: "toolbar" },
      field("Preset", preset, { hint: "What keeps the picture natural" }),
      field("Steps", steps, { hint: "More take longer, and the picture gets clearer" }),
      field("Octaves", octaves, { hint: "Sizes, from small to large; more give coarse forms first" }),
      field("Seed", seed, { hint: "Another seed begins with other noise" }),
      submit,
    ),
    does,
  );
  let again = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again = true;
    context.go({ run: "1" });
  });
  const view = createDreamView("the picture");
  const note = emptyNote(h("p", {}, lesson));
  const element = h("div", {}, form, note, view.element);
  let shownModel = null;
  let turns = 0;

  const isChannel = (params) => params.of === "channel";

  function requestOf(params) {
    const ofChannel = isChannel(params);
    return {
      kind: "dream",
      model: context.model,
      preset: preset.value,
      target: ofChannel ? null : whole(params.target, 0),
      layer: ofChannel ? layer.value : null,
      channel: ofChannel ? whole(params.channel, 0) : null,
      place: null,
      steps: whole(params.steps, null),
      seed: whole(params.seed, 0),
      octaves: whole(params.octaves, 1),
    };
  }

  function showControls(params) {
    kinds.show(isChannel(params) ? "channel" : "class");
    classPart.hidden = isChannel(params);
    channelPart.hidden = !isChannel(params);
    target.show(context.modelInfo, whole(params.target, 0));
    preset.value = about.presets.some(({ name }) => name === params.preset) ? params.preset : firstPreset(about);
    does.textContent = about.presets.find(({ name }) => name === preset.value)?.does ?? "";
    steps.value = params.steps ?? "";
    octaves.value = whole(params.octaves, 1);
    seed.value = whole(params.seed, 0);
    channel.value = whole(params.channel, 0);
  }

  async function showLayers(params, turn) {
    const graph = await graphOf(context.model);
    if (turn !== turns) return;
    const chosen = layerOr(params.layer, context.modelInfo, graph);
    fillLayers(layer, graph, chosen);
    channel.max = (layerNamed(graph, chosen)?.shape[1] ?? 1) - 1;
  }

  async function update(params) {
    const turn = ++turns;
    if (shownModel !== context.model) {
      shownModel = context.model;
      view.stop();
      note.hidden = false;
    }
    showControls(params);
    wrong.replaceChildren();
    try {
      if (isChannel(params)) await showLayers(params, turn);
    } catch (error) {
      if (turn === turns) fill(wrong, failureNote(error, () => update(context.params)));
      return;
    }
    if (turn !== turns || params.run !== "1") return;
    note.hidden = true;
    view.ask(requestOf(params), { again });
    again = false;
  }

  return {
    element,
    update,
    leave() {
      ++turns;
      shownModel = null;
      view.stop();
    },
  };
}
