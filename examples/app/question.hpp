#pragma once
#include <pellucid/core/subject.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/class.hpp>
#include <pellucid/objective/layer.hpp>
#include <pellucid/objective/log_odds.hpp>
#include <pellucid/objective/neuron.hpp>
#include <pellucid/optimizer/start.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pellucid::app {

/// An objective that was chosen on the command line: any of the library's, as one type, so that each method
/// is compiled once.
class Question {
 public:
  using Kind = std::variant<Class, LogOdds, Channel, Neuron, Layer>;

  explicit Question(Kind kind)
      : layer(std::visit([](const auto& one) { return std::string(one.layer); }, kind)),
        kind_(std::move(kind)) {}

  std::string layer;  ///< "" for a class, which asks about the scores

  const Kind& kind() const { return kind_; }

  Tensor of(const Tensor& output) const {
    return std::visit([&](const auto& one) { return one.of(output); }, kind_);
  }

  /// For how many images something is named.
  std::int64_t count() const {
    return std::visit([](const auto& one) { return pellucid::detail::count_of(one); }, kind_);
  }

  Question select(const std::vector<std::int64_t>& rows) const {
    return std::visit([&](const auto& one) { return Question(pellucid::select(one, rows)); }, kind_);
  }

  template <class M>
  Question resolve(const M& model, const Images& images) const {
    return std::visit([&](const auto& one) { return Question(pellucid::resolve(one, model, images)); },
                      kind_);
  }

 private:
  Kind kind_;
};

/// Refuses --channel and --neuron (C, or C, Y, X) that do not name one part of one layer.
inline void check_part(const std::string& layer, bool channel, const std::vector<std::int64_t>& neuron) {
  if (channel && !neuron.empty()) throw Error("--channel and --neuron were both given; give one of them");
  if ((channel || !neuron.empty()) && layer.empty())
    throw Error(std::string(channel ? "--channel" : "--neuron") + " is one of a layer; name it with --layer");
  if (!neuron.empty() && neuron.size() != 1 && neuron.size() != 3)
    throw Error("--neuron takes C (where it responds most) or C,Y,X; " + std::to_string(neuron.size()) +
                " numbers were given");
}

/// What is asked about a layer: channels, a neuron (C, or C, Y, X), or, where neither is given, the whole.
inline Question about_layer(const std::string& layer, const PerImage& channels,
                            const std::vector<std::int64_t>& neuron) {
  if (!channels.empty()) return Question(Channel{layer, channels});
  if (neuron.size() == 3) return Question(Neuron{layer, neuron[0], neuron[1], neuron[2]});
  if (neuron.size() == 1) return Question(Neuron{layer, neuron[0]});
  return Question(Layer{layer});
}

}  // namespace pellucid::app
