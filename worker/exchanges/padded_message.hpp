// For tests: a message with the padding decode() asks for, filled with bytes that would complete or break JSON if they were
// read as a part of it. The heap block ends with the padding, so that the address sanitizer sees a read beyond.
#pragma once
#include <cstring>
#include <memory>
#include <string_view>

#include "exchanges/exchange.hpp"

namespace tradesync {

class PaddedMessage {
 public:
  explicit PaddedMessage(std::string_view text, char padding = '}')
      : size_(text.size()), bytes_(new char[text.size() + kMessagePadding]) {
    if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
    std::memset(bytes_.get() + size_, padding, kMessagePadding);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace tradesync
