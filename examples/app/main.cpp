/// pellucid: the library from a shell. Each command is a file of its own.

#include <pellucid/core/average.hpp>
#include <pellucid/core/memory.hpp>

#include <algorithm>
#include <iostream>

#include "command.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr int wrong_request = 2, failure = 1;

/// Says in at most a few lines what went wrong.
int refuse(const std::string& message, int code) {
  std::cerr << "pellucid: " << message << '\n';
  return code;
}

}  // namespace

}  // namespace pellucid::app

int main(int count, char** arguments) {
  using namespace pellucid;
  keep_freed_memory();
  try {
    app::run_command(std::vector<std::string>(arguments + std::min(count, 1), arguments + count));
    if (!std::cout.flush()) return app::refuse("standard output could not be written", app::failure);
    return 0;
  } catch (const Error& error) {
    return app::refuse(error.what(), error.fault() == Fault::request ? app::wrong_request : app::failure);
  } catch (const c10::Error& error) {
    return app::refuse(is_out_of_memory(error) ? "not enough memory; give smaller or fewer images"
                                               : pellucid::detail::first_line(error.what_without_backtrace()),
                       app::failure);
  } catch (const std::bad_alloc&) {
    return app::refuse("not enough memory; give smaller or fewer images", app::failure);
  } catch (const std::exception& error) {
    return app::refuse(pellucid::detail::first_line(error.what()), app::failure);
  }
}
