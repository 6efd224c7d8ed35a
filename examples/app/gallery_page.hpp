#pragma once
/// An HTML page that needs no other file: its style and its pictures are within it.

#include <filesystem>
#include <string>
#include <vector>

namespace pellucid::app {

/// A picture on the page, and how to make it again.
struct Exhibit {
  std::filesystem::path picture{};  ///< a PNG file
  std::string caption{};
  std::string command{};  ///< empty: none is shown
};

/// Text for people is plain: what has a meaning in HTML is escaped.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  void lead(const std::string& heading, const std::string& text);
  /// A heading that the list of contents names.
  void section(const std::string& heading);
  void paragraph(const std::string& text);
  /// Words that stand out, then the text: "Misleads: ..."
  void remark(const std::string& word, const std::string& text);
  /// Side by side where there is room.
  void exhibits(const std::vector<Exhibit>& all);
  /// What a command writes.
  void console(const std::string& command, const std::string& output);

  std::string html() const;

 private:
  std::string title_;
  std::string lead_{};
  std::string contents_{};
  std::string body_{};
  int sections_ = 0;
};

}  // namespace pellucid::app
