#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/render/stages.hpp>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

BOOST_AUTO_TEST_SUITE(render_stages)

BOOST_AUTO_TEST_CASE(options_are_checked_at_construction) {
  BOOST_CHECK_EXCEPTION(Overlay({.heat = {.percentile = 150}}), Error, says({"percentile", "150"}));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_refused_at_construction) {
  const TemporaryFolder folder;
  BOOST_CHECK_EXCEPTION(SavePng(""), Error, says({"empty name"}));
  BOOST_CHECK_EXCEPTION(SavePng{folder.path()}, Error, says({"is a folder"}));
  BOOST_CHECK_EXCEPTION(SavePng(folder.path() / "none" / "why.png"), Error, says({"no folder", "why.png"}));
}

BOOST_AUTO_TEST_CASE(what_is_drawn_is_written_and_handed_on) {
  const TemporaryFolder folder;
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const auto why = Attribution<Gradient>() | Overlay{} | SavePng{folder.path() / "why.png"};
  const Picture drawn = why(model, test::some_images({1, 3, 8, 6}));
  BOOST_TEST(drawn.width == 6);
  BOOST_TEST(drawn.height == 8);
  const Images read = read_image(folder.path() / "why.png");
  BOOST_TEST((read * 255).round().to(torch::kByte).flatten()[0].item<int>() == int(drawn.rgb[0]));
}

BOOST_AUTO_TEST_SUITE_END()
