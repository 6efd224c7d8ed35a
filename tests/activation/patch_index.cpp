#include <boost/test/unit_test.hpp>

#include <pellucid/activation/patch_index.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "image/temporary.hpp"

using namespace pellucid;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// A digest whose place in the order is seen.
std::string digest(char digit) {
  return std::string(40, digit);
}

const PatchIndexOf two_layers{.layers = {"low", "high"},
                              .channels = {1, 2},
                              .top = 2,
                              .model = "m",
                              .preprocess = "p",
                              .execution = "e"};

PatchIndex one_channel(std::int64_t top) {
  return PatchIndex({.layers = {"a"}, .channels = {1}, .top = top});
}

using Row = std::vector<std::tuple<float, std::string, std::int64_t, std::int64_t>>;

Row row(const PatchIndex& index, const std::string& layer = "a", std::int64_t channel = 0) {
  Row result;
  for (const Patch& patch : index.of(layer, channel))
    result.emplace_back(patch.value, patch.image, patch.y, patch.x);
  return result;
}

/// "photos/b.png" is stronger than "a.png" in low, and weaker in high's channel 1; its channel 0 has a.png
/// alone. "z.png" is the same file as "a.png", and "c.txt" was left out.
PatchIndex small_index() {
  PatchIndex index(two_layers);
  index.offer(0, 0, 1.5F, digest('7'), 2, 3);
  index.offer(1, 0, -4.0F, digest('7'), 0, 0);
  index.offer(1, 1, 8.0F, digest('7'), 1, 0);
  index.add({"a.png", 100, digest('7')});
  index.offer(0, 0, 2.5F, digest('3'), 5, 6);
  index.offer(1, 1, 0.0F, digest('3'), 0, 1);
  index.add({"photos/b.png", 50, digest('3')});
  index.add({"z.png", 100, digest('7')});
  index.skip("c.txt", "it is no image");
  return index;
}

struct Files {
  TemporaryFolder folder{};
  std::filesystem::path path = folder.path() / "patches.safetensors";

  std::string bytes_of(const PatchIndex& index) const {
    index.save(path);
    return contents(path);
  }
  PatchIndex load(const std::string& bytes) const {
    return PatchIndex::load(folder.put("a.safetensors", bytes));
  }
  /// small_index() as a file in which something was changed.
  void written(const std::function<void(std::map<std::string, Tensor>&, std::map<std::string, std::string>&)>&
                   change) const {
    small_index().save(path);
    Checkpoint file = read_safetensors(path);
    std::map<std::string, Tensor> tensors;
    for (const auto& [name, tensor] : file.tensors) tensors[name] = tensor.clone();
    change(tensors, file.metadata);
    write_safetensors(path, {tensors.begin(), tensors.end()}, file.metadata);
  }
};

// What follows is written from the definition, for a comparison: all offers sorted.

struct Offer {
  std::size_t layer = 0;
  std::int64_t channel = 0;
  float value = 0;
  std::int64_t y = 0, x = 0;
};

struct Photo {
  ScannedImage file{};
  std::vector<Offer> offers{};
};

/// Photos of few different values, so that many are equal; every fifth is the same image as the one before.
std::vector<Photo> some_photos(std::mt19937& random, std::size_t count) {
  const auto below = [&](std::uint32_t most) { return std::int64_t(random() % most); };
  std::vector<Photo> photos;
  for (std::size_t i = 0; i < count; ++i) {
    Photo photo{{std::to_string(below(1000)) + "-" + std::to_string(i) + ".png", 10 + i / 5, {}}, {}};
    if (i % 5 == 4) {
      photo.file.size = photos.back().file.size;
      photo.file.digest = photos.back().file.digest;
      photo.offers = photos.back().offers;
    } else {
      photo.file.digest = digest_of("photo " + std::to_string(i));
      for (std::size_t layer = 0; layer < 2; ++layer)
        for (std::int64_t channel = 0; channel <= std::int64_t(layer); ++channel)
          for (std::int64_t times = 1 + below(3); times > 0; --times)
            photo.offers.push_back({layer, channel, float(below(4)) - 1.5F, below(3), below(3)});
    }
    photos.push_back(photo);
  }
  return photos;
}

Row naive(const std::vector<Photo>& photos, std::size_t layer, std::int64_t channel, std::size_t top) {
  std::vector<std::tuple<float, std::string, std::int64_t, std::int64_t>> all;  // −value, digest, y, x
  std::map<std::string, std::string> names;
  for (const Photo& photo : photos) {
    const auto known = names.find(photo.file.digest);
    if (known == names.end() || photo.file.name < known->second) names[photo.file.digest] = photo.file.name;
    for (const Offer& offer : photo.offers)
      if (offer.layer == layer && offer.channel == channel)
        all.emplace_back(-offer.value, photo.file.digest, offer.y, offer.x);
  }
  std::sort(all.begin(), all.end());
  Row result;
  std::set<std::string> seen;
  for (const auto& [value, image, y, x] : all)
    if (result.size() < top && seen.insert(image).second) result.emplace_back(-value, names[image], y, x);
  return result;
}

PatchIndex index_of(std::vector<Photo> photos, std::int64_t top, std::mt19937& random) {
  PatchIndexOf about = two_layers;
  about.top = top;
  PatchIndex index(about);
  std::shuffle(photos.begin(), photos.end(), random);
  for (Photo& photo : photos) {
    std::shuffle(photo.offers.begin(), photo.offers.end(), random);
    for (const Offer& o : photo.offers) index.offer(o.layer, o.channel, o.value, photo.file.digest, o.y, o.x);
    index.add(photo.file);
  }
  return index;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_patch_index)

BOOST_AUTO_TEST_CASE(the_strongest_come_first) {
  PatchIndex index = one_channel(3);
  BOOST_TEST(index.threshold(0, 0) == -infinity);
  BOOST_TEST(index.of("a", 0).empty());
  const float values[] = {2, -1, 5, 3};
  const char* digits = "abcd";
  for (std::size_t i = 0; i < 4; ++i) {
    index.offer(0, 0, values[i], digest(digits[i]), std::int64_t(i), 10 + std::int64_t(i));
    index.add({std::string(1, digits[i]) + ".png", i, digest(digits[i])});
    // Full with the third image, whose weakest is −1; the fourth takes that one's place, and 2 is the
    // weakest.
    BOOST_TEST(index.threshold(0, 0) == (i < 2 ? -infinity : i == 2 ? -1.0F : 2.0F));
  }
  BOOST_TEST((row(index) == Row{{5, "c.png", 2, 12}, {3, "d.png", 3, 13}, {2, "a.png", 0, 10}}));
}

BOOST_AUTO_TEST_CASE(of_equal_values_the_digest_decides) {
  // Whatever the order in which they come, the smallest two digests of the three stay.
  std::string order = "159";
  do {
    PatchIndex index = one_channel(2);
    for (const char c : order) {
      index.offer(0, 0, 1, digest(c), 0, 0);
      index.add({std::string(1, c), 1, digest(c)});
    }
    BOOST_TEST((row(index) == Row{{1, "1", 0, 0}, {1, "5", 0, 0}}));
  } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(an_image_has_one_place) {
  PatchIndex index = one_channel(2);
  index.add({"image", 1, digest('1')});
  const auto offered = [&](float value, std::int64_t y, std::int64_t x) {
    index.offer(0, 0, value, digest('1'), y, x);
    return row(index);
  };
  BOOST_TEST((offered(1, 4, 4) == Row{{1, "image", 4, 4}}));
  BOOST_TEST((offered(2, 5, 5) == Row{{2, "image", 5, 5}}));
  BOOST_TEST((offered(1, 0, 0) == Row{{2, "image", 5, 5}}));
  BOOST_TEST((offered(2, 5, 6) == Row{{2, "image", 5, 5}}));
  BOOST_TEST((offered(2, 5, 4) == Row{{2, "image", 5, 4}}));
  BOOST_TEST((offered(2, 3, 9) == Row{{2, "image", 3, 9}}));
  // One that was pushed out comes back with a stronger place.
  for (const char c : {'2', '3'}) {
    index.offer(0, 0, 3, digest(c), 0, 0);
    index.add({std::string(1, c), 1, digest(c)});
  }
  BOOST_TEST((row(index) == Row{{3, "2", 0, 0}, {3, "3", 0, 0}}));
  BOOST_TEST((offered(7, 1, 1) == Row{{7, "image", 1, 1}, {3, "2", 0, 0}}));
}

BOOST_AUTO_TEST_CASE(infinity_is_a_value_and_zero_has_no_sign) {
  PatchIndex index = one_channel(3);
  const std::pair<char, float> offers[] = {{'1', infinity}, {'2', -infinity}, {'4', -0.0F}, {'3', 0.0F}};
  for (const auto& [c, value] : offers) {
    index.offer(0, 0, value, digest(c), 0, 0);
    index.add({std::string(1, c), 1, digest(c)});
  }
  BOOST_TEST((row(index) == Row{{infinity, "1", 0, 0}, {0, "3", 0, 0}, {0, "4", 0, 0}}));
  BOOST_TEST(!std::signbit(index.of("a", 0)[2].value));
}

BOOST_AUTO_TEST_CASE(files_of_the_same_bytes_are_one_image) {
  const PatchIndex index = small_index();
  BOOST_TEST((row(index, "low", 0) == Row{{2.5F, "photos/b.png", 5, 6}, {1.5F, "a.png", 2, 3}}));
  BOOST_TEST((row(index, "high", 0) == Row{{-4, "a.png", 0, 0}}));
  BOOST_TEST((row(index, "high", 1) == Row{{8, "a.png", 1, 0}, {0, "photos/b.png", 0, 1}}));
  BOOST_TEST(index.images().size() == 3U);
  BOOST_TEST(index.duplicates() == 1);
  BOOST_TEST(index.has("a.png", 100));
  BOOST_TEST(index.has("z.png", 100));
  BOOST_TEST(!index.has("z.png", 101));
  BOOST_TEST(!index.has("c.txt", 100));
  BOOST_TEST(index.has_digest(digest('3')));
  BOOST_TEST(!index.has_digest(digest('4')));
  // By bytes, 'Z' is smaller than 'a'.
  PatchIndex renamed = index;
  renamed.add({"Z.png", 100, digest('7')});
  BOOST_TEST((row(renamed, "high", 0) == Row{{-4, "Z.png", 0, 0}}));
  BOOST_TEST(renamed.duplicates() == 2);
  BOOST_TEST(!(renamed == index));
}

BOOST_AUTO_TEST_CASE(files_that_are_left_out) {
  PatchIndex index = small_index();
  BOOST_TEST(index.skipped().at("c.txt") == "it is no image");
  index.skip("c.txt", "it is empty");
  index.skip("a.png", "it is gone");  // was scanned
  BOOST_TEST((index.skipped() == std::map<std::string, std::string>{{"c.txt", "it is empty"}}));
  index.add({"c.txt", 9, digest('9')});  // can be read now
  BOOST_TEST(index.skipped().empty());
  BOOST_TEST(index.images().size() == 4U);
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_a_function_of_the_set_of_images) {
  std::mt19937 random(1);
  const Files files;
  for (const std::int64_t top : {1, 2, 5, 100}) {
    const std::vector<Photo> photos = some_photos(random, 60);
    const PatchIndex whole = index_of(photos, top, random);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (std::int64_t channel = 0; channel <= std::int64_t(layer); ++channel)
        BOOST_TEST((row(whole, two_layers.layers[layer], channel) ==
                    naive(photos, layer, channel, std::size_t(top))));
    BOOST_TEST(whole.duplicates() == 12);
    const std::string bytes = files.bytes_of(whole);
    BOOST_TEST((files.bytes_of(index_of(photos, top, random)) == bytes));
    BOOST_TEST((PatchIndex::load(files.path) == whole));

    for (const std::size_t parts : {2, 3, 7}) {
      // Each photo in one part, some in two.
      std::vector<std::vector<Photo>> split(parts);
      for (const Photo& photo : photos) {
        split[random() % parts].push_back(photo);
        if (random() % 4 == 0) split[random() % parts].push_back(photo);
      }
      PatchIndex merged = index_of(split[0], top, random);
      for (std::size_t i = 1; i < parts; ++i) {
        const PatchIndex part = index_of(split[i], top, random);
        PatchIndex other_way = part;
        other_way.merge(merged);
        merged.merge(files.load(files.bytes_of(part)));
        BOOST_TEST((merged == other_way));
      }
      BOOST_TEST((merged == whole));
      BOOST_TEST((files.bytes_of(merged) == bytes));
    }
  }
}

BOOST_AUTO_TEST_CASE(merging_what_was_left_out) {
  PatchIndex a(two_layers), b(two_layers);
  a.skip("1", "it is short");
  b.skip("1", "it is long");
  a.skip("2", "no right to read it");
  b.add({"2", 5, digest('2')});
  b.skip("3", "it is empty");
  PatchIndex ab = a, ba = b;
  ab.merge(b);
  ba.merge(a);
  BOOST_TEST((ab == ba));
  BOOST_TEST((ab.skipped() == std::map<std::string, std::string>{{"1", "it is long"}, {"3", "it is empty"}}));
  BOOST_TEST(ab.has("2", 5));
  PatchIndex itself = small_index();
  itself.merge(itself);
  BOOST_TEST((itself == small_index()));
}

BOOST_AUTO_TEST_CASE(its_file_says_it_all) {
  // By name: a.png (0), photos/b.png (1), z.png (2).
  const Files files;
  small_index().save(files.path);
  const Checkpoint file = read_safetensors(files.path);
  const auto expect = [&](const std::string& name, const Tensor& expected) {
    const Tensor* found = file.find(name);
    BOOST_REQUIRE(found != nullptr);
    BOOST_TEST(found->scalar_type() == expected.scalar_type());
    BOOST_TEST(found->equal(expected));
  };
  const auto text = [](std::string_view bytes) {
    Tensor tensor = torch::empty({std::int64_t(bytes.size())}, torch::kByte);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      tensor[std::int64_t(i)] = std::int64_t(static_cast<unsigned char>(bytes[i]));
    return tensor;
  };
  using namespace std::string_view_literals;
  BOOST_TEST(file.tensors.size() == 13U);
  expect("images/names", text("a.png\0photos/b.png\0z.png\0"sv));
  expect("images/sizes", torch::tensor({100, 50, 100}, torch::kLong));
  expect("images/digests", torch::tensor({0x77, 0x33, 0x77}, torch::kByte).unsqueeze(1).repeat({1, 20}));
  expect("skipped/names", text("c.txt\0"sv));
  expect("skipped/reasons", text("it is no image\0"sv));
  expect("low/values", torch::tensor({{2.5F, 1.5F}}));
  expect("low/images", torch::tensor({{1, 0}}, torch::kLong));
  expect("low/y", torch::tensor({{5, 2}}, torch::kInt));
  expect("low/x", torch::tensor({{6, 3}}, torch::kInt));
  expect("high/values", torch::tensor({{-4.0F, -infinity}, {8.0F, 0.0F}}));
  expect("high/images", torch::tensor({{0, -1}, {0, 1}}, torch::kLong));
  expect("high/y", torch::tensor({{0, -1}, {1, 0}}, torch::kInt));
  expect("high/x", torch::tensor({{0, -1}, {0, 1}}, torch::kInt));
  const std::map<std::string, std::string> metadata{{"format", "pellucid patches"},
                                                    {"version", "1"},
                                                    {"layers", R"(["low","high"])"},
                                                    {"top", "2"},
                                                    {"model", "m"},
                                                    {"preprocess", "p"},
                                                    {"execution", "e"}};
  BOOST_TEST((file.metadata == metadata));
}

BOOST_AUTO_TEST_CASE(what_is_read_is_what_was_written) {
  const Files files;
  const auto again = [&](const PatchIndex& index) {
    const PatchIndex loaded = files.load(files.bytes_of(index));
    BOOST_TEST((loaded == index));
    BOOST_TEST((files.bytes_of(loaded) == contents(files.folder.path() / "a.safetensors")));
    return loaded;
  };
  BOOST_TEST((row(again(small_index()), "high", 0) == Row{{-4, "a.png", 0, 0}}));
  again(PatchIndex());
  again(PatchIndex(two_layers));
  // Names are bytes; a layer may have no name, or one with all kinds of signs.
  PatchIndex odd({.layers = {"", "a/\"b\"\n"}, .channels = {1, 1}, .top = 1});
  odd.offer(0, 0, -infinity, digest('f'), 0, 0);
  odd.add({"caf\xE9\n.png", 0, digest('f')});
  odd.skip("\xFF", "Ünleserlich\n");
  BOOST_TEST((row(again(odd), "", 0) == Row{{-infinity, "caf\xE9\n.png", 0, 0}}));
  BOOST_TEST(row(again(odd), "a/\"b\"\n", 0).empty());
  // One that was loaded goes on as it was.
  PatchIndex loaded = again(small_index()), kept = small_index();
  for (PatchIndex* index : {&loaded, &kept}) {
    index->offer(0, 0, 2, digest('0'), 1, 1);
    index->add({"new", 1, digest('0')});
  }
  BOOST_TEST((loaded == kept));
}

BOOST_AUTO_TEST_CASE(indexes_about_different_things_are_not_merged) {
  const auto refused = [](const std::function<void(PatchIndexOf&)>& change, std::vector<std::string> words) {
    PatchIndex index = small_index();
    PatchIndexOf about = two_layers;
    change(about);
    BOOST_CHECK_EXCEPTION(index.merge(PatchIndex(about)), Error, says(std::move(words)));
    BOOST_TEST((index == small_index()));
    BOOST_TEST(!about.difference(two_layers).empty());
  };
  refused([](auto& about) { about.model = "other"; }, {"the model 'm'", "the other 'other'"});
  refused([](auto& about) { about.layers = {"low", "top"}; }, {"layers 'low', 'high'", "'low', 'top'"});
  refused([](auto& about) { about.channels = {1, 3}; }, {"channels [1, 2]", "[1, 3]"});
  refused([](auto& about) { about.top = 3; }, {"the top 2", "3"});
  refused([](auto& about) { about.preprocess = "q"; }, {"preprocess 'p'", "'q'"});
  refused([](auto& about) { about.execution = "f"; }, {"execution 'e'", "'f'"});
  BOOST_TEST(two_layers.difference(two_layers).empty());
}

BOOST_AUTO_TEST_CASE(long_texts_are_shown_where_they_differ) {
  const auto told = [](const std::string& mine, const std::string& others) {
    PatchIndexOf one = two_layers, other = two_layers;
    one.preprocess = mine;
    other.preprocess = others;
    const std::string found = one.difference(other);
    other.preprocess = mine;
    one.execution = mine;
    other.execution = others;
    const std::string values = found.substr(found.find('\''));
    BOOST_TEST(found == "one is made with the preprocess " + values);
    BOOST_TEST(one.difference(other) == "one is made with the execution " + values);
    return values;
  };
  const auto times = [](std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
  };
  // 80 characters are shown whole; of more, 24 bytes in front of the first that differs, and 80 in all.
  BOOST_TEST(told(times(79, "a") + "x", times(79, "a") + "y") ==
             "'" + times(79, "a") + "x', the other '" + times(79, "a") + "y'");
  BOOST_TEST(told(times(90, "a") + "x", times(90, "a") + "y") ==
             "'…" + times(24, "a") + "x', the other '…" + times(24, "a") + "y'");
  BOOST_TEST(told(times(90, "a"), times(90, "a") + "y") ==
             "'…" + times(24, "a") + "', the other '…" + times(24, "a") + "y'");
  BOOST_TEST(told("x" + times(90, "a"), "y") == "'x" + times(79, "a") + "…', the other 'y'");
  // "é" and "è" begin with the same byte, the 81st: 24 before the next is within the 29th "ü".
  BOOST_TEST(told(times(40, "ü") + "é", times(40, "ü") + "è") ==
             "'…" + times(12, "ü") + "é', the other '…" + times(12, "ü") + "è'");
}

BOOST_AUTO_TEST_CASE(a_name_stands_for_one_image) {
  PatchIndex index = small_index();
  const auto says_it = says({"'a.png'", "100 bytes", digest('7'), "101 bytes", digest('8'), "has changed"});
  BOOST_CHECK_EXCEPTION(index.add({"a.png", 101, digest('8')}), Error, says_it);
  PatchIndex other(two_layers);
  other.offer(0, 0, 9, digest('1'), 0, 0);
  other.add({"0.png", 1, digest('1')});
  other.add({"a.png", 101, digest('8')});
  other.skip("d.txt", "it is empty");
  BOOST_CHECK_EXCEPTION(index.merge(other), Error, says_it);
  BOOST_TEST((index == small_index()));
  index.add({"a.png", 100, digest('7')});  // the same once more
  BOOST_TEST((index == small_index()));
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const auto about = [](PatchIndexOf wrong) { return PatchIndex(std::move(wrong)); };
  BOOST_CHECK_EXCEPTION(about({.layers = {"a"}}), Error, says({"1 layers", "channels of 0"}));
  BOOST_CHECK_EXCEPTION(about({.layers = {"a", "b"}, .channels = {3, 0}}), Error,
                        says({"0 channels", "'b'", "at least 1"}));
  BOOST_CHECK_EXCEPTION(about({.layers = {"a", "b", "a"}, .channels = {1, 1, 1}}), Error,
                        says({"twice", "'a', 'b', 'a'"}));
  BOOST_CHECK_EXCEPTION(about({.top = 0}), Error, says({"the top 0", "at least 1"}));

  PatchIndex index = small_index();
  const std::string d = digest('1');
  BOOST_CHECK_EXCEPTION(index.of("middle", 0), Error, says({"'middle'", "'low', 'high'"}));
  BOOST_CHECK_EXCEPTION(index.of("high", 2), Error, says({"'high'", "no channel 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(index.of("high", -1), Error, says({"no channel -1"}));
  BOOST_CHECK_EXCEPTION(PatchIndex().of("high", 0), Error, says({"'high'", "it has none"}));
  BOOST_CHECK_EXCEPTION(index.threshold(2, 0), Error, says({"layer number 2", "2 layers"}));
  BOOST_CHECK_EXCEPTION(index.offer(0, 1, 1, d, 0, 0), Error, says({"'low'", "no channel 1", "0 to 0"}));
  BOOST_CHECK_EXCEPTION(index.offer(0, 0, NAN, d, 0, 0), Error, says({"NaN"}));
  BOOST_CHECK_EXCEPTION(index.offer(0, 0, 1, d, -1, 0), Error, says({"y -1, x 0"}));
  BOOST_CHECK_EXCEPTION(index.offer(0, 0, 1, d, 0, std::int64_t(1) << 31), Error, says({"x 2147483648"}));
  BOOST_CHECK_EXCEPTION(index.offer(0, 0, 1, "abc", 0, 0), Error, says({"'abc'", "40 hex digits"}));
  BOOST_CHECK_EXCEPTION(index.add({"n", 1, "abc"}), Error, says({"'abc'"}));
  BOOST_CHECK_EXCEPTION(index.add({"", 1, d}), Error, says({"name", "not empty"}));
  BOOST_CHECK_EXCEPTION(index.add({std::string("a\0b", 3), 1, d}), Error, says({"'a?b'", "zero byte"}));
  BOOST_CHECK_EXCEPTION(index.skip("", "why"), Error, says({"name"}));
  BOOST_CHECK_EXCEPTION(index.skip("n", ""), Error, says({"reason"}));
  BOOST_TEST((index == small_index()));

  const Files files;
  index.offer(0, 0, 9, d, 0, 0);
  BOOST_CHECK_EXCEPTION(index.of("low", 0), Error, says({d, "was not added"}));
  BOOST_CHECK_EXCEPTION(index.save(files.path), Error, says({d, "was not added"}));
  BOOST_TEST(!std::filesystem::exists(files.path));
  BOOST_CHECK_EXCEPTION(small_index().save(files.folder.path() / "none" / "a"), Error, says({"no folder"}));
  BOOST_CHECK_EXCEPTION(about({.layers = {"\xFF"}, .channels = {1}}).save(files.path), Error,
                        says({"not UTF-8"}));
}

BOOST_AUTO_TEST_CASE(files_that_are_no_index) {
  const Files files;
  const auto load = [&] { return PatchIndex::load(files.path); };
  BOOST_CHECK_EXCEPTION(load(), Error, says({"no such file", "expected an index of patches"}));
  BOOST_CHECK_EXCEPTION(files.load(""), Error, says({"too short", "expected an index of patches"}));
  write_safetensors(files.path, {{"weight", torch::ones({2})}});
  BOOST_CHECK_EXCEPTION(load(), Error, says({"a safetensors file of something else"}));
  files.written([](auto&, auto& metadata) { metadata["version"] = "2"; });
  BOOST_CHECK_EXCEPTION(load(), Error, says({"version '2'", "version '1'"}));
  files.written([](auto&, auto& metadata) { metadata.erase("version"); });
  BOOST_CHECK_EXCEPTION(load(), Error, says({"no 'version'"}));
  // Cut off anywhere.
  const std::string bytes = files.bytes_of(small_index());
  for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 97)
    BOOST_CHECK_THROW(files.load(bytes.substr(0, size)), Error);
  BOOST_CHECK_THROW(files.load(bytes + '\0'), Error);
}

BOOST_AUTO_TEST_CASE(damage_is_seen) {
  const Files files;
  using Tensors = std::map<std::string, Tensor>;
  using Metadata = std::map<std::string, std::string>;
  const auto refused = [&](const std::function<void(Tensors&, Metadata&)>& change,
                           std::vector<std::string> words) {
    files.written(change);
    words.emplace_back("damaged");
    BOOST_CHECK_EXCEPTION(PatchIndex::load(files.path), Error, says(std::move(words)));
  };
  const auto put = [](const std::string& name, std::int64_t row, std::int64_t column, double value) {
    return [=](Tensors& t, Metadata&) { t.at(name)[row][column] = value; };
  };
  files.written([](auto&, auto&) {});
  BOOST_TEST((PatchIndex::load(files.path) == small_index()));

  refused(put("low/images", 0, 0, 3), {"channel 0 of layer 'low'", "image number 3 of 3"});
  refused(put("low/images", 0, 0, -2), {"image number -2"});
  refused(put("low/images", 0, 0, 0), {"two places of one image"});
  refused(put("low/images", 0, 1, 2), {"do not fit"});   // a.png goes by its other name
  refused(put("low/images", 0, 0, -1), {"do not fit"});  // what stands behind it
  refused(put("low/values", 0, 0, 1), {"not sorted"});
  refused(put("high/values", 1, 1, 8), {"channel 1 of layer 'high'", "not sorted"});  // by digest
  refused(put("low/values", 0, 0, NAN), {"not sorted"});
  refused(put("high/values", 0, 0, NAN), {"do not fit"});
  refused(put("high/values", 0, 1, -5), {"do not fit"});
  refused(put("high/y", 0, 1, 0), {"do not fit"});
  refused(put("low/x", 0, 1, -7), {"outside the layer"});
  refused([](Tensors& t, Metadata&) { t.erase("low/x"); }, {"no tensor 'low/x'"});
  refused([](Tensors& t, Metadata&) { t["more"] = torch::ones({1}); }, {"do not fit"});
  refused([](Tensors& t, Metadata&) { t["low/y"] = t["low/y"].to(torch::kLong); }, {"'low/y'", "Int"});
  refused([](Tensors& t, Metadata&) { t["low/y"] = t["low/y"].t().contiguous(); }, {"[2, 1]", "[1, 2]"});
  refused([](Tensors& t, Metadata&) { t["images/sizes"] = torch::ones({2}, torch::kLong); }, {"[2]", "[3]"});
  refused([](Tensors& t, Metadata&) { t["images/names"] = t["images/names"].slice(0, 0, -1).clone(); },
          {"'images/names'", "no end"});
  refused([](Tensors& t, Metadata&) { t["images/names"][0] = 0; }, {"'images/names'", "is empty"});
  refused([](Tensors& t, Metadata&) { t["images/names"][0] = 'z'; }, {"not sorted", "behind 'z.png'"});
  refused([](Tensors& t, Metadata&) { t["images/names"][0] = 'q'; }, {"not sorted", "behind 'q.png'"});
  refused([](Tensors& t, Metadata&) { t["skipped/reasons"] = torch::zeros({0}, torch::kByte); },
          {"one reason"});
  refused([](Tensors&, Metadata& m) { m["layers"] = "low"; }, {"its layers are 'low'"});
  refused([](Tensors&, Metadata& m) { m["layers"] = "[1]"; }, {"its layers are '[1]'"});
  refused([](Tensors&, Metadata& m) { m["layers"] = R"(["low","low"])"; }, {"twice"});
  refused([](Tensors&, Metadata& m) { m["layers"] = R"(["low", "high"])"; }, {"do not fit"});
  refused([](Tensors&, Metadata& m) { m["layers"] = R"(["low"])"; }, {"do not fit"});
  refused([](Tensors&, Metadata& m) { m["top"] = "3"; }, {"'low/values'", "[1, 2]", "[-1, 3]"});
  refused([](Tensors&, Metadata& m) { m["top"] = "2x"; }, {"its top is '2x'"});
  refused([](Tensors&, Metadata& m) { m["top"] = "0"; }, {"'low/values'"});
  refused([](Tensors&, Metadata& m) { m["extra"] = "1"; }, {"do not fit"});
  refused([](Tensors&, Metadata& m) { m.erase("model"); }, {"no 'model'"});
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_or_gives_an_index) {
  // A value or a letter of a name may be another one; whatever is read can be written, and is then the same.
  const Files files;
  const std::string bytes = files.bytes_of(small_index());
  int refused = 0, read = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = char(changed[i] ^ (1 << i % 8));
    try {
      const PatchIndex index = files.load(changed);
      BOOST_TEST((files.load(files.bytes_of(index)) == index));
      ++read;
    } catch (const Error&) {
      ++refused;
    }
  }
  BOOST_TEST(refused > 100);
  BOOST_TEST(read > 10);
}

BOOST_AUTO_TEST_SUITE_END()
