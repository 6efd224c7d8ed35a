#include "setup.hpp"

#include <torch/cuda.h>
#include <pellucid/core/files.hpp>
#include <pellucid/core/subject.hpp>
#include <pellucid/image/npy.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/model/architectures.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/model/weights/read.hpp>

#include <CLI/CLI.hpp>

#include <thread>

#include "preprocess_file.hpp"
#include "shapes/generator.hpp"
#include "shapes/shipped.hpp"
#include "text.hpp"
#include "text_files.hpp"

namespace pellucid::app {

namespace {

std::string extension_of(const std::string& file) {
  std::string extension = std::filesystem::path(file).extension().string();
  for (char& c : extension) c = char(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

/// Long work is not begun for a file that cannot be written at its end.
void check_writable(const std::string& option, const std::string& file, const std::string& extension) {
  if (file.empty()) return;
  const std::string given = extension_of(file);
  if (!given.empty() && given != extension)
    throw Error(option + " " + file + ": the file written is " +
                (extension == ".png" ? "a PNG" : "a NumPy array") + "; give it a name that ends in " +
                extension);
  const AtomicFile beside(file);  // gone at the end of this scope
}

torch::Device device_from(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (name != "cuda") throw Error("--device " + name + ": there is no such device; give cpu or cuda");
  if (!torch::cuda::is_available())
    throw Error("--device cuda: this machine has no CUDA device that LibTorch can use; give --device cpu");
  return torch::kCUDA;
}

/// As it is, or faster and rounded otherwise. What bf16 means is the same in every run, as scans need it.
Execution way_from(const std::string& precision) {
  if (precision == "fp32") return {};
  if (precision == "bf16")
    return {.layout = Layout::channels_last, .precision = Precision::bfloat16, .folded = true};
  if (precision == "auto") return Execution::automatic();
  throw Error("--precision " + precision + ": give fp32, bf16 or auto");
}

Execution execution_from(const Common& common) {
  // LibTorch itself starts one thread for two cores that it takes for one.
  const int cores = int(std::max(1U, std::thread::hardware_concurrency()));
  Execution execution = way_from(common.precision);
  execution.threads = common.threads.value_or(cores);
  if (execution.threads < 1 || execution.threads > 1024)
    throw Error("--threads " + std::to_string(execution.threads) + ": give a number from 1 to 1024");
  execution.device = device_from(common.device);
  return execution;
}

/// A file given with --input, or one of a folder that was.
struct Named {
  std::string file{};
  bool from_folder = false;
};

std::vector<Named> files_of(const std::vector<std::string>& inputs) {
  std::vector<Named> files;
  for (const std::string& given : inputs) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(given, ignored)) {
      files.push_back({given});
      continue;
    }
    const auto images = list_images(given);
    if (images.empty())
      throw Error("--input " + given + ": the folder holds no file whose name ends in .png, .jpg or .jpeg");
    for (const auto& image : images) files.push_back({image.string(), true});
  }
  return files;
}

/// How the images go into the model: as was asked, or as a shipped network wants them.
Preprocess preprocess_of(const Common& common) {
  if (common.preprocess.empty() && shapes::is_shipped(common.model)) return shapes::preprocess();
  return preprocess_from(common.preprocess);
}

AnyModel load(const Common& common, const Preprocess& preprocess) {
  const Execution execution = execution_from(common);
  if (shapes::is_shipped(common.model)) return shapes::load_shipped(common.model, preprocess, execution);
  std::error_code ignored;
  if (std::filesystem::exists(common.model, ignored))
    return is_checkpoint(common.model) ? load_any(common.model, preprocess, execution)
                                       : AnyModel(load_script(common.model, preprocess, execution));
  if (const std::size_t colon = common.model.find(':'); colon != std::string::npos)
    return load_as(common.model.substr(0, colon), common.model.substr(colon + 1), preprocess, execution);
  throw Error("there is no model file '" + common.model + "'; the networks that come with the program are " +
              joined(shapes::shipped_names()));
}

}  // namespace

void add_common(CLI::App& options, Common& common, const CommonChoice& choice) {
  const std::string group = "Common options";
  options
      .add_option(
          "--model", common.model,
          "a TorchScript file (load only files that you trust); a checkpoint, .pth or .safetensors; "
          "ARCHITECTURE:CHECKPOINT, such as vgg16:vgg16.pth; or a network that comes with the program: " +
              joined(shapes::shipped_names()))
      ->required()
      ->type_name("FILE")
      ->group(group);
  options
      .add_option(
          "--preprocess", common.preprocess,
          "imagenet, unchanged (the default), or a JSON file with resize, crop, mean, std, interpolation")
      ->type_name("NAME")
      ->group(group);
  if (choice.input)
    options
        .add_option("--input", common.inputs,
                    "PNG, JPEG, .npy (float32 N×…, used as it is), or a folder of photos")
        ->required(choice.input_needed)
        ->type_name("FILE")
        ->group(group);
  if (choice.labels)
    options.add_option("--labels", common.labels, "names of the classes, one a line")
        ->type_name("FILE")
        ->group(group);
  if (!choice.out.empty())
    options.add_option("--out", common.out, choice.out)->type_name("FILE.png")->group(group);
  if (!choice.array.empty())
    options.add_option("--array", common.array, choice.array)->type_name("FILE.npy")->group(group);
  options.add_flag("--json", common.json, "one JSON document on standard output, and nothing else")
      ->group(group);
  options.add_option("--threads", common.threads, "threads within an operator; left out: one for each core")
      ->type_name("N")
      ->group(group);
  options.add_option("--device", common.device, "cpu (the default) or cuda")->type_name("NAME")->group(group);
  options
      .add_option("--precision", common.precision,
                  "fp32 (the default); bf16; auto: whatever is fastest here, found by a few passes")
      ->type_name("NAME")
      ->group(group);
}

Labels::Labels(const std::string& file) : file_(file) {
  if (file.empty()) return;
  InputFile input(file, "a text file with one label a line");
  if (input.size() > 1 << 24) input.refuse("it has over 16 megabytes");
  std::istringstream lines(contents_of(input));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    names_.push_back(line);
  }
  while (!names_.empty() && names_.back().empty()) names_.pop_back();
  if (names_.empty()) input.refuse("it holds no label");
}

void Labels::check(std::int64_t classes) const {
  if (names_.empty() || std::int64_t(names_.size()) == classes) return;
  throw Error("--labels " + file_ + " has " + std::to_string(names_.size()) +
              " labels, one a line, and the model " + std::to_string(classes) +
              " classes; give the labels that belong to this model");
}

std::string Labels::name(std::int64_t label) const {
  if (names_.empty()) return {};
  if (label < 0 || label >= std::int64_t(names_.size()))
    throw Error("class " + std::to_string(label) + " has no name: --labels " + file_ + " has " +
                std::to_string(names_.size()) + ", for classes 0 to " + std::to_string(names_.size() - 1));
  return names_[std::size_t(label)];
}

std::string Labels::text(std::int64_t label) const {
  return names_.empty() ? "class " + std::to_string(label) : name(label) + " (" + std::to_string(label) + ")";
}

std::string Input::named(std::int64_t row) const {
  return count() == 1 ? file : file + "[" + std::to_string(row) + "]";
}

std::string Input::shown(std::int64_t row) const {
  return std::filesystem::path(named(row)).filename().string();
}

Images read_input(const std::string& file) {
  return extension_of(file) == ".npy" ? read_npy(file) : read_image(file);
}

Setup::Setup(const Common& common)
    : preprocess((check_writable("--out", common.out, ".png"),
                  check_writable("--array", common.array, ".npy"), preprocess_of(common))),
      model(load(common, preprocess)) {
  const bool shipped = shapes::is_shipped(common.model);
  labels = common.labels.empty() && shipped ? Labels(common.model, shapes::names()) : Labels(common.labels);
  bool photos = false;
  std::vector<Skipped> skipped;
  const std::vector<Named> files = files_of(common.inputs);
  for (const auto& [file, from_folder] : files) {
    Input input{file, extension_of(file) == ".npy", {}};
    if (from_folder) {
      const auto read = read_or_skip(file, skipped);
      if (!read) continue;
      input.images = *read;
    } else {
      input.images = read_input(file);
    }
    try {
      check_images(input.images);
      input.images = model.fit(input.images).contiguous();
    } catch (const Error& error) {
      throw Error(file + ": " + error.what(), error.fault());
    }
    if (inputs.empty()) note_execution(model, input.images);
    photos |= !input.array;
    inputs.push_back(std::move(input));
  }
  tell_skipped(skipped);
  if (inputs.empty() && !files.empty())
    throw Error("--input: none of the " + std::to_string(files.size()) +
                " images of the folder could be read");
  if (photos) note_preprocess(common);
}

std::int64_t Setup::images() const {
  std::int64_t count = 0;
  for (const Input& input : inputs) count += input.count();
  return count;
}

void Setup::check_one_size() const {
  for (const Input& input : inputs) {
    const auto first = inputs.front().images.sizes().slice(1), other = input.images.sizes().slice(1);
    if (first != other)
      throw Error("--array needs images of one size: " + inputs.front().file + " has " +
                  shape_text(first.vec()) + " and " + input.file + " has " + shape_text(other.vec()) +
                  "; give a --preprocess that crops, or one input at a time");
  }
}

Tensor probabilities_of(const Setup& setup, const Images& images) {
  const Tensor probabilities = pellucid::probabilities_of(setup.model, images);
  setup.labels.check(probabilities.size(1));
  return probabilities;
}

Answer answer(const Tensor& probabilities, std::int64_t row) {
  const auto [probability, label] = probabilities[row].max(0);
  return {label.item<std::int64_t>(), probability.item<double>()};
}

std::string answer_text(const Labels& labels, const Answer& answer) {
  return labels.text(answer.label) + ", " + percent(answer.probability);
}

std::string answer_label(const Labels& labels, const Answer& answer) {
  return percent(answer.probability) + " " + labels.text(answer.label);
}

void tell_skipped(const std::vector<Skipped>& skipped) {
  constexpr std::size_t most = 10;
  for (std::size_t i = 0; i < std::min(skipped.size(), most); ++i)
    std::cerr << "pellucid: note: left out: " << skipped[i].reason << '\n';
  if (skipped.size() > most) std::cerr << "pellucid: note: left out: " << skipped.size() - most << " more\n";
}

void note_preprocess(const Common& common) {
  if (!common.preprocess.empty() || shapes::is_shipped(common.model)) return;
  std::cerr << "pellucid: note: no --preprocess was given, so the photos go into the network as they are; "
               "networks trained on ImageNet mostly want --preprocess imagenet\n";
}

void note_execution(const AnyModel& model, const Images& images) {
  if (const std::string notice = model.execution(images).notice; !notice.empty())
    std::cerr << "pellucid: note: " << notice << '\n';
}

bool is_photo(const Tensor& image) {
  return image.dim() == 4 && image.size(1) == 3 && image.size(2) * image.size(3) > 1;
}

}  // namespace pellucid::app
