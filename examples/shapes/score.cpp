/// Grades every method of attribution on every shipped network, where the answers are known:
///   shapes_score FOLDER [PICTURES [METHOD...]]
/// writes FOLDER/scores.json, and FOLDER/scores.md for people. Where methods are named, only these are
/// graded; what is said of the others stays as FOLDER/scores.json has it.

#include <pellucid/attribution/class_activation.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <optional>
#include <set>

#include "grade.hpp"
#include "json.hpp"
#include "methods.hpp"
#include "networks.hpp"
#include "shipped.hpp"
#include "text_files.hpp"

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

/// Whether a method has no meaning for a network without a ReLU, and says so.
bool needs_a_relu(const std::string& method) {
  return method == "guided-backprop" || method == "deconvnet" || method == "guided-grad-cam";
}

/// Explains the true class of every picture and grades that; nothing where the network has no ReLU and the
/// method needs one.
std::optional<Json> grades_of(const std::string& method, const AnyModel& model,
                              const shapes::Scenes& scenes) {
  app::MethodOptions options;
  if (app::method_named(method).layer == app::LayerIs::explained)
    options.layer = last_spatial_layer(model, scenes.images.narrow(0, 0, 1), Class{0});
  const app::Explain explain = app::method_named(method).prepare(options, model);
  const std::int64_t count = scenes.images.size(0);
  std::int64_t pointed = 0, pointed_on = 0;
  std::vector<double> inside, on_watermark;
  app::ProgressLine progress(method, (count + at_once - 1) / at_once);
  for (std::int64_t from = 0; from < count; from += at_once) {
    const std::int64_t rows = std::min(at_once, count - from);
    const Tensor labels = scenes.labels.narrow(0, from, rows).contiguous();
    const app::Question question(Class{
        std::vector<std::int64_t>(labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + rows)});
    Tensor attribution;
    try {
      attribution =
          explain(model, begin(model, scenes.images.narrow(0, from, rows), question, progress)).attribution;
    } catch (const Error& error) {
      if (error.fault() != Fault::request || !needs_a_relu(method)) throw;
      return {};
    }
    progress.next();
    for (std::int64_t row = 0; row < rows; ++row) {
      const shapes::Grade grade =
          shapes::grade(attribution[row], scenes.masks[from + row], scenes.watermark_masks[from + row]);
      pointed += grade.pointed ? 1 : 0;
      pointed_on += grade.pointed_on ? 1 : 0;
      inside.push_back(grade.inside);
      on_watermark.push_back(grade.on_watermark);
    }
  }
  return Json{{"pointing", to_json(shapes::proportion(pointed, count))},
              {"pointing_on", to_json(shapes::proportion(pointed_on, count))},
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

std::string as_markdown(const Json& scores) {
  std::string text =
      "# How right the methods are\n\nMade by `build/release/bin/shapes_score FOLDER`. Each method explains "
      "the "
      "true "
      "class of " +
      std::to_string(scores["pictures"].get<std::int64_t>()) +
      " pictures that no network was trained on. In percent, with the 95 % confidence interval.\n\n"
      "- *pointing game*: how often the pixel that counts most is on the shape, or at most 15/224 of the "
      "picture's side away from it (4 pixels), which is this game's usual margin. A pixel drawn by lot "
      "gets " +
      percent(scores["near"]) +
      ".\n- *without the margin*: how often it is on the shape itself. A shape is told by its outline, and "
      "the "
      "pixels on both sides of that count alike, so about half is what to expect; a pixel drawn by lot "
      "gets " +
      percent(scores["shape"]) +
      ".\n- *share on the shape*: of Σ |attribution|.\n- *share on the mark*: of Σ |attribution|, in "
      "pictures of "
      "the " +
      shapes::names()[std::size_t(shapes::cheated_shape)] + " with the mark, which covers " +
      percent(scores["mark"]) +
      " of the picture.\n\nOf the layer-... methods the layer is the last that has places, as for ...-cam; "
      "layer-activation "
      "asks about no class.\n\n";
  for (const auto& [network, its] : scores["networks"].items()) {
    text += "## " + network + "\n\nRight on " + percent(its["accuracy"]) +
            " of the pictures. Of the pictures of the " +
            shapes::names()[std::size_t(shapes::cheated_shape)] + " it is right on " +
            percent(its["with_mark"]) + " with the mark and on " + percent(its["without_mark"]) +
            " without; the mark's removal turns the answer in " + percent(its["turned"]) +
            ".\n\n| method | pointing game | without the margin | share on the shape | share on the mark "
            "|\n|---|---|---|---|---|\n";
    for (const auto& [method, grades] : its["methods"].items()) {
      const Json& marked = its["marked"][method];
      text += "| " + method + " | ";
      text += grades.is_null() ? "has no meaning here: no ReLU | | | |\n"
                               : percent(grades["pointing"]) + " | " + percent(grades["pointing_on"]) +
                                     " | " + percent(grades["inside"]) + " | " +
                                     (marked.is_null() ? "" : percent(marked["on_watermark"])) + " |\n";
    }
    text += "\n";
  }
  return text;
}

/// What was said before, of as many pictures; nothing where all methods are graded.
Json said_before(const std::filesystem::path& folder, std::int64_t count,
                 const std::set<std::string>& methods) {
  if (methods.empty()) return Json::object();
  for (const std::string& method : methods) app::method_named(method);  // refuses one that is not there
  std::ifstream file(folder / "scores.json");
  if (!file) throw Error((folder / "scores.json").string() + ": it is not there, to keep other methods from");
  const Json before = Json::parse(file);
  if (before["pictures"] != count)
    throw Error((folder / "scores.json").string() + " is about " + before["pictures"].dump() +
                " pictures; give as many");
  return before["networks"];
}

/// All that is told of one network. `marked` and `unmarked` are the same pictures of the cheated shape;
/// `methods`: those to grade, or none for all, the others as they were `before`.
Json scores_of_network(const std::string& name, const shapes::Scenes& plain, const shapes::Scenes& marked,
                       const shapes::Scenes& unmarked, const std::set<std::string>& methods,
                       const Json& before) {
  const AnyModel model = shapes::load_shipped(name, shapes::preprocess(), {.micro_batch = 32});
  const Tensor with = answers(model, marked.images), without = answers(model, unmarked.images);
  Json its{{"accuracy", share_of(answers(model, plain.images) == plain.labels)},
           {"with_mark", share_of(with == marked.labels)},
           {"without_mark", share_of(without == unmarked.labels)},
           {"turned", share_of(with != without)}};
  for (const std::string& method : app::all_method_names()) {
    if (!methods.empty() && !methods.contains(method)) {
      for (const std::string pictures : {"methods", "marked"})
        its[pictures][method] = before.at(name).at(pictures).at(method);
      continue;
    }
    its["methods"][method] = grades_of(method, model, plain).value_or(Json());
    its["marked"][method] = grades_of(method, model, marked).value_or(Json());
    std::cerr << name + ", " + method + ": " + its["methods"][method].dump() + '\n';
  }
  return its;
}

void score(const std::filesystem::path& folder, std::int64_t count, const std::set<std::string>& methods) {
  const Json before = said_before(folder, count, methods);
  const shapes::Scenes plain = pictures(count, {});
  const shapes::Scenes marked = pictures(
                           count, {.label = shapes::cheated_shape, .watermark_class = shapes::cheated_shape}),
                       unmarked = pictures(count, {.label = shapes::cheated_shape});
  std::vector<double> on, near, marks;
  for (std::int64_t n = 0; n < count; ++n) {
    on.push_back(plain.masks[n].to(torch::kDouble).mean().item<double>());
    near.push_back(shapes::share_near(plain.masks[n]));
    marks.push_back(marked.watermark_masks[n].to(torch::kDouble).mean().item<double>());
  }
  Json scores{{"pictures", count},
              {"shape", to_json(shapes::mean_of(on))},
              {"near", to_json(shapes::mean_of(near))},
              {"mark", to_json(shapes::mean_of(marks))},
              {"networks", Json::object()}};

  // Side by side: the networks are too small for several threads each.
  std::vector<std::future<Json>> running;
  for (const std::string& name : shapes::shipped_names())
    running.push_back(std::async(std::launch::async, [&, name] {
      at::set_num_threads(1);
      return scores_of_network(name, plain, marked, unmarked, methods, before);
    }));
  for (std::size_t i = 0; i < running.size(); ++i)
    scores["networks"][shapes::shipped_names()[i]] = running[i].get();
  app::write_text(folder / "scores.json", scores.dump(1) + "\n");
  app::write_text(folder / "scores.md", as_markdown(scores));
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 2) throw Error("usage: shapes_score FOLDER [PICTURES [METHOD...]]");
    score(arguments[1], count > 2 ? std::atoll(arguments[2]) : 500,
          count > 3 ? std::set<std::string>(arguments + 3, arguments + count) : std::set<std::string>());
  } catch (const std::exception& error) {
    std::cerr << "shapes_score: " << error.what() << '\n';
    return 1;
  }
}
