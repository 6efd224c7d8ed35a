#include "gallery_page.hpp"

#include "base64.hpp"
#include "text_files.hpp"

namespace pellucid::app {

namespace {

constexpr const char* style = R"(
:root { color-scheme: light; --ink: #1d1b26; --soft: #5d5a6b; --paper: #fbfaf8; --line: #dedbe4; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1280px; padding: 1.2rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: .2rem 0 .4rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .4rem; padding-top: .8rem; border-top: 1px solid var(--line); }
p { max-width: 52rem; margin: .4rem 0; }
.lead { font-size: 1.1rem; }
nav { margin: 1.5rem 0 0; color: var(--soft); }
nav a { color: inherit; margin-right: 1rem; white-space: nowrap; }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem; margin: .8rem 0; align-items: flex-start; }
figure { flex: 1 1 26rem; min-width: 0; max-width: 46rem; margin: 0; background: #fff; border: 1px solid var(--line);
         border-radius: 6px; padding: .7rem; }
.large figure { flex-basis: 100%; max-width: 62rem; }
img { display: block; max-width: 100%; height: auto; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
code, pre { font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
details { color: var(--soft); margin-top: .5rem; font-size: .85rem; }
details code { display: block; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: .7rem; overflow-x: auto; max-width: 60rem; }
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else {
      result += c;
    }
  }
  return result;
}

std::string paragraph_of(const std::string& text, const std::string& kind = "") {
  return "<p" + (kind.empty() ? "" : " class=\"" + kind + "\"") + ">" + escaped(text) + "</p>\n";
}

}  // namespace

void Page::lead(const std::string& heading, const std::string& text) {
  lead_ += "<h1>" + escaped(heading) + "</h1>\n" + paragraph_of(text, "lead");
}

void Page::section(const std::string& heading) {
  const std::string id = "section-" + std::to_string(++sections_);
  contents_ += "<a href=\"#" + id + "\">" + escaped(heading) + "</a>\n";
  body_ += "<h2 id=\"" + id + "\">" + escaped(heading) + "</h2>\n";
}

void Page::paragraph(const std::string& text) {
  (sections_ == 0 ? lead_ : body_) += paragraph_of(text);
}

void Page::remark(const std::string& word, const std::string& text) {
  body_ += "<p><strong>" + escaped(word) + "</strong> " + escaped(text) + "</p>\n";
}

void Page::exhibits(const std::vector<Exhibit>& all) {
  const bool leads = sections_ == 0;
  std::string& part = leads ? lead_ : body_;
  part += leads ? "<div class=\"row large\">\n" : "<div class=\"row\">\n";
  for (const Exhibit& one : all) {
    InputFile picture(one.picture, "a picture");
    part += "<figure><figcaption>" + escaped(one.caption) + "</figcaption><img alt=\"" +
            escaped(one.caption) + "\" src=\"data:image/png;base64," + base64(contents_of(picture)) + "\">";
    if (!one.command.empty())
      part += "<details><summary>the command that makes it</summary><code>" + escaped(one.command) +
              "</code></details>";
    part += "</figure>\n";
  }
  part += "</div>\n";
}

void Page::console(const std::string& command, const std::string& output) {
  body_ += "<pre><strong>$ " + escaped(command) + "</strong>\n" + escaped(output) + "</pre>\n";
}

std::string Page::html() const {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped(title_) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n" + lead_ + "<nav>\n" +
         contents_ + "</nav>\n" + body_ + "</body>\n</html>\n";
}

}  // namespace pellucid::app
