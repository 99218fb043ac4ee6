// What the account's owner has chosen about trading; read once when the worker starts.
#pragma once
#include <cstdint>

#include "core/decimal.hpp"

namespace tradesync {

enum class TradingMode : std::uint8_t { observe, dry_run, live };

struct TradingSettings {
  TradingMode mode = TradingMode::observe;
  std::string not_opening;                   // halted, live trading not allowed: why nothing new is opened; "" = it is
  std::int64_t protect_deadline_ms = 5000;
  std::int64_t unix_offset_ms = 0;           // unix ms − the engine's monotonic ms
  Decimal paper_balance{10000};
  Decimal taker_fee_bps{5}, slippage_bps{2};  // dry_run, in basis points (1/10000)
};

}  // namespace tradesync
