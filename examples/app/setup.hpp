#pragma once
/// What the commands share: the options that they have in common, and the model, labels and inputs behind
/// them.

#include <pellucid/core/torch.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/model/preprocess.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pellucid::app {

/// The common options, as they were given.
struct Common {
  std::string model{};
  std::string preprocess{};
  std::string labels{};
  std::vector<std::string> inputs{};
  std::string out{};
  std::string array{};
  std::string device = "cpu";
  std::optional<int> threads{};
  std::string precision = "fp32";
  bool json = false;
};

/// Which of them a command has beside --model, --preprocess, --json, --threads, --device and --precision.
struct CommonChoice {
  bool labels = true;
  bool input = true;
  bool input_needed = true;
  std::string out{};    ///< what --out draws; empty: there is no --out
  std::string array{};  ///< what --array writes; empty: there is no --array
};

void add_common(CLI::App& options, Common& common, const CommonChoice& choice);

/// The names of the classes, if any were given.
class Labels {
 public:
  Labels() = default;
  explicit Labels(const std::string& file);
  Labels(std::string whose, std::vector<std::string> names)
      : file_(std::move(whose)), names_(std::move(names)) {}

  /// Throws Error unless there are as many as the model has classes.
  void check(std::int64_t classes) const;

  /// The name alone; empty where no labels were given.
  std::string name(std::int64_t label) const;
  /// "golden retriever (207)", or "class 207"
  std::string text(std::int64_t label) const;

 private:
  std::string file_{};
  std::vector<std::string> names_{};
};

/// A file to look at, at the size that the network sees.
struct Input {
  std::string file{};  ///< as it was given
  bool array = false;  ///< an .npy file
  Images images{};     ///< N×…, N = 1 for a photo

  std::int64_t count() const { return images.size(0); }
  /// The file's name without its folder, and which of several rows.
  std::string shown(std::int64_t row) const;
  /// The file as it was given, and which of several rows.
  std::string named(std::int64_t row) const;
};

/// Everything that a command begins with, each part checked: nothing long has run yet.
struct Setup {
  explicit Setup(const Common& common);

  Preprocess preprocess;
  AnyModel model;
  Labels labels{};
  std::vector<Input> inputs{};

  std::int64_t images() const;
  /// Throws Error unless the images of all inputs have one size: their results become one array.
  void check_one_size() const;
};

/// One image, or one baseline, from a PNG, JPEG or .npy file.
Images read_input(const std::string& file);

/// Softmax of the scores, N×K in double precision; the labels are checked against K.
Tensor probabilities_of(const Setup& setup, const Images& images);

struct Answer {
  std::int64_t label = 0;
  double probability = 0;
};
/// The most probable class in a row of probabilities.
Answer answer(const Tensor& probabilities, std::int64_t row);
/// "golden retriever (207), 98.3 %"
std::string answer_text(const Labels& labels, const Answer& answer);
/// "98.3 % golden retriever (207)": in a narrow label the number stays with its sign
std::string answer_label(const Labels& labels, const Answer& answer);

/// Whether a row of an input can be drawn as a photo: 1×3×H×W of more than one pixel.
bool is_photo(const Tensor& image);

/// Says on standard error which files were left out: the first of them, and how many more there are.
void tell_skipped(const std::vector<Skipped>& skipped);
/// Says that photos go into the network as they are, where nothing was said of how they should.
void note_preprocess(const Common& common);
/// Says why the model is run otherwise than was asked for, where it is.
void note_execution(const AnyModel& model, const Images& images);

}  // namespace pellucid::app
