#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// One place of a model whose output can be observed.
struct LayerInfo {
  std::string name{};  ///< as `activation` takes it: `features.28`, or `relu#2` for a second call
  std::string kind{};  ///< the module's type, such as `Conv2d`; "mark" for a named place that is no module
  std::vector<std::int64_t> shape{};  ///< of its output, for the images it was listed with
  std::int64_t parameters = 0;        ///< values that training would change, in it and in what it contains
};

namespace detail {

/// The name of a layer without the number of its call: `relu#2` → `relu`.
inline std::string without_call(const std::string& name) {
  return name.substr(0, name.find('#'));
}

/// A copy of a layer's output that stands at the same place of the autograd graph: an operator that
/// overwrites the original in place changes neither its values nor what its gradient is.
inline Tensor keep(const Tensor& output) {
  Tensor kept = output.detach().clone();
  if (output.requires_grad())
    torch::autograd::impl::set_gradient_edge(kept, torch::autograd::impl::gradient_edge(output));
  return kept;
}

/// Ends a forward pass at a mark, when nothing more is wanted. Caught by `Recording::run`.
struct ForwardEnds {};

/// What is seen during one forward pass on this thread. Marks and observers tell it of every named output; it
/// keeps those that are wanted.
class Recording {
 public:
  enum class Source { observer, mark };

  /// Wants the named layers; a name may end in `#k` for the k-th call (from 1).
  explicit Recording(const std::vector<std::string>& wanted) {
    for (const std::string& name : wanted) wanted_.emplace(name, Tensor());
  }
  /// Wants to know of all layers, and their shapes.
  Recording() : listing_(true) {}

  /// Runs a forward pass with this recording on, to its end or until everything wanted was marked. Undefined
  /// when the forward pass was ended early.
  template <class Forward>
  Tensor run(Forward&& forward) {
    Recording* const outer = std::exchange(current(), this);
    const auto restore = Restore{outer};
    try {
      return forward();
    } catch (const ForwardEnds&) {
      return {};
    }
  }

  /// The recording that is on in this thread, or null.
  static Recording*& current() {
    thread_local Recording* recording = nullptr;
    return recording;
  }

  /// Tells of an output. `fresh` is false where it replaces the one seen last: one call of a module whose
  /// parameters took part in several operators.
  void see(const std::string& name, const std::string& kind, const Tensor& output, Source source,
           bool fresh = true) {
    Calls& calls = calls_[name];
    // A place that is marked and observed goes by its mark.
    if (source == Source::observer && calls.marked > 0) return;
    std::int64_t& count = source == Source::mark ? calls.marked : calls.observed;
    if (source == Source::mark && count == 0 && listing_) forget(name);
    if (fresh) ++count;
    if (listing_) {
      const LayerInfo info{name, kind, output.sizes().vec(), 0};
      if (fresh) {
        list_.push_back(info);
      } else {
        last_of(name) = info;
      }
      return;
    }
    bool filled = count == 1 && fill(name, output);
    filled |= fill(name + "#" + std::to_string(count), output);
    const auto seen = [](const auto& wanted) { return wanted.second.defined(); };
    if (filled && source == Source::mark && std::all_of(wanted_.begin(), wanted_.end(), seen))
      throw ForwardEnds{};
  }

  /// The output of a wanted layer; undefined if it was not seen.
  Tensor output(const std::string& name) const {
    const auto wanted = wanted_.find(name);
    return wanted == wanted_.end() ? Tensor() : wanted->second;
  }

  /// How often a layer was called.
  std::int64_t calls(const std::string& name) const {
    const auto found = calls_.find(name);
    if (found == calls_.end()) return 0;
    return found->second.marked > 0 ? found->second.marked : found->second.observed;
  }

  /// All layers in the order of their outputs, those called several times as `name#1`, `name#2`…
  std::vector<LayerInfo> list() const {
    std::vector<LayerInfo> result = list_;
    std::map<std::string, int> seen;
    for (LayerInfo& layer : result)
      if (calls(layer.name) > 1) layer.name.append("#").append(std::to_string(++seen[layer.name]));
    return result;
  }

 private:
  struct Calls {
    std::int64_t observed = 0;
    std::int64_t marked = 0;
  };
  struct Restore {
    Recording* outer;
    ~Restore() { current() = outer; }
  };

  bool fill(const std::string& name, const Tensor& output) {
    const auto wanted = wanted_.find(name);
    if (wanted == wanted_.end()) return false;
    wanted->second = keep(output);
    return true;
  }
  void forget(const std::string& name) {
    std::erase_if(list_, [&](const LayerInfo& layer) { return layer.name == name; });
  }
  LayerInfo& last_of(const std::string& name) {
    return *std::find_if(list_.rbegin(), list_.rend(),
                         [&](const LayerInfo& layer) { return layer.name == name; });
  }

  bool listing_ = false;
  std::map<std::string, Tensor> wanted_{};
  std::map<std::string, Calls> calls_{};
  std::vector<LayerInfo> list_{};
};

}  // namespace detail

/// Names a place in a forward pass: `x = mark("stem", stem->forward(x));` returns x as it is. The place can
/// then be observed, and a pass that needs nothing behind it ends there. Costs nothing when nobody looks.
inline Tensor mark(const std::string& name, Tensor output) {
  if (detail::Recording* const recording = detail::Recording::current(); recording != nullptr)
    recording->see(name, "mark", output, detail::Recording::Source::mark);
  return output;
}

}  // namespace pellucid
