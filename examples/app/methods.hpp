#pragma once
/// The attribution methods by name, with the options that each takes.

#include <pellucid/attribution/explanation.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "options.hpp"
#include "progress_line.hpp"
#include "question.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// The options of methods, as they were given.
struct MethodOptions {
  std::optional<std::int64_t> samples{};
  std::optional<double> noise{};
  std::optional<double> until{};
  std::optional<std::int64_t> steps{};
  std::optional<std::string> baseline{};
  std::optional<std::uint64_t> seed{};
  std::optional<std::int64_t> window{};
  std::optional<std::int64_t> stride{};
  bool no_upsample = false;
  std::string layer{};  ///< whose map is made, or whose values are explained
};

/// A method that is ready to explain images of a question: those of a subject, as the library's methods do.
using Explain = std::function<Explanation(const AnyModel&, const Subject<Question, ProgressLine>&)>;

/// What of an attribution the picture shows.
enum class View {
  magnitude,
  magnitude_and_sign,
  positive,
  response,  ///< of a layer, whatever is asked about: the size of its channels' sum
  channels   ///< each channel by itself
};

/// What a layer that is named without a part of it is to a method.
enum class LayerIs {
  asked_about,
  mapped,    ///< a class activation map is made of it; left out, one is found
  explained  ///< its values are; it cannot be left out
};

struct Method {
  std::set<std::string> uses{};  ///< the names of its options, without dashes
  View view = View::magnitude;
  /// Checks the options and settles them.
  Explain (*prepare)(const MethodOptions& options, const AnyModel& model) = nullptr;
  LayerIs layer = LayerIs::asked_about;
};

/// A method of that name; throws Error that lists them. `option`: where the name was given.
const Method& method_named(const std::string& name, const std::string& option = "--method");
std::vector<std::string> all_method_names();
std::string method_names();  ///< all of them, as a sentence lists them

/// The layer whose map a method makes where none was named, for the first of the images. Throws Error, in the
/// words of the command line, where there is none.
std::string found_layer(const std::string& method, const AnyModel& model, const Images& first,
                        const Question& question, const std::string& option = "--method");

/// Refuses options that the method does not use.
void check_used(const std::string& name, const MethodOptions& options);

/// The options that take part in the method.
std::vector<Setting> settings_of(const std::string& name, const MethodOptions& options);

}  // namespace pellucid::app
