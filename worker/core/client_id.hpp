// Client order ids: t<epoch>-<order row base36>-<attempt base36>, at most 28 characters of [0-9a-z-] (DESIGN §11), which is
// within the alphabets of both venues. Deterministic, so that after any doubt the venue can be asked by id.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tradesync {

struct ClientId {
  std::string epoch;
  std::int64_t row = 0;
  int attempt = 0;
};
// "" when an argument is out of range (epoch not 8 of [a-z2-7], row or attempt below 1) or the id would be too long.
std::string client_order_id(std::string_view epoch, std::int64_t row, int attempt);
std::optional<ClientId> parse_client_order_id(std::string_view text);  // nullopt: not of our making

}  // namespace tradesync
