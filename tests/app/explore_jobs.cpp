// The explorer's queue of work: who comes when, who is told what, what is not done twice.
#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/smoothgrad.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "explore/jobs.hpp"
#include "explore/refined.hpp"
#include "support.hpp"

using namespace pellucid;
using namespace pellucid::app;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is told.
class Ear : public EventSink {
 public:
  void send(const std::string& event, const std::string& data, bool) override {
    const std::lock_guard lock(mutex_);
    events_.emplace_back(event, Json::parse(data));
    something_.notify_all();
  }
  void close() override {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    something_.notify_all();
  }

  /// The event that ended it, and what came with it.
  std::pair<std::string, Json> end() {
    std::unique_lock lock(mutex_);
    BOOST_REQUIRE(something_.wait_for(lock, 20s, [&] { return closed_; }));
    return events_.back();
  }
  /// What came with the events of a name.
  std::vector<Json> told(const std::string& event) {
    const std::lock_guard lock(mutex_);
    std::vector<Json> all;
    for (const auto& [name, data] : events_)
      if (name == event) all.push_back(data);
    return all;
  }
  std::vector<std::string> names() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& [name, data] : events_) all.push_back(name);
    return all;
  }

 private:
  std::mutex mutex_{};
  std::condition_variable something_{};
  std::vector<std::pair<std::string, Json>> events_{};
  bool closed_ = false;
};

Json json_of(const Response& response) {
  return Json::parse(*response.body);
}

struct Listening {
  std::int64_t id = 0;
  std::shared_ptr<Ear> ear = std::make_shared<Ear>();
};

/// Asks for work, and listens.
Listening ask(Jobs& jobs, Wish wish) {
  Listening one;
  one.id = json_of(jobs.post(std::move(wish))).at("job");
  jobs.listen(one.id, one.ear);
  return one;
}

Found just(const std::string& text) {
  return {Json{{"text", text}}, {}};
}

/// Goes on until it is told to stop.
Found endless(Work& work) {
  while (work({0.5, 1})) std::this_thread::sleep_for(1ms);
  throw Cancelled();
}

Wish quick(
    const std::string& key, std::function<void()> does = [] {}, bool urgent = false) {
  return {.key = key, .urgent = urgent, .run = [key, does](Work&) {
            does();
            return just(key);
          }};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_explore_jobs)

BOOST_AUTO_TEST_CASE(what_is_found_is_told_and_kept) {
  Jobs jobs;
  const Listening one = ask(jobs, quick("a"));
  BOOST_TEST((one.ear->end() == std::pair<std::string, Json>{"done", Json{{"text", "a"}}}));
  int runs = 0;
  const Response again = jobs.post(quick("a", [&] { ++runs; }));
  BOOST_TEST(again.status == 200);
  BOOST_TEST(json_of(again).at("result").at("text") == "a");
  BOOST_TEST(runs == 0);
  BOOST_TEST(jobs.found("a")->answer.at("text") == "a");
  BOOST_CHECK_THROW(jobs.found("b"), Refused);
  // Who asks late is told the end.
  const auto late = std::make_shared<Ear>();
  jobs.listen(one.id, late);
  BOOST_TEST(late->end().first == "done");
}

BOOST_AUTO_TEST_CASE(two_who_ask_for_the_same_share_the_work_and_one_may_go) {
  Jobs jobs;
  int runs = 0;
  std::promise<void> go_on;
  const auto wish = [&] {
    return Wish{.key = "same", .run = [&](Work&) {
                  ++runs;
                  go_on.get_future().wait();
                  return just("same");
                }};
  };
  const Listening first = ask(jobs, wish()), second = ask(jobs, wish());
  BOOST_TEST(first.id != second.id);
  jobs.cancel(first.id);
  BOOST_TEST(first.ear->end().first == "cancelled");
  go_on.set_value();
  BOOST_TEST(second.ear->end().first == "done");
  BOOST_TEST(runs == 1);
}

BOOST_AUTO_TEST_CASE(a_job_that_was_cancelled_is_asked_for_anew) {
  Jobs jobs;
  const Listening first = ask(jobs, {.key = "same", .run = endless});
  jobs.cancel(first.id);
  const Listening second = ask(jobs, quick("same"));
  BOOST_TEST(second.id != first.id);
  BOOST_TEST(second.ear->end().first == "done");
}

BOOST_AUTO_TEST_CASE(cancelled_work_stops_within_a_second) {
  Jobs jobs;
  const Listening running = ask(jobs, {.key = "1", .run = endless});
  const Listening waiting = ask(jobs, {.key = "2", .run = endless});
  const auto start = std::chrono::steady_clock::now();
  jobs.cancel(waiting.id);
  BOOST_TEST(waiting.ear->end().first == "cancelled");
  jobs.cancel(running.id);
  BOOST_TEST(running.ear->end().first == "cancelled");
  BOOST_TEST((std::chrono::steady_clock::now() - start < 1s));
  BOOST_CHECK_THROW(jobs.cancel(99), Refused);
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_is_told_in_words) {
  Jobs jobs;
  const Listening own =
      ask(jobs, {.key = "1", .run = [](Work&) -> Found { throw Error("the layer is not there"); }});
  BOOST_TEST(
      (own.ear->end() == std::pair<std::string, Json>{"failed", Json{{"error", "the layer is not there"}}}));
  const Listening other = ask(
      jobs, {.key = "2", .run = [](Work&) -> Found { throw std::runtime_error("first line\nand a trace"); }});
  BOOST_TEST(other.ear->end().second.at("error") == "first line");
  // It is not kept: the next who asks may have more luck.
  BOOST_TEST(jobs.post(quick("1")).status == 202);
}

BOOST_AUTO_TEST_CASE(urgent_work_runs_within_other_work_and_with_gradients) {
  Jobs jobs;
  const Listening lengthy = ask(jobs, {.key = "long", .run = [](Work& work) {
                                         const torch::NoGradGuard as_the_librarys_loops_have_it;
                                         return endless(work);
                                       }});
  while (jobs.list().at("running").is_null()) std::this_thread::sleep_for(1ms);
  std::vector<std::string> order;
  bool gradients = false;
  const Listening later = ask(jobs, quick("later", [&] { order.emplace_back("later"); }));
  const Listening urgent = ask(jobs, quick(
                                         "urgent",
                                         [&] {
                                           order.emplace_back("urgent");
                                           gradients = torch::GradMode::is_enabled();
                                         },
                                         true));
  BOOST_TEST(urgent.ear->end().first == "done");
  BOOST_TEST(gradients);
  const Json list = jobs.list();
  BOOST_TEST(list.at("running").at("job") == lengthy.id);
  BOOST_TEST(list.at("queued").size() == 1U);
  jobs.cancel(lengthy.id);
  BOOST_TEST(later.ear->end().first == "done");
  BOOST_TEST((order == std::vector<std::string>{"urgent", "later"}));
}

BOOST_AUTO_TEST_CASE(a_full_queue_takes_no_more) {
  Jobs jobs({.queue = 2});
  const Listening running = ask(jobs, {.key = "0", .run = endless});
  while (jobs.list().at("running").is_null()) std::this_thread::sleep_for(1ms);
  const Listening first = ask(jobs, quick("1")), second = ask(jobs, quick("2"));
  try {
    jobs.post(quick("3"));
    BOOST_ERROR("it was taken");
  } catch (const Refused& refused) {
    BOOST_TEST(refused.status() == 429);
  }
  jobs.cancel(running.id);
  BOOST_TEST(first.ear->end().first == "done");
  BOOST_TEST(second.ear->end().first == "done");
}

BOOST_AUTO_TEST_CASE(work_that_nobody_listens_to_stops) {
  Jobs jobs({.unheard = 50ms});
  const std::int64_t alone = json_of(jobs.post({.key = "alone", .run = endless})).at("job");
  const Listening behind = ask(jobs, quick("behind"));
  BOOST_TEST(behind.ear->end().first == "done");
  const auto late = std::make_shared<Ear>();
  jobs.listen(alone, late);
  BOOST_TEST(late->end().first == "cancelled");
  // Unless it is for others, too.
  std::atomic<bool> through = false;
  jobs.post({.key = "lasting", .lasting = true, .run = [&](Work& work) {
               for (int i = 0; i < 30; ++i) {
                 if (!work({0, 0})) throw Cancelled();
                 std::this_thread::sleep_for(5ms);
               }
               through = true;
               return just("lasting");
             }});
  const Listening last = ask(jobs, quick("last"));
  BOOST_TEST(last.ear->end().first == "done");
  BOOST_TEST(through.load());
}

BOOST_AUTO_TEST_CASE(the_oldest_results_go_first) {
  Jobs jobs({.bytes = 12'000});  // two of them
  const auto large = [](const std::string& key) {
    return Wish{.key = key, .run = [key](Work&) {
                  return Found{Json{{"text", key}},
                               {{"file", {"image/png", std::make_shared<std::string>(4000, 'x')}}}};
                }};
  };
  for (const std::string key : {"1", "2"}) ask(jobs, large(key)).ear->end();
  jobs.found("1");
  ask(jobs, large("3")).ear->end();
  BOOST_TEST(jobs.found("1")->answer.at("text") == "1");
  BOOST_CHECK_THROW(jobs.found("2"), Refused);
}

BOOST_AUTO_TEST_CASE(frames_and_progress_reach_who_comes_in_the_middle) {
  Jobs jobs;
  std::promise<void> shown, go_on;
  const Listening first = ask(jobs, {.key = "1", .run = [&](Work& work) {
                                       work({0.25, 3});
                                       work.frame(Json{{"so far", 1}});
                                       shown.set_value();
                                       go_on.get_future().wait();
                                       return just("1");
                                     }});
  shown.get_future().wait();
  const auto second = std::make_shared<Ear>();
  jobs.listen(first.id, second);
  go_on.set_value();
  second->end();
  BOOST_TEST((second->names() == std::vector<std::string>{"progress", "frame", "done"}));
}

BOOST_AUTO_TEST_CASE(who_waits_is_told_how_many_are_before) {
  Jobs jobs;
  const Listening running = ask(jobs, {.key = "1", .run = endless});
  while (jobs.list().at("running").is_null()) std::this_thread::sleep_for(1ms);
  BOOST_TEST(json_of(jobs.post(quick("2"))).at("ahead") == 1);
  const Response last = jobs.post(quick("3"));
  BOOST_TEST(json_of(last).at("ahead") == 2);
  const auto ear = std::make_shared<Ear>();
  jobs.listen(json_of(last).at("job"), ear);
  jobs.cancel(running.id);
  ear->end();
  BOOST_TEST(
      (ear->told("queued") == std::vector<Json>{Json{{"ahead", 2}}, Json{{"ahead", 1}}, Json{{"ahead", 0}}}));
}

BOOST_AUTO_TEST_CASE(work_that_is_done_twice_is_kept_once) {
  Jobs jobs({.bytes = 12'000});
  std::promise<void> go_on;
  const auto large = [](const std::string& text) {
    return Found{Json{{"text", text}}, {{"file", {"image/png", std::make_shared<std::string>(4000, 'x')}}}};
  };
  // Cancelled, and not to be stopped any more.
  const Listening first = ask(jobs, {.key = "same", .run = [&](Work&) {
                                       go_on.get_future().wait();
                                       return large("first");
                                     }});
  while (jobs.list().at("running").is_null()) std::this_thread::sleep_for(1ms);
  jobs.cancel(first.id);
  const Listening second = ask(jobs, {.key = "same", .run = [&](Work&) { return large("second"); }});
  go_on.set_value();
  BOOST_TEST(second.ear->end().first == "done");
  for (const std::string key : {"1", "2", "3"})
    ask(jobs, {.key = key, .run = [&](Work&) { return large(key); }}).ear->end();
  BOOST_CHECK_THROW(jobs.found("same"), Refused);
  BOOST_TEST(jobs.found("3")->answer.at("text") == "3");
}

BOOST_AUTO_TEST_CASE(samples_in_parts_are_samples_in_one_go) {
  const Images image = test::some_images({1, 3, 8, 8});
  const auto of = [&](std::int64_t first, std::int64_t samples) -> Explanation {
    return Attribution<SmoothGrad>({.samples = samples, .first = first})(test::small_net(), image, Class{1});
  };
  Refined parts;
  parts.add(of(0, 8));
  parts.add(of(8, 16));
  parts.add(of(24, 2));
  parts.add(of(26, 25));
  const Explanation found = parts.explanation(), expected = of(0, 51);
  BOOST_TEST(found.samples[0] == 51);
  BOOST_TEST(test::relative_difference(found.attribution, expected.attribution) < 1e-5);
  BOOST_TEST(test::relative_difference(found.standard_error, expected.standard_error) < 0.02);
  Refined even;
  even.add(of(0, 10));
  even.add(of(10, 30));
  BOOST_TEST(test::relative_difference(even.explanation().standard_error, of(0, 40).standard_error) < 1e-3);
}

BOOST_AUTO_TEST_SUITE_END()
