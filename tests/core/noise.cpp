#include <boost/test/unit_test.hpp>

#include <pellucid/core/noise.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "support.hpp"

using namespace pellucid;

namespace {

using Words = std::array<std::uint32_t, 4>;

/// Philox4x32-10, written from the paper (Salmon et al. 2011, section 3.3 and table 2).
Words philox(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t(0xD2511F53) * counter[0];
    const std::uint64_t b = std::uint64_t(0xCD9E8D57) * counter[2];
    counter = {std::uint32_t(b >> 32) ^ counter[1] ^ key[0], std::uint32_t(b),
               std::uint32_t(a >> 32) ^ counter[3] ^ key[1], std::uint32_t(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// What `gaussian` is documented to give: Box–Muller on the blocks, cosines first, in double precision.
std::vector<double> by_hand(std::int64_t count, const Draw& draw) {
  const std::int64_t blocks = (count + 3) / 4;
  std::vector<double> values(std::size_t(4 * blocks));
  for (std::int64_t block = 0; block < blocks; ++block) {
    const Words bits = philox({std::uint32_t(block), std::uint32_t(draw.image),
                               std::uint32_t(draw.image >> 32), std::uint32_t(draw.sample)},
                              {std::uint32_t(draw.seed), std::uint32_t(draw.seed >> 32)});
    for (std::int64_t k = 0; k < 2; ++k) {
      const double u1 = std::ldexp(double(bits[std::size_t(k)] >> 8) + 1, -24);
      const double u2 = std::ldexp(double(bits[std::size_t(k + 2)] >> 8), -24);
      const double radius = std::sqrt(-2 * std::log(u1)), angle = 2 * std::numbers::pi * u2;
      values[std::size_t(2 * block + k)] = radius * std::cos(angle);
      values[std::size_t(2 * blocks + 2 * block + k)] = radius * std::sin(angle);
    }
  }
  values.resize(std::size_t(count));
  return values;
}

double correlation(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(torch::kDouble).flatten(), y = b.to(torch::kDouble).flatten();
  return torch::corrcoef(torch::stack({x, y}))[0][1].item<double>();
}

constexpr std::int64_t many = 1 << 20;

}  // namespace

BOOST_AUTO_TEST_SUITE(core_noise)

BOOST_AUTO_TEST_CASE(philox_gives_the_published_answers) {
  // Random123's known-answer test vectors (kat_vectors, philox 4x32 10).
  const std::uint32_t ones = 0xffffffff;
  BOOST_TEST((philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  BOOST_TEST((philox({ones, ones, ones, ones}, {ones, ones}) ==
              Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  BOOST_TEST((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

BOOST_AUTO_TEST_CASE(gaussian_is_box_muller_on_philox) {
  const std::int64_t big = (std::int64_t(5) << 32) + 9;
  for (const Draw& draw :
       {Draw{}, Draw{1, 0, 0}, Draw{0, 1, 0}, Draw{0, 0, 1}, Draw{std::uint64_t(big), big, 77}}) {
    for (const std::int64_t count : {1, 3, 4, 10, 1000}) {
      const Tensor expected = torch::tensor(by_hand(count, draw), torch::kDouble);
      BOOST_TEST(test::difference(gaussian({count}, draw), expected) < 2e-6);
    }
  }
  BOOST_TEST(gaussian({2, 3, 5}, {}).flatten().equal(gaussian({30}, {})));
  BOOST_TEST((gaussian({2, 3, 5}, {}).scalar_type() == torch::kFloat));
}

BOOST_AUTO_TEST_CASE(uniform_noise_is_the_upper_bits_of_philox) {
  const std::int64_t big = (std::int64_t(5) << 32) + 9;
  for (const Draw& draw : {Draw{}, Draw{std::uint64_t(big), big, 77}}) {
    const Tensor values = uniform_noise({10}, draw);
    for (std::uint32_t i = 0; i < 10; ++i) {
      const Words bits = philox(
          {i / 4, std::uint32_t(draw.image), std::uint32_t(draw.image >> 32), std::uint32_t(draw.sample)},
          {std::uint32_t(draw.seed), std::uint32_t(draw.seed >> 32)});
      BOOST_TEST(values[std::int64_t(i)].item<double>() == std::ldexp(double(bits[i % 4] >> 8), -24));
    }
  }
  BOOST_TEST(uniform_noise({2, 3, 5}, {}).flatten().equal(uniform_noise({30}, {})));
}

BOOST_AUTO_TEST_CASE(uniform_noise_passes_kolmogorov_and_smirnov) {
  for (const Draw& draw : {Draw{}, Draw{0, 0, 1}, Draw{0, 7, 0}, Draw{12345, 0, 0, 3}}) {
    const Tensor u = uniform_noise({many}, draw);
    BOOST_TEST(u.min().item<float>() >= 0);
    BOOST_TEST(u.max().item<float>() < 1);
    const Tensor steps = torch::arange(many, torch::kDouble) / many;
    const Tensor sorted = std::get<0>(u.to(torch::kDouble).sort());
    const double distance =
        std::max(test::largest(sorted - steps), test::largest(sorted - steps - 1.0 / many));
    BOOST_TEST(distance * std::sqrt(double(many)) < 1.63);  // exceeded by one sequence in a hundred
  }
}

BOOST_AUTO_TEST_CASE(gaussian_needs_no_state) {
  const Tensor first = gaussian({999}, {3, 4, 5});
  gaussian({7}, {3, 4, 6});
  torch::manual_seed(1);
  BOOST_TEST(gaussian({999}, {3, 4, 5}).equal(first));
  const int threads = at::get_num_threads();
  const Tensor wide = gaussian({1'000'003}, {3, 4, 5});
  at::set_num_threads(threads == 1 ? 2 : 1);
  BOOST_TEST(test::difference(gaussian({1'000'003}, {3, 4, 5}), wide) <= 1e-6);
  at::set_num_threads(threads);
}

BOOST_AUTO_TEST_CASE(gaussian_has_the_moments_of_the_normal_distribution) {
  const Tensor z = gaussian({many}, {42, 1, 2}).to(torch::kDouble);
  const double scale = 4 / std::sqrt(double(many));  // four standard errors of a unit variance
  BOOST_TEST(std::abs(z.mean().item<double>()) < scale);
  BOOST_TEST(std::abs(z.square().mean().item<double>() - 1) < scale * std::sqrt(2));
  BOOST_TEST(std::abs(z.pow(3).mean().item<double>()) < scale * std::sqrt(15));
  BOOST_TEST(std::abs(z.pow(4).mean().item<double>() - 3) < scale * std::sqrt(96));
}

BOOST_AUTO_TEST_CASE(gaussian_passes_kolmogorov_and_smirnov) {
  for (const Draw& draw : {Draw{}, Draw{0, 0, 1}, Draw{0, 7, 0}, Draw{12345, 0, 0}}) {
    const Tensor cdf = test::normal_cdf(std::get<0>(gaussian({many}, draw).sort()));
    const Tensor steps = torch::arange(many, torch::kDouble) / many;
    const double distance = std::max(test::largest(cdf - steps), test::largest(cdf - steps - 1.0 / many));
    BOOST_TEST(distance * std::sqrt(double(many)) < 1.63);  // exceeded by one sequence in a hundred
  }
}

BOOST_AUTO_TEST_CASE(draws_are_independent) {
  const double bound = 4 / std::sqrt(double(many));
  const std::int64_t carry = std::int64_t(1) << 32;
  const Tensor z = gaussian({many}, {5, 6, 7});
  for (const Draw& other : {Draw{6, 6, 7}, Draw{5, 7, 7}, Draw{5, 6, 8}, Draw{5, 7, 6}, Draw{6, 5, 7},
                            Draw{7, 6, 5}, Draw{5, 6 + carry, 7}, Draw{5 + std::uint64_t(carry), 6, 7}}) {
    const Tensor w = gaussian({many}, other);
    BOOST_TEST(std::abs(correlation(z, w)) < bound);
    BOOST_TEST(std::abs(correlation(z.square(), w.square())) < bound);
  }
  // Within a draw: neighbours, rows, and the two halves of Box–Muller, which share their radius.
  for (const std::int64_t lag : {std::int64_t(1), std::int64_t(2), std::int64_t(224), many / 2}) {
    const Tensor head = z.narrow(0, 0, many - lag), tail = z.narrow(0, lag, many - lag);
    const double few = 4 / std::sqrt(double(many - lag));
    BOOST_TEST(std::abs(correlation(head, tail)) < few);
    BOOST_TEST(std::abs(correlation(head.square(), tail.square())) < few);
  }
}

BOOST_AUTO_TEST_SUITE_END()
