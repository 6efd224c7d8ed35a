#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/objective/class.hpp>
#include <pellucid/objective/cuda_graphs.hpp>

#include "support.hpp"

using namespace pellucid;
using namespace pellucid::test;

BOOST_AUTO_TEST_SUITE(objective_cuda_graphs)

BOOST_AUTO_TEST_CASE(images_on_the_cpu_are_asked_about_as_they_are_without) {
  const Images images = some_images({1, 3, 9, 9});
  const Attribution<SmoothGrad> why({.samples = 20});
  const Tensor found = why(with_cuda_graphs(small_net()), images, Class{2}).attribution;
  BOOST_TEST(difference(found, why(small_net(), images, Class{2}).attribution) == 0);
}

BOOST_AUTO_TEST_CASE(smoothgrad_on_the_gpu_is_that_of_the_cpu) {
  if (!at::hasCUDA() || at::getNumGPUs() == 0) {
    BOOST_TEST_MESSAGE("passed over: there is no CUDA device");
    return;
  }
  const Images images = some_images({2, 3, 9, 9});
  const Attribution<SmoothGrad> why({.samples = 60});
  const auto model =
      with_cuda_graphs(adapt(std::make_shared<SmallNet>(), unchanged(), {.device = torch::kCUDA}));
  for (int i = 0; i < 3; ++i) {
    const Tensor found = why(model, images.to(torch::kCUDA), Class{2}).attribution.cpu();
    BOOST_TEST(relative_difference(found, why(small_net(), images, Class{2}).attribution) < 1e-4);
  }
}

BOOST_AUTO_TEST_SUITE_END()
