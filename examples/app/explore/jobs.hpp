#pragma once
/// Long work: queued, told of while it goes on, cancelled, and not done twice.

#include <pellucid/core/progress.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "explore/found.hpp"
#include "explore/http.hpp"

namespace pellucid::app {

class Jobs;
struct Job;

/// A job as the work itself sees it: a progress callback, which says false when the work is to stop.
class Work {
 public:
  Work(Jobs& jobs, Job& job) : jobs_(jobs), job_(job) {}

  const std::string& key() const;

  bool operator()(const Progress& progress);

  /// Whether it is time to show what there is so far.
  bool wants_frame() const;
  void frame(const Json& answer);

 private:
  Jobs& jobs_;
  Job& job_;
  std::chrono::steady_clock::time_point told_{}, shown_{};
};

/// What is to be done.
struct Wish {
  std::string key{};  ///< of two wishes with one key the second is answered with the first's result
  std::string kind{};
  std::string title{};   ///< for the list of jobs
  bool urgent = false;   ///< short: goes before and into the midst of others
  bool lasting = false;  ///< goes on when nobody listens
  std::function<Found(Work&)> run{};
};

struct JobLimits {
  std::size_t queue = 32;                      ///< jobs that may wait
  std::size_t bytes = std::size_t{256} << 20;  ///< of results that are kept; the oldest go
  std::chrono::milliseconds unheard{5000};     ///< after which work stops that nobody listens to
};

/// The one queue of all work that runs a model, with one thread that does it: two models at once would be
/// slower than one after the other.
class Jobs {
 public:
  explicit Jobs(JobLimits limits = {});
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  /// {"job", "key", "ahead"}, or {"key", "result"} where it was done before. "job" is a ticket of who asks;
  /// two who ask for the same have two, for one piece of work. Throws Refused when too many wait.
  Response post(Wish wish);
  /// Tells of a job from here on; of one that is not there, that it failed. Gives what ends that.
  std::function<void()> listen(std::int64_t ticket, const std::shared_ptr<EventSink>& sink);
  /// Throws Refused for a job that is not there, as the two that follow.
  void check(std::int64_t ticket) const;
  /// Gives a ticket back: the work stops, within a step of it, when nobody else has one.
  void cancel(std::int64_t ticket);
  /// {"running", "queued"}
  Json list() const;
  /// A result that is kept; throws Refused for one that is not.
  std::shared_ptr<const Found> found(const std::string& key);
  const JobLimits& limits() const { return limits_; }
  /// Cancels all, and waits for the end of the work that runs.
  void stop();

 private:
  friend class Work;
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;

  void work();
  bool next_runs(Lock& lock, bool urgent_only);
  std::optional<std::size_t> ahead_of(const Job& job) const;
  void tell_who_waits();
  void run(Job& job, Lock& lock);
  void keep(const std::string& key, std::shared_ptr<const Found> found);
  void forget(const std::string& key);
  void end(Job& job, const std::string& how, const Json& data);
  void tell(Job& job, const std::string& event, const Json& data, bool may_be_lost);
  std::shared_ptr<Job> job(std::int64_t ticket) const;

  JobLimits limits_;
  mutable std::mutex mutex_{};
  std::condition_variable something_{};
  bool stopped_ = false;
  std::int64_t last_ticket_ = 0;
  std::deque<std::shared_ptr<Job>> urgent_{}, others_{};  ///< that wait
  std::vector<std::shared_ptr<Job>> running_{};           ///< the last within the others
  std::deque<std::shared_ptr<Job>> done_{};               ///< the last ones, for who asks late
  std::list<std::string> order_{};                        ///< of kept results, the latest used first
  struct Kept {
    std::shared_ptr<const Found> found{};
    std::list<std::string>::iterator place{};
  };
  std::map<std::string, Kept> kept_{};
  std::size_t bytes_ = 0;
  std::thread thread_{};
};

}  // namespace pellucid::app
