#include "shapes/generator.hpp"

#include <pellucid/image/picture.hpp>
#include <pellucid/image/write.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <memory>

#include "command.hpp"
#include "shapes_folder.hpp"
#include "text.hpp"

namespace pellucid::app {

void draw_shapes(const std::filesystem::path& folder, std::uint64_t first, std::int64_t count,
                 std::int64_t size, ProgressLine& progress) {
  for (const std::string& name : shapes::names()) {
    std::error_code code;
    std::filesystem::create_directories(folder / name, code);
    if (code)
      throw Error("the folder " + folder.string() + " cannot be made (" + code.message() +
                      "); give one that can be written to",
                  pellucid::detail::fault_of(code));
  }
  for (std::uint64_t number = first; number < first + std::uint64_t(count); ++number) {
    const shapes::Scene scene = shapes::scene(shapes::held_out, number, {.size = size});
    write_png(folder / shapes::names()[std::size_t(scene.label)] /
                  (formatted("%06llu", static_cast<unsigned long long>(number)) + ".png"),
              to_picture(scene.image.unsqueeze(0)));
    progress.next();
    progress({});
  }
}

namespace {

struct Wish {
  std::filesystem::path folder{};
  std::int64_t count = 100, size = 64;
  std::uint64_t first = 0;
};

void run(const Wish& wish) {
  if (wish.count < 1) throw Error("--count " + std::to_string(wish.count) + ": give 1 picture or more");
  {
    ProgressLine progress("drawing", wish.count);
    draw_shapes(wish.folder, wish.first, wish.count, wish.size, progress);
  }
  std::cout << "written: " << wish.count << " pictures, " << wish.folder.string() << '\n';
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<Wish>();
  options
      .add_option("--out", wish->folder,
                  "where they go, in a folder for each shape; those that are there are replaced")
      ->required()
      ->type_name("FOLDER");
  options.add_option("--count", wish->count, "pictures (100)")->type_name("N");
  options.add_option("--first", wish->first, "number of the first; a number always is the same picture (0)")
      ->type_name("N");
  options.add_option("--size", wish->size, "pixels of a side (64)")->type_name("N");
  return [wish] { run(*wish); };
}

const Registered registered(
    "shapes", {"draws the pictures that the networks which come with the program know: twelve shapes",
               "  pellucid shapes --out shapes --count 1000\n"
               "  pellucid patches --model shapes-vgg --images shapes --layer features.7 --out patches.png",
               set_up});

}  // namespace

}  // namespace pellucid::app
