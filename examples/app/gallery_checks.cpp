#include "gallery_sections.hpp"

namespace pellucid::app {

void check_sections(const GalleryTools& tools) {
  tools.page.section("Do not trust, test: can a map be believed?");
  tools.page.paragraph(
      "A map that looks right may be none. If the pixels that it calls important are brought into an empty "
      "picture, the network should soon be sure (insertion), and when they are taken away it should soon be "
      "lost "
      "(deletion). And when the network's weights are shuffled, from the last layer down, the map must "
      "change: "
      "one that stays shows the picture, not what the network learnt.");
  tools.page.remark(
      "Misleads:",
      "a picture with pixels missing is one that the network never saw the like of; and a map that passes "
      "every test may still be read wrongly.");
  const auto checked = [&](const std::string& method, const std::string& caption) {
    return tools.exhibit(
        "checked-" + method + ".png", caption,
        {"explain", "--model", "shapes-vgg", "--method", method, "--check", "--input", tools.images.sure[0]});
  };
  tools.page.exhibits(
      {checked("gradient", "shapes-vgg, Gradient: the map goes when the weights do"),
       checked("guided-backprop",
               "shapes-vgg, Guided Backpropagation: it stays, though the network knows nothing any more")});
  tools.console({"explain", "--model", "shapes-vgg", "--method", "smoothgrad", "--check", "--input",
                 tools.images.sure[0]});
}

}  // namespace pellucid::app
