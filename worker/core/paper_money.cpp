// Balance and margin of the paper account. Each settle asset has a wallet of its own, which starts with paper_balance.
#include <algorithm>

#include "core/paper.hpp"
#include "core/paper_trade.hpp"

namespace tradesync {

Decimal Paper::wallet_of(const std::string& asset) const {
  const auto it = wallets_.find(asset);
  return it == wallets_.end() ? settings_.paper_balance : it->second;
}

std::optional<Decimal> Paper::fee_of(const Decimal& quantity, const Decimal& price) const {
  return exact::over(exact::times(multiply(price, quantity), settings_.taker_fee_bps), Decimal(10000));
}

std::optional<Decimal> Paper::margin_of(const std::string& symbol, const Decimal& quantity, const Decimal& price) const {
  return exact::over(multiply(quantity.absolute(), price), leverage_of(symbol));
}

// Wallet less the margin of positions and of resting orders that would open more; never below zero.
std::optional<Decimal> Paper::available(const std::string& asset) const {
  exact::Maybe rest = wallet_of(asset);
  for (const auto& [symbol, holding] : holdings_) {
    if (holding.quantity.is_zero() || instrument_of(symbol).settle_asset != asset) continue;
    rest = exact::minus(rest, margin_of(symbol, holding.quantity, holding.entry_price));
  }
  for (const Order& order : open_) {
    if (order.kind == OrderKind::conditional || order.reduce_only || !order.price) continue;
    if (instrument_of(order.symbol).settle_asset != asset) continue;
    const auto opening = subtract(order.quantity, std::min(order.quantity, reducible(order.symbol, order.side)));
    rest = exact::minus(rest, opening ? margin_of(order.symbol, *opening, *order.price) : std::nullopt);
  }
  return rest && rest->is_negative() ? Decimal() : rest;
}

std::optional<Decimal> Paper::unrealized(const std::string& symbol) const {
  const auto holding = holdings_.find(symbol);
  if (holding == holdings_.end() || holding->second.quantity.is_zero()) return Decimal();
  return exact::times(exact::minus(mark_of(symbol), holding->second.entry_price), holding->second.quantity);
}

Balance Paper::balance_of(const std::string& asset) const {
  Balance balance;
  balance.asset = asset;
  balance.wallet_balance = wallet_of(asset);
  balance.available_balance = available(asset);
  exact::Maybe equity = balance.wallet_balance;
  for (const auto& [symbol, holding] : holdings_)
    if (!holding.quantity.is_zero() && instrument_of(symbol).settle_asset == asset) equity = exact::plus(equity, unrealized(symbol));
  balance.equity = equity;  // nothing where a mark price is missing: it is not said
  balance.updated_ms = now_ms_;
  return balance;
}

}  // namespace tradesync
