#include "explore/world.hpp"

#include <pellucid/model/predict.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <random>
#include <string_view>

#include "finding.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// Of an image as a model without a crop sees it; a layer may hold a hundred times as much.
constexpr std::int64_t most_pixels = 2'000'000;

std::string other_each_time() {
  std::random_device random;
  return formatted("%08x", static_cast<unsigned>(random()));
}

/// squeezenet1_0 of models/squeezenet1_0.pth
std::string short_name(const std::string& model) {
  const std::size_t colon = model.find(':');
  if (colon != std::string::npos && colon > 1) return model.substr(0, colon);
  return std::filesystem::path(model).stem().string();
}

}  // namespace

Explored::Explored(const Common& given, const Images& image)
    : common(given), setup(given), name(short_name(given.model)) {
  const Images first = setup.model.fit(image);
  input = first.sizes().vec();
  layers = setup.model.layers(first);
  edges = layer_edges(setup.model, first, layers);
  const torch::NoGradGuard no_grad;
  if (const Tensor scores = setup.model(first); scores.dim() == 2) {
    classes = scores.size(1);
    setup.labels.check(classes);
  }
}

const LayerInfo& Explored::layer(const std::string& wanted) const {
  for (const LayerInfo& one : layers)
    if (one.name == wanted) return one;
  throw Refused(404, "the model " + name + " has no layer '" + wanted.substr(0, 80) + "'");
}

std::string Explored::command(const std::string& which) const {
  std::string words = "pellucid " + which + " --model " + shell_word(common.model);
  if (!common.preprocess.empty()) words += " --preprocess " + shell_word(common.preprocess);
  if (!common.labels.empty()) words += " --labels " + shell_word(common.labels);
  return words;
}

World::World(const std::vector<Common>& given, const std::filesystem::path& folder,
             std::filesystem::path its_indexes)
    : images(folder), indexes(std::move(its_indexes)), run(other_each_time()) {
  const Images first = images.first();
  for (const Common& common : given) models.emplace_back(common, first);
}

Explored& World::model(const std::string& number) {
  std::size_t which = 0;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), which);
  if (number.empty() || code != std::errc{} || end != number.data() + number.size() || which >= models.size())
    throw Refused(404, "there is no model '" + number.substr(0, 20) + "'; they are numbered from 0 to " +
                           std::to_string(models.size() - 1));
  return models[which];
}

Explored& World::model(const Asked& asked) {
  return models[std::size_t(asked.integer("model", 0, std::int64_t(models.size()) - 1))];
}

const Explored& World::model(const Asked& asked) const {
  return models[std::size_t(asked.integer("model", 0, std::int64_t(models.size()) - 1))];
}

Images World::seen(const Explored& model, const std::string& id) const {
  const torch::NoGradGuard no_grad;
  const Images image = model.setup.model.fit(images.read(id)).contiguous();
  if (image.size(2) * image.size(3) > most_pixels)
    throw Refused(
        400, "the image has " + std::to_string(image.size(2)) + "×" + std::to_string(image.size(3)) +
                 " pixels (height × width) as " + model.name + " sees it; up to " +
                 std::to_string(most_pixels / 1'000'000) +
                 " megapixels are possible: give a smaller one, or start with a --preprocess that crops");
  return image;
}

Images World::seen(const Asked& asked) const {
  return seen(model(asked), asked.text("image"));
}

Json json_of(const Explored& model, const Answer& answer) {
  return {{"label", answer.label},
          {"name", text_or_null(model.setup.labels.name(answer.label))},
          {"probability", answer.probability}};
}

Json top_of(const Explored& model, const Tensor& probabilities) {
  Json top = Json::array();
  const auto [values, labels] = probabilities.topk(std::min<std::int64_t>(5, probabilities.size(0)));
  for (std::int64_t i = 0; i < values.size(0); ++i)
    top.push_back(json_of(model, {labels[i].item<std::int64_t>(), values[i].item<double>()}));
  return top;
}

Tensor probabilities_of(const Explored& model, const Images& image) {
  if (model.classes == 0) return {};
  const torch::NoGradGuard no_grad;
  return pellucid::probabilities_of(model.setup.model, image)[0];
}

std::optional<Question> question_of(const Asked& asked, const Explored& model) {
  if (const auto target = asked.integer_or_none("target", 0, std::max<std::int64_t>(0, model.classes - 1)))
    return Question(Class{*target});
  const std::string layer = asked.text_or("layer", "");
  const auto channel = asked.integer_or_none("channel", 0, 1 << 20);
  const auto place = asked.place("place");
  if (layer.empty()) return std::nullopt;
  model.layer(layer);  // refuses one that is not there
  if (!channel) return Question(Layer{layer});
  if (place) return Question(Neuron{layer, *channel, place->first, place->second});
  return Question(Channel{layer, *channel});
}

std::string asked_text(const Question& question, const Explored& model) {
  if (const auto* const one = std::get_if<LogOdds>(&question.kind()))
    return model.setup.labels.text(one->label.of(0));
  Finding found;
  found.question = question;
  return asked_text(found, model.setup.labels);
}

std::string question_words(const Question& question) {
  const auto number = [](const PerImage& numbers) { return std::to_string(numbers.of(0)); };
  if (const auto* const one = std::get_if<Class>(&question.kind())) return " --target " + number(one->label);
  if (const auto* const one = std::get_if<LogOdds>(&question.kind()))
    return " --target " + number(one->label);
  const std::string layer = " --layer " + shell_word(question.layer);
  if (const auto* const one = std::get_if<Channel>(&question.kind()))
    return layer + " --channel " + number(one->channel);
  if (const auto* const one = std::get_if<Neuron>(&question.kind()))
    return layer + " --neuron " + number(one->channel) +
           (one->y.empty() ? "" : "," + number(one->y) + "," + number(one->x));
  return layer;
}

std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-./:,=+@%").find(char(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace pellucid::app
