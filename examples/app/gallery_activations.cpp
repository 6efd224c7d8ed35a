#include "gallery_sections.hpp"

namespace pellucid::app {

namespace {

void maps(const GalleryTools& tools) {
  tools.page.section("Activation maps");
  tools.page.paragraph(
      "What the channels of a layer respond to one picture, each as a small map with its own scale, the "
      "strongest first. Early layers see edges and colours, later ones parts.");
  tools.page.remark(
      "Misleads:",
      "a channel that responds strongly need not count for the answer: the weights behind it decide. "
      "What it looks for is told by many pictures, not by one.");
  std::vector<Exhibit> exhibits;
  for (const std::string layer : {"features.1", "features.3"})
    exhibits.push_back(tools.exhibit("activations-" + layer + ".png", "shapes-convnext, " + layer,
                                     {"activations", "--model", "shapes-convnext", "--input",
                                      tools.images.sure[0], "--layer", layer, "--sort", "--scale", "own"}));
  tools.page.exhibits(exhibits);
}

void drivers(const GalleryTools& tools) {
  tools.page.section("What drives a unit");
  tools.page.paragraph(
      "Every unit of a layer looks at the picture in its own way. A map shows which pixels would change that "
      "unit most if they changed a little: the gradient of the unit with respect to the picture. A unit in "
      "the middle of the network sees a part of the picture, those of the last layer, one for each shape, "
      "all of it.");
  tools.page.remark("Misleads:",
                    "as with every gradient: what a unit is sensitive to is not what it is made of.");
  const auto units = [&](const std::string& layer, const std::string& caption,
                         const std::vector<std::string>& more) {
    std::vector<std::string> words{"activations",        "--model", "shapes-vgg", "--input",
                                   tools.images.sure[0], "--layer", layer,        "--gradients"};
    words.insert(words.end(), more.begin(), more.end());
    return tools.exhibit("units-" + layer + ".png", "shapes-vgg, " + caption, words);
  };
  tools.page.exhibits({units("features.13", "channels of features.13, each where it responds most",
                             {"--sort", "--scale", "own"}),
                       units("classifier.0", "ten units of the last layer", {"--channels", "0-9"})});
}

void tours(const GalleryTools& tools) {
  tools.page.section("A tour through all layers");
  tools.page.paragraph(
      "One picture on its way through a network: a row for each layer, with the channels that respond most. "
      "Near the top the shape and the texture are still there to be seen; further down the maps get coarse, "
      "and what is left at the end is one number for each shape.");
  std::vector<Exhibit> exhibits;
  for (const std::string network : {"shapes-vgg", "shapes-convnext"})
    exhibits.push_back(
        tools.exhibit("tour-" + network + ".png", network,
                      {"activations", "--model", network, "--input", tools.images.sure[0], "--all"}));
  tools.page.exhibits(exhibits);
}

void patches(const GalleryTools& tools) {
  tools.page.section("What excites a channel");
  tools.page.paragraph(
      "A channel is known by what it responds to. Here each looked at 1,000 pictures; a row shows the seven "
      "that excite one channel most, cut to exactly the pixels that it sees. Early channels take edges of "
      "one "
      "direction and spots of one colour; later ones bends, corners and rings; the last ones whole shapes.");
  tools.page.remark("Misleads:",
                    "the strongest patches are the extreme of what a channel does. What it does with all the "
                    "other pictures they do not tell.");
  const std::string folder = tools.images.folder + "-to-scan";
  tools.console({"shapes", "--out", folder, "--count", "1000"});
  std::vector<Exhibit> exhibits;
  for (const std::string layer : {"features.7", "features.13", "features.20"})
    exhibits.push_back(tools.exhibit("patches-" + layer + ".png", "shapes-vgg, " + layer,
                                     {"patches", "--model", "shapes-vgg", "--images", folder, "--layer",
                                      layer, "--channels", "0-7", "--top", "7"}));
  exhibits.push_back(tools.exhibit(
      "patches-dreams.png", "shapes-vgg, the scores of four shapes, and beside them what each looks for",
      {"patches", "--model", "shapes-vgg", "--images", folder, "--layer", "classifier.0", "--channels", "0-3",
       "--top", "7", "--dream"}));
  tools.page.exhibits(exhibits);
}

}  // namespace

void activation_sections(const GalleryTools& tools) {
  maps(tools);
  drivers(tools);
  patches(tools);
  tours(tools);
}

}  // namespace pellucid::app
