#include "exchanges/url.hpp"

namespace tradesync {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

void append_encoded(std::string& out, std::string_view text, bool keep_percent) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : text) {
    if (is_unreserved(c) || (keep_percent && c == '%')) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  append_encoded(out, text, false);
  return out;
}

void Query::start(std::string_view key) {
  if (!text_.empty()) text_.push_back('&');
  text_.append(key);
  text_.push_back('=');
}

Query& Query::add(std::string_view key, std::string_view value) {
  start(key);
  append_encoded(text_, value, false);
  return *this;
}

Query& Query::add(std::string_view key, std::int64_t value) {
  start(key);
  text_.append(std::to_string(value));
  return *this;
}

Query& Query::add_encoded(std::string_view key, std::string_view value) {
  start(key);
  append_encoded(text_, value, true);
  return *this;
}

}  // namespace tradesync
