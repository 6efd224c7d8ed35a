// Shared by the tests and the examples: what costs seconds in every file and does not change.
#pragma once

// LibTorch and xtensor, each through the one place that includes it.
#include <pellucid/model/modules.hpp>
#include <pellucid/model/script/torch.hpp>
#include <pellucid/render/xtensor.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
