#include <string>
#include <vector>

#include "gallery_sections.hpp"
#include "shapes/shipped.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

using Words = std::vector<std::string>;

/// The networks on which a method is shown.
enum class Networks {
  all,
  with_relus,  ///< it has no meaning for the others
  vgg          ///< it needs a layer, which is one of that network
};

/// What the gallery says of a method.
struct Told {
  std::string method{};
  std::string title{};
  std::string what{};      ///< two sentences: what is seen, and how it is found
  std::string misleads{};  ///< when not to believe it
  Networks networks = Networks::all;
  Words options{};
};

const std::vector<Told>& told() {
  static const std::vector<Told> all{
      {"gradient", "Gradient",
       "Which pixels would change the score most if they changed a little. It is the derivative of the "
       "class's "
       "score with respect to every pixel.",
       "it shows what the score is sensitive to, not what it is made of, and it is noisy: neighbouring "
       "pixels "
       "differ for no reason that a person can see."},
      {"smoothgrad", "SmoothGrad",
       "The gradient without most of its noise. It is the mean of the gradients of 50 copies of the picture, "
       "each with a little random noise.",
       "more noise makes smoother maps, not truer ones; and 50 copies leave a sampling error, which "
       "`pellucid explain` tells (--until goes on until it is small)."},
      {"smoothgrad-squared", "SmoothGrad²",
       "Where the gradient is large in most of the noisy copies, whatever its sign. It is the mean of the "
       "squared "
       "gradients.",
       "squaring makes strong places stronger: what counts a little is not seen at all."},
      {"vargrad", "VarGrad",
       "Where the gradient changes most from one noisy copy to the next. It is the variance of the "
       "gradients.",
       "it is large at edges and where the network is undecided, which need not be what decided."},
      {"input-x-gradient", "Input × Gradient",
       "What each pixel adds to the score, if the network were linear. It is the picture times the gradient.",
       "black pixels get nothing, however much they count: the map looks like the picture."},
      {"integrated-gradients", "Integrated Gradients",
       "What each pixel adds to the score on the way from a black picture to this one. The gradients along "
       "that way "
       "are summed up; together they give the difference of the two scores.",
       "it compares with black: black pixels get nothing. Another --baseline asks another question."},
      {"grad-cam", "Grad-CAM",
       "Roughly where the class was seen. The channels of a late layer are weighted by how much they count, "
       "summed, and enlarged to the picture.",
       "the layer is coarse: small things are smeared over their surroundings."},
      {"grad-cam-plus-plus", "Grad-CAM++",
       "Roughly where the class was seen, with more weight to small and repeated things. The channels are "
       "weighted by "
       "places that speak for the class alone, each by how much it speaks for it.",
       "its weights come from powers of the gradient, as if there were only ReLUs behind the layer, and its "
       "values all "
       "positive; in other networks, such as ConvNeXt, a weight can be of any size."},
      {"layer-cam", "LayerCAM",
       "Where in a layer the class was seen, place by place. Each place of each channel is weighted by its "
       "own "
       "gradient, so that earlier, finer layers can be used too.",
       "places whose gradient is negative count nothing: what speaks against the class is not seen."},
      {"score-cam", "Score-CAM",
       "Roughly where the class was seen, without any gradient. Each channel masks the picture; how much of "
       "the "
       "score the masked picture keeps is the channel's weight.",
       "it takes one pass for each channel, and a masked picture is one that the network never saw the like "
       "of."},
      {"guided-grad-cam", "Guided Grad-CAM",
       "Which fine structures, at the place of the class. It is Guided Backpropagation times Grad-CAM.",
       "its fine lines come from Guided Backpropagation, which is close to edge detection: they tell where, "
       "hardly "
       "why. It has no meaning for a network without ReLUs.",
       Networks::with_relus},
      {"guided-backprop", "Guided Backpropagation",
       "Which fine structures drove the answer. It is the gradient, with everything negative stopped at "
       "every "
       "ReLU.",
       "it comes close to edge detection, and changes little when the network's upper layers are replaced by "
       "random ones. It has no meaning for a network without ReLUs, such as ConvNeXt.",
       Networks::with_relus},
      {"deconvnet", "Deconvnet",
       "What the network would draw if it were run backwards. It is the gradient, with ReLUs that pass what "
       "is "
       "positive, whether they were on or off.",
       "of a class score little of the picture is left in it: it was made for single units. It has no "
       "meaning "
       "for a network without ReLUs.",
       Networks::with_relus},
      {"occlusion",
       "Occlusion",
       "What the score loses when a part of the picture is covered. A window slides over the picture; each "
       "pixel is "
       "given the mean of what its windows cost.",
       "a window sees no smaller than it is, and two things of which one is enough are both called "
       "unimportant.",
       Networks::all,
       {"--window", "8", "--stride", "4"}},
      {"layer-activation",
       "Layer Activation",
       "Where a layer responds at all, whatever the answer. It is the sum of the values of all channels.",
       "no class is asked about: it is the same whatever the network says.",
       Networks::vgg,
       {"--layer", "features.13"}},
      {"layer-gradient-x-activation",
       "Gradient × Activation",
       "What each place of a layer adds to the score, if the network behind it were linear. It is the "
       "layer's "
       "values times their gradient, summed over the channels.",
       "as Input × Gradient: it is exact only for what is linear behind the layer.",
       Networks::vgg,
       {"--layer", "features.13"}},
      {"layer-conductance",
       "Layer Conductance",
       "What each place of a layer carries of the difference between the score of a black picture and of "
       "this one. "
       "It is Integrated Gradients, looked at in the middle of the network.",
       "it compares with black, as Integrated Gradients does.",
       Networks::vgg,
       {"--layer", "features.13"}},
  };
  return all;
}

/// How a method did where the answer is known.
std::string score(const Json& scores, const std::string& method, const std::string& network) {
  if (scores.is_null() || !scores["networks"].contains(network)) return "";
  const Json& its = scores["networks"][network];
  const Json grades = its["methods"].value(method, Json());
  if (grades.is_null()) return "";
  return network + ": the strongest pixel is on the shape or within 4 pixels of it in " +
         percent(grades["pointing"][0]) + " of the pictures, and " + percent(grades["inside"][0]) +
         " of the whole map is on it; of pictures with the mark, " +
         percent(its["marked"][method]["on_watermark"][0]) + " of the map is on the mark. ";
}

void section(const GalleryTools& tools, const Json& scores, const Told& one) {
  tools.page.section(one.title);
  tools.page.paragraph(one.what);
  tools.page.remark("Misleads:", one.misleads);
  std::vector<Exhibit> exhibits;
  std::string scored;
  for (const std::string& network : shapes::shipped_names()) {
    if (one.networks != Networks::all && network != "shapes-vgg") continue;
    const bool cheater = network == "shapes-cheater";
    Words words{"explain", "--model", network, "--method", one.method};
    words.insert(words.end(), one.options.begin(), one.options.end());
    words.emplace_back("--input");
    if (cheater) {
      words.push_back(tools.images.with_mark);
    } else {
      words.insert(words.end(), tools.images.sure.begin(), tools.images.sure.end());
    }
    exhibits.push_back(tools.exhibit(one.method + "-" + network + ".png",
                                     network + (cheater ? ", with the mark" : ""), words));
    if (one.networks != Networks::vgg) scored += score(scores, one.method, network);
  }
  if (!scored.empty())
    tools.page.remark("Scored", "on " + std::to_string(scores["pictures"].get<std::int64_t>()) +
                                    " pictures whose answer is known. " + scored);
  tools.page.exhibits(exhibits);
}

}  // namespace

void attribution_sections(const GalleryTools& tools, const Json& scores) {
  for (const Told& one : told()) section(tools, scores, one);
}

}  // namespace pellucid::app
