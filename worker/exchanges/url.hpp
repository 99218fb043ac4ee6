// Query strings. What is signed must be byte for byte what is sent, so a query is built once and used for both.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tradesync {

// Everything but A-Z a-z 0-9 - . _ ~ becomes %XX, upper case (RFC 3986 §2.3); UTF-8 goes byte by byte.
std::string percent_encode(std::string_view text);

// key=value&key=value in the order of the calls.
class Query {
 public:
  Query& add(std::string_view key, std::string_view value);  // percent-encoded
  Query& add(std::string_view key, std::int64_t value);
  // A value that is percent-encoded already (Bybit's cursor): '%' passes, other unsafe bytes are still encoded.
  Query& add_encoded(std::string_view key, std::string_view value);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  void start(std::string_view key);
  std::string text_;
};

}  // namespace tradesync
