#pragma once
/// What the explorer shows: its models and images, and what all answers about them share.

#include <pellucid/model/layer_edges.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "explore/asked.hpp"
#include "explore/collection.hpp"
#include "explore/jobs.hpp"
#include "progress_line.hpp"
#include "question.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// A model that was loaded, and what is known of it before anything is asked.
struct Explored {
  /// Loads it, and looks at its layers on the image.
  Explored(const Common& common, const Images& image);

  Common common;
  Setup setup;
  std::string name{};               ///< of its file or architecture
  std::vector<LayerInfo> layers{};  ///< for the image it was looked at with
  std::vector<LayerEdge> edges{};
  std::vector<std::int64_t> input{};  ///< shape of that image as it sees it
  std::int64_t classes = 0;           ///< 0: it gives no scores N×K

  const LayerInfo& layer(const std::string& name) const;
  /// The words of a command that all its commands share: pellucid explain --model …
  std::string command(const std::string& name) const;
};

struct World {
  World(const std::vector<Common>& models, const std::filesystem::path& folder,
        std::filesystem::path indexes);

  Collection images;
  std::vector<Explored> models{};
  std::filesystem::path indexes;  ///< the folder that top patches are kept in
  std::string run;  ///< another in each run of the program: part of addresses that browsers keep for ever

  Explored& model(const Asked& asked);
  const Explored& model(const Asked& asked) const;
  Explored& model(const std::string& number);
  /// The image that was asked about, 1×3×H×W, as the model sees it. Throws Refused for one too large to work
  /// on.
  Images seen(const Asked& asked) const;
  Images seen(const Explored& model, const std::string& id) const;
};

/// A work's progress, as the library's functions take it.
inline ProgressLine progress_of(Work& work) {
  return ProgressLine([&work](const Progress& progress) { return work(progress); });
}

/// {"label", "name", "probability"}
Json json_of(const Explored& model, const Answer& answer);
/// The five most probable of one row of probabilities.
Json top_of(const Explored& model, const Tensor& probabilities);
/// Softmax of the scores of one image; undefined where the model gives no scores.
Tensor probabilities_of(const Explored& model, const Images& image);

/// What was asked about: "target" a class, or "layer" with "channel" and "place". Nothing: no value.
std::optional<Question> question_of(const Asked& asked, const Explored& model);
/// "heart (3)", "channel 5 of features.7"
std::string asked_text(const Question& question, const Explored& model);
/// --target 3, --layer features.7 --channel 5
std::string question_words(const Question& question);

/// One word of a shell command.
std::string shell_word(const std::string& word);

}  // namespace pellucid::app
