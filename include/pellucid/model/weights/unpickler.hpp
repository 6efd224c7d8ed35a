#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/core/files.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/pickle.hpp>
#include <pellucid/model/weights/pickle_globals.hpp>

namespace pellucid::detail {

/// Reads Python's pickles, protocols 1 to 5, as far as state dicts use them.
///
/// A pickle is a program for a machine with a stack. This machine knows what builds plain values, and the
/// names in pickle_globals; nothing that it does depends on Python, and it runs nothing. Time and memory are
/// bounded by the pickle's length: no instruction costs more than its own bytes and the values that it takes
/// off the stack. Throws Error on any other instruction or name, and on a pickle that is damaged.
class Unpickler {
 public:
  /// `text` must live as long as the result: its strings are views of it.
  Unpickler(const InputName& file, std::string_view text) : file_(file), text_(text) {
    if (text.size() > most_bytes)
      file_.refuse("its pickle has " + std::to_string(text.size()) + " bytes, and may have " +
                   std::to_string(most_bytes));
  }

  Pickle run() {
    for (char code = take(1)[0]; code != '.'; code = take(1)[0]) step(code);
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  using Kind = PickleValue::Kind;
  static constexpr std::size_t most_bytes = 100'000'000, most_objects = 1 << 22;
  static constexpr PickleValue nothing{Kind::none, -1};  // no value of a pickle is that

  [[noreturn]] void damaged(const std::string& reason) const {
    file_.refuse("its pickle is damaged: " + reason + " at byte " + std::to_string(at_));
  }
  void check(bool good, const char* reason) const {
    if (!good) damaged(reason);
  }

  std::string_view take(std::uint64_t size) {
    check(size <= text_.size() - at_, "it ends early");
    at_ += std::size_t(size);
    return text_.substr(at_ - std::size_t(size), std::size_t(size));
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view line() {
    const std::size_t end = text_.find('\n', at_);
    check(end != text_.npos, "it ends early");
    const std::string_view taken = take(end - at_);
    take(1);
    return taken;
  }

  // What pushes returns true: the instruction was known.
  bool push(PickleValue value) { return stack_.push_back(value), true; }
  bool push(Kind kind, std::int64_t value = 0) { return push(PickleValue{kind, value}); }
  bool push_object(Kind kind, PickleObject object = {}) {
    if (pickle_.objects.size() == most_objects)
      file_.refuse("it holds more than " + std::to_string(most_objects) + " strings, lists and tensors");
    pickle_.objects.push_back(std::move(object));
    return push(kind, std::int64_t(pickle_.objects.size()) - 1);
  }
  bool push_text(std::uint64_t size) { return push_object(Kind::text, {take(size), {}}); }
  bool push_tuple(std::vector<PickleValue> values) {
    return push_object(Kind::tuple, {{}, std::move(values)});
  }
  bool skip(std::uint64_t size) { return take(size), push(Kind::other); }
  /// A little-endian integer of that many bytes. Those of more than 64 bits are no sizes.
  bool push_integer(std::uint64_t size) {
    const std::string_view bytes = take(size);
    if (size > sizeof(std::int64_t)) return push(Kind::other);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= std::uint64_t(static_cast<unsigned char>(bytes[i])) << (8 * i);
    const unsigned unused = 64 - 8 * unsigned(size);
    return push(Kind::integer, size == 0 ? 0 : std::int64_t(value << unused) >> unused);
  }

  PickleValue& top() {
    check(stack_.size() > (marks_.empty() ? 0 : marks_.back()), "it takes a value that is not there");
    return stack_.back();
  }
  PickleValue pop() {
    const PickleValue value = top();
    stack_.pop_back();
    return value;
  }
  /// All values above the last mark; the mark goes, too.
  std::vector<PickleValue> pop_to_mark() {
    check(!marks_.empty(), "it has no mark");
    const auto first = stack_.begin() + std::ptrdiff_t(marks_.back());
    std::vector<PickleValue> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
  }
  /// The last values, the topmost last.
  std::vector<PickleValue> pop_some(std::size_t count) {
    std::vector<PickleValue> values(count);
    while (count-- > 0) values[count] = pop();
    return values;
  }
  /// Puts values into the list or dict that lies on top. What is passed over takes them, and keeps nothing.
  bool add_to_top(Kind kind, const std::vector<PickleValue>& values) {
    const PickleValue target = top();
    check(target.kind == kind || target.kind == Kind::other, "it adds to what holds nothing");
    check(kind != Kind::dict || values.size() % 2 == 0, "it has a key without a value");
    if (target.kind == Kind::other) return true;
    auto& items = pickle_.objects[std::size_t(target.number)].items;
    items.insert(items.end(), values.begin(), values.end());
    return true;
  }
  bool memoize(std::uint64_t place) {
    // Writers number what they keep one after the other, so no number is larger than the pickle.
    check(place < text_.size(), "it numbers a value too high");
    if (place >= memo_.size()) memo_.resize(std::size_t(place) + 1, nothing);
    memo_[std::size_t(place)] = top();
    return true;
  }
  bool recall(std::uint64_t place) {
    check(place < memo_.size() && !(memo_[std::size_t(place)] == nothing), "it recalls what it never kept");
    return push(memo_[std::size_t(place)]);
  }

  bool push_global(std::string_view module, std::string_view name) {
    if (const PickleGlobal* found = find_pickle_global(module, name))
      return push(Kind::global, found - pickle_globals);
    const std::string full =
        shown(module == "__builtin__" ? std::string(name) : std::string(module) + "." + std::string(name));
    if (module == "torch")
      file_.refuse("it holds " + full + ", which is no type that is read; convert it in Python, such as " +
                   "by tensor.to(torch.float32)");
    if (module == "torch._utils" && name.starts_with("_rebuild"))
      file_.refuse("it makes a tensor by " + full + ", so one that is quantized, sparse or without values; " +
                   "make it a dense one in Python (.dequantize(), .to_dense())");
    file_.refuse(
        "it asks for " + full + ", and a checkpoint may hold tensors, numbers, strings, and their " +
        "lists and dicts alone, since nothing in it is ever run; save the weights by themselves in " +
        "Python: torch.save(model.state_dict(), path)");
  }

  /// What a call gives that Python would make: the value, or its description.
  bool call(const PickleValue& function, const PickleValue& arguments) {
    check(function.kind == Kind::global, "it calls what is no function");
    check(arguments.kind == Kind::tuple, "it calls without arguments");
    const std::vector<PickleValue>& values = pickle_.of(arguments).items;
    switch (pickle_.global(function).meaning) {
      case PickleMeaning::ordered_dict:
        check(values.empty(), "an OrderedDict has arguments");
        return push_object(Kind::dict);
      case PickleMeaning::tensor:
        return push(Kind::tensor, arguments.number);
      case PickleMeaning::parameter:
        check(!values.empty() && values[0].kind == Kind::tensor, "a parameter has no tensor");
        return push(values[0]);
      case PickleMeaning::tensor_of_type:
        check(values.size() >= 3 && values[0].kind == Kind::global && values[1].kind == Kind::global &&
                  pickle_.global(values[0]).meaning == PickleMeaning::tensor &&
                  pickle_.global(values[1]).meaning == PickleMeaning::tensor_type &&
                  values[2].kind == Kind::tuple,
              "a tensor with attributes has no tensor");
        return push(Kind::tensor, values[2].number);
      case PickleMeaning::size:
        check(values.size() == 1 && (values[0].kind == Kind::tuple || values[0].kind == Kind::list),
              "a torch.Size has no sizes");
        return push(Kind::tuple, values[0].number);
      case PickleMeaning::inert:
        return push(Kind::other);
      case PickleMeaning::tensor_type:
      case PickleMeaning::storage_type:
      case PickleMeaning::data_type:
        break;
    }
    damaged("it calls what is no function");
  }

  bool push_storage(const PickleValue& id) {
    check(id.kind == Kind::tuple, "a storage has no description");
    const std::vector<PickleValue>& items = pickle_.of(id).items;
    check(items.size() == 5 && items[0].kind == Kind::text && pickle_.of(items[0]).text == "storage" &&
              items[1].kind == Kind::global &&
              pickle_.global(items[1]).meaning == PickleMeaning::storage_type &&
              items[2].kind == Kind::text && items[4].kind == Kind::integer,
          "a storage has another description than it should");
    return push(Kind::storage, id.number);
  }

  /// Does one instruction (pickletools.py of Python explains them all).
  void step(char code) {
    if (!step_value(code) && !step_container(code) && !step_call(code)) {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(code);
      file_.refuse(std::string("its pickle has the instruction 0x") + digits[byte / 16] + digits[byte % 16] +
                   " at byte " + std::to_string(at_ - 1) + ", which no state dict needs: it is damaged, or " +
                   "written with pickle_protocol below 2");
    }
  }

  /// Those that push a value which they bring along. Whether it was one of them.
  bool step_value(char code) {
    switch (code) {
      case 'N':  // NONE
        return push(Kind::none);
      case '\x88':  // NEWTRUE
        return push(Kind::boolean, 1);
      case '\x89':  // NEWFALSE
        return push(Kind::boolean, 0);
      case 'J':  // BININT
        return push(Kind::integer, number<std::int32_t>());
      case 'K':  // BININT1
        return push(Kind::integer, number<std::uint8_t>());
      case 'M':  // BININT2
        return push(Kind::integer, number<std::uint16_t>());
      case '\x8A':  // LONG1
        return push_integer(number<std::uint8_t>());
      case '\x8B':  // LONG4
        return push_integer(number<std::uint32_t>());
      case 'G':  // BINFLOAT
        return skip(8);
      case 'C':  // SHORT_BINBYTES
        return skip(number<std::uint8_t>());
      case 'B':  // BINBYTES
        return skip(number<std::uint32_t>());
      case '\x8E':  // BINBYTES8
      case '\x96':  // BYTEARRAY8
        return skip(number<std::uint64_t>());
      case 'U':     // SHORT_BINSTRING
      case '\x8C':  // SHORT_BINUNICODE
        return push_text(number<std::uint8_t>());
      case 'T':  // BINSTRING
      case 'X':  // BINUNICODE
        return push_text(number<std::uint32_t>());
      case '\x8D':  // BINUNICODE8
        return push_text(number<std::uint64_t>());
      default:
        return false;
    }
  }

  /// Those that put values together, or keep them for later. Whether it was one of them.
  bool step_container(char code) {
    switch (code) {
      case '(':  // MARK
        return marks_.push_back(stack_.size()), true;
      case '0':  // POP
        return pop(), true;
      case '1':  // POP_MARK
        return pop_to_mark(), true;
      case '2':  // DUP
        return push(top());
      case ')':  // EMPTY_TUPLE
        return push_tuple({});
      case '\x85':  // TUPLE1
        return push_tuple(pop_some(1));
      case '\x86':  // TUPLE2
        return push_tuple(pop_some(2));
      case '\x87':  // TUPLE3
        return push_tuple(pop_some(3));
      case 't':  // TUPLE
        return push_tuple(pop_to_mark());
      case ']':  // EMPTY_LIST
        return push_object(Kind::list);
      case '}':  // EMPTY_DICT
        return push_object(Kind::dict);
      case '\x8F':  // EMPTY_SET
        return push(Kind::other);
      case '\x91':  // FROZENSET
        return pop_to_mark(), push(Kind::other);
      case 'a':  // APPEND
        return add_to_top(Kind::list, pop_some(1));
      case 'e':  // APPENDS
        return add_to_top(Kind::list, pop_to_mark());
      case 's':  // SETITEM
        return add_to_top(Kind::dict, pop_some(2));
      case 'u':  // SETITEMS
        return add_to_top(Kind::dict, pop_to_mark());
      case '\x90':  // ADDITEMS
        return add_to_top(Kind::other, pop_to_mark());
      case '\x94':  // MEMOIZE
        return memoize(memo_.size());
      case 'q':  // BINPUT
        return memoize(number<std::uint8_t>());
      case 'r':  // LONG_BINPUT
        return memoize(number<std::uint32_t>());
      case 'h':  // BINGET
        return recall(number<std::uint8_t>());
      case 'j':  // LONG_BINGET
        return recall(number<std::uint32_t>());
      default:
        return false;
    }
  }

  /// Those that name something of Python's, or call it. Whether it was one of them.
  bool step_call(char code) {
    switch (code) {
      case '\x80':  // PROTO
        check(number<std::uint8_t>() <= 5, "its protocol is above 5");
        return true;
      case '\x95':  // FRAME
        return take(8), true;
      case 'c': {  // GLOBAL
        const std::string_view module = line();
        return push_global(module, line());
      }
      case '\x93': {  // STACK_GLOBAL
        const PickleValue name = pop(), module = pop();
        check(name.kind == Kind::text && module.kind == Kind::text, "it asks for what has no name");
        return push_global(pickle_.of(module).text, pickle_.of(name).text);
      }
      case 'Q':  // BINPERSID
        return push_storage(pop());
      case '\x92':  // NEWOBJ_EX
        pop();      // arguments with names
        [[fallthrough]];
      case 'R':       // REDUCE
      case '\x81': {  // NEWOBJ
        const PickleValue arguments = pop();
        return call(pop(), arguments);
      }
      case 'b':  // BUILD: attributes, such as the versions of a state dict's modules
        pop();
        return top(), true;
      default:
        return false;
    }
  }

  const InputName& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  Pickle pickle_{};
  std::vector<PickleValue> stack_{}, memo_{};
  std::vector<std::size_t> marks_{};
};

}  // namespace pellucid::detail
