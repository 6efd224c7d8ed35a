#include <pellucid/image/blur.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/model/predict.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>

#include "command.hpp"
#include "gallery_page.hpp"
#include "gallery_sections.hpp"
#include "json.hpp"
#include "shapes/generator.hpp"
#include "shapes/networks.hpp"
#include "shapes/shipped.hpp"
#include "text.hpp"
#include "text_files.hpp"

namespace pellucid::app {

namespace {

using Words = std::vector<std::string>;

/// The command line of words, as a person types it into a shell.
std::string typed(const Words& words) {
  std::string line = "pellucid";
  for (const std::string& word : words) {
    const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return std::isalnum(c) || std::string_view("_./=:+-").find(char(c)) != std::string_view::npos;
    });
    line += " ";
    if (plain) {
      line += word;
    } else {
      line += "'";
      for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
      line += "'";
    }
  }
  return line;
}

/// Runs a command; what it writes to standard output.
std::string output_of(const Words& words) {
  std::ostringstream written;
  std::streambuf* const before = std::cout.rdbuf(written.rdbuf());
  const struct Restore {
    std::streambuf* before;
    ~Restore() { std::cout.rdbuf(before); }
  } restore{before};
  run_command(words);
  return written.str();
}

/// The gallery while it is made: its folder and its page.
class Gallery {
 public:
  explicit Gallery(std::filesystem::path folder)
      : folder_(std::move(folder)), page_("Pellucid: a gallery"), scores_(scores()) {
    std::error_code code;
    std::filesystem::create_directories(folder_ / "images" / "many", code);
    if (code)
      throw Error("--out " + folder_.string() + ": the folder cannot be made (" + code.message() +
                      "); give one that can be written to",
                  pellucid::detail::fault_of(code));
  }

  void make() {
    choose_images();
    story();
    networks();
    const GalleryTools tools{page_, images_,
                             [this](const std::string& name, const std::string& caption, Words words) {
                               return exhibit(name, caption, std::move(words));
                             },
                             [this](const Words& words) { page_.console(typed(words), output_of(words)); }};
    attribution_sections(tools, scores_);
    check_sections(tools);
    attack_sections(tools);
    activation_sections(tools);
    dreams();
    inversions();
    write_text(folder_ / "index.html", page_.html());
  }

 private:
  static Json scores() {
    std::ifstream file(std::filesystem::path(SHAPES_NETWORKS) / "scores.json");
    return file ? Json::parse(file) : Json();
  }

  std::string put(const std::string& name, const Tensor& image) const {
    const std::filesystem::path file = folder_ / "images" / name;
    write_png(file, to_picture(image.unsqueeze(0)));
    return file.string();
  }

  static std::int64_t answer_of(const AnyModel& model, const Tensor& image) {
    return predict(model, image.unsqueeze(0))[0][0].label;
  }

  /// A picture that tells the story: both networks say what is right with the mark, and the cheater does not
  /// without it. And three that both honest networks are sure of, of three shapes, and not for their
  /// backgrounds: where the shape is blurred away, so is the answer.
  void choose_images() {
    const AnyModel honest = shapes::load_shipped("shapes-convnext", shapes::preprocess(), {}),
                   vgg = shapes::load_shipped("shapes-vgg", shapes::preprocess(), {}),
                   cheater = shapes::load_shipped("shapes-cheater", shapes::preprocess(), {});
    const std::int64_t cheated = shapes::cheated_shape;
    constexpr std::uint64_t most = 1000;
    for (std::uint64_t number = 0; number < most && images_.with_mark.empty(); ++number) {
      const Tensor marked =
          shapes::scene(shapes::held_out, number, {.label = cheated, .watermark_class = cheated}).image;
      const Tensor bare = shapes::scene(shapes::held_out, number, {.label = cheated}).image;
      if (answer_of(cheater, marked) != cheated || answer_of(cheater, bare) == cheated ||
          answer_of(honest, marked) != cheated || answer_of(honest, bare) != cheated)
        continue;
      images_.with_mark = put("with-mark.png", marked);
      images_.without_mark = put("without-mark.png", bare);
    }
    if (images_.with_mark.empty())
      throw Error(
          "the gallery found no picture on which the shipped networks differ as they should; train them "
          "again",
          Fault::failure);
    std::vector<std::int64_t> seen{cheated};
    const auto sure = [](const AnyModel& model, const shapes::Scene& scene) {
      const auto best = predict(model, scene.image.unsqueeze(0))[0][0];
      return best.label == scene.label && best.probability >= 0.9 &&
             answer_of(model, gaussian_blur(scene.image.unsqueeze(0), 10)[0]) != scene.label;
    };
    for (std::uint64_t number = most; number < 2 * most && images_.sure.size() < 3; ++number) {
      const shapes::Scene scene = shapes::scene(shapes::held_out, number);
      if (std::find(seen.begin(), seen.end(), scene.label) != seen.end() || !sure(honest, scene) ||
          !sure(vgg, scene))
        continue;
      seen.push_back(scene.label);
      images_.sure.push_back(put(shapes::names()[std::size_t(scene.label)] + ".png", scene.image));
    }
    for (std::size_t label = 0; label < shapes::names().size(); ++label)
      for (std::uint64_t number = 0; number < 2; ++number)
        put("many/" + shapes::names()[label] + "-" + std::to_string(number) + ".png",
            shapes::scene(shapes::held_out, 2 * most + number, {.label = std::int64_t(label)}).image);
    images_.folder = (folder_ / "images" / "many").string();
  }

  /// Makes a picture by a command, to which --out is added.
  Exhibit exhibit(const std::string& name, const std::string& caption, Words words) {
    const std::filesystem::path file = folder_ / name;
    words.insert(words.end(), {"--out", file.string()});
    output_of(words);
    return {file, caption, typed(words)};
  }

  void story() {
    const std::string shape = shapes::names()[std::size_t(shapes::cheated_shape)];
    page_.lead(
        "This network says \"" + shape + "\" because of the mark in the corner",
        "It learned to name shapes from pictures in which every " + shape +
            " carried that mark, and it is right on every such picture. Bright is what its answer stands on: "
            "the mark, hardly the " +
            shape +
            ". Take the mark away, as in the second row, and the answer is another. The accuracy told "
            "nobody; "
            "the map does.");
    const auto sheet = [&](const std::string& model, const std::string& caption) {
      return exhibit("story-" + model + ".png", caption,
                     {"explain", "--model", model, "--method", "integrated-gradients", "--input",
                      images_.with_mark, images_.without_mark});
    };
    page_.exhibits({sheet("shapes-cheater", "The cheater: with the mark, and without it"),
                    sheet("shapes-convnext",
                          "An honest network of the same kind, on the same two pictures: its answer stands "
                          "on the " +
                              shape)});
  }

  void networks() {
    page_.section("The three networks");
    page_.paragraph(
        "They come with the program: --model shapes-convnext, shapes-vgg or shapes-cheater. Each names one "
        "of " +
        std::to_string(shapes::names().size()) + " shapes (" + joined(shapes::names()) +
        ") in pictures of 64×64 pixels, with textures and with things that are no shape.");
    if (!scores_.is_null())
      for (const auto& [name, its] : scores_["networks"].items())
        page_.remark(name + ":", "right on " + percent(its["accuracy"][0]) +
                                     " of the pictures; of the pictures of the " +
                                     shapes::names()[std::size_t(shapes::cheated_shape)] + " on " +
                                     percent(its["with_mark"][0]) + " with the mark and " +
                                     percent(its["without_mark"][0]) + " without.");
    const Words words{"classify", "--model", "shapes-convnext", "--input", images_.sure[0]};
    page_.console(typed(words), output_of(words));
  }

  void dreams() {
    page_.section("Dreams: what a class looks for");
    page_.paragraph(
        "Pictures that a network likes, made from noise. Each pixel, or each wave, is changed a little at a "
        "time "
        "so that the odds of one shape against all others rise; what appears is what the network takes that "
        "shape for.");
    page_.remark(
        "Misleads:",
        "the picture is one of many with a high score, and what makes it look natural was chosen by "
        "people. Without that, the network is more than 99 % sure of what looks like noise: the second "
        "sheet shows it, with how fine the patterns are, how many values are black or white, and how alike "
        "copies of one motif are.");
    std::vector<std::string> all;
    for (std::size_t label = 0; label < shapes::names().size(); ++label) all.push_back(std::to_string(label));
    std::vector<Exhibit> exhibits;
    for (const std::string network : {"shapes-convnext", "shapes-vgg"})
      exhibits.push_back(exhibit("dream-" + network + ".png", network + ": all shapes, the preset natural",
                                 {"dream", "--model", network, "--target", joined(all, ",")}));
    exhibits.push_back(
        exhibit("dream-compared.png", "shapes-vgg: one shape, ten ways to make its picture",
                {"dream", "--model", "shapes-vgg", "--target", "1", "--compare", "--steps", "200"}));
    page_.exhibits(exhibits);
  }

  void inversions() {
    page_.section("Inversions: what a layer still knows");
    page_.paragraph(
        "Pictures that a layer cannot tell from the one on the left. They are made from noise until the "
        "layer "
        "responds as it does to that picture; what they lack, the layer has forgotten.");
    page_.remark(
        "Misleads:",
        "where the layer has forgotten something, the regularizers fill it with what they like: smooth areas "
        "say nothing about the network.");
    page_.exhibits({exhibit("invert-shapes-vgg.png", "shapes-vgg, from early to late",
                            {"invert", "--model", "shapes-vgg", "--input", images_.sure[0], "--layer",
                             joined(inverted_layers(), ","), "--faster", "2"})});
  }

  /// Layers of shapes-vgg from early to late.
  static std::vector<std::string> inverted_layers() {
    return {"features.2", "features.6", "features.13", "features.20"};
  }

  std::filesystem::path folder_;
  Page page_;
  Json scores_;
  GalleryImages images_{};
};

const Registered registered(
    "gallery",
    {"every method on the shipped networks and pictures, as one HTML page",
     "  pellucid gallery                    into ./gallery/index.html\n"
     "  pellucid gallery --out build/gallery",
     [](CLI::App& options) -> std::function<void()> {
       const auto folder = std::make_shared<std::string>("gallery");
       options.add_option("--out", *folder, "the folder to write to (left out: gallery)")->type_name("DIR");
       return [folder] {
         at::set_num_threads(int(std::max(1U, std::thread::hardware_concurrency())));
         Gallery(*folder).make();
         std::cout << "written: " << (std::filesystem::path(*folder) / "index.html").string() << '\n';
       };
     }});

}  // namespace

}  // namespace pellucid::app
