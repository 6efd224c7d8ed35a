#include <boost/test/unit_test.hpp>

#include <pellucid/render/patch_sheet.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "image/temporary.hpp"

using namespace pellucid;

namespace {

constexpr Rgb red{255, 0, 0}, green{0, 255, 0}, blue{0, 0, 255}, white{255, 255, 255}, black{0, 0, 0};

/// Of places that see 2×2 pixels, every 2nd: an image 4×4 has 3×3 of them, the first of which see padding.
ReceptiveField two_by_two() {
  return {.height = 4,
          .width = 4,
          .rows = 3,
          .columns = 3,
          .vertical = FieldAxis{-1, 2, 2},
          .horizontal = FieldAxis{-1, 2, 2}};
}

/// A 4×4 image: left half red, right half green.
Images halves() {
  Images image = torch::zeros({1, 3, 4, 4});
  image.select(1, 0).slice(2, 0, 2).fill_(1);
  image.select(1, 1).slice(2, 2, 4).fill_(1);
  return image;
}

bool filled(const Picture& sheet, int x, int y, int width, int height, Rgb color) {
  for (int row = y; row < y + height; ++row)
    for (int column = x; column < x + width; ++column)
      if (!(pixel(sheet, column, row) == color)) return false;
  return true;
}

bool light(Rgb color) {
  return std::min({color.r, color.g, color.b}) > 200;
}
bool dark(Rgb color) {
  return std::max({color.r, color.g, color.b}) < 60;
}

/// How many pixels of a part are so.
int count(const Picture& sheet, int x, int y, int width, int height, bool (*is_so)(Rgb)) {
  int found = 0;
  for (int row = y; row < y + height; ++row)
    for (int column = x; column < x + width; ++column) found += is_so(pixel(sheet, column, row));
  return found;
}

bool is_grey(Rgb color) {
  return color.r == color.g && color.g - color.b < 8 && color.r > 200;
}

/// A row that shows the middle of `halves`.
PatchRow middle(std::string title = {}, std::string label = {}) {
  return {.title = std::move(title), .patches = {{view_of(halves(), two_by_two(), 1, 1), std::move(label)}}};
}

/// Of a whole image of one colour W×H: the place (y, x) of rows×columns, not known.
PatchView whole(Rgb color, std::int64_t rows, std::int64_t columns, std::int64_t y, std::int64_t x) {
  const ReceptiveField field{.height = 96, .width = 96, .rows = rows, .columns = columns};
  return view_of(to_images(blank(96, 96, color)), field, y, x);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_patch_sheet)

BOOST_AUTO_TEST_CASE(patches_stand_in_rows_crisp_and_in_their_order) {
  // Place (1, 1) sees columns 1 and 2, red and green; (1, 2) columns 3 and one of padding. 2×2 → 20×20.
  const ReceptiveField field = two_by_two();
  const PatchRow row{.patches = {{view_of(halves(), field, 1, 1), ""}, {view_of(halves(), field, 1, 2), ""}}};
  const PatchRow second{.patches = {{view_of(halves() * 0, field, 1, 1), ""}}};
  const Picture sheet = patch_sheet({row, second}, {.tile_width = 20, .gap = 4});
  // A margin of 16, then the patches with gaps of 4; each row has one over and one under it.
  BOOST_TEST(filled(sheet, 16, 20, 10, 20, red));
  BOOST_TEST(filled(sheet, 26, 20, 10, 20, green));
  BOOST_TEST(filled(sheet, 36, 20, 4, 20, paper));
  BOOST_TEST(filled(sheet, 40, 20, 10, 20, green));
  for (int y = 20; y < 40; ++y)
    for (int x = 50; x < 60; ++x) BOOST_TEST(is_grey(pixel(sheet, x, y)));
  BOOST_TEST(filled(sheet, 0, 40, sheet.width, 8, paper));
  BOOST_TEST(filled(sheet, 16, 48, 20, 20, black));
  BOOST_TEST(filled(sheet, 36, 48, 4, 20, paper));
  BOOST_TEST(filled(sheet, 0, 0, sheet.width, 20, paper));
}

BOOST_AUTO_TEST_CASE(the_padding_is_two_greys_that_are_not_the_paper) {
  const PatchRow row{.patches = {{view_of(halves(), two_by_two(), 0, 0), ""}}};
  const Picture sheet = patch_sheet({row}, {.tile_width = 40, .gap = 4});
  // Rows and columns −1 are padding; pixel (0, 0), red, is the last quarter.
  BOOST_TEST(filled(sheet, 36, 40, 20, 20, red));
  const Rgb at = pixel(sheet, 16, 20);
  int same = 0, other = 0;
  for (int y = 20; y < 60; ++y)
    for (int x = 16; x < (y < 40 ? 56 : 36); ++x) {
      BOOST_TEST(is_grey(pixel(sheet, x, y)));
      ++(pixel(sheet, x, y) == at ? same : other);
      BOOST_TEST(!(pixel(sheet, x, y) == paper));
    }
  BOOST_TEST(same > 200);
  BOOST_TEST(other > 200);
}

BOOST_AUTO_TEST_CASE(a_ring_of_two_tones_marks_the_place_in_the_whole_image) {
  for (const Rgb color : {white, black, blue}) {
    // Place (1, 2) of 3×3 over 96×96: its middle is (48, 80). The ring's radius is 96/14.
    const Picture sheet =
        patch_sheet({{.patches = {{whole(color, 3, 3, 1, 2), ""}}}}, {.tile_width = 96, .gap = 4});
    const int x = 16 + 80, y = 20 + 48;
    BOOST_TEST((pixel(sheet, x, y) == color));
    BOOST_TEST(filled(sheet, 16, 20, 60, 96, color));  // nothing but the ring
    // White for one pixel to either side of the ring's middle, 43 pixels long, then black for 1.5 more.
    BOOST_TEST(count(sheet, x - 10, y - 10, 20, 20, light) >= 43);
    BOOST_TEST(count(sheet, x - 10, y - 10, 20, 20, dark) >= 43);
    BOOST_TEST(light(pixel(sheet, x + 6, y)));
    BOOST_TEST(light(pixel(sheet, x - 7, y)));
    BOOST_TEST(dark(pixel(sheet, x + 8, y)));
    BOOST_TEST(dark(pixel(sheet, x - 9, y)));
    for (const int away : {-13, 12}) BOOST_TEST((pixel(sheet, x + away, y) == color));
  }
}

BOOST_AUTO_TEST_CASE(the_only_place_of_a_layer_is_not_marked) {
  const Picture sheet =
      patch_sheet({{.patches = {{whole(blue, 1, 1, 0, 0), ""}}}}, {.tile_width = 96, .gap = 4});
  BOOST_TEST(filled(sheet, 16, 20, 96, 96, blue));
}

BOOST_AUTO_TEST_CASE(a_ring_at_the_edge_is_cut) {
  const Picture sheet =
      patch_sheet({{.patches = {{whole(blue, 96, 96, 0, 0), ""}}}}, {.tile_width = 96, .gap = 4});
  BOOST_TEST(filled(sheet, 0, 0, sheet.width, 20, paper));
  BOOST_TEST(filled(sheet, 0, 20, 16, 96, paper));
  BOOST_TEST(count(sheet, 16, 20, 12, 12, light) > 3);
}

BOOST_AUTO_TEST_CASE(a_frame_holds_what_a_place_sees_of_the_whole_image) {
  // The place (0, 5) sees all rows, and columns 40 … 67: a frame at its outermost pixels.
  const ReceptiveField field{.height = 96,
                             .width = 96,
                             .rows = 1,
                             .columns = 9,
                             .vertical = FieldAxis{0, 96, 1},
                             .horizontal = FieldAxis{0, 28, 8}};
  const PatchView view = view_of(to_images(blank(96, 96, blue)), field, 0, 5);
  const Picture sheet = patch_sheet({{.patches = {{view, ""}}}}, {.tile_width = 96, .gap = 4});
  for (const int x : {40, 67}) {
    BOOST_TEST(count(sheet, 16 + x, 20, 1, 96, light) == 48);
    BOOST_TEST(count(sheet, 16 + x, 20, 1, 96, dark) == 48);
  }
  BOOST_TEST(filled(sheet, 16, 20, 40, 96, blue));
  BOOST_TEST(filled(sheet, 16 + 68, 20, 28, 96, blue));
  BOOST_TEST(filled(sheet, 16 + 41, 21, 26, 30, blue));
}

BOOST_AUTO_TEST_CASE(titles_stand_left_labels_under_and_the_visualisation_apart) {
  PatchRow row = middle("l", "l");
  row.beside = blank(5, 5, blue);
  const Picture sheet = patch_sheet({row, middle()}, {.tile_width = 20, .gap = 4});
  // The title, one column wide, and a margin; then the patch, behind two margins more what is beside it.
  BOOST_TEST(filled(sheet, 16, 20, 1, 8, ink));
  BOOST_TEST(filled(sheet, 17, 20, 16, 20, paper));
  BOOST_TEST(filled(sheet, 33, 20, 10, 20, red));
  BOOST_TEST(filled(sheet, 33, 45, 1, 8, ink));  // 5 under the patch
  const int at = 33 + 20 + 4 + 32;
  BOOST_TEST(filled(sheet, 53, 20, at - 53, 20, paper));
  BOOST_TEST(filled(sheet, at, 20, 20, 20, blue));
  BOOST_TEST(filled(sheet, at + 20, 0, sheet.width - at - 20, 60, paper));
  // The second row begins behind the label (10 high) and two gaps, and has its patch in the same column.
  BOOST_TEST(filled(sheet, 33, 20 + 20 + 5 + 10 + 8, 10, 20, red));
  BOOST_TEST(filled(sheet, at, 63, 20, 20, paper));
}

BOOST_AUTO_TEST_CASE(title_and_footer_stand_over_and_under_all) {
  const Picture plain = patch_sheet({middle()}, {.tile_width = 20, .gap = 4}),
                sheet = patch_sheet(
                    {middle()}, {.tile_width = 20, .gap = 4, .title = "l", .footer = blank(500, 7, blue)});
  BOOST_TEST(sheet.width == 16 + 500 + 16);
  BOOST_TEST(plain.width == 400);  // for the note
  BOOST_TEST(filled(sheet, 16, 16, 2, 16, ink));
  BOOST_TEST(filled(sheet, 16, sheet.height - 16 - 7, 500, 7, blue));
  BOOST_TEST(filled(plain, 16, 20, 10, 20, red));
}

BOOST_AUTO_TEST_CASE(the_note_explains_what_is_there) {
  const auto note = [](const std::vector<PatchRow>& rows) {
    return pellucid::detail::patch_note(rows, "its value");
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
  };
  PatchRow row = middle();
  BOOST_TEST(has(note({row}), "strongest at the left"));
  BOOST_TEST(has(note({row}), "Under each: its value."));
  for (const char* const absent : {"Hatched", "ring", "frame", "far right"})
    BOOST_TEST(!has(note({row}), absent));
  row.patches.push_back({view_of(halves(), two_by_two(), 0, 0), ""});
  BOOST_TEST(has(note({row}), "Hatched"));
  row.patches.push_back({whole(red, 1, 1, 0, 0), ""});
  BOOST_TEST(!has(note({row}), "ring"));
  row.patches.push_back({whole(red, 2, 2, 0, 0), ""});
  BOOST_TEST(has(note({row}), "ring"));
  BOOST_TEST(!has(note({row}), "frame"));
  row.beside = blank(1, 1);
  BOOST_TEST(has(note({row}), "far right"));
  BOOST_TEST(!has(pellucid::detail::patch_note({row}, ""), "Under each"));
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  BOOST_CHECK_EXCEPTION(patch_sheet({}), Error, says({"without rows"}));
  BOOST_CHECK_EXCEPTION(patch_sheet({middle(), {.title = "channel 7"}}), Error,
                        says({"row 1", "'channel 7'", "none"}));
  BOOST_CHECK_EXCEPTION(patch_sheet({{.patches = {PatchTile{}}}}), Error, says({"picture"}));
  BOOST_CHECK_THROW(patch_sheet({middle()}, {.tile_width = 0}), Error);
  BOOST_CHECK_THROW(patch_sheet({middle()}, {.gap = -1}), Error);
  BOOST_CHECK_THROW(patch_sheet({middle()}, {.text_scale = 0}), Error);
  BOOST_CHECK_THROW(patch_sheet({middle()}, {.label_lines = -1}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
