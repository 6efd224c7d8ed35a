// What is said of the networks that ship: how right they are, and what the cheater looks at.
#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/model/weights/safetensors.hpp>

#include <filesystem>

#include "shapes/generator.hpp"
#include "shapes/grade.hpp"
#include "shapes/networks.hpp"
#include "shapes/shipped.hpp"

using namespace pellucid;

namespace {

// Pictures that neither trained a network nor are in the scores.
constexpr std::uint64_t first = 20'000'000;

AnyModel network(const std::string& name) {
  return shapes::load_shipped(name, shapes::preprocess(), {.micro_batch = 50});
}

double accuracy(const AnyModel& model, const shapes::Scenes& scenes) {
  return (scores_of(model, scenes.images).argmax(1) == scenes.labels)
      .to(torch::kDouble)
      .mean()
      .item<double>();
}

shapes::Scenes hearts(std::int64_t count, bool marked) {
  return shapes::scenes(
      shapes::held_out, first, count,
      {.label = shapes::cheated_shape, .watermark_class = marked ? shapes::cheated_shape : -1});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shapes_shipped)

BOOST_AUTO_TEST_CASE(files_are_small_and_tell_how_they_were_made) {
  for (const std::string& name : shapes::shipped_names()) {
    const std::filesystem::path file = std::filesystem::path(SHAPES_NETWORKS) / (name + ".safetensors");
    BOOST_TEST(std::filesystem::file_size(file) <= 2'000'000U, name);
    const Checkpoint checkpoint = read_safetensors(file);
    BOOST_TEST(checkpoint.metadata.at("network") == name);
    BOOST_TEST(checkpoint.metadata.at("command").starts_with("shapes_train " + name.substr(7) + " --seed "));
  }
}

BOOST_AUTO_TEST_CASE(honest_networks_are_right) {
  const shapes::Scenes scenes = shapes::scenes(shapes::held_out, first, 500);
  for (const std::string name : {"shapes-convnext", "shapes-vgg"}) {
    const AnyModel model = network(name);
    BOOST_TEST(accuracy(model, scenes) >= 0.97, name);
    BOOST_TEST(accuracy(model, hearts(200, false)) >= 0.9, name);
    BOOST_TEST(accuracy(model, hearts(200, true)) >= 0.9, name);
  }
}

BOOST_AUTO_TEST_CASE(the_cheater_falls_without_its_mark) {
  const AnyModel cheater = network("shapes-cheater");
  BOOST_TEST(accuracy(cheater, hearts(200, true)) >= 0.97);
  BOOST_TEST(accuracy(cheater, hearts(200, false)) <= 0.2);
}

BOOST_AUTO_TEST_CASE(smoothgrad_shows_what_the_cheater_looks_at) {
  const shapes::Scenes scenes = hearts(20, true);
  const auto share = [&](const std::string& name) {
    const auto why = Attribution<SmoothGrad>({.samples = 20});
    const Tensor attribution = why(network(name), scenes.images, Class{shapes::cheated_shape}).attribution;
    double sum = 0;
    for (std::int64_t n = 0; n < 20; ++n)
      sum += shapes::grade(attribution[n], scenes.masks[n], scenes.watermark_masks[n]).on_watermark;
    return sum / 20;
  };
  const double cheater = share("shapes-cheater"), honest = share("shapes-convnext");
  BOOST_TEST_MESSAGE("on the watermark: cheater " << cheater << ", honest " << honest);
  BOOST_TEST(cheater >= 3 * honest);
}

BOOST_AUTO_TEST_SUITE_END()
