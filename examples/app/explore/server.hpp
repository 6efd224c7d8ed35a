#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "explore/http.hpp"

namespace pellucid::app {

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< the address to listen at
  std::uint16_t port = 0;          ///< 0: one that is free
  std::size_t connections = 256;   ///< at once; one more is told to come again
  std::size_t body = 64 << 10;     ///< bytes of a request
  std::size_t upload = 20 << 20;   ///< bytes of one to `upload_path`
  std::string upload_path = "/api/images";
};

/// A web server for this machine. One thread carries all connections, two answer.
///
/// Refuses, with JSON: a Host that names another machine (a name that was made to point here, DNS rebinding),
/// an Origin that is not this server, requests that are malformed or too large; drops clients that take
/// longer than 30 seconds over one.
class Server {
 public:
  /// Throws Error where the address cannot be listened at.
  Server(ServerOptions options, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port that it listens at.
  std::uint16_t port() const;
  /// Serves until stop() is called, from any thread, or until the process is interrupted (SIGINT, SIGTERM).
  void run();
  void stop();

  struct Parts;

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace pellucid::app
