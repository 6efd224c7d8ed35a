#include <boost/test/unit_test.hpp>

#include <pellucid/activation/distributed_patches.hpp>
#include <pellucid/image/write.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>

#include "image/temporary.hpp"
#include "port.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;

void put_noise(const TemporaryFolder& folder, int from, int to) {
  for (int i = from; i < to; ++i) {
    const Images image = test::some_images({1, 3, 9, 9}, std::uint64_t(100 + (i == 7 ? 2 : i)));
    folder.put(std::string(1, char('a' + i % 3)) + "/" + std::to_string(i) + ".png",
               encode_png(to_picture(image)));
  }
}

TopPatches scan_to(fs::path index, double save_every = 0, std::int64_t top = 3) {
  return {.layers = {"first", "second", "last"},
          .top = top,
          .index = std::move(index),
          .save_every = save_every,
          .threads = 1};
}

/// The index of one process.
std::string whole_of(const fs::path& images) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "index.safetensors";
  scan_to(file, 1000)(test::small_net(4), images);
  return contents(file);
}

/// This program once more, which runs the case `as_a_rank` below.
class Process {
 public:
  explicit Process(Variables variables) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      variables.emplace(text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
    }
    std::vector<std::string> texts{};
    for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
    std::vector<char*> environment{};
    for (std::string& text : texts) environment.push_back(text.data());
    environment.push_back(nullptr);
    std::vector<std::string> words{"tests", "--run_test=activation_distributed_patches/as_a_rank",
                                   "--report_level=no"};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    BOOST_REQUIRE(::posix_spawn(&id_, "/proc/self/exe", &actions, nullptr, arguments, environment.data()) ==
                  0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (id_ > 0) kill(), end();
  }

  void kill() const { ::kill(id_, SIGKILL); }

  /// Whether it has come to its end by itself.
  bool has_ended() {
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) != id_) return false;
    id_ = 0;
    return true;
  }

  /// Waits for its end: the signal that killed it, or nothing.
  int end() {
    int status = 0;
    ::waitpid(std::exchange(id_, 0), &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t id_ = 0;
};

/// A run of several ranks over the images of a folder.
struct Run {
  const TemporaryFolder& images;
  int of = 2;
  int port = free_port();
  TemporaryFolder out{};

  fs::path index() const { return out.path() / "index.safetensors"; }
  fs::path part(int rank) const {
    return index().string() + ".rank-" + std::to_string(rank) + "-of-" + std::to_string(of);
  }
  fs::path file(const std::string& what, int rank) const {
    return out.path() / (what + std::to_string(rank));
  }

  Process start(int rank, Variables more = {}) const {
    Variables variables{{"RANK", std::to_string(rank)},       {"WORLD_SIZE", std::to_string(of)},
                        {"MASTER_ADDR", "127.0.0.1"},         {"MASTER_PORT", std::to_string(port)},
                        {"TEST_IMAGES", images.path()},       {"TEST_INDEX", index()},
                        {"TEST_WAITS", file("waits-", rank)}, {"TEST_FOUND", file("found-", rank)},
                        {"TEST_ERROR", file("error-", rank)}};
    for (const auto& [name, value] : more) variables[name] = value;
    return Process(std::move(variables));
  }

  /// Until the rank has scanned its part, and says that it waits for the others.
  void await(int rank) const {
    for (int i = 0; i < 600 && !fs::exists(file("waits-", rank)); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    BOOST_TEST_REQUIRE(fs::exists(file("waits-", rank)));
    fs::remove(file("waits-", rank));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }

  /// All are done, have found the same, and left nothing but the index.
  void check(std::vector<Process>& processes, const std::string& whole) const {
    for (Process& process : processes) BOOST_TEST(process.end() == 0);
    BOOST_TEST((contents(index()) == whole));
    for (int rank = 0; rank < of; ++rank) {
      BOOST_TEST(contents(file("error-", rank)) == "");
      BOOST_TEST((contents(file("found-", rank)) == whole));
      BOOST_TEST(!fs::exists(part(rank)));
    }
  }
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_distributed_patches)

/// Not a test, but one process of those below.
BOOST_AUTO_TEST_CASE(as_a_rank) {
  BOOST_TEST(true);
  if (variable("TEST_INDEX").empty()) return;
  const std::string die_at = variable("TEST_DIE_AT");
  const std::int64_t top = variable("TEST_TOP").empty() ? 3 : std::stoi(variable("TEST_TOP"));
  int told = 0;
  const auto callback = [&](const Progress& progress) {
    if (std::to_string(++told) == die_at) ::raise(SIGKILL);
    if (progress.fraction >= 0.999 && die_at == "end") ::raise(SIGKILL);
    if (!variable("TEST_SLOW").empty())
      std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(variable("TEST_SLOW"))));
    while (!variable("TEST_HOLD").empty() && !fs::exists(variable("TEST_HOLD")))
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (progress.fraction >= 0.999) std::ofstream(variable("TEST_WAITS")) << "waits";
  };
  try {
    DistributedTopPatches{.scan = scan_to(variable("TEST_INDEX"), 0, top),
                          .ranks = Ranks::from_environment(),
                          .wait = 60}(test::small_net(4), fs::path(variable("TEST_IMAGES")), callback)
        .save(variable("TEST_FOUND"));
  } catch (const Error& error) {
    std::ofstream(variable("TEST_ERROR")) << error.what();
  }
}

BOOST_AUTO_TEST_CASE(two_and_four_ranks_find_what_one_finds) {
  const TemporaryFolder images;
  put_noise(images, 0, 20);
  images.put("broken.png", "no image");
  const std::string whole = whole_of(images.path());
  for (const int of : {2, 4}) {
    const Run run{images, of};
    std::vector<Process> processes{};
    for (int rank = 0; rank < of; ++rank) processes.push_back(run.start(rank));
    run.check(processes, whole);
  }
}

BOOST_AUTO_TEST_CASE(machines_without_a_common_disk_a_folder_that_grows_and_fewer_ranks) {
  const TemporaryFolder images, far;
  put_noise(images, 0, 12);
  Run run{images, 3};
  const Variables elsewhere{{"TEST_INDEX", far.path() / "index.safetensors"}};
  std::vector<Process> three{};
  three.push_back(run.start(0));
  three.push_back(run.start(1, elsewhere));
  three.push_back(run.start(2));
  run.check(three, whole_of(images.path()));
  BOOST_TEST((contents(far.path() / "index.safetensors") == contents(run.index())));
  BOOST_TEST(std::distance(fs::directory_iterator(far.path()), {}) == 1);

  // The images of the first run are read no more: a file without content in the place of one would be
  // refused.
  put_noise(images, 12, 20);
  const std::string grown = whole_of(images.path());
  for (const char* name : {"a/0.png", "b/1.png", "c/2.png", "a/3.png"}) fs::remove(images.path() / name);
  run.of = 2;
  std::vector<Process> two{};
  two.push_back(run.start(0));
  two.push_back(run.start(1, elsewhere));
  run.check(two, grown);
  BOOST_TEST((contents(far.path() / "index.safetensors") == grown));
}

BOOST_AUTO_TEST_CASE(a_rank_that_is_killed_goes_on_from_its_part) {
  const TemporaryFolder images;
  put_noise(images, 0, 20);
  const std::string whole = whole_of(images.path());
  {
    const Run run{images};
    std::vector<Process> processes{};
    processes.push_back(run.start(0));
    // The network passes four images at a time.
    Process one = run.start(1, {{"TEST_SLOW", "200"}});
    std::size_t scanned = 0;
    for (int i = 0; i < 3000 && scanned == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (fs::exists(run.part(1))) scanned = PatchIndex::load(run.part(1)).images().size();
    }
    one.kill();
    BOOST_TEST(one.end() == SIGKILL);
    BOOST_TEST(scanned >= 4U);
    const std::vector<fs::path> files = list_images(images.path());
    BOOST_TEST(std::int64_t(scanned) < std::count_if(files.begin(), files.end(), [&](const fs::path& file) {
                 return Shard{2, 2}.has(file.lexically_relative(images.path()).generic_string());
               }));
    processes.push_back(run.start(1));
    run.check(processes, whole);
  }
  // And one of four, before it has saved anything.
  const Run run{images, 4};
  std::vector<Process> processes{};
  for (int rank = 0; rank < 3; ++rank) processes.push_back(run.start(rank));
  Process one = run.start(3, {{"TEST_DIE_AT", "2"}});
  BOOST_TEST(one.end() == SIGKILL);
  BOOST_TEST(PatchIndex::load(run.part(3)).images().size() == 0U);
  processes.push_back(run.start(3));
  run.check(processes, whole);
}

BOOST_AUTO_TEST_CASE(ranks_that_are_killed_while_others_wait_are_waited_for) {
  const TemporaryFolder images;
  put_noise(images, 0, 20);
  const Run run{images};
  std::vector<Process> processes{};
  {
    Process first = run.start(0, {{"TEST_HOLD", run.out.path() / "never"}});  // it has its store, and scans
    Process other = run.start(1);
    run.await(1);
    other.kill();
    BOOST_TEST(other.end() == SIGKILL);
    processes.push_back(run.start(1));
    run.await(1);
    first.kill();
    BOOST_TEST(first.end() == SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  // Once more it is killed, right behind its scan.
  Process again = run.start(0, {{"TEST_DIE_AT", "end"}});
  BOOST_TEST(again.end() == SIGKILL);
  // LibTorch 1.13 ends a rank whose connection rank 0 did not come to accept before it died: the system
  // resets it, and a thread of TCPStore throws. Whoever started the rank starts it again.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  if (processes.back().has_ended()) {
    processes.pop_back();
    processes.push_back(run.start(1));
  }
  processes.push_back(run.start(0));
  run.check(processes, whole_of(images.path()));
}

BOOST_AUTO_TEST_CASE(a_rank_that_waited_in_vain_says_where_its_part_is) {
  const TemporaryFolder images;
  put_noise(images, 0, 6);
  const Run run{images, 3};
  for (const std::int64_t rank : {0, 1}) {
    const DistributedTopPatches method{
        .scan = scan_to(run.index()), .ranks = {rank, 3, "127.0.0.1", run.port}, .wait = 0.5};
    BOOST_TEST(method.part() == run.part(int(rank)));
    BOOST_CHECK_EXCEPTION(method(test::small_net(4), images.path()), Error, [&](const Error& error) {
      BOOST_TEST((error.fault() == Fault::failure));
      BOOST_TEST_MESSAGE(error.what());
      return says({"rank " + std::to_string(rank) + " of 3", "0.5 seconds",
                   "127.0.0.1:" + std::to_string(run.port),
                   rank == 0 ? "nothing is heard of rank 1, 2" : "rank 0 does not answer",
                   run.part(int(rank)).string(), "Start all ranks again", "`pellucid patches merge`"})(error);
    });
    BOOST_TEST(PatchIndex::load(run.part(int(rank))).images().size() > 0U);
  }
  BOOST_TEST(!fs::exists(run.index()));

  // Where a run was complete, and a rank is started once more.
  scan_to(run.index(), 1000)(test::small_net(4), images.path());
  BOOST_CHECK_EXCEPTION((DistributedTopPatches{.scan = scan_to(run.index()),
                                               .ranks = {1, 3, "127.0.0.1", run.port},
                                               .wait = 0.1}(test::small_net(4), images.path())),
                        Error, says({"0.1 seconds", run.index().string() + " has all of it already"}));

  // And it may be called off meanwhile.
  const DistributedTopPatches method{
      .scan = scan_to(run.index()), .ranks = {1, 3, "127.0.0.1", run.port}, .wait = 60};
  BOOST_CHECK_THROW(
      method(test::small_net(4), images.path(), [](const Progress& p) { return p.fraction < 0.999; }),
      Cancelled);
}

BOOST_AUTO_TEST_CASE(parts_about_different_things_are_refused_by_all) {
  const TemporaryFolder images;
  put_noise(images, 0, 6);
  const Run run{images};
  std::vector<Process> processes{};
  processes.push_back(run.start(0));
  processes.push_back(run.start(1, {{"TEST_TOP", "4"}}));
  for (Process& process : processes) BOOST_TEST(process.end() == 0);
  for (const int rank : {0, 1}) {
    const std::string error = contents(run.file("error-", rank));
    BOOST_TEST(says({"the part of rank 0 is of the top 3, the part of rank 1 4", "same network and options"})(
                   Error(error)),
               error);
    BOOST_TEST(fs::exists(run.part(rank)));
  }
  BOOST_TEST(!fs::exists(run.index()));
}

BOOST_AUTO_TEST_CASE(one_rank_needs_no_network) {
  const TemporaryFolder images, out;
  put_noise(images, 0, 6);
  const fs::path file = out.path() / "index.safetensors";
  DistributedTopPatches{.scan = scan_to(file), .ranks = {0, 1, "no.such.host.invalid"}}(test::small_net(4),
                                                                                        images.path());
  BOOST_TEST((contents(file) == whole_of(images.path())));
  BOOST_TEST(std::distance(fs::directory_iterator(out.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_refused) {
  const TemporaryFolder images, out;
  put_noise(images, 0, 3);
  const fs::path file = out.path() / "index.safetensors";
  const auto refused = [&](const DistributedTopPatches& method, std::vector<std::string> words) {
    BOOST_CHECK_EXCEPTION(method(test::small_net(4), images.path()), Error, says(std::move(words)));
  };
  refused({.scan = {.layers = {"last"}}}, {"no file", "scan.index"});
  refused({.scan = {.layers = {"last"}, .index = file, .shard = {1, 2}}}, {"shard 1 of 2", "leave it out"});
  refused({.scan = {.index = file}}, {"no layer"});
  refused({.scan = scan_to(file), .ranks = {2, 2}}, {"rank 2 of 2"});
  refused({.scan = scan_to(file), .wait = 0}, {"wait is 0"});

  // Known before anything is scanned: a port that somebody else has, and an index of something else.
  const Port taken(true);
  refused({.scan = scan_to(file), .ranks = {0, 2, "127.0.0.1", taken.number}},
          {"rank 0 cannot be met", std::to_string(taken.number), "MASTER_PORT"});
  BOOST_TEST(fs::is_empty(out.path()));
  scan_to(file, 0, 4)(test::small_net(4), images.path());
  refused({.scan = scan_to(file), .ranks = {1, 2, "127.0.0.1", free_port()}},
          {"cannot go on with", "index.safetensors", "4", "3"});
  BOOST_TEST(std::distance(fs::directory_iterator(out.path()), {}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
