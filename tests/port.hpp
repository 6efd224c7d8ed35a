#pragma once
#include <boost/test/unit_test.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/// A socket of this machine at a port that was free; it listens where that is wanted.
class Port {
 public:
  explicit Port(bool listening = false) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(listening ? INADDR_ANY : INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* at = reinterpret_cast<sockaddr*>(&address);
    BOOST_REQUIRE(::bind(socket_, at, size) == 0);
    BOOST_REQUIRE(::getsockname(socket_, at, &size) == 0);
    if (listening) BOOST_REQUIRE(::listen(socket_, 1) == 0);
    number = ntohs(address.sin_port);
  }
  ~Port() { ::close(socket_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int number = 0;

 private:
  int socket_;
};

inline int free_port() {
  return Port().number;
}
