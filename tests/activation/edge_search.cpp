#include <boost/test/unit_test.hpp>
#include <functional>

#include <pellucid/activation/edge_search.hpp>

using pellucid::detail::EdgeSearch;

namespace {

/// The last place that sees the pixels 0 … probe, of places that begin to see at these pixels; −1: none.
std::int64_t last_of(const std::vector<std::int64_t>& begins, std::int64_t probe) {
  std::int64_t last = -1;
  for (std::size_t u = 0; u < begins.size(); ++u)
    if (begins[u] <= probe) last = std::int64_t(u);
  return last;
}

/// Asks until nothing is wanted; how many probes that took.
int ask(EdgeSearch& search, const std::vector<std::int64_t>& begins) {
  int probes = 0;
  while (const auto probe = search.wanted()) {
    BOOST_REQUIRE(++probes < 100);
    const std::int64_t last = last_of(begins, *probe);
    last < 0 ? search.skip(*probe) : search.learn(*probe, last);
  }
  return probes;
}

std::vector<std::int64_t> regular(std::int64_t first, std::int64_t stride, std::int64_t places) {
  std::vector<std::int64_t> begins;
  for (std::int64_t u = 0; u < places; ++u) begins.push_back(first + u * stride);
  return begins;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_edge_search)

BOOST_AUTO_TEST_CASE(all_regular_places_of_a_small_image) {
  // 60 pixels. Two steps show if for some place u behind the first, u and u + 1 begin at pixels 1 … 59.
  constexpr std::int64_t pixels = 60;
  int found = 0;
  for (std::int64_t stride = 1; stride <= 20; ++stride)
    for (std::int64_t places = 1; places <= 12; ++places)
      for (std::int64_t first = -100; first <= 6; ++first) {
        const auto begins = regular(first, stride, places);
        bool shows = false;
        for (std::size_t u = 1; u + 1 < begins.size(); ++u) shows |= begins[u] >= 1 && begins[u + 1] < pixels;
        if (last_of(begins, pixels / 2) < 0) continue;
        EdgeSearch search(pixels, places);
        for (const std::int64_t probe : {14, 29, 44})
          if (last_of(begins, probe) >= 0) search.learn(probe, last_of(begins, probe));
        ask(search, begins);
        const auto answer = search.found();
        BOOST_TEST_CONTEXT(first << " + " << stride << "·u, " << places << " places") {
          if (!shows) BOOST_TEST(!answer.has_value());
          if (shows) {
            BOOST_REQUIRE(answer.has_value());
            BOOST_TEST(answer->first == first);
            BOOST_TEST(answer->stride == stride);
            ++found;
          }
        }
      }
  BOOST_TEST(found > 1000);
}

BOOST_AUTO_TEST_CASE(few_probes) {
  // Places of stride 32 from pixel −90 on, of 224 pixels. After the probes 27 and 55, whose last places are
  // ⌊117/32⌋ = 3 and ⌊145/32⌋ = 4: of a stride s, 27 − 4s < first ≤ 27 − 3s and 55 − 5s < first ≤ 55 − 4s.
  // That leaves 2s − 28 first pixels for each s from 15 to 28, which are 210, and 28 for each from 29 to 64,
  // 1008: fewer than 2¹¹ pairs. Probes that halve them are 11, and 4 show the steps.
  EdgeSearch search(224, 7);
  search.learn(27, 3);
  search.learn(55, 4);
  BOOST_TEST(ask(search, regular(-90, 32, 7)) <= 15);
  BOOST_REQUIRE(search.found().has_value());
  BOOST_TEST(search.found()->first == -90);
}

BOOST_AUTO_TEST_CASE(what_is_not_regular_is_not_found) {
  const std::vector<std::vector<std::int64_t>> all{
      {0, 10, 20, 30, 50, 60, 70},             // 9 places of stride 10 pooled to 7
      {0, 4, 12, 16, 24, 28, 36, 40, 48, 52},  // 3 of 2: stride 6 on the whole
      {0, 0, 8, 8, 16, 16, 24, 24, 32, 32},    // enlarged
      {0, 0, 0, 0, 0, 28, 28, 28, 28, 28},     // windows of attention
      {28, 28, 28, 28, 28, 0, 0, 0, 0, 0},     // the same, rolled
      {0, 7, 14, 21, 28, 35, 43, 50, 57, 64},  // a pixel too many in the middle
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    EdgeSearch search(80, std::int64_t(all[i].size()));
    for (std::int64_t probe = 9; probe < 70; probe += 10) search.learn(probe, last_of(all[i], probe));
    ask(search, all[i]);
    BOOST_TEST_CONTEXT("case " << i) {
      BOOST_TEST(!search.found().has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(pixels_that_no_place_sees) {
  // Places 5, 14, 23, … of 60 pixels: nothing is seen of the probes 0 … 4.
  const auto begins = regular(5, 9, 6);
  EdgeSearch search(60, 6);
  search.learn(29, last_of(begins, 29));
  ask(search, begins);
  BOOST_REQUIRE(search.found().has_value());
  BOOST_TEST(search.found()->first == 5);
  BOOST_TEST(search.found()->stride == 9);
}

BOOST_AUTO_TEST_CASE(a_contradiction_takes_back_what_was_found) {
  const auto begins = regular(0, 4, 15);
  EdgeSearch search(60, 15);
  search.learn(29, 7);
  ask(search, begins);
  BOOST_TEST(search.found().has_value());
  search.learn(50, 11);  // ⌊50/4⌋ = 12 is expected
  BOOST_TEST(!search.found().has_value());
  BOOST_TEST(!search.wanted().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
