// What is known about the markets the account trades on: instruments, prices, leverages, position modes. Written by the
// engine, read by everything that decides about orders.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "core/model.hpp"

namespace tradesync {

struct MarketView {
  struct LivePrice {
    Price price;
    std::int64_t seen_ms = 0;  // monotonic, of the mark
    bool dirty = false;        // not yet written
  };
  bool instruments_known = false;
  std::map<std::string, Instrument, std::less<>> instruments;
  std::map<std::string, LivePrice, std::less<>> prices;
  std::map<std::string, Decimal, std::less<>> leverages;
  std::map<std::string, bool, std::less<>> hedge;  // symbol, "" = the whole account

  const Instrument* instrument(const std::string& symbol) const {
    const auto it = instruments.find(symbol);
    return it == instruments.end() ? nullptr : &it->second;
  }
  // The mark price, unless it is older than max_age_ms.
  std::optional<Decimal> mark(const std::string& symbol, std::int64_t now_ms, std::int64_t max_age_ms) const {
    const auto it = prices.find(symbol);
    if (it == prices.end() || !it->second.price.mark || now_ms - it->second.seen_ms > max_age_ms) return std::nullopt;
    return it->second.price.mark;
  }
  std::optional<bool> is_hedged(const std::string& symbol, bool account_wide) const {
    const auto it = hedge.find(account_wide ? std::string() : symbol);
    return it == hedge.end() ? std::nullopt : std::optional<bool>(it->second);
  }
};

}  // namespace tradesync
