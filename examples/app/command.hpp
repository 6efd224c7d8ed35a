#pragma once
/// The table of commands. A command is one file: it registers itself, and nothing else names it.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace pellucid::app {

struct Command {
  std::string does{};      ///< one line, for the list
  std::string examples{};  ///< the end of its --help
  /// Adds the command's options, and gives what runs it once they are read.
  std::function<void()> (*set_up)(CLI::App& options) = nullptr;
};

/// The commands by name.
inline std::map<std::string, Command>& commands() {
  static std::map<std::string, Command> table;
  return table;
}

/// A variable of this type, in the command's file, puts it into the table.
struct Registered {
  Registered(const std::string& name, Command command) { commands().emplace(name, std::move(command)); }
};

/// Runs one command, given as on the command line behind `pellucid`. Throws Error when it is refused.
void run_command(const std::vector<std::string>& words);

}  // namespace pellucid::app
