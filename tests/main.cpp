#define BOOST_TEST_MODULE pellucid
#include <boost/test/unit_test.hpp>
