#include <boost/test/unit_test.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/image/write.hpp>

#include "temporary.hpp"

using namespace pellucid;

namespace {

const Picture two_by_three{2, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 254, 253, 252, 128, 127, 126}};

std::vector<std::string> names(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    found.push_back(entry.path().filename().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image_write)

BOOST_AUTO_TEST_CASE(a_written_picture_is_read_by_libpng_bit_for_bit) {
  const TemporaryFolder folder;
  write_png(folder.path() / "p.png", two_by_three);
  BOOST_TEST(names(folder.path()) == std::vector<std::string>{"p.png"}, boost::test_tools::per_element());
  const Images images = read_image(folder.path() / "p.png");
  BOOST_TEST(images.sizes() == (at::IntArrayRef{1, 3, 3, 2}));
  BOOST_TEST(images[0][0][0][0].item<float>() == 1.0f);
  BOOST_TEST(images[0][2][1][1].item<float>() == 3 / 255.0f);
  const Picture back = to_picture(images);
  BOOST_TEST(back.width == 2);
  BOOST_TEST(back.height == 3);
  BOOST_TEST(back.rgb == two_by_three.rgb, boost::test_tools::per_element());

  Picture noise{301, 203, {}};
  for (int i = 0; i < 301 * 203 * 3; ++i) noise.rgb.push_back(std::uint8_t(unsigned(i) * 2654435761u >> 24));
  write_png(folder.path() / "p.png", noise);
  BOOST_TEST((to_picture(read_image(folder.path() / "p.png")).rgb == noise.rgb));
}

BOOST_AUTO_TEST_CASE(to_picture_rounds_and_clamps) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor values =
      torch::tensor({-1.f, 0.4f / 255, 0.6f / 255, 99.7f / 255, 1.f, infinity}).view({1, 1, 6});
  const Picture grey = to_picture(values);
  BOOST_TEST(grey.width == 6);
  BOOST_TEST(grey.height == 1);
  const std::vector<int> expected = {0, 0, 1, 100, 255, 255};
  for (int x = 0; x < 6; ++x) {
    for (int c = 0; c < 3; ++c) BOOST_TEST(grey.at(x, 0)[c] == expected[std::size_t(x)]);
  }
  // Every byte comes back as itself.
  const Tensor bytes = torch::arange(256).to(at::kFloat).view({1, 1, 16, 16}).expand({1, 3, 16, 16}) / 255;
  const Picture all = to_picture(bytes);
  for (int i = 0; i < 256; ++i) BOOST_TEST(all.at(i % 16, i / 16)[1] == i);
  BOOST_TEST(to_images(all).equal(bytes));
  // Half precision, and a tensor that asks for gradients.
  BOOST_TEST(to_picture(torch::ones({3, 1, 1}).to(at::kBFloat16)).rgb[0] == 255);
  BOOST_TEST(to_picture(torch::ones({3, 1, 1}).set_requires_grad(true)).rgb[0] == 255);
}

BOOST_AUTO_TEST_CASE(to_images_is_planar_and_its_own) {
  Picture picture = two_by_three;
  const Images images = to_images(picture);
  picture.rgb.assign(18, 0);
  BOOST_TEST(images.sizes() == (at::IntArrayRef{1, 3, 3, 2}));
  BOOST_TEST(images.is_contiguous());
  BOOST_TEST(images[0][1][0][1].item<float>() == 1.0f);          // green of the second pixel
  BOOST_TEST(images[0][0][2][0].item<float>() == 254 / 255.0f);  // red of the last row's first
}

BOOST_AUTO_TEST_CASE(refusals) {
  BOOST_CHECK_EXCEPTION(to_picture(torch::zeros({2, 3, 4, 4})), Error, says({"[2, 3, 4, 4]"}));
  BOOST_CHECK_THROW(to_picture(torch::zeros({2, 4, 4})), Error);
  BOOST_CHECK_THROW(to_picture(torch::zeros({3, 0, 4})), Error);
  BOOST_CHECK_THROW(to_picture(torch::zeros({3, 4, 4}, at::kByte)), Error);
  BOOST_CHECK_THROW(to_picture(Tensor()), Error);
  BOOST_CHECK_EXCEPTION(to_picture(torch::full({3, 2, 2}, std::nanf(""))), Error, says({"NaN"}));
  BOOST_CHECK_THROW(encode_png(Picture{}), Error);
  BOOST_CHECK_THROW(encode_png(Picture{2, 2, {1, 2, 3}}), Error);
  BOOST_CHECK_THROW(to_images(Picture{2, 2, {1, 2, 3}}), Error);
}

BOOST_AUTO_TEST_CASE(a_file_is_whole_or_not_there) {
  const TemporaryFolder folder;
  const auto path = folder.put("old.txt", "old");
  try {
    AtomicFile file(path);
    file.write("half of the ne");
    throw std::runtime_error("interrupted");
  } catch (const std::runtime_error&) {
  }
  BOOST_TEST(contents(path) == "old");
  BOOST_TEST(names(folder.path()).size() == 1u);

  write_atomically(path, "new");
  BOOST_TEST(contents(path) == "new");
  write_atomically(path, "");
  BOOST_TEST(contents(path) == "");
  BOOST_TEST(names(folder.path()).size() == 1u);

  std::filesystem::create_symlink("old.txt", folder.path() / "link");
  write_atomically(folder.path() / "link", "through the link");
  BOOST_TEST(std::filesystem::is_symlink(folder.path() / "link"));
  BOOST_TEST(contents(path) == "through the link");

  std::filesystem::create_symlink("loop", folder.path() / "loop");
  write_atomically(folder.path() / "loop", "replaced");
  BOOST_TEST(contents(folder.path() / "loop") == "replaced");
}

BOOST_AUTO_TEST_CASE(a_name_without_a_folder_is_a_file_here) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_atomically("here.txt", "here");
  std::filesystem::current_path(before);
  BOOST_TEST(contents(folder.path() / "here.txt") == "here");
}

BOOST_AUTO_TEST_CASE(the_reason_of_a_failure_is_told) {
  const TemporaryFolder folder;
  folder.put("file", "");
  const auto fails = [](const std::filesystem::path& path, std::vector<std::string> words) {
    BOOST_CHECK_EXCEPTION(write_png(path, two_by_three), Error, says(words));
  };
  fails(folder.path() / "none" / "p.png", {"p.png", "there is no folder", "none", "make it"});
  fails(folder.path() / "file" / "p.png", {"there is no folder"});
  fails(folder.path(), {"it is a folder"});
  fails("", {"without a name"});
  fails(folder.path() / std::string(300, 'x'), {"too long"});
  BOOST_TEST(names(folder.path()).size() == 1u);
  if (std::filesystem::exists("/dev/full")) fails("/dev/full", {"/dev/full", "No space left"});
  if (std::filesystem::exists("/dev/null")) {
    write_png("/dev/null", two_by_three);
    BOOST_TEST(std::filesystem::is_character_file("/dev/null"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
