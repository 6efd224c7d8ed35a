#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/deconvnet.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/guided_backprop.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/objective/channel.hpp>

#include <string>

#include "reference/reference.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

const std::string folder = PELLUCID_TEST_REFERENCE;

/// Everything in gradients/NAME.pt, by this library, on the scripted and on the traced network.
void compare(const std::string& name, const std::string& layer, const std::string& deep) {
  // As many as the reference was made with: another order of sums moves a ReLU's input across 0 now and then,
  // and the gradient jumps there.
  at::set_num_threads(2);
  const reference::Record record = reference::load(folder + "/gradients/" + name + ".pt");
  for (const std::string kind : {"scripted", "traced"}) {
    const auto model = load_script(folder + "/layers/" + name + "." + kind + ".pt");
    const auto check = [&](const std::string& key, const Tensor& found, double tolerance) {
      const reference::Entry& entry = record.at(key);
      const double off = entry.difference(found) / entry.range;
      BOOST_TEST_MESSAGE(name << " " << kind << " " << key << ": " << off << " of its range");
      BOOST_TEST(off <= tolerance,
                 name << " " << kind << " " << key << ": off by " << off << " of its range");
    };
    const Images& x = record.input;
    const Class objective{3};
    BOOST_TEST(test::relative_difference(model(x), record.scores) < 1e-5);
    check("class_gradient", Attribution<Gradient>()(model, x, objective).attribution, 1e-5);
    check("channel_gradient", Attribution<Gradient>()(model, x, Channel{layer, 2}).attribution, 1e-5);
    const auto cam = [&](GradCAM options) {
      return Attribution<GradCAM>(options)(model, x, objective).attribution;
    };
    check("grad_cam_signed", cam({.layer = deep, .relu = false, .upsample = false}), 1e-5);
    check("grad_cam", cam({.layer = deep, .upsample = false}), 1e-5);
    check("grad_cam_upsampled", cam({.layer = deep}), 1e-5);
    check("guided_backprop", Attribution<GuidedBackprop>()(model, x, objective).attribution, 1e-5);
    check("deconvnet", Attribution<Deconvnet>()(model, x, objective).attribution, 1e-5);
    if (kind == "traced") continue;  // a hundred passes
    const auto integrated = Attribution<IntegratedGradients>({.steps = 50})(model, x, objective);
    check("integrated_gradients", integrated.attribution, 1e-5);
    // The gap is a small difference of large sums, of the scores' rounding.
    const double scale = test::largest(record.scores);
    BOOST_TEST(record.at("integrated_gradients_gap").difference(integrated.completeness_gap) < 1e-5 * scale);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_reference)

BOOST_AUTO_TEST_CASE(squeezenet) {
  compare("squeezenet1_0", "features.5", "features.12");
}

BOOST_AUTO_TEST_CASE(resnet) {
  compare("resnet18", "layer2", "layer4");
}

BOOST_AUTO_TEST_SUITE_END()
