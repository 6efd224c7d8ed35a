#include "explore/server.hpp"

#include <pellucid/core/error.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <deque>
#include <optional>
#include <utility>

#include "explore/address.hpp"
#include "json.hpp"

namespace pellucid::app {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

namespace {

constexpr auto patience = seconds(30);
constexpr auto heartbeat = seconds(15);
constexpr std::size_t most_waiting = 16 << 20;  // bytes of events that a client may leave unread

/// Nothing from elsewhere is loaded, run or framed.
constexpr const char* content_policy =
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; frame-ancestors "
    "'none'";

Response refusal(int status, const std::string& why) {
  return Response::of(Json{{"error", why}}.dump(-1, ' ', false, Json::error_handler_t::replace),
                      "application/json", status);
}

}  // namespace

struct Server::Parts {
  ServerOptions options;
  Handler handler;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::signal_set signals{io, SIGINT, SIGTERM};
  asio::steady_timer again{io};
  asio::thread_pool workers{2};
  std::size_t open = 0;  ///< connections

  void accept();
};

namespace {

/// One browser's connection. All of it runs on the thread of the server, which also ends it; a worker has it
/// only while it asks the handler.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server::Parts& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {
    ++server_.open;
  }
  ~Connection() {
    --server_.open;
    if (gone_) gone_();
  }

  void begin() {
    if (server_.open <= server_.options.connections) return read();
    close_after_ = true;
    write(refusal(503, "too many connections are open (" + std::to_string(server_.options.connections) +
                           " are possible); close other pages of the explorer, or come again"));
  }

  /// An event for the browser that listens.
  void send(std::string text, bool may_be_lost) {
    if (!listening_ || (may_be_lost && !waiting_.empty())) return;
    waiting_bytes_ += text.size();
    if (waiting_bytes_ > most_waiting) return close();
    waiting_.push_back(std::move(text));
    if (waiting_.size() == 1) write_event();
  }

  void end_events() {
    if (!listening_) return;
    if (waiting_.empty()) return close();
    close_after_ = true;
  }

 private:
  void read() {
    parser_.emplace();
    parser_->header_limit(16 << 10);
    parser_->body_limit(server_.options.upload);
    stream_.expires_after(patience);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (error) return self->refuse(error);
                              self->read_body();
                            });
  }

  void read_body() {
    const auto& message = parser_->get();
    const bool upload = message.target() == server_.options.upload_path;
    const std::size_t most = upload ? server_.options.upload : server_.options.body;
    if (parser_->content_length().value_or(0) > most) return refuse(http::error::body_limit);
    parser_->body_limit(most);
    stream_.expires_after(patience);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->refuse(error);
      self->answer();
    });
  }

  /// What could not be read.
  void refuse(error_code error) {
    close_after_ = true;
    if (error == http::error::body_limit)
      return write(refusal(413, "the request is too large; " + std::to_string(server_.options.body >> 10) +
                                    " KB are possible, and " + std::to_string(server_.options.upload >> 20) +
                                    " MB of an image"));
    if (error == http::error::header_limit)
      return write(refusal(431, "the head of the request is over 16 KB"));
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message)
      return write(refusal(400, "this is no HTTP request: " + error.message()));
    close();  // the client has gone, or is too slow
  }

  void answer() {
    const auto& message = parser_->get();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    Request request;
    request.method = head_ ? "GET" : std::string(message.method_string());
    for (const auto& field : message) {
      std::string name(field.name_string());
      for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = std::string(field.value());
    }
    request.body = std::move(parser_->get().body());
    const std::string target(message.target());
    stream_.expires_never();  // the answer takes as long as it takes
    asio::post(server_.workers, [self = shared_from_this(), request = std::move(request), target]() mutable {
      Response response = self->handled(request, target);
      // Handed on, not shared: the connection must not end on this thread.
      asio::io_context& io = self->server_.io;
      asio::post(io, [self = std::move(self), response = std::move(response)]() mutable {
        self->give(std::move(response));
      });
    });
  }

  Response handled(Request& request, const std::string& target) const {
    try {
      check_origin(request.headers, request.method, server_.options.host);
      if (request.method != "GET" && request.method != "POST" && request.method != "DELETE")
        throw Refused(405, "the method " + request.method + " is not known here; GET, POST and DELETE are");
      read_target(target, request);
      return server_.handler(request);
    } catch (const Refused& refused) {
      return refusal(refused.status(), refused.what());
    } catch (const Error& error) {
      return refusal(error.fault() == Fault::request ? 400 : 500, error.what());
    } catch (const std::exception& error) {
      return refusal(500, detail::first_line(error.what()));
    }
  }

  void give(Response response) {
    if (!response.listen || head_) return write(std::move(response));
    listening_ = true;
    buffer_.consume(buffer_.size());
    stream_.expires_never();
    // A browser that listens says nothing more: what can be read is that it has gone.
    stream_.async_read_some(buffer_.prepare(512),
                            [self = shared_from_this()](error_code, std::size_t) { self->close(); });
    waiting_.push_back(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
    write_event();
    beat();
    gone_ = response.listen(std::make_shared<Sink>(server_.io, weak_from_this()));
  }

  void write(Response response) {
    auto message = std::make_shared<http::response<http::string_body>>();
    message->version(11);
    message->result(unsigned(response.status));
    message->set(http::field::content_type, response.type);
    message->set("X-Content-Type-Options", "nosniff");
    message->set("Referrer-Policy", "no-referrer");
    message->set("Cross-Origin-Resource-Policy", "same-origin");
    message->set("Content-Security-Policy", content_policy);
    message->set(http::field::cache_control,
                 response.forever ? "private, max-age=31536000, immutable" : "no-store");
    if (!response.file.empty())
      message->set(http::field::content_disposition, "attachment; filename=\"" + response.file + "\"");
    const std::size_t size = response.body ? response.body->size() : 0;
    if (response.body && !head_) message->body() = *response.body;
    message->content_length(size);
    message->keep_alive(keep_alive_ && !close_after_);
    stream_.expires_after(patience);
    const auto done = [self = shared_from_this(), message](error_code error, std::size_t) {
      if (error || !message->keep_alive()) return self->close();
      self->read();
    };
    if (!head_) return http::async_write(stream_, *message, done);
    auto serializer = std::make_shared<http::response_serializer<http::string_body>>(*message);
    http::async_write_header(stream_, *serializer,
                             [done, serializer](error_code error, std::size_t n) { done(error, n); });
  }

  void write_event() {
    stream_.expires_after(patience);
    asio::async_write(stream_, asio::buffer(waiting_.front()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->close();
                        self->waiting_bytes_ -= std::min(self->waiting_bytes_, self->waiting_.front().size());
                        self->waiting_.pop_front();
                        if (!self->waiting_.empty()) return self->write_event();
                        if (self->close_after_) self->close();
                      });
  }

  /// Tells the browser that the server is there, and the server that the browser is.
  void beat() {
    timer_.expires_after(heartbeat);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (error || !self || !self->listening_) return;
      self->send(": still there\n\n", true);
      self->beat();
    });
  }

  void close() {
    listening_ = false;
    timer_.cancel();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
    if (gone_) std::exchange(gone_, nullptr)();
  }

  class Sink : public EventSink {
   public:
    Sink(asio::io_context& io, std::weak_ptr<Connection> connection)
        : io_(io), connection_(std::move(connection)) {}
    void send(const std::string& event, const std::string& data, bool may_be_lost) override {
      asio::post(io_,
                 [weak = connection_, may_be_lost, text = "event: " + event + "\ndata: " + data + "\n\n"] {
                   if (const auto connection = weak.lock()) connection->send(text, may_be_lost);
                 });
    }
    void close() override {
      asio::post(io_, [weak = connection_] {
        if (const auto connection = weak.lock()) connection->end_events();
      });
    }

   private:
    asio::io_context& io_;
    std::weak_ptr<Connection> connection_;
  };

  Server::Parts& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{};
  std::optional<http::request_parser<http::string_body>> parser_{};
  asio::steady_timer timer_{server_.io};
  bool keep_alive_ = false, head_ = false, close_after_ = false, listening_ = false;
  std::deque<std::string> waiting_{};  ///< the first is being written
  std::size_t waiting_bytes_ = 0;
  std::function<void()> gone_{};
};

}  // namespace

void Server::Parts::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      accept();
      return std::make_shared<Connection>(*this, std::move(socket))->begin();
    }
    again.expires_after(std::chrono::milliseconds(100));  // out of file descriptors, say
    again.async_wait([this](error_code stopped) {
      if (!stopped) accept();
    });
  });
}

Server::Server(ServerOptions options, Handler handler) : parts_(std::make_unique<Parts>()) {
  parts_->options = std::move(options);
  parts_->handler = std::move(handler);
  const std::string& host = parts_->options.host;
  const std::string where = host + ", port " + std::to_string(parts_->options.port);
  try {
    tcp::resolver resolver(parts_->io);
    const tcp::endpoint endpoint =
        resolver.resolve(host, std::to_string(parts_->options.port), tcp::resolver::passive)
            .begin()
            ->endpoint();
    parts_->acceptor.open(endpoint.protocol());
    parts_->acceptor.set_option(tcp::acceptor::reuse_address(true));
    parts_->acceptor.bind(endpoint);
    parts_->acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw Error("the explorer cannot listen at " + where + ": " + error.code().message() +
                    "; give another --port (0: any that is free), or another --host",
                Fault::failure);
  }
}

Server::~Server() = default;

std::uint16_t Server::port() const {
  return parts_->acceptor.local_endpoint().port();
}

void Server::run() {
  parts_->signals.async_wait([this](error_code error, int) {
    if (!error) stop();
  });
  parts_->accept();
  for (bool over = false; !over;) {
    try {
      parts_->io.run();
      over = true;
    } catch (const std::exception&) {  // of one connection (no memory, say), which ends; the others go on
    }
  }
  parts_->workers.join();
}

void Server::stop() {
  asio::post(parts_->io, [this] { parts_->io.stop(); });
}

}  // namespace pellucid::app
