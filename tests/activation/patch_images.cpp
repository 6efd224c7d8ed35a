#include <boost/test/unit_test.hpp>

#include <pellucid/activation/patch_images.hpp>
#include <pellucid/activation/top_patches.hpp>
#include <pellucid/image/write.hpp>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

BOOST_AUTO_TEST_SUITE(activation_patch_images)

BOOST_AUTO_TEST_CASE(the_image_that_was_scanned_and_no_other) {
  const TemporaryFolder folder;
  const Tensor picture = torch::arange(27).view({1, 3, 3, 3}) / 255.0;
  folder.put("deeper/a.png", encode_png(to_picture(picture)));
  const auto model = test::model_of([](const Tensor& x) { return mark("layer", 2 * x); });
  const PatchIndex index = TopPatches({.layers = {"layer"}})(model, folder.path());
  BOOST_TEST((image_size(index) == std::vector<std::int64_t>{3, 3}));

  const Patch patch = index.of("layer", 1).front();
  const Images image = image_of(patch, index, model, folder.path());
  BOOST_TEST((image - picture).abs().max().item<double>() < 1e-6);
  // The value of the patch stands at its place.
  BOOST_TEST(2 * image[0][1][patch.y][patch.x].item<float>() == patch.value);

  folder.put("deeper/a.png", encode_png(to_picture(picture + 1 / 255.0)));
  BOOST_CHECK_EXCEPTION(image_of(patch, index, model, folder.path()), Error,
                        says({"deeper/a.png", "not the image that was scanned"}));
  std::filesystem::remove(folder.path() / "deeper/a.png");
  BOOST_CHECK_EXCEPTION(image_of(patch, index, model, folder.path()), Error,
                        says({"deeper/a.png", "no such file"}));
  BOOST_CHECK_EXCEPTION(image_of(Patch{.image = "b.png"}, index, model, folder.path()), Error,
                        says({"'b.png'", "the index that the patch is from"}));
}

BOOST_AUTO_TEST_CASE(an_index_that_does_not_tell_its_images_size) {
  const PatchIndex index(PatchIndexOf{.layers = {"a"}, .channels = {1}, .preprocess = "by hand"});
  BOOST_CHECK_EXCEPTION(image_size(index), Error, says({"'by hand'", "TopPatches"}));
}

BOOST_AUTO_TEST_SUITE_END()
