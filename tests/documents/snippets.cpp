// The code in README.md and docs/ that is no program of its own: it is here as it is there (check.py
// compares), with what makes it run, and what comes out is what the pages say.
#include <boost/test/unit_test.hpp>

#include <pellucid/pellucid.hpp>

#include <torch/nn.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "image/temporary.hpp"
#include "shapes/generator.hpp"
#include "shapes/shipped.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

// Pages name the members of a result in lines of their own.
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-result"

namespace {

/// The shapes by their labels.
constexpr std::int64_t heart = 8;

AnyModel shapes_vgg() {
  return shapes::load_shipped("shapes-vgg", shapes::preprocess(), {});
}

Images a_heart() {
  return shapes::scene(shapes::held_out, 18, {.label = heart}).image.unsqueeze(0);
}

/// A module with a thousand classes, whose scores are W·x: the gradient of a class is its row of W,
/// everywhere.
const torch::nn::Linear& a_thousand_classes() {
  static const torch::nn::Linear layer = [] {
    torch::manual_seed(1);
    return torch::nn::Linear(3 * 8 * 8, 1000);
  }();
  return layer;
}

AnyModel linear_model() {
  return adapt(torch::nn::Sequential(torch::nn::Flatten(), a_thousand_classes()));
}

Images small_images() {
  return test::some_images({2, 3, 8, 8});
}

Tensor row(std::int64_t label) {
  return a_thousand_classes()->weight[label].detach().view({1, 3, 8, 8}).expand({2, -1, -1, -1});
}

/// What std::cout is told while one lives.
class Printed {
 public:
  Printed() : before_(std::cout.rdbuf(text_.rdbuf())) {}
  ~Printed() { std::cout.rdbuf(before_); }
  Printed(const Printed&) = delete;
  Printed& operator=(const Printed&) = delete;
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_{};
  std::streambuf* before_;
};

/// Files go into a folder of their own while one lives.
class InTemporaryFolder {
 public:
  InTemporaryFolder() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
  }
  ~InTemporaryFolder() { std::filesystem::current_path(before_); }
  InTemporaryFolder(const InTemporaryFolder&) = delete;
  InTemporaryFolder& operator=(const InTemporaryFolder&) = delete;

 private:
  TemporaryFolder folder_{};
  std::filesystem::path before_;
};

struct NoisySquares {
  std::int64_t samples = 50;
  std::uint64_t seed = 0;

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    const auto noisy = [&](const std::vector<Variant>& variants) {
      std::vector<Tensor> rows;
      for (const Variant& one : variants) {
        const Tensor image = subject.images[one.image];
        rows.push_back(image + 0.1 * gaussian(image.sizes(), subject.draw(seed, one.image, one.sample)));
      }
      return torch::stack(rows);
    };
    const auto square = [](const auto& m, const auto& part) {
      return differentiate(part.objective, m, part.images).gradient.square();
    };
    return average_over(model, subject, {.samples = samples}, noisy, square).mean;
  }
};

struct Region {
  static constexpr const char* layer = "";                                              // the output
  Tensor of(const Tensor& maps) const { return maps.select(1, 7).flatten(1).mean(1); }  // class 7, N numbers
};

/// Scores of a text: the sum of what each token's embedding says of each class.
struct TextNetwork {
  Tensor embed(const Tensor& tokens) const { return torch::embedding(words, tokens); }
  Tensor behind_embedding(const Tensor& embedded) const { return embedded.matmul(weights).sum(1); }

  Tensor words = torch::eye(3), weights = torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}, {5.0F, 6.0F}});
};

}  // namespace

BOOST_AUTO_TEST_SUITE(documents_snippets)

BOOST_AUTO_TEST_CASE(a_pipeline_is_made_and_then_run) {
  const InTemporaryFolder here;
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  const auto why = Attribution<SmoothGrad>({.samples = 50}) | Overlay{} | SavePng{"why.png"};
  const Picture picture = why(model, image);

  BOOST_TEST(picture.width == 64);
  BOOST_TEST((to_picture(read_image("why.png")).rgb == picture.rgb));
}

BOOST_AUTO_TEST_CASE(a_result_has_what_all_stages_found) {
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  const auto fooled = Attack<FGSM>({.epsilon = 4.0 / 255}) | Attribution<GradCAM>();
  const auto found = fooled(model, image, Class{8});
  found.images;       // as the last stage left them: attacked
  found.original;     // of the attack: as they were
  found.after;        // of the attack: what the model says now
  found.attribution;  // of the attribution: of the attacked images
  found.objective;    // Class{8}

  const auto again =
      Attribution<SmoothGrad>()(model, found);  // a result is a subject: another stage goes on from it

  BOOST_TEST(found.before[0].label == heart);
  BOOST_TEST(difference(found.original, model.fit(image)) == 0);
  BOOST_TEST(difference(found.images, found.original) == 4.0 / 255, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(difference(again.images, found.images) == 0);
  BOOST_TEST(difference(again.attribution,
                        Attribution<SmoothGrad>()(model, found.images, Class{8}).attribution) == 0);
}

BOOST_AUTO_TEST_CASE(a_lambda_is_a_stage) {
  const AnyModel model = shapes_vgg();
  const Images images = a_heart();
  const Printed printed;

  const auto told = Attack<PGD>() | [](const auto&, auto subject) {
    std::cout << "class " << subject.before[0].label << ", now " << subject.after[0].label << '\n';
    return subject;
  } | Attribution<GradCAM>();
  const auto found = told(model, images);

  BOOST_TEST(printed.text() == "class 8, now " + std::to_string(found.after[0].label) + "\n");
  BOOST_TEST(found.after[0].label != heart);
}

BOOST_AUTO_TEST_CASE(options_sit_in_their_stage) {
  const AnyModel model = linear_model();
  const Images images = small_images();

  const auto few = Attribution<SmoothGrad>({.samples = 10, .noise = 0.1});  // the others have their defaults
  const auto same = Attribution{SmoothGrad{.samples = 10, .noise = 0.1}};   // the same type
  const auto usual = Attribution<SmoothGrad>();                             // all defaults; not ({})
  const auto nested = Attribution<Smoothed<GradCAM>>({.samples = 10, .base = {.relu = false}});

  static_assert(std::same_as<decltype(few), decltype(same)>);
  BOOST_TEST(difference(few(model, images).attribution, same(model, images).attribution) == 0);
  BOOST_TEST(few(model, images).samples[0] == 10);
  BOOST_TEST(usual(model, images).samples[0] == 50);
  BOOST_TEST(nested(shapes_vgg(), a_heart()).attribution.min().item<double>() < 0);
  BOOST_CHECK_THROW(Attribution<SmoothGrad>({.samples = 0}), Error);
}

BOOST_AUTO_TEST_CASE(a_callback_tells_and_stops) {
  const AnyModel model = linear_model();
  const Images images = small_images();
  const auto why = Attribution<SmoothGrad>();
  const Printed printed;
  int calls = 0;
  const auto out_of_time = [&] { return ++calls == 3; };

  try {
    why(model, images, TopClass{}, [&](const Progress& progress) {
      std::cout << int(100 * progress.fraction) << " %, " << int(progress.seconds_left) << " s left\n";
      return !out_of_time();  // false: stop
    });
  } catch (const Cancelled&) {
    std::cout << "stopped\n";
  }

  BOOST_TEST(calls == 3);
  BOOST_TEST(printed.text().ends_with("s left\nstopped\n"));
}

BOOST_AUTO_TEST_CASE(what_an_attribution_gives) {
  const AnyModel model = linear_model();
  const Images images = small_images();

  const auto why = Attribution<SmoothGrad>({.samples = 50})(model, images, Class{281});
  why.attribution;         // as in the table
  why.standard_error;      // of an average, in the same shape (Smoothed<…>)
  why.samples;             // taken for each image
  why.completeness_gap;    // Σ attribution − completeness_whole, for each image (IntegratedGradients,
                           // LayerConductance)
  why.completeness_whole;  // S(x) − S(baseline)
  why.notices;             // by row: what should stand beside the picture, as that a map is zero everywhere

  BOOST_TEST(difference(why.attribution, row(281)) < 1e-6);
  BOOST_TEST(why.standard_error.max().item<double>() < 1e-6);
  BOOST_TEST(why.samples == (std::vector<std::int64_t>{50, 50}), boost::test_tools::per_element());
  BOOST_TEST(!why.completeness_gap.defined());
  BOOST_TEST(why.notices.empty());
}

BOOST_AUTO_TEST_CASE(the_four_checks_of_a_map) {
  const AnyModel model = linear_model();
  const Images images = small_images();

  const Tensor map = Attribution<SmoothGrad>()(model, images, Class{281}).attribution;
  Curves c = insertion_deletion(model, images, map, Probability{281});
  Infidelity i = infidelity(model, images, map, Class{281});
  Tensor s = max_sensitivity(SmoothGrad{}, model, images, Class{281});
  Randomization r = randomization(SmoothGrad{}, model, images, Class{281});

  // A linear model's gradient is all there is to know of it, is the same everywhere, and is its weights.
  BOOST_TEST(c.insertion.sizes() == (at::IntArrayRef{2, 51}));
  BOOST_TEST(i.unexplained.max().item<double>() < 1e-6);
  BOOST_TEST(s.max().item<double>() < 1e-5);
  BOOST_TEST(r.layers.size() == 1U);
  BOOST_TEST(r.cosine.abs().max().item<double>() < 0.3);
}

BOOST_AUTO_TEST_CASE(what_an_attack_gives) {
  const AnyModel model = shapes_vgg();
  const Images images = a_heart();

  const auto found = Attack<PGD>({.epsilon = 4.0 / 255, .restarts = 5, .stop_early = true})(model, images);
  found.images;    // the attacked ones; found.original: as they were
  found.steps[0];  // the table of image 0: step, predicted, probability, label_probability, epsilon, reached
  found.after[0].label;     // what the model says now
  found.labels[0];          // the class that it got away from
  found.passes[0].forward;  // how often the image went through the model
  found.unmoved;            // rows whose gradient is zero everywhere

  BOOST_TEST(difference(found.original, images) == 0);
  BOOST_TEST(difference(found.images, images) <= 4.0 / 255);
  BOOST_TEST(found.steps[0].back().reached);
  BOOST_TEST(found.steps[0].back().predicted == found.after[0].label);
  BOOST_TEST(found.after[0].label != heart);
  BOOST_TEST(found.labels[0] == heart);
  BOOST_TEST(found.passes[0].forward > 1);
  BOOST_TEST(found.unmoved.empty());
}

BOOST_AUTO_TEST_CASE(a_tour_and_its_sheet) {
  const InTemporaryFolder here;
  const Printed printed;
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  for (const Stop& stop : tour(model, image))
    std::cout << stop.layer.name << ": channel " << stop.strongest.channels[0] << '\n';
  write_png("tour.png", tour_sheet(tour(model, image)));

  const auto strongest = std::get<1>(model.activation(image, "features.0")[0].flatten(1).amax(1).max(0));
  const std::string first = "features.0: channel " + std::to_string(strongest.item<std::int64_t>()) + "\n";
  BOOST_TEST(printed.text().find(first) != std::string::npos);
  BOOST_TEST(std::filesystem::exists("tour.png"));
}

BOOST_AUTO_TEST_CASE(what_drives_units) {
  const InTemporaryFolder here;
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  UnitGradients ten = unit_gradients(model, image, Neuron{"classifier.0", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}});
  write_png("units.png", unit_grid(ten));

  const Tensor eighth = Attribution<Gradient>()(model, image, Class{8}).attribution;
  BOOST_TEST(test::relative_difference(ten.gradients[8], eighth[0]) < 1e-5);
  BOOST_TEST(std::filesystem::exists("units.png"));
}

BOOST_AUTO_TEST_CASE(the_patches_of_a_channel) {
  const InTemporaryFolder here;
  const Printed printed;
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();
  std::filesystem::create_directory("photos");
  for (std::int64_t label = 0; label < 12; ++label)
    write_png("photos/" + shapes::names()[std::size_t(label)] + ".png",
              to_picture(shapes::scene(shapes::held_out, 0, {.label = label}).image.unsqueeze(0)));

  const PatchIndex index =
      TopPatches({.layers = {"features.12"}, .index = "patches.safetensors"})(model, "photos");
  for (const Patch& patch : index.of("features.12", 42))
    std::cout << patch.value << "  " << patch.image << '\n';

  const ReceptiveField field = receptive_fields(model, image, {"features.12"})[0];
  const Patch best = index.of("features.12", 42)[0];
  const PatchView seen = view_of(image_of(best, index, model, "photos"), field, best.y, best.x);
  write_png("best.png", to_picture(seen.image));

  std::vector<PatchRow> rows;
  for (const std::int64_t channel : {7, 42}) {
    PatchRow& row = rows.emplace_back(PatchRow{.title = "channel " + std::to_string(channel)});
    for (const Patch& patch : index.of("features.12", channel))
      row.patches.push_back(
          {view_of(image_of(patch, index, model, "photos"), field, patch.y, patch.x), patch.image});
  }
  write_png("patches.png", patch_sheet(rows, {.title = "features.12"}));

  const Tensor layer = model.activation(read_image("photos/" + best.image), "features.12")[0][42];
  BOOST_TEST(layer.max().item<double>() == best.value, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(layer[best.y][best.x].item<double>() == best.value, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(printed.text().find(best.image) != std::string::npos);
  BOOST_TEST(std::filesystem::exists("best.png"));
  BOOST_TEST(std::filesystem::exists("patches.png"));
  BOOST_TEST(PatchIndex::load("patches.safetensors").of("features.12", 42)[0].value == best.value);
}

BOOST_AUTO_TEST_CASE(a_method_that_averages) {
  const Images images = test::some_images({2, 3, 8, 8});
  // The mean of (2x)² over x ~ N(x₀, 0.1²) is 4 x₀² + 4 · 0.01.
  const AnyModel squares = adapt([](const Tensor& x) { return x.square().flatten(1).sum(1, true); });
  const Tensor map = Attribution<NoisySquares>({.samples = 200})(squares, images, Class{0}).attribution;
  BOOST_TEST(difference(map.mean(), (4 * images.square() + 0.04).mean()) < 0.02);
  const Tensor of_linear = Attribution<NoisySquares>()(linear_model(), images, Class{7}).attribution;
  BOOST_TEST(difference(of_linear, row(7).square()) < 1e-6);
}

BOOST_AUTO_TEST_CASE(embeddings_are_explained) {
  const auto network = std::make_shared<TextNetwork>();
  const Tensor tokens = torch::tensor({{2, 0}}, torch::kLong);

  const Tensor embedded = network->embed(tokens).detach();
  auto tail = adapt([&](const Tensor& e) { return network->behind_embedding(e); });
  auto why = Attribution<IntegratedGradients>()(tail, embedded,
                                                Class{0});  // N×T×C; .sum(2): a number for each token

  BOOST_TEST(difference(why.attribution.sum(2), torch::tensor({{5.0F, 1.0F}})) < 1e-5);
}

BOOST_AUTO_TEST_CASE(an_objective_of_maps) {
  const Images images = test::some_images({1, 10, 4, 4});
  const AnyModel model = adapt([](const Tensor& x) { return 2 * x; });  // ten maps

  auto why = Attribution<SmoothGrad>()(model, images, Region{});

  BOOST_TEST(difference(why.attribution.sum({2, 3}), 2 * torch::eye(10).slice(0, 7, 8)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(half_precision_inside) {
  torch::nn::Linear net(4, 2);
  net.ptr()->to(torch::kBFloat16);
  const Images images = test::some_images({1, 4});

  auto model = adapt([&](const Tensor& x) { return net->forward(x.to(torch::kBFloat16)).to(torch::kFloat); });

  const Tensor map = Attribution<Gradient>()(AnyModel(model), images, Class{1}).attribution;
  BOOST_TEST(difference(map, net->weight.slice(0, 1, 2).to(torch::kFloat)) == 0);
}

BOOST_AUTO_TEST_CASE(a_class_for_each_image) {
  const AnyModel model = linear_model();
  const Images images = small_images();

  const std::vector<std::int64_t> labels{281, 7};  // or a tensor of int64, one for each image
  const auto why = Attribution<SmoothGrad>()(model, images, Class{labels});

  BOOST_TEST(difference(why.attribution[0], row(281)[0]) < 1e-6);
  BOOST_TEST(difference(why.attribution[1], row(7)[0]) < 1e-6);
  const Tensor given = torch::tensor(labels, torch::kLong);
  BOOST_TEST(difference(Attribution<Gradient>()(model, images, Class{given}).attribution,
                        Attribution<Gradient>()(model, images, Class{labels}).attribution) == 0);
}

BOOST_AUTO_TEST_CASE(a_file_its_normalisation_and_how_it_runs) {
  const InTemporaryFolder here;
  torch::jit::Module network("Network");
  network.define("def forward(self, x):\n    return x.mean([2, 3])\n");
  network.save("net.pt");

  auto model = load_script("net.pt", {.mean = {0.45}, .std = {0.25}}, {.micro_batch = 32, .threads = 1});

  BOOST_TEST(model.execution().micro_batch == 32);
  BOOST_TEST(difference(model(torch::full({1, 3, 2, 2}, 0.7F)), torch::ones({1, 3})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_new_class_is_explained) {
  const AnyModel model = shapes_vgg();
  const Images images = a_heart();

  const auto fooled = Attack<PGD>() | [](const auto&, auto subject) { return subject.about(TopClass{}); } |
                      Attribution<GradCAM>();
  const auto found =
      fooled(model, images, Class{8});  // away from 8, then a map of what the model says instead

  const Class now{found.after[0].label};
  BOOST_TEST(now.label.of(0) != heart);
  BOOST_TEST(difference(found.original, images) == 0);
  BOOST_TEST(difference(found.attribution, Attribution<GradCAM>()(model, found.images, now).attribution) ==
             0);
}

BOOST_AUTO_TEST_CASE(pictures_with_signs_and_a_legend) {
  const InTemporaryFolder here;
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  const OverlayOptions signs{.heat = {.sign = Sign::both}};
  const auto why = Attribution<SmoothGrad>() | Overlay{signs} | [&](const auto&, Picture picture) {
    return stacked({scaled(picture, 4 * picture.width, 4 * picture.height), overlay_bar(signs)}, 8);
  } | SavePng{"why.png"};
  const Picture picture = why(model, image);

  BOOST_TEST(picture.width == 256);
  BOOST_TEST(picture.height == 256 + 8 + overlay_bar(signs).height);
  BOOST_TEST((to_picture(read_image("why.png")).rgb == picture.rgb));
}

BOOST_AUTO_TEST_CASE(numbers_and_a_file_for_each_image) {
  const InTemporaryFolder here;
  const AnyModel model = shapes_vgg();
  const Images images = torch::cat({a_heart(), a_heart().flip(3)});

  const auto why = Attribution<SmoothGrad>()(model, images);
  write_npy("why.npy", why.attribution);  // for numpy.load: float32, N×C×H×W
  for (std::int64_t n = 0; n < why.images.size(0); ++n)
    write_png("why-" + std::to_string(n) + ".png", overlay(why.images[n], why.attribution[n]));

  const double full = full_scale(summed(why.attribution[0], Sign::both), 99);
  const Plane second = scaled_to(summed(why.attribution[1], Sign::both), full);
  write_png("second.png", painted(second, Sign::both));

  BOOST_TEST(difference(read_npy("why.npy"), why.attribution) == 0);
  BOOST_TEST(read_image("second.png").size(3) == 64);
  BOOST_TEST(read_image("why-1.png").size(3) == 64);
  BOOST_TEST(!std::filesystem::exists("why-2.png"));
}

BOOST_AUTO_TEST_CASE(colours_of_ones_own) {
  const InTemporaryFolder here;
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  const auto white_on_blue = Attribution<SmoothGrad>() | [](const auto&, const auto& subject) {
    const Plane strength = heat(subject.attribution[0]);  // H×W, from 0 to 1
    Picture drawn = blank(int(strength.shape(1)), int(strength.shape(0)));
    for (int y = 0; y < drawn.height; ++y)
      for (int x = 0; x < drawn.width; ++x) {
        const auto level = std::uint8_t(255 * strength(y, x));
        set_pixel(drawn, x, y, Rgb{level, level, 255});
      }
    return drawn;
  } | SavePng{"why.png"};
  const Picture picture = white_on_blue(model, image);

  const Plane strength = heat(Attribution<SmoothGrad>()(model, image).attribution);
  BOOST_TEST(picture.width == 64);
  BOOST_TEST(int(pixel(picture, 30, 20).r) == int(255 * strength(20, 30)));
  BOOST_TEST(int(pixel(picture, 30, 20).b) == 255);
}

// The right side of faq.md's table.
BOOST_AUTO_TEST_CASE(what_other_tools_call_otherwise) {
  const AnyModel model = shapes_vgg();
  const Images x = a_heart();
  const std::int64_t t = heart, y = heart;
  const Images b = torch::zeros_like(x);
  const auto of = [&](const auto& stage) { return stage(model, x, Class{t}).attribution; };

  BOOST_TEST(Attribution<Gradient>()(model, x, Class{t}).attribution.abs().min().item<double>() >= 0);
  BOOST_TEST(difference(of(Attribution<IntegratedGradients>({.steps = 50, .baseline = Baseline::image(b)})),
                        of(Attribution<IntegratedGradients>())) == 0);
  of(Attribution<Smoothed<IntegratedGradients>>({.samples = 10, .noise = 0.15}));
  BOOST_TEST(of(Attribution<GradCAM>({.layer = "features.13", .relu = false, .upsample = false})).size(2) ==
             16);
  of(Attribution<LayerConductance>({.layer = "features.13"}));
  of(Attribution<Occlusion>({.window = 8, .stride = 4}));
  const Images attacked =
      Attack<PGD>({.epsilon = 8.0 / 255, .step_size = 2.0 / 255, .steps = 10})(model, x, Class{y}).images;
  BOOST_TEST(difference(attacked, x) <= 8.0 / 255);
  Attack<PGD>({.epsilon = 0.5, .norm = Norm::two, .target = 7})(model, x, Class{y});
}

BOOST_AUTO_TEST_CASE(the_smallest_epsilon) {
  const Printed printed;
  const AnyModel model = shapes_vgg();
  const Images images = a_heart();

  const auto least = Attack<MinimalEpsilon<FGSM>>()(model, images);
  if (least.minimal_epsilon[0])  // a std::optional<double>: empty where none was found
    std::cout << 255 * *least.minimal_epsilon[0] << " grey levels\n";

  BOOST_TEST(printed.text().empty() != least.minimal_epsilon[0].has_value());
}

BOOST_AUTO_TEST_CASE(dreams_of_a_class_and_of_a_channel) {
  const InTemporaryFolder here;
  const AnyModel model = shapes_vgg();

  const auto dream = natural({.steps = 200, .height = 96, .width = 96});
  const auto found = dream(model, LogOdds{8});  // a class
  found.synthesized;                            // 1×3×96×96 in [0, 1]
  found.values;   // 1×201: the objective before the first step, … after the last
  found.unmoved;  // rows whose objective did not move
  write_png("heart.png", to_picture(found.synthesized));

  const Images channels = natural()(model, Channel{"features.13", {5, 6, 7}});  // three at once, 3×3×64×64

  BOOST_TEST(found.synthesized.sizes() == (at::IntArrayRef{1, 3, 96, 96}));
  BOOST_TEST(found.values.size(1) == 201);
  BOOST_TEST(found.values[0][200].item<double>() > found.values[0][0].item<double>());
  BOOST_TEST(found.unmoved.empty());
  BOOST_TEST(channels.sizes() == (at::IntArrayRef{3, 3, 64, 64}));
  BOOST_TEST(difference(found.images, found.synthesized) == 0);
}

BOOST_AUTO_TEST_CASE(a_dream_on_its_way) {
  const Printed printed;
  const AnyModel model = shapes_vgg();

  const auto film = natural(20).every(10, [](const Frame& frame) {
    std::cout << "step " << frame.step << " of " << frame.steps << ": " << frame.images.sizes() << '\n';
  });
  film(model, LogOdds{8}, [](const Progress& progress) { return progress.seconds_left < 3600; });

  BOOST_TEST(printed.text().starts_with("step 0 of 20: [1, 3, 64, 64]\nstep 10 of 20"));
}

BOOST_AUTO_TEST_CASE(a_dream_from_an_image) {
  const AnyModel model = shapes_vgg();
  const Images image = a_heart();

  const auto deep =
      Optimizer<Ascent, Regularizer<Jitter>>({.steps = 20, .octaves = 4})(model, image, Layer{"features.13"});

  BOOST_TEST(deep.synthesized.sizes() == image.sizes());
  BOOST_TEST(difference(deep.synthesized, image) > 0.01);
}

BOOST_AUTO_TEST_SUITE_END()
