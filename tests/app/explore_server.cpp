// The explorer's web server on loopback: what it gives, what it refuses, and whom it outlives.
#include <boost/test/unit_test.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <pellucid/core/error.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "explore/server.hpp"

using namespace pellucid::app;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

class Running {
 public:
  explicit Running(Handler handler, std::size_t connections = 64)
      : server_({.connections = connections, .body = 1000, .upload = 5000}, std::move(handler)),
        thread_([this] { server_.run(); }) {}
  ~Running() {
    server_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_.port(); }

 private:
  Server server_;
  std::thread thread_;
};

/// One connection; what is written to it is the test's own.
class Client {
 public:
  explicit Client(const Running& server) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), server.port()});
  }
  void write(const std::string& text) {
    boost::system::error_code gone;
    asio::write(socket_, asio::buffer(text), gone);
  }
  /// All up to the end of the connection.
  std::string rest() {
    std::string text;
    boost::system::error_code end;
    asio::read(socket_, asio::dynamic_buffer(text), end);
    return text;
  }
  /// Up to this text.
  std::string until(const std::string& end) {
    std::string text;
    char c = 0;
    boost::system::error_code gone;
    while (!text.ends_with(end) && asio::read(socket_, asio::buffer(&c, 1), gone) == 1) text += c;
    return text;
  }
  void hang_up() { socket_.close(); }

 private:
  asio::io_context io_{};
  tcp::socket socket_{io_};
};

std::string get(const std::string& target, const std::string& more = "Connection: close\r\n") {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

std::string post(const std::string& target, const std::string& body, const std::string& more = "") {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

std::string answered(const Running& server, const std::string& request) {
  Client client(server);
  client.write(request);
  return client.rest();
}

int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

Response echo(const Request& request) {
  std::string text = request.method;
  for (const std::string& part : request.path) text += "/" + part;
  for (const auto& [name, value] : request.query) text += "?" + name + "=" + value;
  return Response::of(text + ":" + request.body, "text/plain");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_explore_server)

BOOST_AUTO_TEST_CASE(requests_are_answered) {
  const Running server(echo);
  const std::string answer = answered(server, get("/a/b%20c?x=1"));
  BOOST_TEST(status_of(answer) == 200);
  BOOST_TEST(answer.ends_with("\r\n\r\nGET/a/b c?x=1:"));
  for (const std::string header :
       {"Content-Security-Policy: default-src 'self'", "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store", "Content-Type: text/plain"})
    BOOST_TEST(answer.find(header) != std::string::npos, header);
  BOOST_TEST(answered(server, post("/p", "body")).ends_with("\r\n\r\nPOST/p:body"));
  const std::string head =
      answered(server, "HEAD /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  BOOST_TEST(status_of(head) == 200);
  BOOST_TEST(head.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(several_requests_share_a_connection) {
  const Running server(echo);
  Client client(server);
  for (const std::string path : {"/1", "/2", "/3"}) {
    client.write(get(path, ""));
    BOOST_TEST(client.until("GET" + path + ":").ends_with("GET" + path + ":"));
  }
}

BOOST_AUTO_TEST_CASE(refusals_are_json) {
  const Running server([](const Request& request) -> Response {
    if (request.path[0] == "refused") throw Refused(404, "not \"here\"");
    if (request.path[0] == "wrong") throw pellucid::Error("no such layer");
    if (request.path[0] == "broken") throw pellucid::Error("disk full", pellucid::Fault::failure);
    throw std::runtime_error("line one\nline two");
  });
  const std::string refused = answered(server, get("/refused"));
  BOOST_TEST(status_of(refused) == 404);
  BOOST_TEST(refused.ends_with(R"({"error":"not \"here\""})"));
  BOOST_TEST(status_of(answered(server, get("/wrong"))) == 400);
  BOOST_TEST(status_of(answered(server, get("/broken"))) == 500);
  BOOST_TEST(answered(server, get("/other")).ends_with(R"({"error":"line one"})"));
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_refused_and_harms_nobody) {
  const Running server(echo);
  const std::pair<std::string, int> wrong[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET /% HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403},
      {"PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(40000, 'x') + "\r\n\r\n", 431},
      {"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST /api/images HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5001\r\n\r\n", 413},
      {"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" +
           std::string(3000, 'x'),
       413},
      {post("/x", "{}", "Origin: http://evil.example\r\n"), 403},
  };
  for (const auto& [request, status] : wrong) {
    Client client(server);
    client.write(request);
    const std::string answer = client.until("\r\n\r\n");
    BOOST_TEST(status_of(answer) == status, request.substr(0, 80));
  }
  for (const std::string& part : {std::string(), std::string("GET"), std::string("GET / HTTP/1.1\r\nHo"),
                                  post("/x", "body").substr(0, 70)}) {
    Client client(server);
    client.write(part);
    client.hang_up();
  }
  BOOST_TEST(status_of(answered(server, post("/api/images", std::string(5000, 'x')))) == 200);
  BOOST_TEST(status_of(answered(server, get("/"))) == 200);
}

BOOST_AUTO_TEST_CASE(events_are_told_until_the_end) {
  std::shared_ptr<EventSink> sink;
  std::atomic<int> gone = 0;
  {
    const Running server([&](const Request&) -> Response {
      return {.listen = [&](const std::shared_ptr<EventSink>& given) -> std::function<void()> {
        given->send("queued", R"({"ahead":1})", false);
        sink = given;
        return [&] { ++gone; };
      }};
    });
    Client client(server);
    client.write(get("/", ""));
    const std::string head = client.until("\n\n");
    BOOST_TEST(head.find("Content-Type: text/event-stream") != std::string::npos);
    BOOST_TEST(head.ends_with("event: queued\ndata: {\"ahead\":1}\n\n"));
    sink->send("done", "{}", false);
    sink->close();
    BOOST_TEST(client.rest() == "event: done\ndata: {}\n\n");
    for (int i = 0; i < 200 && gone == 0; ++i) std::this_thread::sleep_for(10ms);
    BOOST_TEST(gone.load() == 1);

    Client vanishing(server);
    vanishing.write(get("/", ""));
    vanishing.until("\n\n");
    vanishing.hang_up();
    for (int i = 0; i < 200 && gone == 1; ++i) std::this_thread::sleep_for(10ms);
    BOOST_TEST(gone.load() == 2);
    sink->send("lost", "{}", false);

    // One that does not read is let go, and holds no more memory than it may.
    Client deaf(server);
    deaf.write(get("/", ""));
    deaf.until("\n\n");
    const std::string large(1 << 20, 'x');
    for (int i = 0; i < 60 && gone == 2; ++i) {
      sink->send("frame", large, false);
      std::this_thread::sleep_for(1ms);
    }
    for (int i = 0; i < 200 && gone == 2; ++i) std::this_thread::sleep_for(10ms);
    BOOST_TEST(gone.load() == 3);
  }
}

BOOST_AUTO_TEST_CASE(one_connection_too_many_is_told_so) {
  const Running server(echo, 2);
  Client first(server), second(server);
  for (Client* const client : {&first, &second}) {
    client->write(get("/", ""));
    client->until("GET:");
  }
  BOOST_TEST(status_of(answered(server, get("/"))) == 503);
  first.hang_up();
  int status = 503;
  for (int i = 0; i < 200 && status == 503; ++i) {
    std::this_thread::sleep_for(10ms);
    status = status_of(answered(server, get("/")));
  }
  BOOST_TEST(status == 200);
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_listened_at_is_an_error) {
  const Running server(echo);
  BOOST_CHECK_EXCEPTION(Server({.port = server.port()}, echo), pellucid::Error,
                        [](const pellucid::Error& error) {
                          return std::string(error.what()).find("another --port") != std::string::npos;
                        });
  BOOST_CHECK_THROW(Server({.host = "192.0.2.1"}, echo), pellucid::Error);
}

BOOST_AUTO_TEST_SUITE_END()
