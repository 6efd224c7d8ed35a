#pragma once
#include <stdexcept>
#include <string>
#include <utility>

namespace pellucid {

/// Whose turn it is: `request` is mended by asking differently, `failure` is not.
enum class Fault { request, failure };

/// Every refusal of the library. Its message says what was given, what was expected and what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, Fault fault = Fault::request)
      : std::runtime_error(message), fault_(fault) {}

  Fault fault() const noexcept { return fault_; }

 private:
  Fault fault_;
};

/// Thrown when a progress callback asked for the work to stop.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled", Fault::failure) {}
};

}  // namespace pellucid
