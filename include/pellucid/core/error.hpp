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
  /// message: what was given, what was expected and what to do, without a full stop.
  explicit Error(const std::string& message, Fault fault = Fault::request)
      : std::runtime_error(message), fault_(fault) {}

  /// Whose turn it is.
  Fault fault() const noexcept { return fault_; }

 private:
  Fault fault_;
};

/// Thrown when a progress callback asked for the work to stop.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled", Fault::failure) {}
};

namespace detail {

/// Of a message from below, what a person needs: the rest tells where in its source it was written.
inline std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

/// `what` says whose numbers: "layer 'a' gives NaN for this image".
[[noreturn]] inline void refuse_not_finite(const std::string& what, const std::string& to_do = "") {
  throw Error(what + ": the weights or the preprocessing are damaged, or the numbers overflow" + to_do,
              Fault::failure);
}

}  // namespace detail

}  // namespace pellucid
