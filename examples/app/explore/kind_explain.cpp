#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/overlay.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "explain_picture.hpp"
#include "explore/kinds.hpp"
#include "explore/refined.hpp"
#include "methods.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t most_samples = 5000, most_steps = 500;

/// What the page tells of a method.
struct Words {
  std::string name{}, title{}, does{};
  std::string link{};  ///< where it was published
};

const std::vector<Words>& words() {
  static const std::vector<Words> all{
      {"smoothgrad", "SmoothGrad",
       "Which pixels the answer reacts to, averaged over noisy copies of the image.",
       "https://arxiv.org/abs/1706.03825"},
      {"gradient", "Gradient",
       "Which pixels the answer reacts to, for the smallest change of each: sharp, and noisy.",
       "https://arxiv.org/abs/1312.6034"},
      {"grad-cam", "Grad-CAM",
       "Which region speaks for the answer, as the network's last layers see it: coarse.",
       "https://arxiv.org/abs/1610.02391"},
      {"integrated-gradients", "Integrated gradients",
       "How the answer's score is shared out among the pixels, on the way from black to the image.",
       "https://arxiv.org/abs/1703.01365"},
      {"occlusion", "Occlusion", "How far the score falls when a square of the image is covered.",
       "https://arxiv.org/abs/1311.2901"},
      {"input-x-gradient", "Input × gradient",
       "The gradient times the pixel: what the pixel as it is adds to the score.",
       "https://arxiv.org/abs/1605.01713"},
      {"smoothgrad-squared", "SmoothGrad squared",
       "The mean of the squared gradients of noisy copies: how strongly the answer reacts, in either "
       "direction.",
       "https://arxiv.org/abs/1806.10758"},
      {"vargrad", "VarGrad", "How much the gradient varies between noisy copies.",
       "https://arxiv.org/abs/1810.03307"},
      {"guided-backprop", "Guided backpropagation",
       "Fine patterns that excite the network; shows edges, and hardly the class.",
       "https://arxiv.org/abs/1412.6806"},
      {"deconvnet", "Deconvnet", "Patterns that reach the answer through the network run backwards.",
       "https://arxiv.org/abs/1311.2901"},
      {"guided-grad-cam", "Guided Grad-CAM", "Fine patterns, within the region that Grad-CAM finds.",
       "https://arxiv.org/abs/1610.02391"},
      {"grad-cam-plus-plus", "Grad-CAM++", "As Grad-CAM, where there are several objects of the class.",
       "https://arxiv.org/abs/1710.11063"},
      {"layer-cam", "LayerCAM", "As Grad-CAM, place by place: finer in early layers.",
       "https://doi.org/10.1109/TIP.2021.3089943"},
      {"score-cam", "Score-CAM",
       "Each channel's map is laid over the image as a mask, and counts by the score that it leaves.",
       "https://arxiv.org/abs/1910.01279"},
      {"layer-activation", "Layer activation", "Where a layer responds, whatever is asked about."},
      {"layer-gradient-x-activation", "Layer gradient × activation",
       "What each place of a layer adds to the score."},
      {"layer-conductance", "Layer conductance",
       "What flows through each place of a layer on the way from black to the image.",
       "https://arxiv.org/abs/1805.12233"},
  };
  return all;
}

const std::string& title_of(const std::string& method) {
  for (const Words& one : words())
    if (one.name == method) return one.title;
  return method;
}

Json integer_option(const std::string& name, std::int64_t least, std::int64_t most, std::int64_t left_out,
                    const std::string& does) {
  return {{"name", name}, {"kind", "integer"},   {"least", least},
          {"most", most}, {"default", left_out}, {"does", does}};
}

Json options_of(const std::string& name) {
  const std::set<std::string>& uses = method_named(name).uses;
  Json options = Json::array();
  if (uses.contains("samples"))
    options.push_back(integer_option("samples", 2, most_samples, 50, "noisy copies of the image"));
  if (uses.contains("noise"))
    options.push_back({{"name", "noise"},
                       {"kind", "number"},
                       {"least", 0},
                       {"most", 1},
                       {"default", 0.15},
                       {"does", "strength of the noise, as a share of the image's range"}});
  if (uses.contains("steps"))
    options.push_back(integer_option("steps", 2, most_steps, 50, "steps from the baseline to the image"));
  if (uses.contains("window"))
    options.push_back(
        integer_option("window", 0, 512, 0, "pixels a side that are covered; 0: an eighth of the image"));
  if (uses.contains("stride"))
    options.push_back(
        integer_option("stride", 0, 512, 0, "pixels from one window to the next; 0: half the window"));
  if (uses.contains("baseline"))
    options.push_back({{"name", "baseline"},
                       {"kind", "choice"},
                       {"choices", {"black", "mean", "blur", "noise"}},
                       {"default", name == "occlusion" ? "mean" : "black"},
                       {"does", "what the image is compared with"}});
  return options;
}

MethodOptions options_from(const Asked& asked, const std::string& name) {
  const Asked given = asked.part("options");
  const std::set<std::string>& uses = method_named(name).uses;
  for (const auto& [option, value] : given.all().items())
    if (!uses.contains(option))
      throw Refused(400, "the method " + name + " has no option '" + option.substr(0, 40) + "'");
  MethodOptions options;
  options.samples = given.integer_or_none("samples", 1, most_samples);
  options.noise = given.number_or_none("noise", 0, 10);
  options.steps = given.integer_or_none("steps", 1, most_steps);
  options.window = given.integer_or_none("window", 0, 4096);
  options.stride = given.integer_or_none("stride", 0, 4096);
  if (options.window == 0) options.window.reset();
  if (options.stride == 0) options.stride.reset();
  if (const std::string baseline = given.text_or("baseline", ""); !baseline.empty()) {
    if (baseline != "black" && baseline != "mean" && baseline != "blur" && baseline != "noise")
      throw Refused(400, "\"baseline\": give black, mean, blur or noise");  // a file's name is for the shell
    options.baseline = baseline;
  }
  return options;
}

/// What is asked, settled: everything that the work needs.
struct Explaining {
  const Explored* model = nullptr;
  Images image{};
  std::string image_name{}, image_path{}, method{};
  MethodOptions options{};
  std::optional<Question> asked{};  ///< none: the class that the model says
};

std::string command_of(const Explaining& one) {
  std::string words =
      one.model->command("explain") + " --input " + shell_word(one.image_path) + " --method " + one.method;
  if (one.asked) words += question_words(*one.asked);
  const bool layer_is_asked = one.asked && !one.asked->layer.empty();
  const Json settings = settings_json(settings_of(one.method, one.options));
  for (const auto& [name, value] : settings.items()) {
    if (name == "upsample") continue;
    if (name == "layer") {
      if (!layer_is_asked) words += " --layer " + shell_word(value.get<std::string>());
      continue;
    }
    words += " --" + name + " " + (value.is_string() ? shell_word(value.get<std::string>()) : value.dump());
  }
  return words + " --out map.png --array map.npy";
}

/// A map as a person sees it: by itself, over the image, and what its colours mean.
void draw(Json& answer, Files& files, const Images& image, const Tensor& map, View view) {
  const Sign sign = view == View::magnitude_and_sign ? Sign::both : main_sign(view);
  answer["signed"] = sign == Sign::both;
  if (map.dim() != 4 || map.size(2) != image.size(2) || map.size(3) != image.size(3)) return;
  files.picture(answer, "map", heat_map(map, {.sign = sign}));
  if (files.on_the_way()) return;
  files.picture(answer, "overlay", overlay(image, map, {.heat = {.sign = sign}}));
  files.picture(answer, "scale", color_bar({.sign = sign}));
  files.picture(answer, "image", to_picture(image));
}

Json answer_to(const Explaining& one, const Question& question, const Tensor& probabilities,
               const Explanation& found, View view, Files& files) {
  Json answer{{"asked", asked_text(question, *one.model)}, {"target", nullptr}, {"probability", nullptr}};
  const Class* const about = std::get_if<Class>(&question.kind());
  if (probabilities.defined()) {
    answer["predicted"] = json_of(
        *one.model, {probabilities.argmax().item<std::int64_t>(), probabilities.max().item<double>()});
    if (about != nullptr) {
      answer["target"] = about->label.of(0);
      answer["probability"] = probabilities[about->label.of(0)].item<double>();
    }
  } else {
    answer["predicted"] = nullptr;
  }
  answer["samples"] = found.samples.empty() ? Json() : Json(found.samples[0]);
  answer["standard_error"] = nullptr;
  if (found.standard_error.defined()) {
    const double share = (found.standard_error.norm() / found.attribution.norm()).item<double>();
    if (std::isfinite(share)) answer["standard_error"] = share;
  }
  answer["notices"] = Json::array();
  for (const auto& [row, notice] : found.notices) answer["notices"].push_back(notice);
  answer["pictures"] = Json::object();  // there are none of what does not lie over the image
  const Tensor map = found.attribution.detach().to(torch::kCPU);
  draw(answer, files, one.image, map, view);
  files.array(answer, "attribution", map);
  answer["command"] = command_of(one);
  answer["image_name"] = one.image_name;
  return answer;
}

/// SmoothGrad in parts, so that there is something to see from the first: as in one go but for the order in
/// which it is summed.
Explanation refined(const Explaining& one, const Question& question, const Tensor& probabilities, Work& work,
                    const std::string& about) {
  constexpr std::int64_t first_part = 8, part = 16;
  const std::int64_t wanted = one.options.samples.value_or(50);
  Refined mean = kept_means().take(about);
  if (mean.samples() > wanted) mean = {};
  const std::int64_t kept = mean.samples();
  const auto begun = std::chrono::steady_clock::now();
  while (mean.samples() < wanted) {
    const std::int64_t before = mean.samples();
    const std::int64_t now = std::min(wanted - before, before == 0 ? first_part : part);
    ProgressLine progress([&](const Progress& inner) {
      const double done = double(before) + inner.fraction * double(now);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
      const double left = took.count() * (double(wanted) - done) / std::max(done - double(kept), 1.0);
      return work({done / double(wanted), left});
    });
    const Attribution<SmoothGrad> method(
        {.samples = now, .noise = one.options.noise.value_or(0.15), .first = before});
    const AnyModel& model = one.model->setup.model;
    mean.add(Explanation(method(model, begin(model, one.image, question, progress))));
    if (mean.samples() < wanted && (before == 0 || work.wants_frame())) {
      Files on_the_way;
      work.frame(answer_to(one, question, probabilities, mean.explanation(), View::magnitude, on_the_way));
    }
    // A pair that was broken up by an odd number cannot be gone on with.
    if (mean.samples() % 2 == 0) kept_means().put(about, mean);
  }
  return mean.explanation();
}

}  // namespace

Json methods_told() {
  Json all = Json::array();
  for (const Words& one : words()) {
    const Method& method = method_named(one.name);
    all.push_back({{"name", one.name},
                   {"title", one.title},
                   {"does", one.does},
                   {"link", text_or_null(one.link)},
                   {"averages", one.name == "smoothgrad"},
                   {"layer", method.layer == LayerIs::mapped      ? "mapped"
                             : method.layer == LayerIs::explained ? "explained"
                                                                  : "none"},
                   {"options", options_of(one.name)}});
  }
  return all;
}

Wish explain_wish(World& world, const Asked& asked) {
  Explaining one{.model = &world.model(asked), .method = asked.text("method")};
  const Method& method = method_named(one.method, "\"method\":");
  const std::string id = asked.text("image");
  one.image = world.seen(asked);
  one.image_name = world.images.listed(id).name;
  one.image_path = world.images.path(id);
  one.options = options_from(asked, one.method);
  one.asked = question_of(asked, *one.model);
  if (method.layer != LayerIs::asked_about && !asked.integer_or_none("channel", 0, 1 << 20)) {
    // A layer without a part of it is the method's own, not what is asked about.
    one.options.layer = asked.text_or("layer", "");
    if (!one.options.layer.empty()) one.model->layer(one.options.layer);
    if (one.asked && std::holds_alternative<Layer>(one.asked->kind())) one.asked.reset();
  }
  if (method.layer == LayerIs::explained && one.options.layer.empty())
    throw Refused(400, title_of(one.method) + " explains the values of a layer: name one with \"layer\"");
  if (!one.asked && one.model->classes == 0)
    throw Refused(400, "this model gives no classes: ask about a channel of a layer");
  Json but_samples = asked.all();
  but_samples["options"] = asked.part("options").all();
  but_samples["options"].erase("samples");
  const std::string about = Asked(std::move(but_samples)).key();
  return {.title = title_of(one.method) + " of " + one.image_name,
          .run = [one, about, view = method.view](Work& work) mutable {
            const AnyModel& model = one.model->setup.model;
            const Tensor probabilities = probabilities_of(*one.model, one.image);
            const Question question =
                (one.asked ? *one.asked : Question(Class{probabilities.argmax().item<std::int64_t>()}))
                    .resolve(model, one.image);
            if (method_named(one.method).layer == LayerIs::mapped && one.options.layer.empty())
              one.options.layer = found_layer(one.method, model, one.image, question);
            Explanation found;
            if (one.method == "smoothgrad") {
              found = refined(one, question, probabilities, work, about);
            } else {
              ProgressLine progress = progress_of(work);
              found = method_named(one.method)
                          .prepare(one.options, model)(model, begin(model, one.image, question, progress));
            }
            Files files(work.key());
            Json answer = answer_to(one, question, probabilities, found, view, files);
            return Found{std::move(answer), std::move(files).all()};
          }};
}

Wish predict_wish(World& world, const Asked& asked) {
  const Explored& model = world.model(asked);
  if (model.classes == 0) throw Refused(400, "the model " + model.name + " gives no classes");
  const std::string path = world.images.path(asked.text("image"));
  return {.title = "answer", .urgent = true, .run = [&model, image = world.seen(asked), path](Work&) {
            Json answer{{"top", top_of(model, probabilities_of(model, image))},
                        {"command", model.command("classify") + " --input " + shell_word(path)}};
            return Found{std::move(answer), {}};
          }};
}

}  // namespace pellucid::app
