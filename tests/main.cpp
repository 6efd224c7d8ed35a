#define BOOST_TEST_MODULE pellucid
#include <boost/test/unit_test.hpp>

#include <ATen/Context.h>

/// LibTorch seeds its generator by the clock: here each test draws the same numbers, alone or behind others.
struct Seeded : boost::unit_test::test_observer {
  Seeded() { boost::unit_test::framework::register_observer(*this); }
  ~Seeded() override { boost::unit_test::framework::deregister_observer(*this); }
  void test_unit_start(const boost::unit_test::test_unit&) override { at::manual_seed(1); }
};

BOOST_TEST_GLOBAL_FIXTURE(Seeded);
