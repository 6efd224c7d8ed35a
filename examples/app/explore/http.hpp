#pragma once
/// What a browser asks and what it is answered, without the server that carries both.

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pellucid::app {

struct Request {
  std::string method{};                          ///< GET, POST, DELETE
  std::vector<std::string> path{};               ///< its parts, decoded: /api/images/f3 → api, images, f3
  std::map<std::string, std::string> query{};    ///< decoded
  std::map<std::string, std::string> headers{};  ///< names in lower case
  std::string body{};
};

/// A refusal with the status that the browser gets: 4xx where the request is wrong.
class Refused : public std::exception {
 public:
  Refused(int status, std::string message) : status_(status), message_(std::move(message)) {}

  int status() const { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  std::string message_;
};

/// Where events go that a browser listens to. May be told from any thread; what a client that does not read
/// lets pile up is thrown away.
class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;

  /// An event, JSON in one line. One that `may_be_lost` is left out while the client is behind.
  virtual void send(const std::string& event, const std::string& data, bool may_be_lost) = 0;
  /// No more will come.
  virtual void close() = 0;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::shared_ptr<const std::string> body{};
  bool forever = false;  ///< the answer to this address never changes
  std::string file{};    ///< to be saved under this name
  /// Instead of a body: called once with where events go; what it gives is called when the client has gone.
  std::function<std::function<void()>(const std::shared_ptr<EventSink>&)> listen{};

  static Response of(std::string text, std::string type = "application/json", int status = 200) {
    return {
        .status = status, .type = std::move(type), .body = std::make_shared<std::string>(std::move(text))};
  }
};

/// Answers requests. Called on several threads at once; throws Refused, or pellucid::Error, which is a 400.
using Handler = std::function<Response(const Request&)>;

}  // namespace pellucid::app
