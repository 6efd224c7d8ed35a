#include <pellucid/activation/receptive_field.hpp>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "field_text.hpp"
#include "json.hpp"
#include "progress_line.hpp"
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

/// What each layer sees; nothing is told of inputs that are no images.
std::vector<ReceptiveField> fields_of(const Setup& setup, const Images& images,
                                      const std::vector<LayerInfo>& layers) {
  if (images.dim() != 4) return std::vector<ReceptiveField>(layers.size());
  std::vector<std::string> names;
  for (const LayerInfo& layer : layers) names.push_back(layer.name);
  ProgressLine progress("receptive fields", 1);
  return receptive_fields(setup.model, images, names, progress);
}

void run(const Common& common, bool with_fields) {
  const Setup setup(common);
  if (setup.images() > 1)
    throw Error("layers looks at one image; --input " + joined(common.inputs, " ") + " has " +
                std::to_string(setup.images()) + "; give one");
  const bool grey = setup.inputs.empty();
  const std::int64_t crop = setup.preprocess.crop, side = crop > 0 ? crop : usual_side;
  const Images images =
      grey ? torch::full({1, 3, side, side}, 0.5) : setup.inputs.front().images.narrow(0, 0, 1);
  const std::vector<LayerInfo> layers = layers_of(setup, images, grey);

  const std::vector<ReceptiveField> fields =
      with_fields ? fields_of(setup, images, layers) : std::vector<ReceptiveField>(layers.size());

  if (common.json) {
    Json document;
    document["input"] = {{"file", grey ? Json() : Json(setup.inputs.front().file)},
                         {"shape", images.sizes().vec()}};
    document["layers"] = Json::array();
    for (std::size_t i = 0; i < layers.size(); ++i)
      document["layers"].push_back({{"name", layers[i].name},
                                    {"kind", layers[i].kind},
                                    {"shape", layers[i].shape},
                                    {"parameters", layers[i].parameters},
                                    {"receptive_field", field_json(fields[i])}});
    print(document);
    return;
  }
  if (layers.empty()) {
    std::cout << "no layer of this model can be seen: its forward calls no submodule\n";
    return;
  }
  Table table({"name", "kind", "output", "parameters", "sees"});
  for (std::size_t i = 0; i < layers.size(); ++i)
    table.add({layers[i].name, layers[i].kind, shape_text(layers[i].shape),
               layers[i].parameters > 0 ? std::to_string(layers[i].parameters) : "", field_text(fields[i])});
  std::cout
      << table.text() << layers.size() << (layers.size() == 1 ? " layer" : " layers")
      << ", with the shapes for " << (grey ? "a grey image" : setup.inputs.front().shown(0)) << ", "
      << shape_text(images.sizes().vec()) << (grey ? " (--input FILE: for your own)\n" : "\n")
      << (with_fields
              ? "sees: the receptive field, rows×columns of pixels that a place of the layer depends on, "
                "and the step from one place to the next (all: every place sees the whole image; ?: "
                "not the same for all places, or more than an image of this size can tell)\n"
              : "");
}

const Registered registered(
    "layers", {"names, kinds, output shapes, parameters and receptive fields of a model's layers",
               "  pellucid layers --model squeezenet.pt --preprocess imagenet\n"
               "  pellucid layers --model speech.pt --input spectrogram.npy --json",
               [](CLI::App& options) -> std::function<void()> {
                 const auto common = std::make_shared<Common>();
                 add_common(options, *common, {.labels = false, .input_needed = false});
                 const auto no_fields = std::make_shared<bool>(false);
                 options.add_flag("--no-receptive-fields", *no_fields,
                                  "leave them out: finding them takes some thirty forward passes");
                 return [common, no_fields] { run(*common, !*no_fields); };
               }});

}  // namespace

}  // namespace pellucid::app
