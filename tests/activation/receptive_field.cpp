#include <boost/test/unit_test.hpp>

#include <pellucid/activation/receptive_field.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

/// A step of a network whose fields are worked out by hand.
Tensor conv(const Tensor& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return torch::conv2d(x, torch::ones({3, 3, kernel, kernel}), {}, stride, padding);
}

void check(const std::optional<FieldAxis>& axis, std::int64_t first, std::int64_t size, std::int64_t stride) {
  BOOST_REQUIRE(axis.has_value());
  BOOST_TEST(axis->first == first);
  BOOST_TEST(axis->size == size);
  BOOST_TEST(axis->stride == stride);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_receptive_field)

BOOST_AUTO_TEST_CASE(by_hand) {
  // Of a step with kernel k, stride s, padding p behind one with first f, size r, stride j:
  // first f − p·j, size r + (k − 1)·j, stride j·s.
  const auto model = test::model_of([](const Tensor& input) {
    Tensor x = mark("seven", conv(input, 7, 2, 3));          // −3, 7, 2
    x = mark("pool", torch::max_pool2d(x, 3, 2));            // −3, 11, 4
    x = mark("relu", x.relu());                              //
    x = mark("three", conv(x, 3, 1, 1));                     // −7, 19, 4
    x = mark("last", x.permute({0, 2, 3, 1}).contiguous());  // the channels last
    return mark("mean", x.mean({1, 2}));
  });
  const auto fields = receptive_fields(model, test::some_images({1, 3, 64, 56}),
                                       {"seven", "pool", "relu", "three", "last", "mean"});
  for (const bool vertical : {true, false}) {
    const auto axis = [&](std::size_t i) { return vertical ? fields[i].vertical : fields[i].horizontal; };
    check(axis(0), -3, 7, 2);
    check(axis(1), -3, 11, 4);
    check(axis(2), -3, 11, 4);
    check(axis(3), -7, 19, 4);
    check(axis(4), -7, 19, 4);
    BOOST_TEST(!axis(5).has_value());
  }
  // ⌊(64 + 6 − 7)/2⌋ + 1 = 32 rows behind "seven", ⌊(32 − 3)/2⌋ + 1 = 15 behind "pool"; 28 and 13 columns.
  const std::vector<std::int64_t> rows{32, 15, 15, 15, 15, 1}, columns{28, 13, 13, 13, 13, 1};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    BOOST_TEST(fields[i].rows == rows[i]);
    BOOST_TEST(fields[i].columns == columns[i]);
    BOOST_TEST(fields[i].all == (i == 5));
  }
  // Half of 19 pixels behind −7 + 3·4, −7 + 5·4; half of the image for its mean.
  BOOST_TEST(fields[3].center(3, 5).y == 14.5);
  BOOST_TEST(fields[3].center(3, 5).x == 22.5);
  BOOST_TEST(fields[5].center(0, 0).y == 32);
  BOOST_TEST(fields[5].center(0, 0).x == 28);
  const Box corner = fields[3].box(0, 0), middle = fields[3].box(3, 5), all = fields[5].box(0, 0);
  BOOST_TEST((corner.top == 0 && corner.left == 0 && corner.bottom == 12 && corner.right == 12));
  BOOST_TEST((middle.top == 5 && middle.left == 13 && middle.bottom == 24 && middle.right == 32));
  BOOST_TEST((all.top == 0 && all.left == 0 && all.bottom == 64 && all.right == 56));
}

BOOST_AUTO_TEST_CASE(different_along_the_two_axes) {
  const auto model = test::model_of([](const Tensor& x) {
    return mark("flat", torch::conv2d(x, torch::ones({2, 3, 1, 5}), {}, std::vector<std::int64_t>{1, 3},
                                      std::vector<std::int64_t>{0, 1}));
  });
  const auto fields = receptive_fields(model, test::some_images({1, 3, 20, 40}), {"flat"});
  check(fields[0].vertical, 0, 1, 1);
  check(fields[0].horizontal, -1, 5, 3);
}

BOOST_AUTO_TEST_CASE(pixels_that_are_left_over) {
  const auto model = test::model_of([](const Tensor& x) { return mark("patches", conv(x, 16, 16, 0)); });
  const auto fields = receptive_fields(model, test::some_images({1, 3, 228, 70}), {"patches"});
  check(fields[0].vertical, 0, 16, 16);
  check(fields[0].horizontal, 0, 16, 16);
}

BOOST_AUTO_TEST_CASE(all_is_said_only_of_what_sees_all) {
  // Of 20 pixels in a row, places 0 … 3 of "fives" see five each, from 0, 4, 8 and 12 on: three are left
  // over, and nobody sees them. "large" sees 0 … 12 and 4 … 16: every place sees the middle, and none all.
  const auto model = test::model_of([](const Tensor& input) {
    const Tensor fives = mark("fives", conv(input, 5, 4, 0));
    mark("large", conv(fives, 3, 1, 0));
    mark("tokens", fives.flatten(2).transpose(1, 2).contiguous());
    mark("flat", fives.flatten(1));
    mark("attended", fives.sum({2, 3}, true) + fives);
    mark("attended tokens", (fives.sum({2, 3}, true) + fives).flatten(2).transpose(1, 2).contiguous());
    mark("upper half", fives.slice(2, 0, 3).sum({2, 3}));
    return mark("scores", fives.sum({2, 3}));
  });
  const std::vector<std::string> layers{"fives",    "large",           "tokens",     "flat",
                                        "attended", "attended tokens", "upper half", "scores"};
  const auto fields = receptive_fields(model, test::some_images({1, 3, 20, 20}), layers);
  const std::vector<std::int64_t> sides{4, 2, 4, 1, 4, 4, 1, 1};
  for (std::size_t i = 0; i < layers.size(); ++i) BOOST_TEST_CONTEXT(layers[i]) {
      BOOST_TEST(fields[i].all == (i == 4 || i == 5 || i == 7));
      BOOST_TEST(fields[i].rows == sides[i]);
      BOOST_TEST(fields[i].columns == sides[i]);
    }
  BOOST_TEST(!fields[1].vertical.has_value());  // two steps cannot be seen of two places
  BOOST_TEST(fields[4].center(1, 3).y == 1.5 * 20 / 4);
  BOOST_TEST(fields[5].center(1, 3).x == 3.5 * 20 / 4);
}

BOOST_AUTO_TEST_CASE(channels_that_see_more_than_others) {
  const auto model = test::model_of([](const Tensor& x) {
    return mark("side by side", torch::cat({conv(x, 3, 1, 1), conv(x, 7, 1, 3)}, 1));
  });
  const auto fields = receptive_fields(model, test::some_images({1, 3, 32, 48}), {"side by side"});
  check(fields[0].vertical, -3, 7, 1);
  check(fields[0].horizontal, -3, 7, 1);
}

BOOST_AUTO_TEST_CASE(what_is_not_regular_is_left_open) {
  const auto model = test::model_of([](const Tensor& x) {
    mark("table", torch::rand({1, 3, 9, 9}));
    mark("windows", x.view({9, 3, 10, 90}));         // no place of it is the image's alone
    mark("one by one", x.view({1, 3, 90, 90}) * 2);  // a network for one image at a time
    mark("adaptive", torch::adaptive_avg_pool2d(conv(x, 10, 10, 0), {7, 7}));
    return mark("enlarged", torch::upsample_nearest2d(conv(x, 2, 2, 0), at::IntArrayRef{90, 90}));
  });
  const auto fields = receptive_fields(model, test::some_images({1, 3, 90, 90}),
                                       {"table", "windows", "one by one", "adaptive", "enlarged"});
  for (const std::size_t i : {0, 1, 3, 4}) {
    BOOST_TEST(!fields[i].all);
    BOOST_TEST(!fields[i].vertical.has_value());
    BOOST_TEST(!fields[i].horizontal.has_value());
  }
  BOOST_TEST(fields[1].rows == 0);  // of windows
  BOOST_TEST(fields[3].rows == 7);
  check(fields[2].vertical, 0, 1, 1);
}

BOOST_AUTO_TEST_CASE(vgg16_s_published_fields) {
  // conv1_2 5, pool2 16, conv3_3 40, conv4_3 92, conv5_3 196, pool5 212. Few channels see as far as many.
  VGG network(VGGOptions{
      .plan = {2, 2, 0, 2, 2, 0, 2, 2, 2, 0, 2, 2, 2, 0, 2, 2, 2, 0}, .classes = 2, .hidden = 0, .pool = 1});
  const std::vector<std::string> layers{"features.2",  "features.9",  "features.14",
                                        "features.21", "features.28", "features.30"};
  const std::vector<std::int64_t> sizes{5, 16, 40, 92, 196, 212}, strides{1, 4, 4, 8, 16, 32};
  double last = 0;
  const auto fields = receptive_fields(adapt(network), test::some_images({1, 3, 320, 320}), layers,
                                       [&](const Progress& progress) { last = progress.fraction; });
  BOOST_TEST(last == 1);
  for (std::size_t i = 0; i < layers.size(); ++i) BOOST_TEST_CONTEXT(layers[i]) {
      BOOST_REQUIRE(fields[i].vertical.has_value());
      BOOST_TEST(fields[i].vertical->size == sizes[i]);
      BOOST_TEST(fields[i].vertical->stride == strides[i]);
    }
  // At 64 × 64 pixels the last ones see everything.
  const auto small = receptive_fields(adapt(network), test::some_images({1, 3, 64, 64}), layers);
  check(small[1].vertical, -6, 16, 4);
  BOOST_TEST(!small[4].vertical.has_value());
  BOOST_TEST(small[4].all);
  // At 224 no place of pool5 sees all: 212 pixels from −90 on, 7 places.
  const auto usual =
      receptive_fields(adapt(VGG(VGGOptions{.plan = {2, 2, 0, 2, 2, 0, 2, 2, 2, 0, 2, 2, 2, 0, 2, 2, 2, 0},
                                            .classes = 2,
                                            .hidden = 0,
                                            .pool = 1})),
                       test::some_images({1, 3, 224, 224}), {"features.30", ""});
  BOOST_TEST(!usual[0].all);
  BOOST_TEST(usual[0].rows == 7);
  BOOST_TEST(usual[1].all);
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const auto net = test::small_net();
  BOOST_CHECK_EXCEPTION(receptive_fields(net, test::some_images({1, 12}), {"first"}), Error,
                        says({"[1, 12]", "N×C×H×W"}));
  BOOST_CHECK_EXCEPTION(receptive_fields(net, test::some_images({1, 3, 16, 16}), {"frist"}), Error,
                        says({"frist", "first"}));
  // NaN is a dye for the time of the search alone.
  BOOST_CHECK_THROW(net(torch::full({1, 3, 16, 16}, NAN)), Error);
}

BOOST_AUTO_TEST_SUITE_END()
