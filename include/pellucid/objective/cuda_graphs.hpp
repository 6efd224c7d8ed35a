#pragma once
/// Not in pellucid.hpp: it needs a LibTorch that was built with CUDA, and the headers of the CUDA toolkit.

#include <utility>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/objective/repeated.hpp>

#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

namespace pellucid {

namespace detail {

/// A CUDA graph: work on a GPU as one thing that is launched at once.
class CudaGraph {
 public:
  static bool suits(const Images& images) { return images.is_cuda(); }

  /// While one lives work goes to a stream of its own, since what runs on the default one cannot be recorded.
  class Aside {
   public:
    explicit Aside(const Images& images)
        : guard_(after_all_else(at::cuda::getStreamFromPool(false, images.device().index()))) {}
    ~Aside() { guard_.current_stream().synchronize(); }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    static at::cuda::CUDAStream after_all_else(at::cuda::CUDAStream stream) {
      at::cuda::getCurrentCUDAStream(stream.device_index()).synchronize();
      return stream;
    }

    c10::cuda::CUDAStreamGuard guard_;
  };

  template <class Work>
  void record(const Work& work, CudaGraph* before) {
    if (before != nullptr)
      graph_.capture_begin(before->graph_.pool());
    else
      graph_.capture_begin();
    try {
      work();
    } catch (...) {
      try {
        graph_.capture_end();        // or nothing more could be done on this stream
      } catch (const c10::Error&) {  // what went wrong first tells more
      }
      throw;
    }
    graph_.capture_end();
  }

  void replay() { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_{};
};

}  // namespace detail

/// The model with its passes as CUDA graphs: a pass of many small kernels, which the CPU launches one by one,
/// becomes one launch. It is for images on the GPU (on the CPU it is the model itself) and for small
/// networks and images, where launching takes longer than computing.
///
///   auto model = with_cuda_graphs(adapt(net, imagenet(), {.device = torch::kCUDA}));
///   auto why = Attribution<SmoothGrad>({.samples = 400})(model, images.to(torch::kCUDA));
///
/// What it may be asked, and what must stay as it is meanwhile, tells Repeated.
template <LayeredModel M>
Repeated<M, detail::CudaGraph> with_cuda_graphs(M model) {
  return {std::move(model)};
}

}  // namespace pellucid
