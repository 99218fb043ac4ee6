// The signature both venues use. The secret is only borrowed; nothing of it is kept.
#pragma once
#include <string>
#include <string_view>

namespace tradesync {

// HMAC-SHA256 as 64 lower-case hex digits.
std::string hmac_sha256_hex(std::string_view secret, std::string_view message);

}  // namespace tradesync
