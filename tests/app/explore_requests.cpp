// What the explorer takes for a request, and what it does not.
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "explore/address.hpp"
#include "explore/asked.hpp"

using namespace pellucid::app;

namespace {

Request of_target(const std::string& target) {
  Request request;
  read_target(target, request);
  return request;
}

/// The status of a refusal; 0 where there is none.
template <class F>
int status_of(F&& call) {
  try {
    call();
    return 0;
  } catch (const Refused& refused) {
    BOOST_TEST(std::string(refused.what()).size() > 10U);
    return refused.status();
  }
}

int origin(std::map<std::string, std::string> headers, const std::string& method = "GET",
           const std::string& host = "127.0.0.1") {
  return status_of([&] { check_origin(headers, method, host); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_explore_requests)

BOOST_AUTO_TEST_CASE(paths_and_queries_are_decoded) {
  const Request request = of_target("/api/models/0/patches?layer=features%2E7&text=a+b%26c&empty=&alone");
  BOOST_TEST((request.path == std::vector<std::string>{"api", "models", "0", "patches"}));
  BOOST_TEST(
      (request.query == std::map<std::string, std::string>{
                            {"layer", "features.7"}, {"text", "a b&c"}, {"empty", ""}, {"alone", ""}}));
  BOOST_TEST(of_target("/").path.empty());
  BOOST_TEST(of_target("/?a=1").path.empty());
  BOOST_TEST((of_target("/a//b/").path == std::vector<std::string>{"a", "", "b"}));
  // Decoded behind the split: no way out of a part.
  BOOST_TEST((of_target("/api/%2e%2e%2fetc").path == std::vector<std::string>{"api", "../etc"}));
}

BOOST_AUTO_TEST_CASE(malformed_addresses_are_refused) {
  for (const std::string target :
       {"", "*", "http://elsewhere/", "/%", "/%4", "/%zz", "/%00", "/a%0d%0aX: 1", "/?a=%1"})
    BOOST_TEST(status_of([&] { of_target(target); }) == 400, target);
  BOOST_TEST(status_of([&] { of_target("/" + std::string(5000, 'a')); }) == 400);
}

BOOST_AUTO_TEST_CASE(only_this_machine_is_answered_for) {
  for (const std::string host : {"localhost", "LOCALHOST:80", "127.0.0.1:8080", "192.168.1.7", "[::1]:8080"})
    BOOST_TEST(origin({{"host", host}}) == 0, host);
  for (const std::string host : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example",
                                 "localhost.evil.example", "[evil]", "127.1.evil"})
    BOOST_TEST(origin({{"host", host}}) == 403, host);
  BOOST_TEST(origin({}) == 400);
  BOOST_TEST(origin({{"host", "lab.example:80"}}, "GET", "lab.example") == 0);
}

BOOST_AUTO_TEST_CASE(only_its_own_pages_may_ask_for_work) {
  const std::string host = "127.0.0.1:8080";
  BOOST_TEST(origin({{"host", host}, {"origin", "http://127.0.0.1:8080"}}, "POST") == 0);
  BOOST_TEST(origin({{"host", host}}, "POST") == 0);  // no browser
  BOOST_TEST(origin({{"host", host}, {"origin", "http://evil.example"}}, "GET") == 0);
  for (const std::string method : {"POST", "DELETE"}) {
    BOOST_TEST(origin({{"host", host}, {"origin", "http://evil.example"}}, method) == 403);
    BOOST_TEST(origin({{"host", host}, {"origin", "null"}}, method) == 403);
    BOOST_TEST(origin({{"host", host}, {"origin", "http://127.0.0.1:9090"}}, method) == 403);
    BOOST_TEST(origin({{"host", host}, {"sec-fetch-site", "cross-site"}}, method) == 403);
  }
}

BOOST_AUTO_TEST_CASE(values_of_a_request_are_in_their_ranges) {
  const Asked asked = Asked::of(
      R"({"n": 7, "x": 0.5, "t": "abc", "p": [3, 4], "l": ["a", "b"], "o": {"n": 1}, "nothing": null})");
  BOOST_TEST(asked.integer("n", 0, 7) == 7);
  BOOST_TEST(asked.number("n", 0, 10) == 7);
  BOOST_TEST(asked.number("x", 0, 1) == 0.5);
  BOOST_TEST(asked.text("t") == "abc");
  BOOST_TEST((asked.place("p") == std::pair<std::int64_t, std::int64_t>{3, 4}));
  BOOST_TEST((asked.texts("l", 2) == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(asked.part("o").integer("n", 0, 1) == 1);
  BOOST_TEST(!asked.integer_or_none("nothing", 0, 1));
  BOOST_TEST(!asked.place("missing"));
  BOOST_TEST(asked.text_or("missing", "left out") == "left out");
  const std::function<void()> wrong[] = {
      [&] { asked.integer("n", 8, 9); },
      [&] { asked.integer("n", 0, 6); },
      [&] { asked.integer("x", 0, 9); },
      [&] { asked.integer("t", 0, 9); },
      [&] { asked.integer("missing", 0, 9); },
      [&] { asked.number("x", 1, 2); },
      [&] { asked.number("t", 0, 1); },
      [&] { asked.text("n"); },
      [&] { asked.text("missing"); },
      [&] { asked.texts("l", 1); },
      [&] { asked.texts("t", 1); },
      [&] { asked.place("l"); },
      [&] { asked.place("n"); },
      [&] { asked.part("n"); },
  };
  for (const auto& call : wrong) BOOST_TEST(status_of(call) == 400);
}

BOOST_AUTO_TEST_CASE(bodies_that_are_no_object_are_refused) {
  for (const std::string body : {"", "{", "[]", "null", "7", "{\"a\": }", "{\"a\": 1} x", "{\"a\": 1e999}",
                                 "\xff\xfe", "{\"a\": \"\xff\"}"})
    BOOST_TEST(status_of([&] { Asked::of(body); }) == 400, body);
  BOOST_TEST(status_of([&] { Asked::of("{\"a\": " + std::string(50, '[') + std::string(50, ']') + "}"); }) ==
             400);
  BOOST_TEST(status_of([&] { Asked::of(std::string(60000, '[')); }) == 400);
  const Asked huge = Asked::of(R"({"n": 99999999999999999999, "m": 18446744073709551615})");
  for (const std::string name : {"n", "m"})
    BOOST_TEST(status_of([&] { huge.integer(name, 0, std::int64_t{1} << 53); }) == 400);
}

BOOST_AUTO_TEST_CASE(the_same_wish_has_the_same_key) {
  const auto key = [](const std::string& body) { return Asked::of(body).key(); };
  BOOST_TEST(key(R"({"a": 1, "b": {"c": 2, "d": 3}})") == key(R"({"b":{"d":3,"c":2},"a":1})"));
  BOOST_TEST(key(R"({"a": 1})") != key(R"({"a": 2})"));
  BOOST_TEST(key(R"({"a": 1})") != key(R"({"a": "1"})"));
}

BOOST_AUTO_TEST_SUITE_END()
