#pragma once
/// How a receptive field reads.
#include <pellucid/activation/receptive_field.hpp>

#include <optional>
#include <string>

#include "json.hpp"

namespace pellucid::app {

/// null where nothing is known
inline Json field_json(const ReceptiveField& field) {
  if (field.all) return "all";
  if (!field.vertical && !field.horizontal) return {};
  const auto both = [&](std::int64_t FieldAxis::*value) {
    const auto one = [&](const std::optional<FieldAxis>& axis) {
      return axis ? Json((*axis).*value) : Json();
    };
    return Json::array({one(field.vertical), one(field.horizontal)});
  };
  return {{"size", both(&FieldAxis::size)},
          {"stride", both(&FieldAxis::stride)},
          {"first", both(&FieldAxis::first)}};
}

/// 19×19 step 4×4
inline std::string field_text(const ReceptiveField& field) {
  if (field.all) return "all";
  if (!field.vertical && !field.horizontal) return field.height > 0 ? "?" : "";
  const auto both = [&](std::int64_t FieldAxis::*value) {
    const auto one = [&](const std::optional<FieldAxis>& axis) {
      return axis ? std::to_string((*axis).*value) : std::string("?");
    };
    return one(field.vertical) + "×" + one(field.horizontal);
  };
  return both(&FieldAxis::size) + " step " + both(&FieldAxis::stride);
}

}  // namespace pellucid::app
