/// pellucid: the library from a shell. Each command is a file of its own.

#include <CLI/CLI.hpp>
#include <pellucid/core/average.hpp>

#include "command.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr int wrong_request = 2, failure = 1;

std::string command_names() {
  std::vector<std::string> names;
  for (const auto& [name, command] : commands()) names.push_back(name);
  return joined(names);
}

/// Says in at most a few lines what went wrong.
int refuse(const std::string& message, int code) {
  std::cerr << "pellucid: " << message << '\n';
  return code;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int run(int count, char** arguments) {
  CLI::App app(
      "See inside the vision models you run: which pixels decided, what a layer responds to, how small a\n"
      "change fools the model.",
      "pellucid");
  app.footer(
      "`pellucid COMMAND --help` tells the options of a command. For example:\n"
      "  pellucid classify --model net.pt --preprocess imagenet --labels classes.txt --input dog.jpg\n"
      "  pellucid explain --model net.pt --preprocess imagenet --labels classes.txt --input dog.jpg --out "
      "why.png");
  app.require_subcommand(1);
  app.set_help_flag("--help", "this text");
  app.get_formatter()->column_width(28);
  std::map<const CLI::App*, std::function<void()>> runs;
  for (const auto& [name, command] : commands()) {
    CLI::App* const options = app.add_subcommand(name, command.does);
    options->footer("Examples:\n" + command.examples);
    runs[options] = command.set_up(*options);
  }

  const std::string first = count > 1 ? arguments[1] : "";
  if (first.starts_with("-") && first != "--help")
    throw Error("there is no option '" + first +
                "' before the command; options follow it, as in pellucid classify " + first +
                " (see: pellucid --help)");
  if (first.empty() || (first.front() != '-' && !commands().contains(first)))
    throw Error((first.empty() ? "no command was given" : "there is no command '" + first + "'") +
                "; the commands are " + command_names() + " (see: pellucid --help)");
  try {
    app.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    const bool of_a_command = commands().contains(first);
    throw Error(first_line(error.what()) + " (see: pellucid " + (of_a_command ? first + " " : "") +
                "--help)");
  }
  runs.at(app.get_subcommands().front())();
  return 0;
}

}  // namespace

}  // namespace pellucid::app

int main(int count, char** arguments) {
  using namespace pellucid;
  try {
    const int code = app::run(count, arguments);
    if (!std::cout.flush()) return app::refuse("standard output could not be written", app::failure);
    return code;
  } catch (const Error& error) {
    return app::refuse(error.what(), error.fault() == Fault::request ? app::wrong_request : app::failure);
  } catch (const c10::Error& error) {
    return app::refuse(is_out_of_memory(error) ? "not enough memory; give smaller or fewer images"
                                               : app::first_line(error.what_without_backtrace()),
                       app::failure);
  } catch (const std::bad_alloc&) {
    return app::refuse("not enough memory; give smaller or fewer images", app::failure);
  } catch (const std::exception& error) {
    return app::refuse(app::first_line(error.what()), app::failure);
  }
}
