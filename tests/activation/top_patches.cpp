#include <boost/test/unit_test.hpp>

#include <pellucid/activation/top_patches.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/model/any_model.hpp>

#include <algorithm>
#include <memory>
#include <utility>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

/// A grey PNG of these samples, row by row.
std::string grey(int height, int width, const std::vector<int>& samples) {
  Picture picture{width, height, {}};
  for (const int sample : samples) picture.rgb.insert(picture.rgb.end(), 3, std::uint8_t(sample));
  return encode_png(picture);
}

/// A PNG of noise, which is another for each number.
std::string noise(int number, int side = 9) {
  return encode_png(to_picture(test::some_images({1, 3, side, side}, std::uint64_t(100 + number))));
}

/// Images of noise in three folders, two of the same bytes.
void put_noise(const TemporaryFolder& folder, int from, int to) {
  for (int i = from; i < to; ++i)
    folder.put(std::string(1, char('a' + i % 3)) + "/" + std::to_string(i) + ".png", noise(i == 7 ? 2 : i));
}

/// x and −x of the first channel, and its sum; values of one image depend on nothing else.
auto plain(std::int64_t micro_batch = 8) {
  return test::model_of(
      [](const Tensor& x) {
        const Tensor red = x.narrow(1, 0, 1);
        mark("maps", torch::cat({red, -red}, 1));
        return mark("sum", red.sum({2, 3}));
      },
      micro_batch);
}

const Names net_layers{"first", "second", "last"};

std::string bytes_of(const PatchIndex& index) {
  const TemporaryFolder folder;
  index.save(folder.path() / "index.safetensors");
  return contents(folder.path() / "index.safetensors");
}

bool same(const std::vector<Patch>& a, const std::vector<Patch>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Patch& one, const Patch& other) {
    return one.value == other.value && one.image == other.image && one.y == other.y && one.x == other.x;
  });
}

template <class M>
std::string refusal(const TopPatches& method, const M& model, const fs::path& folder) {
  try {
    method(model, folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_top_patches)

BOOST_AUTO_TEST_CASE(by_hand) {
  const TemporaryFolder folder;
  const std::string a = grey(2, 2, {10, 200, 30, 200}), b = grey(2, 2, {50, 60, 70, 5}),
                    c = grey(2, 2, {200, 0, 0, 0});
  folder.put("a.png", a);
  folder.put("sub/b.png", b);
  folder.put("c.png", c);
  const PatchIndex index = TopPatches({.layers = {"maps", "sum"}, .top = 2})(plain(), folder.path());
  BOOST_TEST((index.about().channels == std::vector<std::int64_t>{2, 1}));
  BOOST_TEST(index.images().size() == 3U);

  // Channel 0, x: a has 200 at (0, 1) and (1, 1), of which (0, 1) is first; b 70 at (1, 0); c 200 at (0, 0).
  // a and c are equally strong: the smaller digest is first.
  const Patch of_a{200 / 255.0F, "a.png", 0, 1}, of_c{200 / 255.0F, "c.png", 0, 0};
  const bool a_first = digest_of(a) < digest_of(c);
  BOOST_TEST(same(index.of("maps", 0), a_first ? std::vector{of_a, of_c} : std::vector{of_c, of_a}));
  // Channel 1, −x: a −10 at (0, 0); b −5 at (1, 1); c 0 at (0, 1) first.
  BOOST_TEST(same(index.of("maps", 1), {Patch{0, "c.png", 0, 1}, Patch{-5 / 255.0F, "sub/b.png", 1, 1}}));
  // Sums: a 440, b 185, c 200; a unit has one place.
  const std::vector<Patch> sums = index.of("sum", 0);
  BOOST_REQUIRE(sums.size() == 2U);
  BOOST_TEST(sums[0].image == "a.png");
  BOOST_TEST(sums[0].value == 440 / 255.0F, boost::test_tools::tolerance(1e-6F));
  BOOST_TEST(sums[1].image == "c.png");
  BOOST_TEST(sums[1].value == 200 / 255.0F, boost::test_tools::tolerance(1e-6F));
  BOOST_TEST((sums[0].y == 0 && sums[0].x == 0));
}

BOOST_AUTO_TEST_CASE(as_a_naive_loop_finds_them) {
  const TemporaryFolder folder;
  put_noise(folder, 0, 13);
  const AnyModel model = test::small_net();
  const PatchIndex index = TopPatches({.layers = net_layers, .top = 4, .threads = 2})(model, folder.path());
  BOOST_TEST(index.images().size() == 13U);
  BOOST_TEST(index.duplicates() == 1);

  const torch::NoGradGuard no_grad;
  std::vector<std::vector<std::vector<Patch>>> all(3);
  for (const fs::path& file : list_images(folder.path())) {
    const std::string name = file.lexically_relative(folder.path()).generic_string();
    if (name == "b/7.png") continue;  // c/2.png has the same bytes…
    const std::vector<Tensor> outputs = model.observe(read_image(file).repeat({8, 1, 1, 1}), net_layers);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const Tensor values = outputs[layer][3];
      all[layer].resize(std::size_t(values.size(0)));
      for (std::int64_t channel = 0; channel < values.size(0); ++channel) {
        Patch best{-1e30F, name == "c/2.png" ? "b/7.png" : name};  // …and the larger name
        const Tensor map = values[channel].dim() == 0 ? values[channel].view({1, 1}) : values[channel];
        for (std::int64_t y = 0; y < map.size(0); ++y)
          for (std::int64_t x = 0; x < map.size(1); ++x)
            if (const float value = map[y][x].item<float>(); value > best.value)
              best = {value, best.image, y, x};
        all[layer][std::size_t(channel)].push_back(best);
      }
    }
  }
  for (std::size_t layer = 0; layer < 3; ++layer)
    for (std::size_t channel = 0; channel < all[layer].size(); ++channel) {
      std::vector<Patch>& patches = all[layer][channel];
      std::sort(patches.begin(), patches.end(),
                [](const Patch& a, const Patch& b) { return a.value > b.value; });
      patches.resize(4);
      BOOST_TEST(same(index.of(net_layers[layer], std::int64_t(channel)), patches));
    }
}

BOOST_AUTO_TEST_CASE(channels_last_and_tokens_have_their_places) {
  const TemporaryFolder folder;
  put_noise(folder, 0, 5);
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor pooled = torch::avg_pool2d(x, 3);
    const Tensor maps = mark("maps", torch::cat({pooled, -pooled}, 1));  // 6 channels: not taken for a side
    mark("last", maps.permute({0, 2, 3, 1}));
    const Tensor places = maps.flatten(2).transpose(1, 2);
    const Tensor tokens = mark("tokens", torch::cat({places.narrow(1, 0, 1) + 9, places}, 1));
    mark("attention", tokens.matmul(tokens.transpose(1, 2)).unsqueeze(1));
    mark("number", x.sum());
    return tokens.select(1, 0) * 1;
  });
  const PatchIndex index =
      TopPatches({.layers = {"maps", "last", "tokens", ""}, .top = 3})(model, folder.path());
  for (std::int64_t channel = 0; channel < 6; ++channel) {
    BOOST_TEST(same(index.of("maps", channel), index.of("last", channel)));
    BOOST_TEST(same(index.of("maps", channel), index.of("tokens", channel)));
    BOOST_TEST(index.of("", channel)[0].value > 8);
  }
  BOOST_TEST(says({"'attention'", "[8, 1, 10, 10]"})(
      Error(refusal({.layers = {"attention"}}, model, folder.path()))));
  BOOST_TEST(
      says({"'number'", "one row for each"})(Error(refusal({.layers = {"number"}}, model, folder.path()))));
}

BOOST_AUTO_TEST_CASE(batches_and_the_order_of_files_change_nothing) {
  const TemporaryFolder folder;
  put_noise(folder, 0, 13);
  const TopPatches method{.layers = {"maps", "sum"}, .top = 5};
  const PatchIndex whole = method(plain(8), folder.path());
  BOOST_TEST(whole.about().execution == "micro-batch 8, cpu, Float");
  for (const std::int64_t micro_batch : {1, 2, 5, 32}) {
    const PatchIndex other = method(plain(micro_batch), folder.path());
    for (const auto& [layer, channel] :
         std::vector<std::pair<std::string, int>>{{"maps", 0}, {"maps", 1}, {"sum", 0}})
      BOOST_TEST(same(other.of(layer, channel), whole.of(layer, channel)));
  }
  std::vector<fs::path> files = list_images(folder.path());
  const std::string once = bytes_of(method(plain(), files));
  std::reverse(files.begin(), files.end());
  files.push_back(files[3]);
  BOOST_TEST((bytes_of(method(plain(), files)) == once));
}

BOOST_AUTO_TEST_CASE(the_micro_batch_is_one_in_which_all_rows_are_alike) {
  // From row 2 on the numbers are others, as those of a matrix product may be: 8 → 4 → 2 rows.
  const auto uneven = [](std::int64_t micro_batch) {
    return test::model_of(
        [](const Tensor& x) {
          const Tensor row = torch::arange(x.size(0)).ge(2).to(torch::kFloat).view({-1, 1, 1, 1});
          return mark("maps", x + row * 1e-6).sum({2, 3});
        },
        micro_batch);
  };
  const TemporaryFolder folder;
  put_noise(folder, 0, 7);
  const TopPatches method{.layers = {"maps"}};
  const PatchIndex index = method(uneven(8), folder.path());
  BOOST_TEST(index.about().execution == "micro-batch 2, cpu, Float");
  BOOST_TEST((bytes_of(index) == bytes_of(method(uneven(2), folder.path()))));
}

BOOST_AUTO_TEST_CASE(matrix_products_over_all_places_give_the_same_in_every_shard) {
  // Patches of 4×4 pixels through one linear layer, as in ConvNeXt and ViT: 196 rows an image, some of which
  // OpenBLAS rounds by where they stand among those of all images.
  const Tensor weights = test::some_images({48, 96}, 3) - 0.5;
  const auto model = test::model_of([weights](const Tensor& x) {
    const Tensor patches = x.reshape({-1, 3, 14, 4, 14, 4}).permute({0, 2, 4, 1, 3, 5}).flatten(3);
    return mark("linear", patches.contiguous().matmul(weights)).mean({1, 2});
  });
  const TemporaryFolder folder;
  for (int i = 0; i < 12; ++i) folder.put(std::to_string(i) + ".png", noise(i, 56));
  const TopPatches method{.layers = {"linear"}};
  PatchIndex merged = TopPatches({.layers = {"linear"}, .shard = {1, 2}})(model, folder.path());
  BOOST_TEST(merged.images().size() % 8 != 0U);  // or all images would stand where they do in the whole
  merged.merge(TopPatches({.layers = {"linear"}, .shard = {2, 2}})(model, folder.path()));
  BOOST_TEST((bytes_of(merged) == bytes_of(method(model, folder.path()))));
}

BOOST_AUTO_TEST_CASE(shards_merge_into_the_whole) {
  const TemporaryFolder folder;
  put_noise(folder, 0, 20);
  folder.put("broken.png", "no image");
  const auto model = test::small_net();
  const std::string whole = bytes_of(TopPatches({.layers = net_layers, .top = 3})(model, folder.path()));
  for (const std::int64_t of : {2, 3, 7}) {
    PatchIndex merged;
    std::size_t images = 0;
    for (std::int64_t number = of; number >= 1; --number) {
      const PatchIndex part =
          TopPatches({.layers = net_layers, .top = 3, .shard = {number, of}})(model, folder.path());
      images += part.images().size();
      if (number == of) merged = PatchIndex(part.about());
      merged.merge(part);
    }
    BOOST_TEST(images == 20U);
    BOOST_TEST((bytes_of(merged) == whole));
  }
}

BOOST_AUTO_TEST_CASE(a_scan_that_was_stopped_goes_on) {
  const TemporaryFolder folder, out;
  put_noise(folder, 0, 20);
  folder.put("broken.png", "no image");
  const auto model = test::small_net(4);
  const std::string whole = bytes_of(TopPatches({.layers = net_layers, .top = 3})(model, folder.path()));
  const fs::path file = out.path() / "index.safetensors";
  const TopPatches method{.layers = net_layers, .top = 3, .index = file, .save_every = 0};
  std::size_t scanned = 0;
  for (int stops = 0; stops < 3; ++stops) {
    int left = 6;
    BOOST_CHECK_THROW(method(model, folder.path(), [&](const Progress&) { return --left > 0; }), Cancelled);
    const std::size_t now = PatchIndex::load(file).images().size();
    BOOST_TEST(now > scanned);
    BOOST_TEST(now < 20U);
    scanned = now;
  }
  std::vector<double> told;
  BOOST_TEST((bytes_of(method(model, folder.path(),
                              [&](const Progress& p) { told.push_back(p.fraction); })) == whole));
  BOOST_TEST((contents(file) == whole));
  // Told of each of the files that were left (with the one that is always tried again), and of no other.
  BOOST_TEST(told.size() == 20 - scanned + 1);
  BOOST_TEST(std::is_sorted(told.begin(), told.end()));
  BOOST_TEST(told.back() == 1);
  // And once more, with nothing left to do.
  BOOST_TEST((bytes_of(method(model, folder.path())) == whole));
}

BOOST_AUTO_TEST_CASE(a_folder_that_grew_is_continued) {
  const TemporaryFolder folder, out;
  put_noise(folder, 6, 13);
  const auto model = test::small_net();
  const TopPatches method{.layers = net_layers, .top = 3, .index = out.path() / "index.safetensors"};
  method(model, folder.path());
  put_noise(folder, 0, 6);
  fs::rename(folder.path() / "a/12.png", folder.path() / "a/renamed.png");
  put_noise(folder, 12, 13);  // and the old name is there again: one image by two names
  const PatchIndex grown = method(model, folder.path());
  BOOST_TEST(
      (bytes_of(grown) == bytes_of(TopPatches({.layers = net_layers, .top = 3})(model, folder.path()))));
  BOOST_TEST(grown.duplicates() == 2);

  // To another file, from what is in this one, which stays: of images that are gone by now.
  const fs::path file = out.path() / "index.safetensors", copy = out.path() / "copy.safetensors";
  const std::string before = contents(file);
  fs::remove(folder.path() / "a/0.png");
  TopPatches({.layers = net_layers, .top = 3, .index = copy, .begin_from = file})(model, folder.path());
  BOOST_TEST((contents(copy) == before));
  BOOST_TEST((contents(file) == before));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_scanned_is_listed) {
  const TemporaryFolder folder;
  const std::string good = noise(1);
  folder.put("b.png", good);
  folder.put("c.png", noise(2));
  folder.put("again/b.jpg", good);  // its content tells
  folder.put("cut.png", good.substr(0, 60));
  folder.put("text.png", "no image");
  folder.put("wide.png", grey(1, 4, {1, 2, 3, 4}));
  folder.put("notes.txt", "not looked at");
  const PatchIndex index = TopPatches({.layers = net_layers})(test::small_net(), folder.path());
  BOOST_TEST(index.images().size() == 3U);
  BOOST_TEST(index.duplicates() == 1);
  BOOST_TEST(index.of("last", 0).size() == 2U);
  BOOST_TEST(index.skipped().size() == 3U);
  BOOST_TEST(index.skipped().at("cut.png").starts_with("cannot read cut.png: the PNG file ends early"));
  BOOST_TEST(index.skipped().at("text.png").starts_with("cannot read text.png: its format is unknown"));
  BOOST_TEST(says({"1×4 pixels", "9×9", "crops"})(Error(index.skipped().at("wide.png"))));

  // A model that crops takes all sizes.
  const auto cropping = adapt(std::make_shared<test::SmallNet>(), Preprocess{.resize = 8, .crop = 8});
  BOOST_TEST(TopPatches({.layers = net_layers})(cropping, folder.path()).images().size() == 4U);

  // A file that is mended is an image from then on, and one that vanished while it was scanned is none.
  std::vector<fs::path> files{folder.path() / "b.png", folder.path() / "gone.png"};
  const PatchIndex two = TopPatches({.layers = net_layers})(test::small_net(), files);
  BOOST_TEST(two.images().size() == 1U);
  BOOST_TEST(two.skipped().size() == 1U);
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_refused) {
  const TemporaryFolder folder, out;
  put_noise(folder, 0, 3);
  const auto model = test::small_net();
  const auto refused = [&](const TopPatches& method, std::vector<std::string> words) {
    const std::string message = refusal(method, model, folder.path());
    BOOST_TEST(says(std::move(words))(Error(message)), message);
  };
  refused({}, {"no layer", "at least one"});
  refused({.layers = {"last", "last"}}, {"twice", "'last'"});
  refused({.layers = {"last"}, .top = 0}, {"top is 0", "at least 1"});
  refused({.layers = {"last"}, .save_every = -1}, {"save_every is -1"});
  refused({.layers = {"last"}, .shard = {3, 2}}, {"shard 3 of 2", "1 to N"});
  refused({.layers = {"last"}, .threads = -2}, {"threads is -2"});
  refused({.layers = {"lost"}}, {"'lost'", "last"});

  const TemporaryFolder empty;
  BOOST_TEST(says({"no PNG or JPEG"})(Error(refusal({.layers = {"last"}}, model, empty.path()))));
  empty.put("a.png", "no image");
  BOOST_TEST(says({"none of 1 images", "a.png"})(Error(refusal({.layers = {"last"}}, model, empty.path()))));

  // The index that is there is about something else, or is none; it stays as it is.
  const fs::path file = out.path() / "index.safetensors";
  TopPatches({.layers = {"last"}, .top = 3, .index = file})(model, folder.path());
  const std::string before = contents(file);
  refused({.layers = {"last"}, .top = 4, .index = file}, {"cannot go on", "index.safetensors", "3", "4"});
  refused({.layers = {"first"}, .top = 3, .index = file}, {"'last'", "'first'"});
  BOOST_TEST(says({"micro-batch 8", "micro-batch 2"})(
      Error(refusal({.layers = {"last"}, .top = 3, .index = file}, test::small_net(2), folder.path()))));
  BOOST_TEST(says({"model"})(Error(
      refusal({.layers = {"last"}, .top = 3, .index = file}, model.shuffled({"last"}, 1), folder.path()))));
  folder.put("a/0.png", noise(50, 8));
  refused({.layers = {"last"}, .top = 3, .index = file}, {"'a/0.png'", "has changed", "new index"});
  BOOST_TEST((contents(file) == before));
  refused({.layers = {"last"}, .index = out.put("none.safetensors", "no index")}, {"none.safetensors"});
  refused({.layers = {"last"}, .index = out.path() / "no" / "folder"}, {"there is no folder"});
}

BOOST_AUTO_TEST_CASE(nan_is_refused_by_image_and_layer) {
  const TemporaryFolder folder, out;
  folder.put("a.png", grey(1, 2, {3, 4}));
  folder.put("b.png", grey(1, 2, {5, 0}));
  folder.put("c.png", grey(1, 2, {7, 8}));
  const auto model = test::model_of([](const Tensor& x) { return mark("nan", x / x).sum({2, 3}); }, 1);
  const fs::path file = out.path() / "index.safetensors";
  const std::string message = refusal({.layers = {"nan"}, .index = file}, model, folder.path());
  BOOST_TEST(says({"'nan'", "'b.png'", "NaN"})(Error(message)), message);
  BOOST_TEST(PatchIndex::load(file).images().size() == 1U);  // what was found before is kept
}

BOOST_AUTO_TEST_CASE(what_another_process_saves_meanwhile_is_kept) {
  const TemporaryFolder here, there, out;
  for (int i = 0; i < 20; ++i) (i < 15 ? here : there).put(std::to_string(i) + ".png", noise(i));
  const fs::path file = out.path() / "index.safetensors";
  const auto model = plain(2);
  bool first = true;
  const PatchIndex found =
      TopPatches({.layers = {"maps"}, .index = file})(model, here.path(), [&](const Progress&) {
        if (std::exchange(first, false)) TopPatches({.layers = {"maps"}, .index = file})(model, there.path());
      });
  PatchIndex both = TopPatches({.layers = {"maps"}})(model, here.path());
  both.merge(TopPatches({.layers = {"maps"}})(model, there.path()));
  BOOST_TEST(!first);
  BOOST_TEST((found == both));
  BOOST_TEST((PatchIndex::load(file) == both));
}

BOOST_AUTO_TEST_CASE(a_file_that_was_left_out_and_is_gone_is_forgotten) {
  const TemporaryFolder folder;
  put_noise(folder, 0, 3);
  folder.put("broken.png", "no picture");
  const TemporaryFolder out;
  const TopPatches method{.layers = {"maps"}, .index = out.path() / "index.safetensors"};
  BOOST_TEST(method(plain(), folder.path()).skipped().size() == 1U);
  fs::remove(folder.path() / "broken.png");
  BOOST_TEST(method(plain(), folder.path()).skipped().empty());
}

BOOST_AUTO_TEST_SUITE_END()
