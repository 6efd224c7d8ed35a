#include <boost/test/unit_test.hpp>

#include <pellucid/core/ranks.hpp>

#include <stdlib.h>

#include <map>

#include "image/temporary.hpp"

using namespace pellucid;

namespace {

/// The environment with these variables, and without the others of a launcher.
Ranks ranks_in(const std::map<std::string, std::string>& variables) {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    const auto given = variables.find(name);
    given == variables.end() ? ::unsetenv(name) : ::setenv(name, given->second.c_str(), 1);
  }
  return Ranks::from_environment();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_ranks)

BOOST_AUTO_TEST_CASE(from_the_environment) {
  const Ranks ranks = ranks_in({{"RANK", "2"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "node7"}});
  BOOST_TEST(ranks.rank == 2);
  BOOST_TEST(ranks.of == 4);
  BOOST_TEST(ranks.host == "node7");
  BOOST_TEST(ranks.port == 29500);
  BOOST_TEST(
      ranks_in({{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"MASTER_ADDR", "::1"}, {"MASTER_PORT", "12"}}).port ==
      12);
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_wrong_is_named) {
  const auto refused = [](const std::map<std::string, std::string>& variables,
                          std::vector<std::string> words) {
    BOOST_CHECK_EXCEPTION(ranks_in(variables), Error, says(std::move(words)));
  };
  const auto with = [](const std::string& name, const std::string& value) {
    std::map<std::string, std::string> good{{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "here"}};
    good[name] = value;
    return good;
  };
  refused({}, {"no RANK and WORLD_SIZE and MASTER_ADDR;", "torchrun"});
  refused({{"RANK", "0"}, {"MASTER_ADDR", "here"}}, {"no WORLD_SIZE;"});
  refused(with("MASTER_ADDR", ""), {"no MASTER_ADDR;"});
  refused(with("RANK", "one"), {"RANK is 'one'", "whole number"});
  refused(with("WORLD_SIZE", "2.5"), {"WORLD_SIZE is '2.5'"});
  refused(with("RANK", "2"), {"rank 2 of 2", "count from 0"});
  refused(with("RANK", "-1"), {"rank -1 of 2"});
  refused(with("WORLD_SIZE", "0"), {"rank 1 of 0"});
  refused(with("MASTER_PORT", "70000"), {"port 70000", "65535"});
  refused(with("MASTER_PORT", "99999999999999999999"), {"MASTER_PORT is '99999999999999999999'"});
}

BOOST_AUTO_TEST_SUITE_END()
