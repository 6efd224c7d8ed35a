#include <pellucid/model/predict.hpp>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "json.hpp"
#include "setup.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

struct Wish {
  Common common{};
  std::vector<std::string> layers{};
};

/// The output of one layer for one image.
struct Output {
  std::string layer{};
  Tensor values{};  ///< 1×…
  std::vector<std::int64_t> shape() const { return values.sizes().vec(); }
  double least() const { return values.min().item<double>(); }
  double mean() const { return values.mean().item<double>(); }
  double most() const { return values.max().item<double>(); }
};

struct Seen {
  std::string file{}, shown{};
  Tensor image{};
  std::vector<Output> outputs{};
};

std::vector<Seen> look(const Wish& wish, const Setup& setup) {
  std::vector<Seen> all;
  for (const Input& input : setup.inputs) {
    const auto see = [&](const AnyModel& model, const Images& part, const auto& rows) {
      const auto outputs = model.observe(part, wish.layers);
      for (std::size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i].dim() < 1 || outputs[i].size(0) != part.size(0))
          throw Error("layer '" + wish.layers[i] + "' gives " + shape_text(outputs[i].sizes().vec()) +
                      " for " + std::to_string(part.size(0)) + " images: not one row for each");
      for (std::size_t row = 0; row < rows.size(); ++row) {
        all.push_back({input.named(rows[row]), input.shown(rows[row]), input.images.narrow(0, rows[row], 1)});
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          const Tensor one = outputs[i].narrow(0, std::int64_t(row), 1);
          all.back().outputs.push_back({wish.layers[i], one.to(torch::kCPU, torch::kFloat).clone()});
        }
      }
      return part.flatten(1).sum(1);  // what is wanted is in `all`
    };
    ask_in_parts(setup.model, input.images, see);
  }
  return all;
}

Json document(const std::vector<Seen>& all) {
  Json images = Json::array();
  for (const Seen& seen : all) {
    Json layers = Json::array();
    for (const Output& output : seen.outputs)
      layers.push_back({{"layer", output.layer},
                        {"shape", output.shape()},
                        {"min", output.least()},
                        {"mean", output.mean()},
                        {"max", output.most()}});
    images.push_back({{"input", seen.file}, {"layers", layers}});
  }
  return {{"images", images}};
}

Picture picture(const std::vector<Seen>& all) {
  std::vector<Picture> parts;
  for (const Seen& seen : all) {
    if (is_photo(seen.image)) parts.push_back(contact_sheet({{photo(seen.image), seen.shown}}));
    for (const Output& output : seen.outputs)
      parts.push_back(channels(output.values, output.layer + " of " + seen.shown, true));
  }
  return stacked(parts);
}

void print_text(const std::vector<Seen>& all) {
  for (const Seen& seen : all) {
    std::cout << seen.file << '\n';
    std::size_t width = 0;
    for (const Output& output : seen.outputs) width = std::max(width, length(output.layer));
    for (const Output& output : seen.outputs)
      std::cout << "  " << padded(output.layer, width) << "  " << padded(shape_text(output.shape()), 14)
                << "  min " << number(output.least()) << ", mean " << number(output.mean()) << ", max "
                << number(output.most()) << '\n';
  }
}

void run(const Wish& wish) {
  if (!wish.common.array.empty() && wish.layers.size() > 1)
    throw Error("--array writes the output of one layer, and " + std::to_string(wish.layers.size()) +
                " were named: " + joined(wish.layers) + "; name one");
  const Setup setup(wish.common);
  if (!wish.common.array.empty()) setup.check_one_size();
  const std::vector<Seen> all = look(wish, setup);
  if (!wish.common.array.empty()) {
    std::vector<Tensor> rows;
    for (const Seen& seen : all) rows.push_back(seen.outputs.front().values);
    save_array(wish.common.array, torch::cat(rows));
  }
  if (!wish.common.out.empty()) save_picture(wish.common.out, picture(all));
  if (wish.common.json) return print(document(all));
  print_text(all);
  tell_written(wish.common);
}

const Registered registered("activations",
                            {"what the channels of layers respond to an image",
                             "  pellucid activations --model net.pt --preprocess imagenet --input dog.jpg "
                             "--layer features.3 --out maps.png\n"
                             "  pellucid activations ... --layer features.3,features.12 --json\n"
                             "  pellucid activations ... --layer features.3 --array features.npy",
                             [](CLI::App& options) -> std::function<void()> {
                               const auto wish = std::make_shared<Wish>();
                               options
                                   .add_option("--layer", wish->layers,
                                               "layers by name; `pellucid layers` lists them")
                                   ->required()
                                   ->delimiter(',')
                                   ->type_name("NAME[,NAME]");
                               add_common(options, wish->common,
                                          {.labels = false,
                                           .out = "draw the channels, strongest first",
                                           .array = "write the output of the layer, N×..."});
                               return [wish] { run(*wish); };
                             }});

}  // namespace

}  // namespace pellucid::app
