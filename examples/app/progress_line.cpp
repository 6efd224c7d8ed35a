#include "progress_line.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace pellucid::app {

namespace {

std::string duration(double seconds) {
  const auto whole = std::int64_t(std::ceil(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

}  // namespace

ProgressLine::~ProgressLine() {
  if (visible_) std::fputs("\r\033[K", stderr);
}

bool ProgressLine::operator()(const Progress& progress) {
  if (listener_) return listener_(progress);
  tell(progress);
  return true;
}

void ProgressLine::tell(const Progress& progress) {
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const Clock::time_point now = Clock::now();
  const auto seconds = [&](Clock::time_point since) {
    return std::chrono::duration<double>(now - since).count();
  };
  if (!terminal || seconds(start_) < 1 || seconds(written_) < 0.1) return;
  written_ = now;
  visible_ = true;
  const double fraction = (double(done_) + progress.fraction) / double(pieces_);
  if (fraction <= 0) return;
  const std::string line = what_ + "  " + std::to_string(int(100 * fraction)) + " %, " +
                           duration(seconds(start_) * (1 - fraction) / fraction) + " left";
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

}  // namespace pellucid::app
