#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/check/insertion_deletion.hpp>

#include <atomic>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

// S₀ = 4x₀ + 3x₁ + 2x₂ + x₃, of which each pixel's share is known: of the image of ones 0.4, 0.3, 0.2, 0.1.
const Tensor shares = torch::tensor({{0.4, 0.3, 0.2, 0.1}}, torch::kDouble);

auto model(std::int64_t micro_batch = 8) {
  return test::linear(shares, micro_batch);
}

const Images ones = torch::ones({1, 4}, torch::kDouble);

Tensor row(std::vector<double> values) {
  return torch::tensor(values, torch::kDouble).unsqueeze(0);
}

/// Black pixels in the place of deleted ones, and under inserted ones.
CurveOptions on_black(std::int64_t steps) {
  return {.steps = steps, .deleted = Baseline::black(), .canvas = Baseline::black()};
}

/// The curves by the formula, one image at a time, of an attribution that is a rank for each pixel already.
Curves naive(const std::function<Tensor(const Tensor&)>& answer, const Images& images, const Tensor& ranks,
             const Tensor& deleted, const Tensor& canvas, std::int64_t steps) {
  const std::int64_t pixels = ranks.size(1), width = images.size(3);
  std::vector<double> fractions;
  std::vector<Tensor> insertion, deletion;
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    std::vector<std::int64_t> order(std::size_t(pixels), 0);
    for (std::int64_t p = 0; p < pixels; ++p) order[std::size_t(p)] = p;
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return ranks[n][a].item<double>() > ranks[n][b].item<double>();
    });
    std::vector<double> inserted, without;
    fractions.clear();
    for (std::int64_t step = 0; step <= steps; ++step) {
      const std::int64_t count = std::llround(double(step * pixels) / double(steps));
      Tensor with = canvas[n].clone(), less = images[n].clone();
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t y = order[std::size_t(i)] / width, x = order[std::size_t(i)] % width;
        for (std::int64_t c = 0; c < images.size(1); ++c) {
          with[c][y][x] = images[n][c][y][x];
          less[c][y][x] = deleted[n][c][y][x];
        }
      }
      fractions.push_back(double(count) / double(pixels));
      inserted.push_back(answer(with.unsqueeze(0))[n].item<double>());
      without.push_back(answer(less.unsqueeze(0))[n].item<double>());
    }
    insertion.push_back(torch::tensor(inserted, torch::kDouble));
    deletion.push_back(torch::tensor(without, torch::kDouble));
  }
  return {.fractions = torch::tensor(fractions, torch::kDouble),
          .insertion = torch::stack(insertion),
          .deletion = torch::stack(deletion)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_insertion_deletion)

BOOST_AUTO_TEST_CASE(each_pixel_takes_its_share) {
  // Ranked as they count, on black: insertion 0, 0.4, 0.7, 0.9, 1; deletion 1, 0.6, 0.3, 0.1, 0. The areas in
  // four steps of 1/4: (0/2 + 0.4 + 0.7 + 0.9 + 1/2)/4 = 0.625 and (1/2 + 0.6 + 0.3 + 0.1 + 0)/4 = 0.375.
  const Curves curves = insertion_deletion(model(), ones, shares, Class{0}, on_black(4));
  BOOST_TEST(difference(curves.fractions, torch::tensor({0.0, 0.25, 0.5, 0.75, 1.0})) == 0);
  BOOST_TEST(difference(curves.insertion, row({0, 0.4, 0.7, 0.9, 1})) < 1e-12);
  BOOST_TEST(difference(curves.deletion, row({1, 0.6, 0.3, 0.1, 0})) < 1e-12);
  BOOST_TEST(std::abs(curves.insertion_area.item<double>() - 0.625) < 1e-12);
  BOOST_TEST(std::abs(curves.deletion_area.item<double>() - 0.375) < 1e-12);
  // The wrong way round each curve is the other's 1 − f, and the areas change places.
  const Curves wrong = insertion_deletion(model(), ones, 1 - shares, Class{0}, on_black(4));
  BOOST_TEST(difference(wrong.insertion, row({0, 0.1, 0.3, 0.6, 1})) < 1e-12);
  BOOST_TEST(std::abs(wrong.insertion_area.item<double>() - 0.375) < 1e-12);
  BOOST_TEST(std::abs(wrong.deletion_area.item<double>() - 0.625) < 1e-12);
}

BOOST_AUTO_TEST_CASE(steps_of_several_pixels_and_more_steps_than_pixels) {
  // Two steps: 2 pixels each. (0/2 + 0.7 + 1/2)/2 = 0.6.
  const Curves two = insertion_deletion(model(), ones, shares, Class{0}, on_black(2));
  BOOST_TEST(difference(two.insertion, row({0, 0.7, 1})) < 1e-12);
  BOOST_TEST(std::abs(two.insertion_area.item<double>() - 0.6) < 1e-12);
  // Three: round(4/3) = 1 and round(8/3) = 3 pixels. 1/4·0.4/2 + 1/2·(0.4 + 0.9)/2 + 1/4·(0.9 + 1)/2 =
  // 0.6125.
  const Curves three = insertion_deletion(model(), ones, shares, Class{0}, on_black(3));
  BOOST_TEST(difference(three.fractions, torch::tensor({0.0, 0.25, 0.75, 1.0})) == 0);
  BOOST_TEST(std::abs(three.insertion_area.item<double>() - 0.6125) < 1e-12);
  BOOST_TEST(insertion_deletion(model(), ones, shares, Class{0}, {.steps = 50}).fractions.size(0) == 5);
}

BOOST_AUTO_TEST_CASE(channels_rank_a_pixel_by_magnitude_or_by_value) {
  // Two pixels of two channels: Σ|a| is 1 and 2, Σa is 1 and 0.
  const Tensor a = torch::tensor({0.5, 1.0, 0.5, -1.0}, torch::kDouble).view({1, 2, 1, 2});
  const Images x = torch::tensor({1.0, 10.0, 100.0, 1000.0}, torch::kDouble).view({1, 2, 1, 2});
  const auto sum = test::sum_of([](const Tensor& t) { return t; });
  CurveOptions options{.steps = 2, .canvas = Baseline::black()};
  BOOST_TEST(difference(insertion_deletion(sum, x, a, Class{0}, options).insertion, row({0, 1010, 1111})) ==
             0);
  options.rank = PixelRank::value;
  BOOST_TEST(difference(insertion_deletion(sum, x, a, Class{0}, options).insertion, row({0, 101, 1111})) ==
             0);
  // One channel for all, and of equal pixels the first first.
  BOOST_TEST(difference(insertion_deletion(sum, x, torch::zeros({1, 1, 1, 2}), Class{0}, options).insertion,
                        row({0, 101, 1111})) == 0);
}

BOOST_AUTO_TEST_CASE(of_pictures_as_the_formula_says) {
  const auto small = test::small_net();
  const Images x = test::some_images({3, 3, 8, 8});
  const Tensor a = torch::randn({3, 3, 8, 8});
  const Class asked{{1, 4, 0}};
  const auto probability = [&](const Tensor& image) {  // of each of the three classes
    return torch::softmax(small(image), 1)[0].index_select(0, torch::tensor({1, 4, 0}));
  };
  const CurveOptions options{.steps = 7, .deleted = Baseline::mean(), .canvas = Baseline::blur(2)};
  const Curves found = insertion_deletion(small, x, a, Probability{{1, 4, 0}}, options);
  const Curves expected = naive(probability, x, a.abs().sum(1).flatten(1), x.mean({2, 3}, true).expand_as(x),
                                gaussian_blur(x, 2), 7);
  BOOST_TEST(difference(found.fractions, expected.fractions) < 1e-12);
  BOOST_TEST(difference(found.insertion, expected.insertion) < 1e-6);
  BOOST_TEST(difference(found.deletion, expected.deletion) < 1e-6);
  // A smaller map counts for the pixels under it: each of 4×4 is 2×2 pixels when it is flat around.
  const Tensor coarse = torch::tensor({1.0, 0.0}).view({1, 1, 1, 2}).expand({3, 1, 8, 2});
  const Tensor fine = torch::arange(8, 0, -1).view({1, 1, 1, 8}).to(torch::kFloat).expand({3, 1, 8, 8});
  // Bilinear between two columns: 1, 1, 0.875, … 0, 0. Equal columns come row by row, so compare at half.
  const Curves half = insertion_deletion(small, x, coarse, asked, {.steps = 2});
  BOOST_TEST(difference(half.insertion, insertion_deletion(small, x, fine, asked, {.steps = 2}).insertion) ==
             0);
}

BOOST_AUTO_TEST_CASE(left_out_the_probability_of_what_the_model_says) {
  const auto small = test::small_net();
  const Images x = test::some_images({2, 3, 8, 8});
  const Curves curves = insertion_deletion(small, x, torch::randn({2, 3, 8, 8}));
  const Tensor best = std::get<0>(torch::softmax(small(x), 1).max(1));
  BOOST_TEST(difference(curves.deletion.select(1, 0), best) < 1e-6);
  BOOST_TEST(difference(curves.insertion.select(1, 50), best) < 1e-6);
}

BOOST_AUTO_TEST_CASE(neither_batch_nor_micro_batch_matters) {
  const Images x = test::some_images({5, 3, 8, 8});
  const Tensor a = torch::randn({5, 1, 8, 8});
  const CurveOptions options{.steps = 6, .deleted = Baseline::noise(3)};
  const Curves whole = insertion_deletion(test::small_net(8), x, a, Class{{0, 1, 2, 3, 4}}, options);
  for (const std::int64_t micro_batch : {1, 3, 64}) {
    const Curves other =
        insertion_deletion(test::small_net(micro_batch), x, a, Class{{0, 1, 2, 3, 4}}, options);
    BOOST_TEST(difference(other.insertion, whole.insertion) < 1e-6);
    BOOST_TEST(difference(other.deletion, whole.deletion) < 1e-6);
  }
  const Curves first =
      insertion_deletion(test::small_net(), x.narrow(0, 0, 1), a.narrow(0, 0, 1), Class{0}, options);
  BOOST_TEST(difference(first.deletion, whole.deletion.narrow(0, 0, 1)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(no_more_passes_than_must_be) {
  // 3 images, 10 steps: 3·(11 + 10) variants in micro-batches of 8 are 8 passes.
  const auto passes = std::make_shared<std::atomic<int>>(0), images = std::make_shared<std::atomic<int>>(0);
  const auto counting = test::model_of([=](const Tensor& t) {
    ++*passes;
    *images += int(t.size(0));
    return t.flatten(1).sum(1, true);
  });
  insertion_deletion(counting, torch::rand({3, 3, 8, 8}), torch::rand({3, 3, 8, 8}), Class{0}, {.steps = 10});
  BOOST_TEST(*images == 63);
  BOOST_TEST(*passes == 8);
}

BOOST_AUTO_TEST_CASE(progress_and_cancel) {
  double last = 0;
  insertion_deletion(model(1), ones, shares, Class{0}, {.steps = 4}, [&](const Progress& progress) {
    BOOST_TEST(progress.fraction >= last);
    last = progress.fraction;
  });
  BOOST_TEST(last == 1);
  BOOST_CHECK_THROW(insertion_deletion(model(1), ones, shares, Class{0}, {.steps = 4},
                                       [](const Progress&) { return false; }),
                    Cancelled);
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const auto small = test::small_net();
  const Images x = test::some_images({2, 3, 8, 8});
  BOOST_CHECK_EXCEPTION(insertion_deletion(model(), ones, shares, Class{0}, {.steps = 0}), Error,
                        says({"steps is 0", "at least 1"}));
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{1, 3, 8, 8}, {2, 2, 8, 8}, {2, 3, 9, 8}, {2, 64}, {2, 3, 8, 8, 1}})
    BOOST_CHECK_EXCEPTION(insertion_deletion(small, x, torch::rand(shape), Class{0}), Error,
                          says({c10::str(at::IntArrayRef(shape)), "[2, 3, 8, 8]", "N×1×H×W"}));
  BOOST_CHECK_EXCEPTION(insertion_deletion(small, x, Tensor(), Class{0}), Error, says({"undefined"}));
  BOOST_CHECK_EXCEPTION(insertion_deletion(small, x, torch::full({2, 3, 8, 8}, std::nan("")), Class{0}),
                        Error, says({"NaN"}));
  BOOST_CHECK_EXCEPTION(insertion_deletion(small, x, x, Class{7}), Error, says({"class 7", "0 to 4"}));
  BOOST_CHECK_EXCEPTION(insertion_deletion(small, x, x, Probability{{1, 2, 3}}), Error,
                        says({"3 numbers", "2 images"}));
  const auto root = test::sum_of([](const Tensor& t) { return t.sqrt(); });  // NaN below 0
  const Images images = torch::tensor({{0.5, 0.25}, {-0.5, 0.25}}, torch::kDouble);
  for (const auto& asked : {Probability{}, Probability{0}})
    BOOST_CHECK_EXCEPTION(insertion_deletion(root, images, images.abs(), asked), Error,
                          says({"objective of image 1", "NaN or infinity"}));
}

BOOST_AUTO_TEST_SUITE_END()
