#include "command.hpp"

#include <pellucid/core/error.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

#include "text.hpp"

namespace pellucid::app {

namespace {

std::string command_names() {
  std::vector<std::string> names;
  for (const auto& [name, command] : commands()) names.push_back(name);
  return joined(names);
}

}  // namespace

void run_command(const std::vector<std::string>& words) {
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

  const std::string first = words.empty() ? "" : words[0];
  if (first.starts_with("-") && first != "--help")
    throw Error("there is no option '" + first +
                "' before the command; options follow it, as in pellucid classify " + first +
                " (see: pellucid --help)");
  if (first.empty() || (first.front() != '-' && !commands().contains(first)))
    throw Error((first.empty() ? "no command was given" : "there is no command '" + first + "'") +
                "; the commands are " + command_names() + " (see: pellucid --help)");
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return;
  } catch (const CLI::ParseError& error) {
    const bool of_a_command = commands().contains(first);
    throw Error(pellucid::detail::first_line(error.what()) + " (see: pellucid " +
                (of_a_command ? first + " " : "") + "--help)");
  }
  runs.at(app.get_subcommands().front())();
}

}  // namespace pellucid::app
