#include "explore/address.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <vector>

namespace pellucid::app {

namespace {

std::optional<int> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string decoded(std::string_view text, bool plus_is_space) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      const auto high = i + 1 < text.size() ? digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? digit(text[i + 2]) : std::nullopt;
      if (!high || !low) throw Refused(400, "the address has a % that no two hexadecimal digits follow");
      c = char(*high * 16 + *low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20) throw Refused(400, "the address has a control character");
    result += c;
  }
  return result;
}

/// The parts of a text between separators.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

/// A Host without its port: 127.0.0.1:8080, [::1]:8080, localhost
std::string without_port(const std::string& host) {
  if (host.starts_with("[")) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

std::string header(const std::map<std::string, std::string>& headers, const std::string& name) {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

}  // namespace

void read_target(const std::string& target, Request& request) {
  if (!target.starts_with("/") || target.size() > 4096)
    throw Refused(400, "the address must begin with / and have at most 4096 characters");
  const std::size_t question = target.find('?');
  for (const std::string_view part : split(std::string_view(target).substr(1, question - 1), '/'))
    request.path.push_back(decoded(part, false));
  if (request.path.back().empty()) request.path.pop_back();
  if (question == std::string::npos) return;
  for (const std::string_view part : split(std::string_view(target).substr(question + 1), '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    request.query[decoded(part.substr(0, equals), true)] =
        equals == std::string_view::npos ? "" : decoded(part.substr(equals + 1), true);
  }
}

void check_origin(const std::map<std::string, std::string>& headers, const std::string& method,
                  const std::string& own_host) {
  const std::string host = lower(header(headers, "host"));
  if (host.empty()) throw Refused(400, "the request has no Host");
  const std::string name = without_port(host);
  boost::system::error_code no_address;
  boost::asio::ip::make_address(name, no_address);
  if (no_address && name != "localhost" && name != lower(own_host))
    throw Refused(403, "the request is for a machine called '" + name +
                           "'; the explorer answers to localhost and to addresses (or start it with --host)");
  const std::string site = header(headers, "sec-fetch-site"), origin = lower(header(headers, "origin"));
  const bool changes = method != "GET";
  if ((changes && !origin.empty() && origin != "http://" + host) || (changes && site == "cross-site"))
    throw Refused(403, "the request comes from a page of another site; the explorer answers its own pages");
}

}  // namespace pellucid::app
