#include <boost/test/unit_test.hpp>

#include <pellucid/core/digest.hpp>
#include <pellucid/image/decode_ahead.hpp>
#include <pellucid/image/write.hpp>

#include <atomic>
#include <chrono>
#include <thread>

#include "temporary.hpp"

using namespace pellucid;

namespace {

using Paths = std::vector<std::filesystem::path>;

/// A PNG of one colour, whose red is its number.
std::string png(int number, int side = 4) {
  Picture picture{side, side, std::vector<std::uint8_t>(std::size_t(3 * side * side), 0)};
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) picture.rgb[i] = std::uint8_t(number);
  return encode_png(picture);
}

Paths numbered(const TemporaryFolder& folder, int count) {
  Paths files;
  for (int i = 0; i < count; ++i) files.push_back(folder.put(std::to_string(i) + ".png", png(i)));
  return files;
}

std::string refusal(int threads, std::size_t ahead) {
  try {
    DecodeAhead images({}, {}, threads, ahead);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image_decode_ahead)

BOOST_AUTO_TEST_CASE(images_come_in_the_order_of_the_list) {
  const TemporaryFolder folder;
  const Paths files = numbered(folder, 23);
  // The first of each three takes longest, so that its followers are ready before it.
  const auto slow = [](const Images& image) {
    const int number = int(std::lround(image[0][0][0][0].item<float>() * 255));
    if (number % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return image * 2;
  };
  for (const int threads : {0, 1, 4})
    for (const std::size_t ahead : {1U, 3U, 50U}) {
      DecodeAhead images(files, slow, threads, ahead);
      for (std::size_t i = 0; i < files.size(); ++i) {
        const auto next = images.next();
        BOOST_REQUIRE(next != nullptr);
        BOOST_TEST(next->number == i);
        BOOST_TEST(next->reason == "");
        BOOST_TEST(next->size == std::filesystem::file_size(files[i]));
        BOOST_TEST(next->digest == digest_of(contents(files[i])));
        BOOST_TEST((next->image.sizes().vec() == std::vector<std::int64_t>{1, 3, 4, 4}));
        BOOST_TEST((next->image[0][0] == 2 * (float(i) / 255.0F)).all().item<bool>());
      }
      BOOST_TEST(images.next() == nullptr);
      BOOST_TEST(images.next() == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_file_travels_with_it) {
  const TemporaryFolder folder;
  const std::string good = png(9);
  const Paths files{folder.put("good.png", good), folder.put("text.png", "no image"),
                    folder.path() / "gone.png",   folder.put("cut.png", good.substr(0, good.size() / 2)),
                    folder.put("empty.png", ""),  folder.put("large.png", png(1, 8)),
                    folder.put("last.png", good)};
  DecodeAhead images(
      files,
      [](const Images& image) {
        if (image.size(2) > 4) throw Error("it is too large");
        return image;
      },
      3, 4);
  std::vector<std::string> reasons;
  while (const auto next = images.next()) {
    BOOST_TEST(next->image.defined() == next->reason.empty());
    reasons.push_back(next->reason);
  }
  BOOST_REQUIRE(reasons.size() == files.size());
  const std::vector<std::string> expected{
      "", "format is unknown", "no such file", "ends early", "it is empty", "it is too large", ""};
  for (std::size_t i = 0; i < files.size(); ++i)
    BOOST_TEST(
        (reasons[i].empty() == expected[i].empty() && reasons[i].find(expected[i]) != std::string::npos),
        reasons[i]);
}

BOOST_AUTO_TEST_CASE(no_more_is_decoded_than_was_allowed) {
  const TemporaryFolder folder;
  const Paths files = numbered(folder, 12);
  std::atomic<int> decoded = 0;
  const auto waits_for = [&](int count) {
    for (int i = 0; i < 2000 && decoded < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // for one too many
    return decoded.load();
  };
  DecodeAhead images(
      files,
      [&](const Images& image) {
        ++decoded;
        return image;
      },
      4, 5);
  BOOST_TEST(waits_for(5) == 5);
  images.next();
  images.next();
  BOOST_TEST(waits_for(7) == 7);
}

BOOST_AUTO_TEST_CASE(threads_end_with_it) {
  const TemporaryFolder folder;
  const Paths files = numbered(folder, 12);
  std::atomic<int> inside = 0;
  const auto fit = [&](const Images& image) {
    ++inside;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --inside;
    return image;
  };
  for (int taken = 0; taken < 3; ++taken) {
    {
      DecodeAhead images(files, fit, 4, 4);
      for (int i = 0; i < taken; ++i) images.next();
    }
    BOOST_TEST(inside == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_thread_computes_alone_and_the_caller_as_before) {
  const TemporaryFolder folder;
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  std::atomic<int> most = 0;
  DecodeAhead images(
      numbered(folder, 6),
      [&](const Images& image) {
        most = std::max(most.load(), at::get_num_threads());
        return image;
      },
      3, 3);
  BOOST_TEST(at::get_num_threads() == 2);
  while (images.next()) {
  }
  BOOST_TEST(most == 1);
  BOOST_TEST(at::get_num_threads() == 2);
  int later = 0;  // a thread that begins only now
  std::thread([&] { later = at::get_num_threads(); }).join();
  BOOST_TEST(later == 2);
  at::set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(a_crop_does_not_keep_the_image_that_it_was_cut_from) {
  const TemporaryFolder folder;
  DecodeAhead images(
      {folder.put("a.png", png(7, 64))},
      [](const Images& image) { return image.narrow(2, 10, 2).narrow(3, 10, 3); }, 1, 1);
  const auto next = images.next();
  BOOST_REQUIRE(next != nullptr);
  BOOST_TEST((next->image.sizes().vec() == std::vector<std::int64_t>{1, 3, 2, 3}));
  BOOST_TEST(next->image.storage().nbytes() == 3U * 2 * 3 * sizeof(float));
}

BOOST_AUTO_TEST_CASE(an_image_stays_until_the_next_is_asked_for) {
  const TemporaryFolder folder;
  DecodeAhead images(numbered(folder, 9), {}, 4, 2);
  for (int i = 0; i < 9; ++i) {
    const DecodedImage* next = images.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // for threads that would overwrite it
    BOOST_TEST(next->number == std::size_t(i));
    BOOST_TEST((next->image[0][0] == float(i) / 255.0F).all().item<bool>());
  }
}

BOOST_AUTO_TEST_CASE(counts_without_meaning_are_refused) {
  BOOST_TEST(refusal(-1, 4).find("-1 threads") != std::string::npos);
  BOOST_TEST(refusal(2, 0).find("at least 1 image") != std::string::npos);
  BOOST_TEST(refusal(2, 1) == "");
}

BOOST_AUTO_TEST_SUITE_END()
