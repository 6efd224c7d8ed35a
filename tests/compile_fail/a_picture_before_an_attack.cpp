// expect: These two stages do not fit: the stage on the right of | cannot take what the stage on the left gives (both are named in this message).
// expect (GNU): Left = Paint
// expect (GNU): Right = pellucid::Attack<pellucid::FGSM>
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/core/pipeline.hpp>

struct Painting {
  pellucid::Tensor bytes;
};

struct Paint : pellucid::Stage<Paint> {
  template <class S>
  static constexpr bool takes = true;
  template <class S>
  using Gives = Painting;

  template <class M, class S>
  Painting run(const M&, S subject) const {
    return {subject.images};
  }
};

auto fooled() {
  return Paint{} | pellucid::Attack<pellucid::FGSM>();
}
