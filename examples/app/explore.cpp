#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "explore/explorer.hpp"
#include "explore/server.hpp"
#include "shapes/generator.hpp"
#include "shapes/shipped.hpp"
#include "shapes_folder.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t drawn = 360;  // pictures, where no folder was named

/// The options of `explore`, as they were given.
struct ExploreWish {
  Common common{};
  std::vector<std::string> models{}, preprocesses{}, labels{};
  std::string images{}, indexes{}, host = "127.0.0.1";
  int port = 8080;
};

/// Where a program keeps what it can make again: $XDG_CACHE_HOME, or ~/.cache.
fs::path cache() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const fs::path own = variable("XDG_CACHE_HOME"); own.is_absolute()) return own / "pellucid";
  if (const fs::path home = variable("HOME"); home.is_absolute()) return home / ".cache" / "pellucid";
  return fs::temp_directory_path() / "pellucid";
}

/// Pictures that the shipped networks know, drawn once.
fs::path generated_images() {
  const fs::path folder = cache() / "shapes";
  const fs::path last = folder /
                        shapes::names()[std::size_t(shapes::scene(shapes::held_out, drawn - 1).label)] /
                        (formatted("%06lld", static_cast<long long>(drawn - 1)) + ".png");
  std::error_code ignored;
  if (!fs::exists(last, ignored)) {
    ProgressLine progress("drawing", drawn);
    draw_shapes(folder, 0, drawn, 64, progress);
  }
  return folder;
}

/// One of several values, one for each model; one alone is for all.
std::string for_model(const std::vector<std::string>& values, std::size_t model) {
  return values.empty() ? "" : values[values.size() == 1 ? 0 : model];
}

std::vector<Common> models_of(const ExploreWish& wish) {
  for (const auto& [name, given] :
       {std::pair{"--preprocess", wish.preprocesses.size()}, {"--labels", wish.labels.size()}})
    if (given > 1 && given != wish.models.size())
      throw Error(std::string(name) + " was given " + std::to_string(given) + " times for " +
                  std::to_string(wish.models.size()) + " models; give it once, or once for each");
  std::vector<Common> all;
  for (std::size_t i = 0; i < wish.models.size(); ++i) {
    Common one = wish.common;
    one.model = wish.models[i];
    if (!shapes::is_shipped(one.model) || wish.models.size() == 1 || wish.preprocesses.size() > 1)
      one.preprocess = for_model(wish.preprocesses, i);
    if (!shapes::is_shipped(one.model) || wish.models.size() == 1 || wish.labels.size() > 1)
      one.labels = for_model(wish.labels, i);
    all.push_back(std::move(one));
  }
  return all;
}

void run(ExploreWish wish) {
  if (wish.port < 0 || wish.port > 65535)
    throw Error("--port " + std::to_string(wish.port) + ": give 0 to 65535 (0: any that is free)");
  if (wish.common.precision == "auto")
    throw Error(
        "--precision auto measures anew in each run, and the explorer's indexes must be able to go on with "
        "the numbers of another; give fp32 or bf16");
  if (wish.models.empty()) wish.models = shapes::shipped_names();
  const fs::path images = wish.images.empty() ? generated_images() : fs::path(wish.images);
  const fs::path indexes = wish.indexes.empty() ? cache() / "indexes" : fs::path(wish.indexes);
  Explorer explorer(models_of(wish), images, indexes);
  Server server({.host = wish.host, .port = std::uint16_t(wish.port)},
                [&](const Request& request) { return explorer.answer(request); });
  const std::string host = wish.host.find(':') == std::string::npos ? wish.host : "[" + wish.host + "]";
  std::cout << "the explorer is at http://" << host << ":" << server.port() << "/  (Ctrl+C ends it)"
            << std::endl;
  // The work must not tell of itself to a server that is gone.
  try {
    server.run();
  } catch (...) {
    explorer.stop();
    throw;
  }
  explorer.stop();
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<ExploreWish>();
  options
      .add_option(
          "--model", wish->models,
          "models to look into, each as for the other commands; left out: " + joined(shapes::shipped_names()))
      ->type_name("FILE...");
  options
      .add_option("--images", wish->images,
                  "the folder: all PNG and JPEG images in it and in the folders below it (left out: pictures "
                  "of shapes are drawn)")
      ->type_name("FOLDER");
  options
      .add_option("--preprocess", wish->preprocesses,
                  "imagenet, unchanged (the default), or a JSON file; one for all models, or one for each")
      ->type_name("NAME...");
  options
      .add_option("--labels", wish->labels,
                  "names of the classes, one a line; one file for all models, or one for each")
      ->type_name("FILE...");
  options.add_option("--port", wish->port, "that it listens at (8080); 0: any that is free")->type_name("P");
  options
      .add_option("--host", wish->host,
                  "the address that it listens at (127.0.0.1: this machine alone). Whoever can reach another "
                  "may use the explorer, and see the images")
      ->type_name("ADDRESS");
  options
      .add_option("--indexes", wish->indexes,
                  "the folder that top patches are kept in (left out: in the user's cache)")
      ->type_name("FOLDER");
  options
      .add_option("--threads", wish->common.threads,
                  "threads within an operator; left out: one for each core")
      ->type_name("N");
  options.add_option("--device", wish->common.device, "cpu (the default) or cuda")->type_name("NAME");
  options.add_option("--precision", wish->common.precision, "fp32 (the default) or bf16")->type_name("NAME");
  return [wish] { run(*wish); };
}

const Registered registered("explore",
                            {"look into networks in a browser: layers, patches, maps, attacks, dreams",
                             "  pellucid explore\n"
                             "  pellucid explore --model squeezenet1_0.pth mobilenet_v2.pth --preprocess "
                             "imagenet --labels classes.txt --images photos",
                             set_up});

}  // namespace

}  // namespace pellucid::app
