#include <boost/test/unit_test.hpp>

#include <pellucid/image/read.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "image/temporary.hpp"

using namespace pellucid;

namespace {

const std::string program = PELLUCID_BIN_DIR "/pellucid";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

int run(const std::filesystem::path& folder, const std::string& command) {
  return std::system(("cd '" + folder.string() + "' && " + command).c_str());
}

/// What stands between two texts, wherever they follow each other.
std::vector<std::string> between(const std::string& text, const std::string& open, const std::string& close) {
  std::vector<std::string> parts;
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at + 1)) {
    const std::size_t from = at + open.size();
    parts.push_back(text.substr(from, text.find(close, from) - from));
  }
  return parts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_gallery)

BOOST_AUTO_TEST_CASE(a_page_that_needs_no_other_file) {
  const TemporaryFolder folder;
  BOOST_REQUIRE(run(folder.path(), program + " gallery --out gallery >out.txt 2>err.txt") == 0);
  BOOST_TEST(contents(folder.path() / "out.txt") == "written: gallery/index.html\n");
  const std::string page = contents(folder.path() / "gallery/index.html");

  const std::size_t images = count(page, "<img ");
  BOOST_TEST(images >= 63U);
  BOOST_TEST(count(page, "src=\"data:image/png;base64,") == images);
  BOOST_TEST(count(page, "src=") == images);
  BOOST_TEST(count(page, "http:") + count(page, "https:") == 0U);
  for (const std::string title :
       {"SmoothGrad", "Grad-CAM", "Grad-CAM++", "Integrated Gradients", "Deconvnet", "Occlusion",
        "Layer Conductance", "Do not trust, test: can a map be believed?", "Attack: FGSM",
        "Attack: IFGSM and PGD", "The smallest change that fools it", "How much a network withstands",
        "Attack, then explain", "Activation maps", "What drives a unit", "What excites a channel",
        "A tour through all layers", "Dreams: what a class looks for",
        "Inversions: what a layer still knows"})
    BOOST_TEST(page.find(title + "</h2>") != std::string::npos, title);

  // Each picture's command makes that picture.
  const std::vector<std::string> commands = between(page, "<code>pellucid ", "</code>");
  BOOST_TEST(commands.size() == images);
  for (const std::size_t i : {std::size_t(0), commands.size() - 1}) {
    const std::string out = commands[i].substr(commands[i].rfind(' ') + 1);
    const Images before = read_image(folder.path() / out);
    std::filesystem::remove(folder.path() / out);
    BOOST_REQUIRE(run(folder.path(), program + " " + commands[i] + " >out.txt 2>err.txt") == 0);
    BOOST_TEST(read_image(folder.path() / out).equal(before), commands[i]);
  }
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made) {
  const TemporaryFolder folder;
  folder.put("taken", "a file");
  BOOST_TEST(run(folder.path(), program + " gallery --out taken >out.txt 2>err.txt") == (2 << 8));
  BOOST_TEST(contents(folder.path() / "err.txt").find("--out taken") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
