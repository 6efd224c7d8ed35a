#include <boost/test/unit_test.hpp>

#include <pellucid/activation/patch_view.hpp>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

/// Of a convolution 3×3 with stride 2 and padding 1 over 8×10 pixels: place u sees 2u − 1 … 2u + 1.
ReceptiveField three_by_three() {
  return {.height = 8,
          .width = 10,
          .rows = 4,
          .columns = 5,
          .vertical = FieldAxis{-1, 3, 2},
          .horizontal = FieldAxis{-1, 3, 2}};
}

/// 1×3×8×10; each value tells its channel, row and column.
Images numbered() {
  return torch::arange(1, 241, torch::kFloat).view({1, 3, 8, 10});
}

bool is(const Box& box, std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right) {
  return box.top == top && box.left == left && box.bottom == bottom && box.right == right;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_patch_view)

BOOST_AUTO_TEST_CASE(the_field_that_is_written_here_is_the_network_s) {
  const auto model = test::model_of([](const Tensor& x) {
    return mark("conv", torch::conv2d(x, torch::ones({2, 3, 3, 3}), {}, 2, 1));
  });
  const ReceptiveField found = receptive_fields(model, test::some_images({1, 3, 8, 10}), {"conv"})[0],
                       by_hand = three_by_three();
  BOOST_REQUIRE((found.vertical && found.horizontal));
  BOOST_TEST(found.rows == by_hand.rows);
  BOOST_TEST(found.columns == by_hand.columns);
  BOOST_TEST(found.vertical->first == by_hand.vertical->first);
  BOOST_TEST(found.horizontal->size == by_hand.horizontal->size);
  BOOST_TEST(found.horizontal->stride == by_hand.horizontal->stride);
}

BOOST_AUTO_TEST_CASE(a_tile_in_the_corner_has_padding) {
  // Place (0, 0) sees the rows and columns −1 … 1: the first of each are padding.
  const Images image = numbered();
  const PatchView view = view_of(image, three_by_three(), 0, 0);
  BOOST_TEST(!view.whole);
  BOOST_TEST(!view.sees_all());
  BOOST_TEST(view.top == -1);
  BOOST_TEST(view.left == -1);
  BOOST_TEST(is(view.box, 0, 0, 2, 2));
  BOOST_TEST(is(view.seen(), 1, 1, 3, 3));
  // Value (c, y, x) is 1 + 80·c + 10·y + x.
  const Tensor expected = torch::tensor({0,  0, 0,  0,  1, 2, 0, 11, 12,  0,   0, 0,   0,  81,
                                         82, 0, 91, 92, 0, 0, 0, 0,  161, 162, 0, 171, 172},
                                        torch::kFloat)
                              .view({1, 3, 3, 3});
  BOOST_TEST(view.image.equal(expected));
  // The middle of the pixels −1, 0, 1 is that of pixel 0.
  BOOST_TEST(view.center.y == 0.5);
  BOOST_TEST(view.center.x == 0.5);
}

BOOST_AUTO_TEST_CASE(a_tile_in_the_middle_is_all_image) {
  // Place (2, 3): rows 3 … 5, columns 5 … 7.
  const Images image = numbered();
  const PatchView view = view_of(image, three_by_three(), 2, 3);
  BOOST_TEST(!view.whole);
  BOOST_TEST(view.sees_all());
  BOOST_TEST(is(view.box, 3, 5, 6, 8));
  BOOST_TEST(is(view.seen(), 0, 0, 3, 3));
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t y = 0; y < 3; ++y)
      for (std::int64_t x = 0; x < 3; ++x)
        BOOST_TEST(view.image[0][c][y][x].item<float>() == float(1 + 80 * c + 10 * (y + 3) + x + 5));
  BOOST_TEST(view.center.y == 4.5);
  BOOST_TEST(view.center.x == 6.5);
}

BOOST_AUTO_TEST_CASE(all_tiles_of_a_layer_have_one_size) {
  const ReceptiveField field = three_by_three();
  for (std::int64_t y = 0; y < field.rows; ++y)
    for (std::int64_t x = 0; x < field.columns; ++x) {
      const PatchView view = view_of(numbered(), field, y, x);
      BOOST_TEST((view.image.sizes() == at::IntArrayRef{1, 3, 3, 3}));
      const Box box = field.box(y, x), seen = view.seen();
      BOOST_TEST(seen.bottom - seen.top == box.bottom - box.top);
      BOOST_TEST(seen.right - seen.left == box.right - box.left);
    }
}

BOOST_AUTO_TEST_CASE(a_place_that_sees_padding_alone) {
  // A convolution 1×1 with padding 1: place 0 sees pixel −1.
  ReceptiveField field = three_by_three();
  field.rows = 10, field.columns = 12;
  field.vertical = field.horizontal = FieldAxis{-1, 1, 1};
  const PatchView view = view_of(numbered(), field, 0, 0);
  BOOST_TEST(!view.sees_all());
  BOOST_TEST((view.image.sizes() == at::IntArrayRef{1, 3, 1, 1}));
  BOOST_TEST(view.image.eq(0).all().item<bool>());
  BOOST_TEST(view.center.y == 0);  // −0.5 is outside of the image
}

BOOST_AUTO_TEST_CASE(a_field_as_large_as_the_image_shows_all_of_it) {
  // 9 rows from −4 on, every 4th: the first of two places sees rows 0 … 4, its middle is that of row 0.
  ReceptiveField field = three_by_three();
  field.rows = 2;
  field.vertical = FieldAxis{-4, 9, 4};
  const PatchView first = view_of(numbered(), field, 0, 3), second = view_of(numbered(), field, 1, 3);
  BOOST_TEST(first.whole);
  BOOST_TEST(first.image.equal(numbered()));
  BOOST_TEST(is(first.box, 0, 5, 5, 8));
  BOOST_TEST(is(first.seen(), 0, 5, 5, 8));
  BOOST_TEST(!first.sees_all());
  BOOST_TEST(first.center.y == 0.5);
  BOOST_TEST(first.center.x == 6.5);
  BOOST_TEST(is(second.box, 0, 5, 8, 8));
  BOOST_TEST(second.center.y == 4.5);
  field.vertical->size = 8;  // exactly its height
  BOOST_TEST(view_of(numbered(), field, 1, 3).whole);
  field.vertical->size = 7;
  BOOST_TEST(!view_of(numbered(), field, 1, 3).whole);
}

BOOST_AUTO_TEST_CASE(a_field_that_is_not_known_shows_all_with_the_place) {
  // Four rows of places over 8 pixels, five columns over 10: place (1, 4) has its middle at 1.5·2, 4.5·2.
  ReceptiveField field = three_by_three();
  field.vertical.reset();
  field.horizontal.reset();
  const PatchView view = view_of(numbered(), field, 1, 4);
  BOOST_TEST(view.whole);
  BOOST_TEST(view.sees_all());
  BOOST_TEST(is(view.box, 0, 0, 8, 10));
  BOOST_TEST(view.center.y == 3);
  BOOST_TEST(view.center.x == 9);
  field.horizontal = FieldAxis{-1, 3, 2};  // one axis is: 2·4 − 1 … 9
  const PatchView half = view_of(numbered(), field, 1, 4);
  BOOST_TEST(half.whole);
  BOOST_TEST(is(half.box, 0, 7, 8, 10));
  BOOST_TEST(half.center.y == 3);
  BOOST_TEST(half.center.x == 8.5);
}

BOOST_AUTO_TEST_CASE(what_is_no_image_or_place_of_the_field) {
  const ReceptiveField field = three_by_three();
  BOOST_CHECK_EXCEPTION(view_of(torch::zeros({1, 3, 8, 9}), field, 0, 0), Error,
                        says({"[1, 3, 8, 9]", "8×10", "as the network sees it"}));
  BOOST_CHECK_EXCEPTION(view_of(torch::zeros({2, 3, 8, 10}), field, 0, 0), Error, says({"[2, 3, 8, 10]"}));
  BOOST_CHECK_EXCEPTION(view_of(torch::zeros({3, 8, 10}), field, 0, 0), Error, says({"[3, 8, 10]"}));
  BOOST_CHECK_THROW(view_of(Images{}, field, 0, 0), Error);
  BOOST_CHECK_EXCEPTION(view_of(numbered(), field, 4, 0), Error,
                        says({"y 4, x 0", "4×5", "numbered from 0"}));
  BOOST_CHECK_EXCEPTION(view_of(numbered(), field, 0, 5), Error, says({"y 0, x 5", "4×5"}));
  BOOST_CHECK_THROW(view_of(numbered(), field, -1, 0), Error);
  BOOST_CHECK_EXCEPTION(view_of(numbered(), {.height = 8, .width = 10}, 0, 0), Error,
                        says({"0×0", "lies as the image does"}));
}

BOOST_AUTO_TEST_SUITE_END()
