#pragma once
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <system_error>

#include <pellucid/core/error.hpp>

namespace pellucid {

/// Which one of several processes this is, and where they meet.
struct Ranks {
  std::int64_t rank = 0;           ///< of this process: 0 to of − 1
  std::int64_t of = 1;             ///< processes
  std::string host = "127.0.0.1";  ///< name or address of rank 0's machine
  std::int64_t port = 29500;       ///< at which rank 0 is met there

  void check() const {
    if (of < 1 || rank < 0 || rank >= of)
      throw Error("rank " + std::to_string(rank) + " of " + std::to_string(of) +
                  " was given; ranks count from 0: give 0 to N − 1 of N (RANK, WORLD_SIZE)");
    if (host.empty()) throw Error("the address of rank 0's machine is empty; give one (MASTER_ADDR)");
    if (port < 1 || port > 65535)
      throw Error("port " + std::to_string(port) + " was given; expected 1 to 65535 (MASTER_PORT)");
  }

  /// As LibTorch's launchers tell it, and those of clusters can: by RANK, WORLD_SIZE, MASTER_ADDR and, unless
  /// it is 29500, MASTER_PORT. Throws Error that names what is missing or wrong.
  static Ranks from_environment() {
    const auto text = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value == nullptr ? "" : value);
    };
    std::string missing;
    for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR"})
      if (text(name).empty()) missing += (missing.empty() ? "" : " and ") + std::string(name);
    if (!missing.empty())
      throw Error("the environment has no " + missing +
                  "; start each process with RANK (from 0), WORLD_SIZE (how many there are), MASTER_ADDR "
                  "(the machine of rank 0) and, unless it is 29500, MASTER_PORT, or by a launcher that sets "
                  "them (torchrun)");
    const auto number = [&](const char* name) {
      const std::string value = text(name);
      std::int64_t result = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
      if (error != std::errc() || end != value.data() + value.size())
        throw Error(std::string(name) + " is '" + value + "' in the environment; expected a whole number");
      return result;
    };
    Ranks ranks{.rank = number("RANK"), .of = number("WORLD_SIZE"), .host = text("MASTER_ADDR")};
    if (!text("MASTER_PORT").empty()) ranks.port = number("MASTER_PORT");
    ranks.check();
    return ranks;
  }
};

}  // namespace pellucid
