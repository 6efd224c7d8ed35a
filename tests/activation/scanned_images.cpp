#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <pellucid/activation/scanned_images.hpp>
#include <pellucid/core/digest.hpp>

using namespace pellucid;

BOOST_AUTO_TEST_SUITE(activation_scanned_images)

BOOST_AUTO_TEST_CASE(none) {
  const ScannedImages images;
  BOOST_TEST(images.size() == 0U);
  BOOST_TEST(images.distinct() == 0U);
  BOOST_TEST(!images.find("").has_value());
  BOOST_TEST(!images.find(pellucid::detail::DigestBytes{}).has_value());
  BOOST_TEST((images.begin() == images.end()));
}

// As a map and a set of pairs would have them, whatever the order and the pieces in which they come.
BOOST_AUTO_TEST_CASE(as_a_map) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<ScannedImage> files;
    for (unsigned i = 0; i < 200; ++i)
      files.push_back({std::string(i % 3, '/') + std::to_string(i), i, digest_of(std::to_string(i % 50))});
    std::shuffle(files.begin(), files.end(), random);

    ScannedImages images;
    std::map<std::string, ScannedImage> map;
    std::map<std::string, std::string> first;  // of each digest, the smallest name
    for (std::size_t at = 0; at < files.size();) {
      const std::size_t count =
          std::min<std::size_t>(1 + random() % (round < 10 ? 4 : 90), files.size() - at);
      const std::vector<ScannedImage> piece(files.begin() + std::ptrdiff_t(at),
                                            files.begin() + std::ptrdiff_t(at + count));
      images.add(piece);
      for (const ScannedImage& file : piece) {
        map.emplace(file.name, file);
        std::string& name = first.try_emplace(file.digest, file.name).first->second;
        name = std::min(name, file.name);
      }
      at += count;
      BOOST_TEST(images.size() == map.size());
      BOOST_TEST(images.distinct() == first.size());
    }

    std::size_t place = 0;
    for (const auto& [name, file] : map) {
      BOOST_TEST((images[place++] == file));
      BOOST_TEST((images.find(name) == file));
      BOOST_TEST(!images.find(name + "0/").has_value());
    }
    for (const auto& [digest, name] : first)
      BOOST_TEST(images[images.find(pellucid::detail::digest_bytes(digest)).value()].name == name);
    BOOST_TEST(!images.find(pellucid::detail::digest_bytes(digest_of("50"))).has_value());

    ScannedImages sorted;
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    sorted.add(files);
    BOOST_TEST((sorted == images));
    sorted.add({{"zz", 1, digest_of("")}});
    BOOST_TEST((sorted != images));
  }
}

BOOST_AUTO_TEST_SUITE_END()
