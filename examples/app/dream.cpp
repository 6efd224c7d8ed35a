#include <pellucid/image/write.hpp>
#include <pellucid/optimizer/diagnosis.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>

#include "command.hpp"
#include "finding.hpp"
#include "give.hpp"
#include "json.hpp"
#include "recipes.hpp"
#include "setup.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// The options of `dream`, as they were given.
struct Wish {
  Common common{};
  std::vector<std::int64_t> targets{};
  std::optional<std::string> objective{};  ///< of a class: score or log-odds
  std::string layer{};
  std::vector<std::int64_t> channels{};
  std::vector<std::int64_t> neuron{};  ///< C, or C, Y, X
  std::string preset{};
  bool compare = false;
  std::optional<std::int64_t> every{};
  DreamOptions options{};
};

void check(const Wish& wish) {
  if (wish.targets.empty() && wish.layer.empty())
    throw Error(
        "nothing to look for was given; give --target K (a class), or --layer NAME with --channel C or "
        "--neuron C");
  if (!wish.targets.empty() && !wish.layer.empty())
    throw Error("--target asks for a class and --layer for a layer; give one of them");
  if (wish.objective && wish.targets.empty())
    throw Error("--objective is how a class is asked for; name one with --target, or leave it out");
  if (wish.objective && *wish.objective != "score" && *wish.objective != "log-odds")
    throw Error("--objective " + *wish.objective + ": give score or log-odds");
  check_part(wish.layer, !wish.channels.empty(), wish.neuron);
  if (wish.compare && (wish.options.regularized() || !wish.preset.empty()))
    throw Error(
        "--compare makes all the presets as they are; leave --preset and the regularizers' strengths out");
  if (!wish.preset.empty() && wish.options.regularized())
    throw Error(
        "--preset has regularizers of its own; leave it out, or --decay, --blur-width, --blur-every, "
        "--clip-norm and --clip-contribution");
  if (wish.options.size < 0) throw Error("--size " + std::to_string(wish.options.size) + ": give pixels");
  if (wish.every && *wish.every < 1)
    throw Error("--every " + std::to_string(*wish.every) + ": give 1 or more steps");
  if (wish.every && wish.common.out.empty())
    throw Error("--every writes its frames beside --out; give --out FILE.png");
  if (wish.every && wish.compare) throw Error("--every makes the film of one preset; leave --compare out");
}

Question question(const Wish& wish) {
  if (!wish.targets.empty() && wish.objective == "score") return Question(Class{wish.targets});
  if (!wish.targets.empty()) return Question(LogOdds{wish.targets});
  return about_layer(wish.layer, wish.channels, wish.neuron);
}

/// What an image was made for: "heart (3)", "features.3, channel 4"
std::string asked(const Wish& wish, const Labels& labels, std::int64_t row) {
  if (!wish.targets.empty()) return labels.text(wish.targets[std::size_t(row)]);
  if (!wish.channels.empty())
    return wish.layer + ", channel " + std::to_string(wish.channels[std::size_t(row)]);
  std::string text = wish.layer;
  if (!wish.neuron.empty()) text += ", neuron " + std::to_string(wish.neuron[0]);
  if (wish.neuron.size() == 3)
    text += " at row " + std::to_string(wish.neuron[1]) + ", column " + std::to_string(wish.neuron[2]);
  return text;
}

/// One image that was made, and what is to be said of it.
struct Dream {
  std::string recipe{}, asked{};
  std::optional<Question> question{};
  Tensor image{};  ///< 1×C×H×W
  double before = 0, value = 0;
  std::optional<Answer> said{};
  std::optional<double> probability{};  ///< of the class that was asked for
  Diagnosis diagnosis{};
  std::vector<std::string> notices{};
};

constexpr const char* did_not_move =
    "the objective did not move in 50 steps: nothing of its gradient reaches the image (a ReLU that is off), "
    "or the steps are too small for this network; try another --seed, --input, a larger --learning-rate, or "
    "the preset natural";

/// The scores N×K as probabilities, where the model gives such for images of this size.
Tensor probabilities_of_dreams(const Setup& setup, const Images& images) {
  Tensor probabilities;
  try {
    probabilities = pellucid::probabilities_of(setup.model, images);
  } catch (const Error&) {
    return {};  // a network without scores, or not for this size: the picture can be made all the same
  }
  setup.labels.check(probabilities.size(1));
  return probabilities;
}

std::vector<Dream> dreams_of(const Wish& wish, const Setup& setup, const Recipe& recipe, const Film& film,
                             ProgressLine& progress) {
  const Question asks = question(wish);
  const Synthesis found = recipe.run(setup.model, asks, wish.options, film, progress);
  progress.next();
  const Tensor probabilities = probabilities_of_dreams(setup, found.synthesized);
  const std::vector<Diagnosis> diagnoses = diagnose(found.synthesized);
  std::vector<Dream> dreams;
  for (std::int64_t row = 0; row < found.synthesized.size(0); ++row) {
    Dream dream{.recipe = recipe.name,
                .asked = asked(wish, setup.labels, row),
                .question = asks.select({row}),
                .image = found.synthesized.narrow(0, row, 1),
                .before = found.values[row][0].item<double>(),
                .value = found.values[row][-1].item<double>(),
                .diagnosis = diagnoses[std::size_t(row)]};
    if (probabilities.defined()) {
      dream.said = answer(probabilities, row);
      if (!wish.targets.empty())
        dream.probability = probabilities[row][wish.targets[std::size_t(row)]].item<double>();
    }
    for (const std::int64_t unmoved : found.unmoved)
      if (unmoved == row) dream.notices.emplace_back(did_not_move);
    dreams.push_back(std::move(dream));
  }
  return dreams;
}

/// "decay: 12.3, 98.0 % sure" and the three figures
std::string label(const Dream& dream, bool compared, bool several) {
  std::string text;
  if (compared) text += dream.recipe + ": ";
  if (!compared || several) text += dream.asked + ": ";
  text += number(dream.value);
  if (dream.probability) text += ", " + percent(*dream.probability) + " sure";
  if (!dream.notices.empty()) text += " (did not move)";
  return text + "\nfine " + percent(dream.diagnosis.high_frequencies) + ", extreme " +
         percent(dream.diagnosis.extreme) + ", copies " + number(dream.diagnosis.repetition);
}

/// An image as a person sees something in it: a faint one with its contrast raised, and by how much it was.
std::pair<Tensor, double> visible(const Tensor& image) {
  constexpr double faint = 0.1, wanted = 0.4;
  const Tensor middle = image.mean({2, 3}, true);
  const double most = (image - middle).abs().max().item<double>();
  if (most >= faint || most == 0) return {image, 1};
  return {(middle + (image - middle) * (wanted / most)).clamp(0, 1), wanted / most};
}

Tile tile(const Dream& dream, std::string words) {
  if (!is_photo(dream.image)) return {channels(dream.image, "", false), words};
  const auto [image, contrast] = visible(dream.image);
  if (contrast > 1) words += "\nshown with contrast × " + number(contrast);
  return {photo(image), words};
}

Picture sheet(const Wish& wish, const std::vector<Dream>& dreams, std::size_t each) {
  std::vector<Tile> tiles;
  for (const Dream& dream : dreams) tiles.push_back(tile(dream, label(dream, wish.compare, each > 1)));
  const bool one = wish.compare && each == 1;
  const std::string title = "What " + (one ? "\"" + dreams[0].asked + "\"" : std::string("the network")) +
                            " looks for" + (wish.compare ? ", by ways of making the picture" : "");
  const int columns = one ? 5 : wish.compare ? int(each) : 0;
  const Picture words = text(
      "Under each picture: the objective reached, how sure the network is of it; fine: energy above half the "
      "highest frequency (photos about 2 %); extreme: values at black or white; copies: how alike repeated "
      "motifs are, 0 to 1.");
  return contact_sheet(tiles, {.columns = columns, .label_lines = 4, .title = title, .footer = words});
}

Json as_json(const Dream& dream, const Labels& labels) {
  Json its;
  its["preset"] = dream.recipe;
  its["predicted"] = dream.said ? Json(dream.said->label) : Json();
  its["predicted_name"] = dream.said ? text_or_null(labels.name(dream.said->label)) : Json();
  its["probability"] = dream.said ? Json(dream.said->probability) : Json();
  its["objective"] = as_json(*dream.question, labels);
  if (dream.probability) its["objective"]["probability"] = *dream.probability;
  its["value"] = dream.value;
  its["value_before"] = dream.before;
  its["high_frequencies"] = dream.diagnosis.high_frequencies;
  its["extreme"] = dream.diagnosis.extreme;
  its["repetition"] = dream.diagnosis.repetition;
  its["notices"] = dream.notices;
  return its;
}

/// out.png → out-0010.png
std::string frame_file(const std::string& out, std::int64_t step) {
  const std::filesystem::path path(out);
  return (path.parent_path() /
          (path.stem().string() + "-" + formatted("%04lld", static_cast<long long>(step)) + ".png"))
      .string();
}

Json document(const std::vector<Dream>& dreams, const Labels& labels) {
  Json document;
  document["images"] = Json::array();
  for (const Dream& dream : dreams) document["images"].push_back(as_json(dream, labels));
  return document;
}

std::string as_text(const std::vector<Dream>& dreams, const Labels& labels) {
  Table table({"preset", "objective", "value", "sure", "predicted", "fine", "extreme", "copies"});
  for (const Dream& dream : dreams)
    table.add({dream.recipe, dream.asked, number(dream.before) + " → " + number(dream.value),
               dream.probability ? percent(*dream.probability) : "-",
               dream.said ? answer_text(labels, *dream.said) : "-", percent(dream.diagnosis.high_frequencies),
               percent(dream.diagnosis.extreme), number(dream.diagnosis.repetition)});
  std::string text = table.text();
  for (const Dream& dream : dreams)
    for (const std::string& notice : dream.notices)
      text += dream.recipe + ", " + dream.asked + ": note: " + notice + "\n";
  return text;
}

void run(Wish wish) {
  check(wish);
  const Recipe& alone = wish.options.regularized()
                            ? custom_recipe()
                            : recipe_named(wish.preset.empty() ? "natural" : wish.preset);
  const Setup setup(wish.common);
  // The rows of one array may be images to begin with, one for each picture.
  if (setup.images() > 1 && (setup.inputs.size() > 1 || setup.images() != question(wish).count()))
    throw Error("--input is the image to begin with; --input " + joined(wish.common.inputs, " ") + " has " +
                std::to_string(setup.images()) + ", give one");
  if (!setup.inputs.empty()) wish.options.start = setup.inputs.front().images;
  Film film;
  std::int64_t frames = 0;
  if (wish.every) {
    film.every = *wish.every;
    film.show = [&](const Frame& frame) {
      std::vector<Tile> tiles;
      for (std::int64_t row = 0; row < frame.images.size(0); ++row)
        tiles.push_back({photo(frame.images.narrow(0, row, 1)), ""});
      write_png(frame_file(wish.common.out, frame.step),
                tiles.size() == 1 ? tiles[0].picture : contact_sheet(tiles));
      ++frames;
    };
  }
  ProgressLine progress("dreaming", wish.compare ? std::int64_t(recipes().size()) : 1);
  std::vector<Dream> dreams;
  std::size_t each = 1;
  const auto add = [&](const Recipe& recipe) {
    auto made = dreams_of(wish, setup, recipe, film, progress);
    if (dreams.empty() && setup.inputs.empty()) note_execution(setup.model, made.front().image);
    each = made.size();
    std::move(made.begin(), made.end(), std::back_inserter(dreams));
  };
  if (wish.compare) {
    for (const Recipe& one : recipes()) add(one);
  } else {
    add(alone);
  }

  std::vector<Tensor> images;
  for (const Dream& dream : dreams) images.push_back(dream.image);
  give(wish.common, {document(dreams, setup.labels), as_text(dreams, setup.labels)}, images,
       [&] { return sheet(wish, dreams, each); });
  if (frames > 0 && !wish.common.json)
    std::cout << "written: " << frames << " frames, " << frame_file(wish.common.out, 0) << " …\n";
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<Wish>();
  const std::string asked = "What is looked for";
  options.add_option("--target", wish->targets, "classes by number; several: one picture each")
      ->delimiter(',')
      ->type_name("K[,K]")
      ->group(asked);
  options
      .add_option("--objective", wish->objective,
                  "of a class: log-odds, how far ahead of all others it is (left out), or score")
      ->type_name("NAME")
      ->group(asked);
  options.add_option("--layer", wish->layer, "a layer, as a whole (DeepDream) or one part of it")
      ->type_name("NAME")
      ->group(asked);
  options
      .add_option("--channel", wish->channels,
                  "channels of the layer, or units of a layer N×K; several: one picture each")
      ->delimiter(',')
      ->type_name("C[,C]")
      ->group(asked);
  options.add_option("--neuron", wish->neuron, "one place of a channel; without Y,X: where it responds most")
      ->delimiter(',')
      ->type_name("C[,Y,X]")
      ->group(asked);

  const std::string how = "How the picture is made";
  std::vector<std::string> names;
  for (const Recipe& one : recipes()) names.push_back(one.name);
  options.add_option("--preset", wish->preset, joined(names) + " (left out: natural)")
      ->type_name("P")
      ->group(how);
  options.add_flag("--compare", wish->compare, "all presets on one sheet")->group(how);
  options.add_option("--every", wish->every, "write each Nth step as a picture of its own, beside --out")
      ->type_name("N")
      ->group(how);
  DreamOptions& its = wish->options;
  options.add_option("--steps", its.steps, "steps (left out: the preset's own)")->type_name("N")->group(how);
  options.add_option("--learning-rate", its.learning_rate, "of each step, in the preset's units (its own)")
      ->type_name("R")
      ->group(how);
  options.add_option("--octaves", its.octaves, "sizes of the image at which the steps are made (1)")
      ->type_name("N")
      ->group(how);
  options.add_option("--size", its.size, "side of the picture in pixels (the model's own)")
      ->type_name("N")
      ->group(how);
  options.add_option("--seed", its.seed, "the same seed gives the same picture (0)")
      ->type_name("S")
      ->group(how);

  const std::string own = "Regularizers of your own choice, without a preset";
  options.add_option("--decay", its.decay, "share of the image that each step takes off, 0 to 1")
      ->type_name("D")
      ->group(own);
  options.add_option("--blur-width", its.blur_width, "standard deviation of the blur in pixels")
      ->type_name("W")
      ->group(own);
  options.add_option("--blur-every", its.blur_every, "steps from one blur to the next (4)")
      ->type_name("N")
      ->group(own);
  options.add_option("--clip-norm", its.clip_norm, "percentile of faint pixels to take off, 0 to 100")
      ->type_name("P")
      ->group(own);
  options
      .add_option("--clip-contribution", its.clip_contribution,
                  "percentile of pixels that add little, 0 to 100")
      ->type_name("P")
      ->group(own);

  add_common(options, wish->common,
             {.input_needed = false,
              .out = "draw the pictures on one sheet",
              .array = "write the images, float32 in [0, 1]"});
  return [wish] { run(*wish); };
}

const Registered registered(
    "dream",
    {"what a class, a channel or a neuron looks for: a picture that it likes",
     "  pellucid dream --model shapes-vgg --target 3 --out heart.png\n"
     "  pellucid dream --model net.pt --preprocess imagenet --target 207 --compare --out compared.png\n"
     "  pellucid dream ... --layer features.12 --channel 3,40,77 --out channels.png\n"
     "  pellucid dream ... --layer features.7 --input dog.jpg --preset plain --octaves 4 --out "
     "deepdream.png\n"
     "  pellucid dream ... --target 207 --decay 0.01 --blur-width 1 --every 10 --out film.png",
     set_up});

}  // namespace

}  // namespace pellucid::app
