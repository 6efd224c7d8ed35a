#include <pellucid/objective/representation.hpp>
#include <pellucid/optimizer/optimizer.hpp>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "give.hpp"
#include "inverting.hpp"
#include "json.hpp"
#include "progress_line.hpp"
#include "setup.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// The options of `invert`, as they were given.
struct Wish {
  Common common{};
  std::vector<std::string> layers{};
  std::vector<double> lambdas{};
  bool cosine = false;
  double faster = 1;
  std::uint64_t seed = 0;
};

/// An image rebuilt from one layer.
struct Rebuilt {
  std::string file{}, layer{};
  double lambda = 1;  ///< times the published weight of the total variation
  Tensor image{};     ///< 1×C×H×W
  double alpha_weight = 0, variation_weight = 0;
  std::vector<double> errors{};  ///< the distance before the first phase, … after the last
};

std::vector<Rebuilt> invert_all(const Wish& wish, const Setup& setup) {
  ProgressLine progress("inverting",
                        std::int64_t(setup.inputs.size() * wish.layers.size() * wish.lambdas.size()));
  std::vector<Rebuilt> all;
  for (const Input& input : setup.inputs)
    for (const double lambda : wish.lambdas)
      for (const std::string& layer : wish.layers) {
        const Published weights = published_for(setup.model, layer, input.images, lambda);
        const Inversion inversion = scheduled(wish.faster, wish.seed, *std::get<1>(weights.parts()).weight);
        const Optimizer<Inversion, Published> invert(inversion, weights);
        const auto rebuild = [&](const auto& objective) -> Synthesis {
          return invert(setup.model, objective, progress);
        };
        const Synthesis found = wish.cosine ? rebuild(Representation{layer, input.images, CosineDistance()})
                                            : rebuild(Representation{layer, input.images});
        progress.next();
        for (std::int64_t row = 0; row < input.count(); ++row) {
          Rebuilt rebuilt{.file = input.named(row),
                          .layer = layer,
                          .lambda = lambda,
                          .image = found.synthesized.narrow(0, row, 1),
                          .alpha_weight = *std::get<0>(weights.parts()).weight,
                          .variation_weight = *std::get<1>(weights.parts()).weight};
          const auto error_after = [&](std::int64_t steps) {
            rebuilt.errors.push_back(
                -found.values[row][std::min(steps, found.values.size(1) - 1)].item<double>());
          };
          std::int64_t steps = 0;
          error_after(0);
          for (const auto& phase : inversion.learning_rate.phases) error_after(steps += phase.steps);
          all.push_back(std::move(rebuilt));
        }
      }
  return all;
}

/// A row for each input and weight: the image, and what each layer still knows of it.
Picture sheet(const Wish& wish, const Setup& setup, const std::vector<Rebuilt>& all) {
  std::vector<Tile> tiles;
  for (const Input& input : setup.inputs)
    for (std::int64_t row = 0; row < input.count(); ++row)
      for (const double lambda : wish.lambdas) {
        const Tensor original = input.images.narrow(0, row, 1);
        tiles.push_back(
            {photo(original),
             input.shown(row) + (wish.lambdas.size() > 1 ? "\nsmoothness × " + number(lambda) : "")});
        for (const Rebuilt& one : all)
          if (one.file == input.named(row) && one.lambda == lambda)
            tiles.push_back({photo(one.image), one.layer + "\nerror " + number(one.errors.back())});
      }
  return contact_sheet(tiles, {.columns = int(wish.layers.size()) + 1,
                               .label_lines = 3,
                               .title = "What each layer still knows of the image",
                               .footer = text("Each picture is made from noise until the layer gives nearly "
                                              "what it gives for the image on the left. What it "
                                              "lacks, the layer has forgotten. error: the squared distance "
                                              "of the two responses, as a share of the "
                                              "image's own.")});
}

Json document(const Wish& wish, const std::vector<Rebuilt>& all) {
  Json document;
  document["images"] = Json::array();
  for (const Rebuilt& one : all)
    document["images"].push_back({{"input", one.file},
                                  {"layer", one.layer},
                                  {"weights_times", one.lambda},
                                  {"alpha_norm_weight", one.alpha_weight},
                                  {"total_variation_weight", one.variation_weight},
                                  {"errors", one.errors}});
  document["distance"] = wish.cosine ? "cosine" : "squared error";
  return document;
}

std::string as_text(const std::vector<Rebuilt>& all) {
  Table table({"input", "layer", "weights", "error before", "after each phase"});
  for (const Rebuilt& one : all) {
    std::vector<std::string> phases;
    for (std::size_t i = 1; i < one.errors.size(); ++i) phases.push_back(number(one.errors[i]));
    table.add({one.file, one.layer, number(one.alpha_weight) + ", " + number(one.variation_weight),
               number(one.errors[0]), joined(phases, " → ")});
  }
  return table.text();
}

void run(Wish wish) {
  if (wish.lambdas.empty()) wish.lambdas = {1};
  for (const double lambda : wish.lambdas)
    if (!(lambda >= 0)) throw Error("--lambda " + number(lambda) + ": give a factor of 0 or more");
  if (!(wish.faster >= 1)) throw Error("--faster " + number(wish.faster) + ": give 1 or more");
  const Setup setup(wish.common);
  for (const Input& input : setup.inputs)
    if (!is_photo(input.images.narrow(0, 0, 1)) && !wish.common.out.empty())
      throw Error("--out draws images of three channels, and " + input.file + " has the shape " +
                  shape_text(input.images.sizes().vec()) + "; give --array instead");
  if (!wish.common.array.empty()) setup.check_one_size();
  const std::vector<Rebuilt> all = invert_all(wish, setup);
  std::vector<Tensor> images;
  for (const Rebuilt& one : all) images.push_back(one.image);
  give(wish.common, {document(wish, all), as_text(all)}, images, [&] { return sheet(wish, setup, all); });
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<Wish>();
  options.add_option("--layer", wish->layers, "layers; one picture is made from each")
      ->delimiter(',')
      ->type_name("NAME[,NAME]")
      ->required();
  const std::string how = "How the picture is made";
  options
      .add_option(
          "--lambda", wish->lambdas,
          "times the published weight of the total variation (1): more is smoother; several: a row for each")
      ->delimiter(',')
      ->type_name("F[,F]")
      ->group(how);
  options.add_flag("--cosine", wish->cosine, "compare by one minus the cosine, not by the squared error")
      ->group(how);
  options.add_option("--faster", wish->faster, "that many times fewer steps than the published 400 (1)")
      ->type_name("F")
      ->group(how);
  options.add_option("--seed", wish->seed, "of the noise that it begins with (0)")
      ->type_name("S")
      ->group(how);
  add_common(options, wish->common,
             {.labels = false,
              .out = "draw the image and what was made from each layer",
              .array = "write the images, float32 in [0, 1]"});
  return [wish] { run(*wish); };
}

const Registered registered(
    "invert",
    {"what a layer still knows of an image: one that it cannot tell from it",
     "  pellucid invert --model shapes-vgg --input heart.png --layer features.3,features.10 --out known.png\n"
     "  pellucid invert --model net.pt --preprocess imagenet --input dog.jpg --layer features.3,features.12 "
     "\\\n"
     "      --lambda 0.1,1,10 --out known.png --json",
     set_up});

}  // namespace

}  // namespace pellucid::app
