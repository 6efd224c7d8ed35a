#include <CLI/CLI.hpp>

#include <pellucid/model/predict.hpp>

#include "command.hpp"
#include "give.hpp"
#include "json.hpp"
#include "setup.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t best = 5;

struct Ranking {
  std::string file{}, shown{};
  Tensor image{}, probabilities{};  ///< 1×…, K
  std::vector<Answer> answers{};

  std::string text(const Labels& labels) const {
    std::string lines;
    for (const Answer& answer : answers) {
      const std::string share = percent(answer.probability);
      lines += "  " + std::string(share.size() < 10 ? 10 - share.size() : 0, ' ') + share + "  " +
               labels.text(answer.label) + "\n";
    }
    return lines;
  }
};

std::vector<Ranking> rank(const Setup& setup) {
  std::vector<Ranking> all;
  for (const Input& input : setup.inputs) {
    const Tensor probabilities = probabilities_of(setup, input.images);
    for (std::int64_t row = 0; row < input.count(); ++row) {
      Ranking one{input.named(row), input.shown(row), input.images.narrow(0, row, 1), probabilities[row]};
      const auto [values, labels] = one.probabilities.topk(std::min(best, probabilities.size(1)));
      for (std::int64_t k = 0; k < values.size(0); ++k)
        one.answers.push_back({labels[k].item<std::int64_t>(), values[k].item<double>()});
      all.push_back(std::move(one));
    }
  }
  return all;
}

Json document(const std::vector<Ranking>& all, const Labels& labels) {
  Json images = Json::array();
  for (const Ranking& one : all) {
    Json top = Json::array();
    for (const Answer& answer : one.answers)
      top.push_back({{"class", answer.label},
                     {"name", text_or_null(labels.name(answer.label))},
                     {"probability", answer.probability}});
    images.push_back({{"input", one.file},
                      {"predicted", one.answers.front().label},
                      {"probability", one.answers.front().probability},
                      {"top", top}});
  }
  return {{"images", images}};
}

Picture sheet(const std::vector<Ranking>& all, const Labels& labels) {
  std::vector<Tile> tiles;
  for (const Ranking& one : all) {
    if (!is_photo(one.image))
      throw Error("--out draws photos, and " + one.file + " is an array " +
                  shape_text(one.image.sizes().vec()) + "; leave --out out");
    tiles.push_back({photo(one.image), one.shown + "\n" + one.text(labels)});
  }
  return contact_sheet(tiles, {.label_lines = 2 + int(best), .title = "What the model says"});
}

void run(const Common& common) {
  const Setup setup(common);
  const std::vector<Ranking> all = rank(setup);
  Told told{document(all, setup.labels), {}};
  std::vector<Tensor> rows;
  for (const Ranking& one : all) {
    told.text += one.file + "\n" + one.text(setup.labels);
    rows.push_back(one.probabilities.unsqueeze(0));
  }
  give(common, told, rows, [&] { return sheet(all, setup.labels); });
}

const Registered registered(
    "classify",
    {"the five most probable classes of each image",
     "  pellucid classify --model net.pt --preprocess imagenet --labels classes.txt --input photos/*.jpg\n"
     "  pellucid classify --model net.pt --input batch.npy --json",
     [](CLI::App& options) -> std::function<void()> {
       const auto common = std::make_shared<Common>();
       add_common(
           options, *common,
           {.out = "draw the images with what the model says", .array = "write the probabilities, N×K"});
       return [common] { run(*common); };
     }});

}  // namespace

}  // namespace pellucid::app
