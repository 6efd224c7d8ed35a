#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include <pellucid/model/weights/pickle_globals.hpp>

namespace pellucid::detail {

/// A value in a pickle, as far as a state dict needs to know it.
struct PickleValue {
  enum class Kind : std::uint8_t {
    other,  ///< something that may lie beside a state dict: a real number, bytes, a set, arguments
    none,
    boolean,  ///< number: 0 or 1
    integer,  ///< number: its value
    global,   ///< number: its place in pickle_globals
    text,     ///< number, here and below: its place in Pickle::objects
    tuple,
    list,
    dict,     ///< a key, its value, the next key…
    storage,  ///< what PyTorch tells of it: "storage", its type, its record, its device, its number of values
    tensor,   ///< the arguments that rebuild it
  };
  Kind kind = Kind::other;
  std::int64_t number = 0;

  bool operator==(const PickleValue&) const = default;
};

struct PickleObject {
  std::string_view text{};
  std::vector<PickleValue> items{};
};

/// What a pickle holds. Values name objects by their place, so that lists which hold themselves do no harm.
struct Pickle {
  PickleValue root{};
  std::deque<PickleObject> objects{};

  const PickleObject& of(const PickleValue& value) const { return objects[std::size_t(value.number)]; }
  const PickleGlobal& global(const PickleValue& value) const {
    return pickle_globals[std::size_t(value.number)];
  }
};

}  // namespace pellucid::detail
