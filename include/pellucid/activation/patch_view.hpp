#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

#include <pellucid/activation/receptive_field.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// What a place of a layer saw of an image: a tile cut out of it, or all of it.
struct PatchView {
  Images image{};                  ///< 1×C×h×w; in a tile, what lies outside of the image is 0
  bool whole = false;              ///< all of the image is shown
  bool alone = false;              ///< the layer has no other place: it says nothing to mark it
  std::int64_t top = 0, left = 0;  ///< where the view's first pixel lies in the image; below 0: in padding
  Box box{};                       ///< the pixels of the image that the place sees
  Spot center{};                   ///< the middle of what it sees, within the image

  /// The pixels of the view that the place sees of the image: in a tile, those that are no padding.
  Box seen() const { return {box.top - top, box.left - left, box.bottom - top, box.right - left}; }

  /// Whether it sees all of what is shown.
  bool sees_all() const {
    const Box part = seen();
    return part.top == 0 && part.left == 0 && part.bottom == image.size(2) && part.right == image.size(3);
  }
};

/// What the place (y, x) of a layer saw of an image.
///
/// Where its field is known and smaller than the image both in height and in width: a tile of exactly the
/// field's size, so that all tiles of a layer have one scale, with padding where it reaches beyond the image.
/// Else the whole image, with the place's center and the box of pixels that it sees. Which of both depends
/// on the layer alone.
///
/// image 1×C×H×W, as the network sees it; field: of its layer, for images of that size. Throws Error for an
/// image of another shape, and for a place that is not there.
inline PatchView view_of(const Images& image, const ReceptiveField& field, std::int64_t y, std::int64_t x) {
  if (!image.defined() || image.dim() != 4 || image.size(0) != 1 || image.size(2) != field.height ||
      image.size(3) != field.width)
    throw Error(c10::str("an image of shape ", image.defined() ? image.sizes() : at::IntArrayRef{},
                         " was given to see a patch of; the receptive field is one of images 1×C×",
                         field.height, "×", field.width, ": give the image as the network sees it"));
  if (y < 0 || x < 0 || y >= field.rows || x >= field.columns)
    throw Error(c10::str("the place y ", y, ", x ", x, " is not there: the layer has ", field.rows, "×",
                         field.columns, " places (rows × columns)",
                         field.rows > 0 ? ", numbered from 0" : ", as nothing in it lies as the image does"));
  const Spot middle = field.center(y, x);
  PatchView view{.alone = field.rows * field.columns == 1,
                 .box = field.box(y, x),
                 .center = {std::clamp(middle.y, 0.0, double(field.height)),
                            std::clamp(middle.x, 0.0, double(field.width))}};
  view.whole = !field.vertical || !field.horizontal || field.vertical->size >= field.height ||
               field.horizontal->size >= field.width;
  if (view.whole) {
    view.image = image;
    return view;
  }
  view.top = field.vertical->first + y * field.vertical->stride;
  view.left = field.horizontal->first + x * field.horizontal->stride;
  view.image =
      torch::zeros({1, image.size(1), field.vertical->size, field.horizontal->size}, image.options());
  const Box part = view.seen(), &box = view.box;
  if (box.bottom > box.top && box.right > box.left)
    view.image.slice(2, part.top, part.bottom)
        .slice(3, part.left, part.right)
        .copy_(image.slice(2, box.top, box.bottom).slice(3, box.left, box.right));
  return view;
}

}  // namespace pellucid
