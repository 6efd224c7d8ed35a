#pragma once
/// How the ranks of a run meet and exchange bytes: by c10d's TCPStore and process group over Gloo.
///
/// Needs Gloo's headers (Debian: libgloo-dev) and USE_C10D_GLOO, which LibTorch's CMake package defines where
/// LibTorch was built with Gloo. Nothing more is linked: libtorch has all of it.
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <pellucid/core/error.hpp>
#include <pellucid/core/ranks.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid::detail {

/// The address of this machine from which another one is reached; nothing where it is not. With SOCK_STREAM
/// somebody has to listen there; with SOCK_DGRAM nothing is sent.
inline std::optional<std::string> address_towards(const std::string& host, std::int64_t port, int type) {
  struct Free {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
  };
  struct Socket {
    ~Socket() {
      if (number >= 0) ::close(number);
    }
    int number;
  };
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = type;
  hints.ai_flags = AI_NUMERICSERV;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, Free> owner(list);
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    const Socket socket{::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol)};
    if (socket.number < 0) continue;
    const timeval patience{5, 0};
    ::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_storage local{};
    auto* address = reinterpret_cast<sockaddr*>(&local);
    socklen_t size = sizeof(local);
    char name[NI_MAXHOST] = "";
    if (::connect(socket.number, at->ai_addr, at->ai_addrlen) == 0 &&
        ::getsockname(socket.number, address, &size) == 0 &&
        ::getnameinfo(address, size, name, sizeof(name), nullptr, 0, NI_NUMERICHOST) == 0)
      return name;
  }
  return {};
}

inline bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

/// What the ranks that have met say to each other: bytes, between rank 0 and one of the others.
class Conversation {
 public:
  Conversation(c10::intrusive_ptr<c10d::ProcessGroupGloo> group, std::chrono::milliseconds patience)
      : group_(std::move(group)), patience_(patience) {}

  void send(std::int64_t to, const Tensor& bytes) const {
    const auto say = [&](const Tensor& piece) {
      std::vector<Tensor> one{piece};
      group_->send(one, int(to), 0)->wait(patience_);
    };
    say(torch::tensor({bytes.numel()}, torch::kLong));
    for (std::int64_t at = 0; at < bytes.numel(); at += most)
      say(bytes.narrow(0, at, std::min(most, bytes.numel() - at)));
  }

  Tensor receive(std::int64_t from) const {
    const auto hear = [&](const Tensor& piece) {
      std::vector<Tensor> one{piece};
      group_->recv(one, int(from), 0)->wait(patience_);
    };
    const Tensor size = torch::zeros({1}, torch::kLong);
    hear(size);
    Tensor bytes = torch::empty({size.item<std::int64_t>()}, torch::kByte);
    for (std::int64_t at = 0; at < bytes.numel(); at += most)
      hear(bytes.narrow(0, at, std::min(most, bytes.numel() - at)));
    return bytes;
  }

 private:
  static constexpr std::int64_t most = std::int64_t(1) << 26;  // bytes of one message
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::chrono::milliseconds patience_;
};

/// Brings all ranks together, however often one of them dies and is started again meanwhile.
///
/// Rank 0 has the store, where each of the others says again and again that it is alive. When all are, rank 0
/// gives a word of its own to each attempt, by which they form a group. Where that breaks, they try again.
class Meeting {
 public:
  /// Rank 0 opens the store. Throws Error where it cannot be had at that address and port.
  explicit Meeting(Ranks ranks) : ranks_(std::move(ranks)) {
    if (ranks_.rank != 0) return;
    try {
      open();
    } catch (const std::exception& error) {
      throw Error("rank 0 cannot be met at " + place() + " (" + first_line(error.what()) +
                  "); give the name or address of its own machine in MASTER_ADDR, and a free port in "
                  "MASTER_PORT");
    }
  }

  std::string place() const { return ranks_.host + ":" + std::to_string(ranks_.port); }

  /// Calls exchange(conversation) when all are there, and again where that could not be finished. Tells what
  /// hindered it when the time is over; nothing: it is done. poll() is called all the while.
  template <class Poll, class Exchange>
  std::optional<std::string> operator()(std::chrono::milliseconds limit, Poll&& poll, Exchange&& exchange) {
    const Clock::time_point end = Clock::now() + limit;
    while (true) {
      try {
        const std::string word = ranks_.rank == 0 ? call_all(end, poll) : wait_for_call(end, poll);
        exchange(Conversation(group(word), limit));
        return {};
      } catch (const Error&) {
        throw;
      } catch (const std::exception& error) {
        if (Clock::now() >= end) return first_line(error.what());
        if (ranks_.rank != 0) store_.reset();
      }
      poll();
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds pause{100};
  static constexpr std::chrono::seconds network{30};  // what an answer of a living rank may take
  static constexpr int silence = 10;                  // pauses after which a rank is thought dead

  void open() {
    c10d::TCPStoreOptions options;
    options.port = std::uint16_t(ranks_.port);
    options.isServer = ranks_.rank == 0;
    options.waitWorkers = false;
    options.timeout = network;
    const auto store = c10::make_intrusive<c10d::TCPStore>(ranks_.host, options);
    // Ranks that were told another number of them do not meet.
    store_ = c10::make_intrusive<c10d::PrefixStore>("pellucid/" + std::to_string(ranks_.of), store);
  }

  void write(const std::string& key, const std::string& text) const {
    store_->set(key, std::vector<std::uint8_t>(text.begin(), text.end()));
  }
  std::string read(const std::string& key) const {
    if (!store_->check({key})) return "";
    const std::vector<std::uint8_t> bytes = store_->get(key);
    return {bytes.begin(), bytes.end()};
  }

  /// Rank 0: waits until all others are alive at once, then calls them by a new word. It ends with an address
  /// of this machine that the others reach: MASTER_ADDR may lead to one that only this machine knows
  /// (127.0.1.1 in Debian's /etc/hosts).
  template <class Poll>
  std::string call_all(Clock::time_point end, Poll&& poll) const {
    const auto beat = [&](std::int64_t rank) { return store_->add("alive/" + std::to_string(rank), 0); };
    std::vector<std::int64_t> beats{0};
    for (std::int64_t rank = 1; rank < ranks_.of; ++rank) beats.push_back(beat(rank));
    std::vector<int> silent(std::size_t(ranks_.of), silence);
    for (std::string missing = "all"; !missing.empty();) {
      if (Clock::now() >= end) throw std::runtime_error("nothing is heard of rank " + missing);
      poll();
      std::this_thread::sleep_for(pause);
      missing.clear();
      for (std::size_t rank = 1; rank < beats.size(); ++rank) {
        const std::int64_t now = beat(std::int64_t(rank));
        silent[rank] = now == beats[rank] ? silent[rank] + 1 : 0;
        beats[rank] = now;
        if (silent[rank] >= silence) missing += (missing.empty() ? "" : ", ") + std::to_string(rank);
      }
    }
    std::string other = read("from/1");
    for (std::int64_t rank = 2; rank < ranks_.of && is_loopback(other); ++rank)
      other = read("from/" + std::to_string(rank));
    const auto mine = address_towards(other, ranks_.port, SOCK_DGRAM);
    if (!mine) throw std::runtime_error("rank 0 cannot reach " + other);
    std::random_device random;
    const std::string word = std::to_string(random()) + std::to_string(random()) + " " + *mine;
    write("call", word);
    return word;
  }

  /// The others: say that they are alive, until they are called by a word that they do not know yet.
  template <class Poll>
  std::string wait_for_call(Clock::time_point end, Poll&& poll) {
    const std::string me = std::to_string(ranks_.rank);
    if (!store_) {
      // Asked for first, because c10d would complain on stderr.
      const auto mine = address_towards(ranks_.host, ranks_.port, SOCK_STREAM);
      if (!mine) throw std::runtime_error("rank 0 does not answer");
      open();
      write("from/" + me, *mine);
      known_ = read("call");
    }
    for (std::string word;; std::this_thread::sleep_for(pause)) {
      store_->add("alive/" + me, 1);
      if (word = read("call"); word != known_) return known_ = word;
      if (Clock::now() >= end) throw std::runtime_error("rank 0 is there, but not all of the others");
      poll();
    }
  }

  c10::intrusive_ptr<c10d::ProcessGroupGloo> group(const std::string& word) const {
    const auto options = c10d::ProcessGroupGloo::Options::create(network);
    options->threads = 1;
    const char* interfaces = std::getenv("GLOO_SOCKET_IFNAME");  // as PyTorch has it
    if (interfaces != nullptr && *interfaces != '\0') {
      std::istringstream names(interfaces);
      for (std::string name; std::getline(names, name, ',');)
        options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(name));
    } else {
      const std::string address = word.substr(word.find(' ') + 1);
      const auto mine = address_towards(address, ranks_.port, SOCK_DGRAM);
      if (!mine) throw std::runtime_error("rank 0 cannot be reached at " + address);
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(*mine));
    }
    const auto store = c10::make_intrusive<c10d::PrefixStore>(word, store_);
    return c10::make_intrusive<c10d::ProcessGroupGloo>(store, int(ranks_.rank), int(ranks_.of), options);
  }

  Ranks ranks_;
  c10::intrusive_ptr<c10d::Store> store_{};
  std::string known_{};
};

}  // namespace pellucid::detail
