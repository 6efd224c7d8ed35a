#include <boost/test/unit_test.hpp>

#include <pellucid/activation/receptive_field.hpp>
#include <pellucid/model/zoo/convnext.hpp>
#include <pellucid/model/zoo/resnet.hpp>
#include <pellucid/model/zoo/squeezenet.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include "support.hpp"

using namespace pellucid;

namespace {

/// The smallest rectangle around the pixels that change a place's values: those where the gradient of a
/// random sum over its channels is not 0, for one of the images at least, as a ReLU that is off, or what a
/// max-pooling did not take, hides pixels in one.
Box support_of(const Tensor& output, const Images& images, std::int64_t y, std::int64_t x) {
  const Tensor place = output.select(2, y).select(2, x);
  const Tensor weights = test::some_images(place.sizes().vec(), 5) - 0.5;
  const Tensor gradient = torch::autograd::grad({(place * weights).sum()}, {images}, {}, true)[0];
  const Tensor touched = gradient.ne(0).any(0).any(0);
  const Tensor rows = touched.any(1).nonzero(), columns = touched.any(0).nonzero();
  return {rows.min().item<std::int64_t>(), columns.min().item<std::int64_t>(),
          rows.max().item<std::int64_t>() + 1, columns.max().item<std::int64_t>() + 1};
}

template <class M>
void check_support(const M& model, const std::vector<std::string>& layers, std::int64_t height = 97,
                   std::int64_t width = 129) {
  BOOST_TEST(layers.size() == 10u);
  const Images images = test::some_images({6, 3, height, width}, 3).requires_grad_(true);
  const auto fields = receptive_fields(model, images.detach(), layers);
  const std::vector<Tensor> outputs = model.observe(images, layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::int64_t rows = outputs[i].size(2), columns = outputs[i].size(3);
    BOOST_TEST_CONTEXT(layers[i]) {
      BOOST_TEST((fields[i].vertical.has_value() && fields[i].horizontal.has_value()));
      const std::vector<std::pair<std::int64_t, std::int64_t>> places{
          {rows / 2, columns / 2}, {0, columns - 1}, {rows - 1, 1}};
      for (const auto& [y, x] : places) {
        const Box box = fields[i].box(y, x), support = support_of(outputs[i], images, y, x);
        BOOST_TEST(box.top == support.top);
        BOOST_TEST(box.left == support.left);
        BOOST_TEST(box.bottom == support.bottom);
        BOOST_TEST(box.right == support.right);
      }
    }
  }
}

/// VGG-16 with few channels, which sees as far.
VGGOptions narrow_vgg16() {
  return {
      .plan = {8, 8, 0, 8, 8, 0, 8, 8, 8, 0, 8, 8, 8, 0, 8, 8, 8, 0}, .classes = 2, .hidden = 0, .pool = 1};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_receptive_field_zoo)

BOOST_AUTO_TEST_CASE(a_vgg_s_fields_are_the_support_of_gradients) {
  torch::manual_seed(1);
  check_support(adapt(VGG(narrow_vgg16())),
                {"features.0", "features.2", "features.4", "features.7", "features.9", "features.14",
                 "features.16", "features.19", "features.21", "features.23"});
}

BOOST_AUTO_TEST_CASE(a_resnet_s) {
  torch::manual_seed(2);
  check_support(adapt(ResNet(ResNetOptions::resnet18())),
                {"conv1", "maxpool", "layer1.0.conv1", "layer1.0", "layer1.1", "layer2.0.conv1",
                 "layer2.0.downsample.0", "layer2.0", "layer2.1", "layer3.0.conv1"});
}

BOOST_AUTO_TEST_CASE(a_squeezenet_s) {
  torch::manual_seed(3);
  check_support(adapt(SqueezeNet(SqueezeNetOptions::squeezenet1_1())),
                {"features.0", "features.1", "features.2", "features.3", "features.4", "features.5",
                 "features.6", "features.7", "features.8", "features.9"});
}

BOOST_AUTO_TEST_CASE(a_convnext_s) {
  torch::manual_seed(4);
  check_support(
      adapt(ConvNeXt(
          ConvNeXtOptions{.depths = {2, 1, 1, 1}, .widths = {8, 8, 8, 8}, .classes = 2, .layer_scale = 1})),
      {"features.0.0", "features.0.1", "features.1.0.block.0", "features.1.0", "features.1.1.block.0",
       "features.1.1", "features.2.1", "features.3.0.block.0", "features.3.0", "features.4.1"},
      96, 128);  // its patches leave no pixel over
}

BOOST_AUTO_TEST_CASE(few_passes) {
  // Strides up to 32 at 256 pixels. One pixel after the other would be 2·32 passes from the near corner and
  // 3·32 from the far one, as pixels may be left over there: 160. A fifth of it at most.
  VGG network(narrow_vgg16());
  int passes = 0;
  const auto model = test::model_of([&](const Tensor& x) {
    ++passes;
    return network->forward(x);
  });
  std::vector<std::string> layers;
  for (int i = 0; i <= 30; ++i) layers.push_back("features." + std::to_string(i));
  double last = 0;
  const auto fields =
      receptive_fields(model, test::some_images({1, 3, 256, 256}), layers, [&](const Progress& progress) {
        BOOST_TEST(progress.fraction > last);
        last = progress.fraction;
      });
  BOOST_TEST(last == 1);
  BOOST_TEST_MESSAGE(passes << " passes");
  BOOST_TEST(passes <= 32);
  for (const ReceptiveField& field : fields) {
    BOOST_TEST(field.vertical.has_value());
    BOOST_TEST(field.horizontal.has_value());
  }
  BOOST_TEST(fields[30].vertical->size == 212);
  BOOST_TEST(fields[30].vertical->first == -90);
}

BOOST_AUTO_TEST_SUITE_END()
