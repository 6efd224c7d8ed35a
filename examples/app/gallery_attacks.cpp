#include "gallery_sections.hpp"

namespace pellucid::app {

namespace {

using Words = std::vector<std::string>;

Words attack(const std::vector<std::string>& images, const Words& more) {
  Words words{"attack", "--model", "shapes-convnext"};
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back("--input");
  words.insert(words.end(), images.begin(), images.end());
  return words;
}

void one_step(const GalleryTools& tools) {
  tools.page.section("Attack: FGSM");
  tools.page.paragraph(
      "A change that is hard to see can make a network say something else; the captions tell where it did. "
      "Every pixel moves by ε in the direction that makes the network more wrong.");
  tools.page.remark("Misleads:",
                    "one step is a weak attack: a network that withstands it may fall to several.");
  tools.page.exhibits({tools.exhibit("attack-fgsm.png", "shapes-convnext",
                                     attack(tools.images.sure, {"--method", "fgsm", "--epsilon", "0.03"}))});
}

void many_steps(const GalleryTools& tools) {
  tools.page.section("Attack: IFGSM and PGD");
  tools.page.paragraph(
      "Many small steps find what one large step misses, with the same limit on every pixel. The curve "
      "beside "
      "each picture tells what the network says after each step. PGD begins at a random place within the "
      "limit; "
      "its limit can also be the length of the whole change, which then gathers where it counts most.");
  tools.page.remark(
      "Misleads:",
      "that no attack succeeded does not prove that none does; and a network whose gradients are hidden "
      "only looks strong.");
  tools.page.exhibits({tools.exhibit("attack-ifgsm.png", "shapes-convnext, ten steps",
                                     attack(tools.images.sure, {"--method", "ifgsm", "--epsilon", "0.06"})),
                       tools.exhibit("attack-pgd-l2.png", "shapes-convnext, the whole change at most 1 long",
                                     attack(tools.images.sure, {"--method", "pgd", "--norm", "2", "--epsilon",
                                                                "1", "--steps", "20"}))});
  tools.console(attack({tools.images.sure[0]}, {"--method", "ifgsm", "--epsilon", "0.06"}));
}

void smallest(const GalleryTools& tools) {
  tools.page.section("The smallest change that fools it");
  tools.page.paragraph(
      "How far every pixel has to move before the answer changes, when all move in the direction of one "
      "gradient. "
      "A coarse series of sizes is tried at once; the first that changes the answer is then found more "
      "exactly. The "
      "curve tells what the network says at each size.");
  tools.page.remark("Misleads:",
                    "it is the smallest in one direction; attacks of several steps find smaller ones.");
  tools.page.exhibits({tools.exhibit("attack-minimal-epsilon.png", "shapes-convnext",
                                     attack(tools.images.sure, {"--method", "minimal-epsilon"}))});
}

void accuracy(const GalleryTools& tools) {
  tools.page.section("How much a network withstands");
  tools.page.paragraph(
      "The share of pictures whose answer stays, against the size of the change. Two pictures of each shape "
      "are "
      "attacked in every size, in 20 steps.");
  tools.page.remark("Misleads:", "a curve is one of one attack: a stronger one lies below it.");
  tools.page.exhibits(
      {tools.exhibit("attack-accuracy.png", "shapes-convnext",
                     attack({tools.images.folder}, {"--method", "pgd", "--steps", "20", "--epsilon",
                                                    "0,1/255,2/255,4/255,8/255,16/255"}))});
}

void explained(const GalleryTools& tools) {
  tools.page.section("Attack, then explain");
  tools.page.paragraph(
      "What the network looks at before and after an attack: each time for what it says, and for what is "
      "right.");
  tools.page.remark(
      "Misleads:",
      "an attack may move the map more than the answer; two maps that look alike do not mean that the "
      "attack failed.");
  tools.page.exhibits(
      {tools.exhibit("attack-explained.png", "shapes-convnext, explained by Integrated Gradients",
                     attack({tools.images.sure[0]}, {"--method", "ifgsm", "--epsilon", "0.06", "--explain",
                                                     "integrated-gradients"}))});
}

}  // namespace

void attack_sections(const GalleryTools& tools) {
  one_step(tools);
  many_steps(tools);
  smallest(tools);
  accuracy(tools);
  explained(tools);
}

}  // namespace pellucid::app
