#include <CLI/CLI.hpp>

#include "command.hpp"
#include "json.hpp"
#include "setup.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t usual_side = 224;

/// The layers for the input given, or for a grey image where none is.
std::vector<LayerInfo> layers_of(const Setup& setup, const Images& images, bool grey) {
  try {
    return setup.model.layers(images);
  } catch (const Error& error) {
    if (!grey) throw;
    throw Error(std::string(error.what()) + "; give --input with what the model takes", error.fault());
  }
}

void run(const Common& common) {
  if (common.inputs.size() > 1)
    throw Error("layers looks at one --input; " + std::to_string(common.inputs.size()) + " were given");
  const Setup setup(common);
  const bool grey = setup.inputs.empty();
  const std::int64_t crop = setup.preprocess.crop, side = crop > 0 ? crop : usual_side;
  const Images images =
      grey ? torch::full({1, 3, side, side}, 0.5) : setup.inputs.front().images.narrow(0, 0, 1);
  const std::vector<LayerInfo> layers = layers_of(setup, images, grey);

  if (common.json) {
    Json document;
    document["input"] = {{"file", grey ? Json() : Json(common.inputs.front())},
                         {"shape", images.sizes().vec()}};
    document["layers"] = Json::array();
    for (const LayerInfo& layer : layers)
      document["layers"].push_back({{"name", layer.name}, {"kind", layer.kind}, {"shape", layer.shape}});
    print(document);
    return;
  }
  if (layers.empty()) {
    std::cout << "no layer of this model can be seen: its forward calls no submodule\n";
    return;
  }
  std::size_t names = 4, kinds = 4;
  for (const LayerInfo& layer : layers) {
    names = std::max(names, length(layer.name));
    kinds = std::max(kinds, length(layer.kind));
  }
  std::cout << padded("name", names) << "  " << padded("kind", kinds) << "  output\n";
  for (const LayerInfo& layer : layers)
    std::cout << padded(layer.name, names) << "  " << padded(layer.kind, kinds) << "  "
              << shape_text(layer.shape) << '\n';
  std::cout << layers.size() << (layers.size() == 1 ? " layer" : " layers") << ", with the shapes for "
            << (grey ? "a grey image" : setup.inputs.front().shown(0)) << ", "
            << shape_text(images.sizes().vec()) << (grey ? " (--input FILE: for your own)\n" : "\n");
}

const Registered registered("layers", {"names, kinds and output shapes of a model's layers",
                                       "  pellucid layers --model squeezenet.pt --preprocess imagenet\n"
                                       "  pellucid layers --model speech.pt --input spectrogram.npy --json",
                                       [](CLI::App& options) -> std::function<void()> {
                                         const auto common = std::make_shared<Common>();
                                         add_common(options, *common,
                                                    {.labels = false, .input_needed = false});
                                         return [common] { run(*common); };
                                       }});

}  // namespace

}  // namespace pellucid::app
