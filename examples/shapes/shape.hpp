#pragma once
/// The outlines of the shapes, in a disc of radius 1.

#include <string>
#include <vector>

namespace shapes {

struct Point {
  float x = 0, y = 0;
};

/// A shape: whether a point of the unit disc belongs to it. No point outside the disc does.
struct Shape {
  std::string name;
  bool (*contains)(Point);
};

const std::vector<Shape>& all_shapes();

}  // namespace shapes
