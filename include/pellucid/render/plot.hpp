#pragma once
/// Curves: numbers against numbers, with axes that a person can read.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/lines.hpp>
#include <pellucid/render/text.hpp>
#include <pellucid/render/ticks.hpp>

namespace pellucid {

/// A line through the points (x[i], y[i]), in their order.
struct Series {
  std::string name{};            ///< in the legend, which is drawn for more than one series
  std::vector<double> x{}, y{};  ///< as many of both
};

/// How plot() draws.
struct PlotOptions {
  std::string title{};             ///< over all, if not empty
  std::string x_label{};           ///< under the x axis, with its unit
  std::string y_label{};           ///< over the y axis, with its unit
  int width = 480, height = 320;   ///< pixels of the whole picture
  std::optional<double> y_low{};   ///< where the y axis begins; left out: a round number below all values
  std::optional<double> y_high{};  ///< where it ends; left out: a round number above all values
  std::size_t most_marked = 24;    ///< a series of no more points has a dot at each
};

namespace detail {

/// The first seven are M. Okabe and K. Ito's ("Color universal design", 2008), which colour-blind people tell
/// apart, without the yellow that light paper swallows and with ink for black. Past them lines are dashed.
inline constexpr std::array<Rgb, 7> line_colors{
    {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}, {86, 180, 233}, {230, 159, 0}, ink}};
inline constexpr Rgb grid_ink{226, 226, 222};

/// Names with a piece of their line, in rows.
inline Picture legend(const std::vector<Series>& series, int width) {
  constexpr int sample = 22, gap = 6, apart = 18;
  const int row_height = line_height() + 2;
  std::vector<std::string> names;
  std::vector<std::pair<int, int>> places;
  int x = 0, y = 0;
  for (const Series& one : series) {
    const auto lines = wrapped(one.name, width - sample - gap, 1);
    names.push_back(lines.front());
    const int needed = sample + gap + text_width(names.back());
    if (x > 0 && x + needed > width) x = 0, y += row_height;
    places.emplace_back(x, y);
    x += needed + apart;
  }
  Picture out = blank(width, y + row_height);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto [left, top] = places[i];
    const PixelArea all{0, 0, out.width - 1, out.height - 1};
    Coat coat(all);
    double walked = 0;
    const Point from{left + 2.0, top + 4.0}, to{left + sample - 3.0, top + 4.0};
    draw_line(coat, from, to, all, i >= line_colors.size(), walked);
    coat.paint(out, line_colors[i % line_colors.size()]);
    draw_text(out, left + sample + gap, top, names[i]);
  }
  return out;
}

inline void check(const std::vector<Series>& series, const PlotOptions& options) {
  if (options.width < 160 || options.height < 120)
    throw Error("a plot of " + std::to_string(options.width) + "×" + std::to_string(options.height) +
                " pixels was asked for; it needs at least 160×120");
  if (series.empty()) throw Error("a plot of no series was asked for; give it at least one");
  if (series.size() > 2 * line_colors.size())
    throw Error("a plot of " + std::to_string(series.size()) + " series was asked for; a person tells " +
                std::to_string(2 * line_colors.size()) + " apart at most. Draw several plots");
  for (std::size_t i = 0; i < series.size(); ++i) {
    const Series& one = series[i];
    const std::string what =
        "series " + (one.name.empty() ? std::to_string(i) : "'" + one.name + "'") + " of a plot ";
    if (one.x.size() != one.y.size())
      throw Error(what + "has " + std::to_string(one.x.size()) + " values x and " +
                  std::to_string(one.y.size()) + " values y; each point needs both");
    if (one.x.empty()) throw Error(what + "has no points; give it at least one, or leave it out");
    if (one.name.empty() && series.size() > 1)
      throw Error(what + "has no name; among several, each needs one for the legend");
    for (const auto* values : {&one.x, &one.y})
      for (std::size_t k = 0; k < values->size(); ++k)
        if (!(std::abs((*values)[k]) <= 1e300)) {
          std::ostringstream message;
          message << what << "has the value " << (*values)[k] << " at point " << k
                  << "; all must be finite, and within ±1e300";
          throw Error(message.str());
        }
  }
  for (const auto& bound : {options.y_low, options.y_high})
    if (bound && !(std::abs(*bound) <= 1e300)) {
      std::ostringstream message;
      message << "a y axis to " << *bound << " was asked for; y_low and y_high must be finite";
      throw Error(message.str());
    }
  if (options.y_low && options.y_high && !(*options.y_low < *options.y_high)) {
    std::ostringstream message;
    message << "a plot from y_low " << *options.y_low << " to y_high " << *options.y_high
            << " was asked for; the first must be below the second";
    throw Error(message.str());
  }
}

/// The least and the largest of the values that `part` picks of all series.
inline std::pair<double, double> range_of(const std::vector<Series>& series,
                                          std::vector<double> Series::*part) {
  std::pair<double, double> range{(series.front().*part).front(), (series.front().*part).front()};
  for (const Series& one : series)
    for (const double value : one.*part)
      range = {std::min(range.first, value), std::max(range.second, value)};
  return range;
}

}  // namespace detail

/// Draws series as lines of distinct colours over common axes with round numbers, with a legend where there
/// is more than one. The x axis spans the values; the y axis goes from a round number to a round number, or
/// as the options say, and what lies outside is cut off.
///
/// A picture width×height. Throws Error without series or points, on unequal lengths, on NaN and infinity,
/// on a series without a name among several, on more than 14 series, and on a size that leaves no room.
inline Picture plot(const std::vector<Series>& series, const PlotOptions& options = {}) {
  using namespace detail;
  check(series, options);
  constexpr int pad = 12, tick = 4, gap = 6;
  const int wide = options.width - 2 * pad;
  const int title_scale = text_width(options.title, 2) <= wide ? 2 : 1;
  const auto title =
      options.title.empty() ? std::vector<std::string>{} : wrapped(options.title, wide, 3, title_scale);
  const Picture names = series.size() > 1 ? legend(series, wide) : Picture{};

  int top = pad + int(title.size()) * line_height(title_scale);
  const int legend_top = top;
  top += names.height > 0 ? names.height + gap : 0;
  const int y_label_top = top;
  top += options.y_label.empty() ? gap : line_height() + gap;
  const int bottom = options.height - 1 - pad - (options.x_label.empty() ? 0 : line_height() + gap) -
                     text_height() - gap - tick;

  auto [x_low, x_high] = range_of(series, &Series::x);
  auto [y_low, y_high] = range_of(series, &Series::y);
  // A bound beyond all values leaves the other one to be beyond it.
  y_low = options.y_low.value_or(options.y_high ? std::min(y_low, *options.y_high) : y_low);
  y_high = options.y_high.value_or(std::max(y_low, y_high));
  Axis y = axis_of(y_low, y_high, std::max(2, (bottom - top) / 36), true);
  y.low = options.y_low.value_or(y.low), y.high = options.y_high.value_or(y.high);

  int number_width = 0;
  for (const auto k : y.multiples()) number_width = std::max(number_width, text_width(y.number(k)));
  const int left = pad + number_width + gap + tick;
  // As many numbers as have room beside each other.
  Axis x = axis_of(x_low, x_high, 10, false);
  int x_width = 0;
  for (int most = 10; most > 1; --most) {
    x = axis_of(x_low, x_high, most, false);
    x_width = 0;
    for (const auto k : x.multiples()) x_width = std::max(x_width, text_width(x.number(k)));
    if (double(options.width - left - pad - x_width / 2) * x.step / (x.high - x.low) >= x_width + 14) break;
  }
  const PixelArea frame{left, top, options.width - 1 - pad - x_width / 2, bottom};
  if (frame.right - frame.left < 40 || frame.bottom - frame.top < 40)
    throw Error("a plot of " + std::to_string(options.width) + "×" + std::to_string(options.height) +
                " pixels has no room for its curves beside its title, labels and legend; make it larger");
  const auto column = [&](double value) { return std::lerp(frame.left, frame.right, x.share(value)); };
  const auto row = [&](double value) { return std::lerp(frame.bottom, frame.top, y.share(value)); };

  Picture out = blank(options.width, options.height);
  draw_lines(out, pad, pad, title, {title_scale, ink});
  if (names.height > 0) paste(out, names, pad, legend_top);
  if (!options.y_label.empty()) draw_text(out, pad, y_label_top, options.y_label);
  const auto across = [&](int from, int to, int at, Rgb color) {
    for (int i = from; i <= to; ++i) set_pixel(out, i, at, color);
  };
  const auto down = [&](int at, int from, int to, Rgb color) {
    for (int i = from; i <= to; ++i) set_pixel(out, at, i, color);
  };
  for (const auto k : y.multiples()) {
    const int at = int(std::lround(row(double(k) * y.step)));
    across(frame.left, frame.right, at, grid_ink);
    across(frame.left - tick, frame.left, at, faint_ink);
    draw_text(out, frame.left - tick - gap + 2 - text_width(y.number(k)), at - 4, y.number(k));
  }
  for (const auto k : x.multiples()) {
    const int at = int(std::lround(column(double(k) * x.step)));
    down(at, frame.bottom, frame.bottom + tick, faint_ink);
    draw_text(out, at - text_width(x.number(k)) / 2, frame.bottom + tick + gap, x.number(k));
  }
  across(frame.left, frame.right, frame.bottom, faint_ink);
  down(frame.left, frame.top, frame.bottom, faint_ink);
  if (!options.x_label.empty())
    draw_text(out, std::max(pad, (frame.left + frame.right - text_width(options.x_label)) / 2),
              options.height - pad - text_height(), options.x_label);

  for (std::size_t i = 0; i < series.size(); ++i) {
    const Series& one = series[i];
    // Dots at the ends of the axes are whole.
    Coat coat(
        {frame.left - 4, frame.top - 4, std::min(options.width - 1, frame.right + 4), frame.bottom + 4});
    const auto place = [&](std::size_t k) { return Point{column(one.x[k]), row(one.y[k])}; };
    double walked = 0;
    for (std::size_t k = 1; k < one.x.size(); ++k)
      draw_line(coat, place(k - 1), place(k), frame, i >= line_colors.size(), walked);
    if (one.x.size() <= std::max<std::size_t>(1, options.most_marked))
      for (std::size_t k = 0; k < one.x.size(); ++k)
        if (one.y[k] >= y.low && one.y[k] <= y.high) coat.line(place(k), place(k), dot_radius);
    coat.paint(out, line_colors[i % line_colors.size()]);
  }
  return out;
}

}  // namespace pellucid
