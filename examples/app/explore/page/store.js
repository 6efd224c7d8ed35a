/** What was asked once and does not change: graphs, images, predictions. */

import { Refusal, ask } from "./api.js";
import { startJob } from "./jobs.js";

const graphs = new Map();
const images = new Map();
const predictions = new Map();

function remembered(cache, key, make) {
  if (!cache.has(key)) {
    const answer = make();
    cache.set(key, answer);
    answer.catch(() => cache.delete(key));
  }
  return cache.get(key);
}

/** After the program came back it may be another one. */
export function forgetAll() {
  for (const cache of [graphs, images, predictions]) cache.clear();
}

export function graphOf(model) {
  return remembered(graphs, model, () => ask(`/api/models/${model}/graph`));
}

export function imageOf(id) {
  return remembered(images, id, () => ask(`/api/images/${encodeURIComponent(id)}`));
}

/** The five likeliest classes; shared by all who ask, and therefore never stopped by one of them. */
export function predictionOf(model, image) {
  const make = () =>
    new Promise((resolve, reject) => {
      const tell = (state) => {
        if (state.phase === "done") resolve(state.result);
        else if (state.phase === "failed") reject(state.error);
        else if (state.phase === "cancelled") reject(new Refusal("The prediction was stopped."));
      };
      startJob({ kind: "predict", model, image }, tell, { urgent: true });
    });
  return remembered(predictions, `${model} ${image}`, make);
}

/** The image as a model sees it. */
export const pictureUrl = (model, image) => `/api/images/${encodeURIComponent(image)}/picture?model=${model}`;
