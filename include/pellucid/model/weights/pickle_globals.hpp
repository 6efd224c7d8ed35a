#pragma once
#include <algorithm>
#include <iterator>
#include <string_view>

#include <pellucid/core/torch.hpp>

namespace pellucid::detail {

/// What a name of Python's in a pickle stands for here. None of them runs anything.
enum class PickleMeaning {
  ordered_dict,
  tensor,          ///< a function that makes a tensor of a storage, sizes and strides
  parameter,       ///< one that makes a parameter of a tensor
  tensor_of_type,  ///< one that makes a tensor with attributes
  tensor_type,
  size,
  storage_type,
  data_type,
  inert,  ///< a type of what may lie beside a state dict; its values are passed over
};

struct PickleGlobal {
  std::string_view module;
  std::string_view name;
  PickleMeaning meaning;
  at::ScalarType type = at::ScalarType::Undefined;  ///< of a storage or data type; Undefined: bytes
};

/// All names of Python's that are known. Whatever else a pickle asks for is refused.
inline constexpr PickleGlobal pickle_globals[] = {
    {"collections", "OrderedDict", PickleMeaning::ordered_dict},
    {"torch._utils", "_rebuild_tensor_v2", PickleMeaning::tensor},
    {"torch._utils", "_rebuild_tensor_v3", PickleMeaning::tensor},
    {"torch._utils", "_rebuild_parameter", PickleMeaning::parameter},
    {"torch._utils", "_rebuild_parameter_with_state", PickleMeaning::parameter},
    {"torch._tensor", "_rebuild_from_type_v2", PickleMeaning::tensor_of_type},
    {"torch", "Tensor", PickleMeaning::tensor_type},
    {"torch.nn.parameter", "Parameter", PickleMeaning::tensor_type},
    {"torch.nn.parameter", "Buffer", PickleMeaning::tensor_type},
    {"torch", "Size", PickleMeaning::size},

    {"torch", "BoolStorage", PickleMeaning::storage_type, at::kBool},
    {"torch", "ByteStorage", PickleMeaning::storage_type, at::kByte},
    {"torch", "CharStorage", PickleMeaning::storage_type, at::kChar},
    {"torch", "ShortStorage", PickleMeaning::storage_type, at::kShort},
    {"torch", "IntStorage", PickleMeaning::storage_type, at::kInt},
    {"torch", "LongStorage", PickleMeaning::storage_type, at::kLong},
    {"torch", "HalfStorage", PickleMeaning::storage_type, at::kHalf},
    {"torch", "BFloat16Storage", PickleMeaning::storage_type, at::kBFloat16},
    {"torch", "FloatStorage", PickleMeaning::storage_type, at::kFloat},
    {"torch", "DoubleStorage", PickleMeaning::storage_type, at::kDouble},
    {"torch", "ComplexFloatStorage", PickleMeaning::storage_type, at::kComplexFloat},
    {"torch", "ComplexDoubleStorage", PickleMeaning::storage_type, at::kComplexDouble},
    {"torch.storage", "UntypedStorage", PickleMeaning::storage_type},
    {"torch.storage", "_UntypedStorage", PickleMeaning::storage_type},

    {"torch", "bool", PickleMeaning::data_type, at::kBool},
    {"torch", "uint8", PickleMeaning::data_type, at::kByte},
    {"torch", "int8", PickleMeaning::data_type, at::kChar},
    {"torch", "int16", PickleMeaning::data_type, at::kShort},
    {"torch", "int32", PickleMeaning::data_type, at::kInt},
    {"torch", "int64", PickleMeaning::data_type, at::kLong},
    {"torch", "float16", PickleMeaning::data_type, at::kHalf},
    {"torch", "bfloat16", PickleMeaning::data_type, at::kBFloat16},
    {"torch", "float32", PickleMeaning::data_type, at::kFloat},
    {"torch", "float64", PickleMeaning::data_type, at::kDouble},
    {"torch", "complex32", PickleMeaning::data_type, at::kComplexHalf},
    {"torch", "complex64", PickleMeaning::data_type, at::kComplexFloat},
    {"torch", "complex128", PickleMeaning::data_type, at::kComplexDouble},

    // What training scripts keep beside the weights: arguments, counts, the best score so far.
    {"torch", "device", PickleMeaning::inert},
    {"collections", "defaultdict", PickleMeaning::inert},
    {"collections", "Counter", PickleMeaning::inert},
    {"argparse", "Namespace", PickleMeaning::inert},
    {"pathlib", "PosixPath", PickleMeaning::inert},
    {"numpy", "dtype", PickleMeaning::inert},
    {"numpy", "ndarray", PickleMeaning::inert},
    {"numpy.core.multiarray", "scalar", PickleMeaning::inert},
    {"numpy.core.multiarray", "_reconstruct", PickleMeaning::inert},
    {"numpy._core.multiarray", "scalar", PickleMeaning::inert},
    {"numpy._core.multiarray", "_reconstruct", PickleMeaning::inert},
    {"_codecs", "encode", PickleMeaning::inert},  // how protocol 2 writes bytes
    {"builtins", "set", PickleMeaning::inert},
    {"builtins", "frozenset", PickleMeaning::inert},
    {"builtins", "complex", PickleMeaning::inert},
    {"builtins", "bytearray", PickleMeaning::inert},
    {"builtins", "range", PickleMeaning::inert},
    {"builtins", "slice", PickleMeaning::inert},
    {"builtins", "dict", PickleMeaning::inert},
    {"builtins", "list", PickleMeaning::inert},
    {"builtins", "int", PickleMeaning::inert},
    {"builtins", "float", PickleMeaning::inert},
};

/// The entry of that name, or nullptr.
inline const PickleGlobal* find_pickle_global(std::string_view module, std::string_view name) {
  if (module == "__builtin__") module = "builtins";  // Python 2's name, which protocol 2 keeps
  const auto* found =
      std::find_if(std::begin(pickle_globals), std::end(pickle_globals),
                   [&](const PickleGlobal& known) { return known.module == module && known.name == name; });
  return found != std::end(pickle_globals) ? found : nullptr;
}

}  // namespace pellucid::detail
