/// Grades every method of attribution on every shipped network, where the answers are known:
///   shapes_score FOLDER [PICTURES]
/// writes FOLDER/scores.json, and FOLDER/scores.md for people.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

#include <pellucid/core/files.hpp>

#include "grade.hpp"
#include "json.hpp"
#include "methods.hpp"
#include "networks.hpp"
#include "shipped.hpp"

namespace {

using namespace pellucid;
using app::Json;
using shapes::Estimate;

constexpr std::int64_t at_once = 50;  // pictures

/// The pictures that a network is graded on, which it was not trained on.
shapes::Scenes pictures(std::int64_t count, const shapes::SceneOptions& options) {
  constexpr std::uint64_t first = 10'000'000;
  return shapes::scenes(shapes::held_out, first, count, options);
}

Json to_json(const Estimate& estimate) {
  return {estimate.mean, estimate.low, estimate.high};
}

/// Explains the true class of every picture and grades that; nothing where the method has no meaning for the
/// network.
std::optional<Json> grades_of(const std::string& method, const AnyModel& model,
                              const shapes::Scenes& scenes) {
  const app::Explain explain = app::method_named(method).prepare({}, model);
  const std::int64_t count = scenes.images.size(0);
  std::int64_t pointed = 0;
  std::vector<double> inside, on_watermark;
  app::ProgressLine progress(method, (count + at_once - 1) / at_once);
  for (std::int64_t from = 0; from < count; from += at_once) {
    const std::int64_t rows = std::min(at_once, count - from);
    const Tensor labels = scenes.labels.narrow(0, from, rows).contiguous();
    const app::Question question(Class{
        std::vector<std::int64_t>(labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + rows)});
    Tensor attribution;
    try {
      attribution = explain(model, scenes.images.narrow(0, from, rows), question, progress).attribution;
    } catch (const Error& error) {
      if (error.fault() != Fault::request) throw;
      return {};  // GuidedBackprop on a network without a ReLU
    }
    progress.next();
    for (std::int64_t row = 0; row < rows; ++row) {
      const shapes::Grade grade =
          shapes::grade(attribution[row], scenes.masks[from + row], scenes.watermark_masks[from + row]);
      pointed += grade.pointed ? 1 : 0;
      inside.push_back(grade.inside);
      on_watermark.push_back(grade.on_watermark);
    }
  }
  return Json{{"pointing", to_json(shapes::proportion(pointed, count))},
              {"inside", to_json(shapes::mean_of(inside))},
              {"on_watermark", to_json(shapes::mean_of(on_watermark))}};
}

Tensor answers(const AnyModel& model, const Images& images) {
  return scores_of(model, images).argmax(1).cpu();
}

Json share_of(const Tensor& which) {
  return to_json(shapes::proportion(which.sum().item<std::int64_t>(), which.numel()));
}

std::string percent(const Json& estimate) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f (%.1f–%.1f)", 100 * estimate[0].get<double>(),
                100 * estimate[1].get<double>(), 100 * estimate[2].get<double>());
  return text;
}

void write(const std::filesystem::path& file, const std::string& text) {
  AtomicFile whole(file);
  whole.write(text.data(), text.size());
  whole.commit();
}

std::string as_markdown(const Json& scores) {
  std::string text =
      "# How right the methods are\n\nMade by `build/release/bin/shapes_score`. Each method explains the "
      "true "
      "class of " +
      std::to_string(scores["pictures"].get<std::int64_t>()) +
      " pictures that no network was trained on. In percent, with the 95 % confidence interval.\n\n"
      "- *pointing game*: how often the pixel that counts most belongs to the shape (without a margin).\n"
      "- *on the shape*: the share of Σ |attribution| there; a method that knows nothing gets the shape's "
      "share "
      "of the picture, " +
      percent(scores["shape"]) +
      ".\n- *on the mark*: the share of Σ |attribution| on the watermark, in pictures of the " +
      shapes::names()[std::size_t(shapes::cheated_shape)] + " with the mark, which is " +
      percent(scores["mark"]) + " of the picture.\n\n";
  for (const auto& [network, its] : scores["networks"].items()) {
    text += "## " + network + "\n\nRight on " + percent(its["accuracy"]) +
            " of the pictures. Of the pictures of the " +
            shapes::names()[std::size_t(shapes::cheated_shape)] + " it is right on " +
            percent(its["with_mark"]) + " with the mark and on " + percent(its["without_mark"]) +
            " without; the mark's removal turns the answer in " + percent(its["turned"]) +
            ".\n\n| method | pointing game | on the shape | on the mark |\n|---|---|---|---|\n";
    for (const auto& [method, grades] : its["methods"].items()) {
      text += "| " + method + " | ";
      text += grades.is_null() ? "has no meaning here: no ReLU | | |\n"
                               : percent(grades["pointing"]) + " | " + percent(grades["inside"]) + " | " +
                                     percent(its["marked"][method]["on_watermark"]) + " |\n";
    }
    text += "\n";
  }
  return text;
}

void score(const std::filesystem::path& folder, std::int64_t count) {
  const shapes::Scenes plain = pictures(count, {});
  const shapes::SceneOptions marked_options{.label = shapes::cheated_shape,
                                            .watermark_class = shapes::cheated_shape};
  const shapes::Scenes marked = pictures(count, marked_options),
                       unmarked = pictures(count, {.label = shapes::cheated_shape});
  Json scores{{"pictures", count},
              {"shape", to_json(shapes::mean_of({plain.masks.to(torch::kDouble).mean().item<double>()}))},
              {"networks", Json::object()}};
  std::vector<double> shares, marks;
  for (std::int64_t n = 0; n < count; ++n) {
    shares.push_back(plain.masks[n].to(torch::kDouble).mean().item<double>());
    marks.push_back(marked.watermark_masks[n].to(torch::kDouble).mean().item<double>());
  }
  scores["shape"] = to_json(shapes::mean_of(shares));
  scores["mark"] = to_json(shapes::mean_of(marks));

  for (const std::string& name : shapes::shipped_names()) {
    const AnyModel model = shapes::load_shipped(name, shapes::preprocess(), {.micro_batch = 32});
    const Tensor with = answers(model, marked.images), without = answers(model, unmarked.images);
    Json its{{"accuracy", share_of(answers(model, plain.images) == plain.labels)},
             {"with_mark", share_of(with == marked.labels)},
             {"without_mark", share_of(without == unmarked.labels)},
             {"turned", share_of(with != without)}};
    for (const std::string& method : app::all_method_names()) {
      std::cerr << name << ", " << method << '\n';
      its["methods"][method] = grades_of(method, model, plain).value_or(Json());
      its["marked"][method] = grades_of(method, model, marked).value_or(Json());
    }
    scores["networks"][name] = its;
  }
  write(folder / "scores.json", scores.dump(1) + "\n");
  write(folder / "scores.md", as_markdown(scores));
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 2) throw Error("usage: shapes_score FOLDER [PICTURES]");
    at::set_num_threads(2);
    score(arguments[1], count > 2 ? std::atoll(arguments[2]) : 500);
  } catch (const std::exception& error) {
    std::cerr << "shapes_score: " << error.what() << '\n';
    return 1;
  }
}
