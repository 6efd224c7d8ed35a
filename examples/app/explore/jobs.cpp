#include "explore/jobs.hpp"

#include <pellucid/core/average.hpp>
#include <pellucid/core/error.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace pellucid::app {

namespace {

constexpr std::size_t most_done = 64;
constexpr auto between_tellings = std::chrono::milliseconds(100),
               between_frames = std::chrono::milliseconds(150);

std::string text_of(const Json& data) {
  return data.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What went wrong, for the browser; never empty.
std::string reason(const std::exception& error) {
  if (dynamic_cast<const Error*>(&error) != nullptr || dynamic_cast<const Refused*>(&error) != nullptr)
    return error.what();
  if (is_out_of_memory(error)) return "not enough memory; give fewer samples or a smaller image";
  const std::string line = detail::first_line(error.what());
  return line.empty() ? "the work failed and did not say why" : line;
}

}  // namespace

/// A wish on its way. All but `cancelled` belongs to the queue's lock.
struct Job {
  /// Of one who asked for it.
  struct Listener {
    std::int64_t ticket = 0;
    std::shared_ptr<EventSink> sink{};
  };

  Wish wish{};
  std::atomic<bool> cancelled = false;
  std::set<std::int64_t> tickets{}, dropped{};  ///< of all who asked; of those who do not want it any more
  std::map<std::int64_t, Listener> listeners{};
  std::int64_t last_listener = 0;
  std::chrono::steady_clock::time_point heard =
      std::chrono::steady_clock::now();  ///< when one was last there
  std::optional<Json> progress{}, frame{};
  std::string end{};  ///< done, failed or cancelled; empty before that
  Json end_data{};
};

const std::string& Work::key() const {
  return job_.wish.key;
}

bool Work::operator()(const Progress& progress) {
  const auto now = Jobs::Clock::now();
  Jobs::Lock lock(jobs_.mutex_);
  if (!job_.listeners.empty()) job_.heard = now;
  if (!job_.wish.lasting && now - job_.heard > jobs_.limits_.unheard) job_.cancelled = true;
  if (!job_.wish.urgent)
    while (!job_.cancelled && jobs_.next_runs(lock, true)) continue;
  if (now - told_ >= between_tellings) {
    told_ = now;
    job_.progress = Json{{"fraction", progress.fraction}, {"seconds_left", progress.seconds_left}};
    jobs_.tell(job_, "progress", *job_.progress, true);
  }
  return !job_.cancelled;
}

bool Work::wants_frame() const {
  return Jobs::Clock::now() - shown_ >= between_frames;
}

void Work::frame(const Json& answer) {
  shown_ = Jobs::Clock::now();
  const Jobs::Lock lock(jobs_.mutex_);
  job_.frame = answer;
  jobs_.tell(job_, "frame", answer, true);
}

Jobs::Jobs(JobLimits limits) : limits_(limits), thread_([this] { work(); }) {}

Jobs::~Jobs() {
  stop();
}

void Jobs::stop() {
  {
    const Lock lock(mutex_);
    stopped_ = true;
    for (const auto& job : running_) job->cancelled = true;
  }
  something_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Response Jobs::post(Wish wish) {
  const Lock lock(mutex_);
  if (const auto kept = kept_.find(wish.key); kept != kept_.end()) {
    order_.splice(order_.begin(), order_, kept->second.place);
    return Response::of(text_of({{"key", wish.key}, {"result", kept->second.found->answer}}));
  }
  const auto same = [&](const auto& jobs) -> std::shared_ptr<Job> {
    for (const auto& one : jobs)
      if (one->wish.key == wish.key && !one->cancelled) return one;
    return nullptr;
  };
  const auto queued = [&](Job& job) {
    job.tickets.insert(++last_ticket_);
    return Response::of(
        text_of({{"job", last_ticket_}, {"key", job.wish.key}, {"ahead", ahead_of(job).value_or(0)}}),
        "application/json", 202);
  };
  for (const auto& known : {same(running_), same(urgent_), same(others_)})
    if (known) return queued(*known);
  if (urgent_.size() + others_.size() >= limits_.queue)
    throw Refused(429, "the queue is full: " + std::to_string(limits_.queue) +
                           " pieces of work wait; cancel some, or try again in a while");
  const auto job = std::make_shared<Job>();
  job->wish = std::move(wish);
  (job->wish.urgent ? urgent_ : others_).push_back(job);
  something_.notify_all();
  return queued(*job);
}

/// How many jobs end before this one begins; nothing for one that does not wait.
std::optional<std::size_t> Jobs::ahead_of(const Job& job) const {
  const auto place = [&](const auto& queue) {
    const auto at =
        std::find_if(queue.begin(), queue.end(), [&](const auto& one) { return one.get() == &job; });
    return std::size_t(at - queue.begin());
  };
  if (const std::size_t at = place(urgent_); at < urgent_.size()) return at;
  if (const std::size_t at = place(others_); at < others_.size())
    return running_.size() + urgent_.size() + at;
  return std::nullopt;
}

void Jobs::tell_who_waits() {
  for (const auto* const queue : {&urgent_, &others_})
    for (const auto& job : *queue) tell(*job, "queued", Json{{"ahead", ahead_of(*job).value_or(0)}}, true);
}

std::shared_ptr<Job> Jobs::job(std::int64_t ticket) const {
  const auto in = [&](const auto& jobs) -> std::shared_ptr<Job> {
    const auto found = std::find_if(jobs.begin(), jobs.end(),
                                    [&](const auto& one) { return one->tickets.contains(ticket); });
    return found == jobs.end() ? nullptr : *found;
  };
  for (auto found : {in(running_), in(urgent_), in(others_), in(done_)})
    if (found) return found;
  throw Refused(404, "there is no job " + std::to_string(ticket) + "; ask for the work again");
}

std::function<void()> Jobs::listen(std::int64_t ticket, const std::shared_ptr<EventSink>& sink) {
  const Lock lock(mutex_);
  std::shared_ptr<Job> found;
  try {
    found = job(ticket);
  } catch (const Refused& refused) {
    sink->send("failed", text_of({{"error", refused.what()}}), false);
    sink->close();
    return [] {};
  }
  if (found->dropped.contains(ticket)) {
    sink->send("cancelled", "{}", false);
    sink->close();
    return [] {};
  }
  if (!found->end.empty()) {
    sink->send(found->end, text_of(found->end_data), false);
    sink->close();
    return [] {};
  }
  const std::int64_t number = ++found->last_listener;
  found->listeners[number] = {ticket, sink};
  found->heard = Clock::now();
  if (const auto ahead = ahead_of(*found)) sink->send("queued", text_of(Json{{"ahead", *ahead}}), true);
  if (found->progress) sink->send("progress", text_of(*found->progress), true);
  if (found->frame) sink->send("frame", text_of(*found->frame), true);
  return [this, found, number] {
    const Lock again(mutex_);
    found->listeners.erase(number);
  };
}

void Jobs::check(std::int64_t ticket) const {
  const Lock lock(mutex_);
  job(ticket);
}

void Jobs::cancel(std::int64_t ticket) {
  const Lock lock(mutex_);
  const auto found = job(ticket);
  if (!found->end.empty() || !found->dropped.insert(ticket).second) return;
  for (auto one = found->listeners.begin(); one != found->listeners.end();) {
    if (one->second.ticket != ticket) {
      ++one;
      continue;
    }
    one->second.sink->send("cancelled", "{}", false);
    one->second.sink->close();
    one = found->listeners.erase(one);
  }
  if (found->dropped.size() < found->tickets.size()) return;  // another one asked for the same
  found->cancelled = true;
  if (std::erase(urgent_, found) + std::erase(others_, found) == 0) return;  // it runs, and will see it
  end(*found, "cancelled", Json::object());
  tell_who_waits();
}

Json Jobs::list() const {
  const Lock lock(mutex_);
  const auto told = [](const Job& job) {
    // Of one who still wants it: none does while it is being stopped.
    const auto live = std::find_if(job.tickets.begin(), job.tickets.end(),
                                   [&](std::int64_t one) { return !job.dropped.contains(one); });
    return Json{{"job", live == job.tickets.end() ? Json() : Json(*live)},
                {"kind", job.wish.kind},
                {"title", job.wish.title},
                {"fraction", job.progress ? (*job.progress)["fraction"] : Json(0.0)}};
  };
  Json document{{"running", running_.empty() ? Json() : told(*running_.back())}, {"queued", Json::array()}};
  for (const auto* const queue : {&urgent_, &others_})
    for (const auto& job : *queue) document["queued"].push_back(told(*job));
  return document;
}

std::shared_ptr<const Found> Jobs::found(const std::string& key) {
  const Lock lock(mutex_);
  const auto kept = kept_.find(key);
  if (kept == kept_.end()) throw Refused(404, "this result is not kept any more; ask for the work again");
  order_.splice(order_.begin(), order_, kept->second.place);
  return kept->second.found;
}

void Jobs::keep(const std::string& key, std::shared_ptr<const Found> found) {
  forget(key);  // made twice: the first time it was cancelled too late
  order_.push_front(key);
  bytes_ += found->bytes();
  kept_[key] = {std::move(found), order_.begin()};
  while (bytes_ > limits_.bytes && order_.size() > 1) forget(std::string(order_.back()));
}

void Jobs::forget(const std::string& key) {
  const auto known = kept_.find(key);
  if (known == kept_.end()) return;
  bytes_ -= known->second.found->bytes();
  order_.erase(known->second.place);
  kept_.erase(known);
}

void Jobs::tell(Job& job, const std::string& event, const Json& data, bool may_be_lost) {
  const std::string text = text_of(data);
  for (const auto& [number, one] : job.listeners) one.sink->send(event, text, may_be_lost);
}

void Jobs::work() {
  Lock lock(mutex_);
  while (!stopped_) {
    if (!next_runs(lock, false)) something_.wait(lock);
  }
}

/// Runs the next job that waits, if there is one.
bool Jobs::next_runs(Lock& lock, bool urgent_only) {
  if (stopped_) return false;
  auto& queue = !urgent_.empty() ? urgent_ : others_;
  if (queue.empty() || (urgent_only && &queue == &others_)) return false;
  const std::shared_ptr<Job> job = queue.front();
  queue.pop_front();
  running_.push_back(job);
  tell(*job, "queued", Json{{"ahead", 0}}, true);
  tell_who_waits();
  run(*job, lock);
  running_.pop_back();
  done_.push_back(job);
  if (done_.size() > most_done) done_.pop_front();
  return true;
}

void Jobs::end(Job& job, const std::string& how, const Json& data) {
  job.end = how;
  job.end_data = data;
  job.frame.reset();
  tell(job, how, data, false);
  for (const auto& [number, one] : job.listeners) one.sink->close();
  job.listeners.clear();
}

void Jobs::run(Job& job, Lock& lock) {
  Work its(*this, job);
  std::shared_ptr<Found> found;
  std::string failure;
  lock.unlock();
  try {
    // This may be within other work, which looks at progress without a gradient.
    const torch::AutoGradMode with_gradient(true);
    found = std::make_shared<Found>(job.wish.run(its));
  } catch (const Cancelled&) {
    job.cancelled = true;
  } catch (const std::exception& error) {
    failure = reason(error);
  } catch (...) {
    failure = "the work failed and did not say why";
  }
  lock.lock();
  job.wish.run = nullptr;  // what it holds is not needed any more
  if (found) {
    keep(job.wish.key, found);
    end(job, "done", found->answer);
  } else if (!failure.empty()) {
    end(job, "failed", {{"error", failure}});
  } else {
    end(job, "cancelled", Json::object());
  }
}

}  // namespace pellucid::app
