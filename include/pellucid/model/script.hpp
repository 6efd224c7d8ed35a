#pragma once
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <pellucid/model/adapted.hpp>
#include <pellucid/model/script/diagnose.hpp>
#include <pellucid/model/script/network.hpp>

namespace pellucid {

/// A TorchScript file, and how it is run.
using ScriptModel = Adapted<detail::ScriptNetwork>;

/// A TorchScript module as a model. The module is put into evaluation mode, and stays there.
inline ScriptModel adapt(torch::jit::Module module, Preprocess preprocess = unchanged(),
                         Execution execution = {}) {
  execution.check();
  if (execution.device) module.to(*execution.device);
  return ScriptModel(detail::ScriptNetwork(std::move(module)), std::move(preprocess), execution);
}

/// Reads a TorchScript file as a model. Its layers are the submodules that its forward calls.
///
/// A TorchScript file is a program: load only files that you trust. Throws Error when the file is missing, is
/// not TorchScript, or is damaged.
inline ScriptModel load_script(const std::filesystem::path& file, Preprocess preprocess = unchanged(),
                               Execution execution = {}) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) throw Error("there is no model file '" + file.string() + "'");
  if (std::filesystem::is_directory(file, ignored))
    throw Error("'" + file.string() + "' is a folder; a TorchScript file is expected");
  torch::jit::Module module;
  try {
    module = torch::jit::load(file.string(), torch::kCPU);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw;
    throw Error("'" + file.string() +
                "' cannot be read as TorchScript: " + detail::why_unreadable(file, error));
  }
  if (!module.find_method("forward"))
    throw Error("'" + file.string() + "' is TorchScript, but its module has no forward method to run");
  return adapt(std::move(module), std::move(preprocess), execution);
}

}  // namespace pellucid
