#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <pellucid/render/text.hpp>

using namespace pellucid;

namespace {

int dots(const Picture& picture) {
  int count = 0;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) count += pixel(picture, x, y) == ink;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_text)

BOOST_AUTO_TEST_CASE(every_ascii_character_has_a_glyph_of_its_own) {
  std::set<std::vector<int>> seen;
  for (char c = 33; c < 127; ++c) {
    const Picture glyph = text(std::string(1, c));
    BOOST_TEST(dots(glyph) > 0);
    BOOST_TEST(seen.insert({glyph.rgb.begin(), glyph.rgb.end()}).second, "'" << c << "' looks like another");
  }
  BOOST_TEST(dots(text(" ")) == 0);
}

BOOST_AUTO_TEST_CASE(a_capital_l_is_where_it_should_be) {
  // A stem of 8 rows and a foot of 5 columns that share a corner.
  const Picture letter = text("L");
  BOOST_TEST(letter.width == 5);
  BOOST_TEST(letter.height == 10);
  BOOST_TEST(dots(letter) == 12);
  BOOST_TEST((pixel(letter, 0, 0) == ink));
  BOOST_TEST((pixel(letter, 4, 7) == ink));
  BOOST_TEST((pixel(letter, 4, 0) == paper));
  BOOST_TEST((pixel(letter, 0, 8) == paper));
}

BOOST_AUTO_TEST_CASE(widths_add_up) {
  BOOST_TEST(text_width("") == 0);
  BOOST_TEST(text_width("l") == 1);
  BOOST_TEST(text_width("lL") == 1 + 1 + 5);
  BOOST_TEST(text_width("l l") == 1 + 1 + 3 + 1 + 1);
  BOOST_TEST(text_width("lL", 3) == 21);
}

BOOST_AUTO_TEST_CASE(scales_multiply_dots) {
  BOOST_TEST(dots(text("l", {3})) == 9 * 8);
  BOOST_TEST(dots(text("l", {2})) == 4 * 8);  // no corner to smooth
  const Picture corner = text("L", {2});
  BOOST_TEST(corner.width == 10);
  BOOST_TEST(dots(corner) == 4 * 12);  // the inner corner is filled, the outer one cut
  BOOST_TEST((pixel(corner, 2, 13) == ink));
  BOOST_TEST((pixel(corner, 0, 15) == paper));
}

BOOST_AUTO_TEST_CASE(unknown_and_broken_characters_become_one_question_mark) {
  const auto mark = text("?").rgb;
  for (const char* unknown : {"\xC3\xB1", "\xF0\x9F\x98\x80", "\xC3", "\x80", "\xFF", "\t"})
    BOOST_TEST(text(unknown).rgb == mark, boost::test_tools::per_element());
  BOOST_TEST(text_width("\xE2\x82") == text_width("??"));
  BOOST_TEST(text("×").rgb != mark);
  BOOST_TEST(text("ε").rgb != mark);
}

BOOST_AUTO_TEST_CASE(lines_break_at_line_feeds) {
  const Picture two = text("l\nlL");
  BOOST_TEST(two.width == 7);
  BOOST_TEST(two.height == 14 + 10);
  BOOST_TEST((pixel(two, 0, 14) == ink));
  BOOST_TEST(text("").width == 1);
}

BOOST_AUTO_TEST_CASE(what_lies_outside_is_left_off) {
  Picture small = blank(4, 4);
  draw_text(small, -3, -5, "LLL", {2});
  draw_text(small, 100, 100, "L");
  draw_text(small, -100, 2, "L");
  BOOST_TEST(small.rgb.size() == 48u);
}

BOOST_AUTO_TEST_CASE(wrapping_breaks_at_blanks_then_inside_words) {
  const auto check = [](const char* given, int width, int lines, const std::vector<std::string>& expected) {
    BOOST_TEST(wrapped(given, width, lines) == expected, boost::test_tools::per_element());
  };
  check("lll lll", 15, 9, {"lll lll"});  // 5 + 1 + 3 + 1 + 5
  check("lll lll", 14, 9, {"lll", "lll"});
  check("lll   lll", 14, 9, {"lll", "lll"});
  check("   lll", 5, 9, {"", "lll"});
  check("llll", 3, 9, {"ll", "ll"});
  check("LL", 1, 9, {"L", "L"});
  check("a\nb", 100, 9, {"a", "b"});
  check("", 10, 9, {""});
  check("××", 5, 9, {"×", "×"});
  check("a b", 100, 0, {});
}

BOOST_AUTO_TEST_CASE(text_cut_short_ends_in_dots_and_fits) {
  const auto lines = wrapped("one two three four five six seven", 60, 2);
  BOOST_TEST(lines.size() == 2u);
  BOOST_TEST(lines[1].ends_with("..."));
  for (const auto& line : lines) BOOST_TEST(text_width(line) <= 60);
}

BOOST_AUTO_TEST_CASE(scales_below_one_are_refused) {
  BOOST_CHECK_THROW(text("a", {0}), Error);
  BOOST_CHECK_THROW(text_width("a", -1), Error);
}

BOOST_AUTO_TEST_SUITE_END()
