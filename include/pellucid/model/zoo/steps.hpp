#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/recording.hpp>
#include <pellucid/model/zoo/layers.hpp>

namespace pellucid::detail {

/// Parts run one after another, each a layer by its place: `features.0`, `features.1`, … What
/// torch::nn::Sequential is, with marks. Who runs it marks the whole.
class Steps : public Part, public Foldable {
 public:
  /// path: the full name of this place in the network, such as `features.1.0.block`; empty for the network.
  explicit Steps(std::string path = "") : path_(std::move(path)) {}

  /// The next step, named by its number.
  void push_back(std::shared_ptr<Part> step) { push_back(std::to_string(steps_.size()), std::move(step)); }

  /// The next step, with a name of its own. A name may come again: the same part (a ReLU, which has no
  /// parameters) in several places.
  void push_back(const std::string& name, std::shared_ptr<Part> step) {
    if (!named_children().contains(name)) register_module(name, std::shared_ptr<torch::nn::Module>(step));
    steps_.push_back({full_name(name), std::move(step)});
  }

  /// The full name of a part of this place.
  std::string full_name(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

  /// The full name that the next numbered step will have.
  std::string next() const { return full_name(std::to_string(steps_.size())); }

  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (const Step& step : steps_) {
      y = step.part->forward(y);
      if (!step.hidden) y = mark(step.name, y);
    }
    return y;
  }

  /// Folds each batch norm into the convolution right before it, which no longer gives its own output.
  std::vector<std::string> fold() override {
    std::vector<std::string> hidden;
    for (std::size_t i = 1; i < steps_.size(); ++i) {
      Step& before = steps_[i - 1];
      auto* const convolution = dynamic_cast<Conv2d*>(before.part.get());
      auto* const norm = dynamic_cast<BatchNorm2d*>(steps_[i].part.get());
      if (convolution == nullptr || norm == nullptr || before.hidden) continue;
      norm->fold_into(*convolution);
      hidden.push_back(hide(before));
    }
    return hidden;
  }

  /// Takes the marks off the last steps, which no longer give the outputs of their layers; gives their names.
  std::vector<std::string> hide_last(std::size_t count) {
    std::vector<std::string> hidden;
    for (auto step = steps_.end() - std::ptrdiff_t(count); step != steps_.end(); ++step)
      hidden.push_back(hide(*step));
    return hidden;
  }

 private:
  struct Step {
    std::string name{};
    std::shared_ptr<Part> part{};
    bool hidden = false;  ///< its own output is not that of its layer: what comes was folded into it
  };

  static std::string hide(Step& step) {
    step.hidden = true;
    return step.name;
  }

  std::string path_;
  std::vector<Step> steps_{};
};

}  // namespace pellucid::detail
