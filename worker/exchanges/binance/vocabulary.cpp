// Binance's words in ours. An unknown word never spoils a row unless the row would lie without it (which side?).
#include "exchanges/binance/binance.hpp"

namespace tradesync::binance {

Side side(json::Fields& row, std::string_view key) {
  const std::string_view word = row.required_text(key);
  if (word == "SELL") return Side::sell;
  if (word != "BUY") row.fail(key, "neither BUY nor SELL");
  return Side::buy;
}

PositionSide position_side(json::Fields& row, std::string_view key) {
  const std::string_view word = row.text(key);
  if (word == "LONG") return PositionSide::long_;
  if (word == "SHORT") return PositionSide::short_;
  if (word != "BOTH" && !word.empty()) row.fail(key, "neither BOTH nor LONG nor SHORT");
  return PositionSide::both;
}

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A word we do not know becomes `unknown`: the order is asked for until it says something we understand.
OrderStatus order_status(std::string_view word) {
  if (word == "NEW" || word == "NEW_INSURANCE" || word == "NEW_ADL") return OrderStatus::new_;
  if (word == "PARTIALLY_FILLED") return OrderStatus::partially_filled;
  if (word == "FILLED") return OrderStatus::filled;
  if (word == "CANCELED") return OrderStatus::canceled;
  if (word == "REJECTED") return OrderStatus::rejected;
  if (word == "EXPIRED" || word == "EXPIRED_IN_MATCH") return OrderStatus::expired;
  return OrderStatus::unknown;
}

namespace {

// FINISHED says that the child order ended, not how (§10.5). A close-position order has quantity 0: any fill is its fill.
OrderStatus finished(const Decimal& quantity, const std::optional<Decimal>& filled) {
  if (!filled) return OrderStatus::triggered;  // older REST rows do not carry the quantity: only the child knows
  if (filled->is_positive() && *filled >= quantity) return OrderStatus::filled;
  return OrderStatus::canceled;
}

}  // namespace

OrderStatus algo_status(std::string_view word, const Decimal& quantity, const std::optional<Decimal>& filled) {
  if (word == "TRIGGERING" || word == "TRIGGERED") return OrderStatus::triggered;
  if (word == "FINISHED") return finished(quantity, filled);
  return order_status(word);
}

// Field er of ORDER_TRADE_UPDATE (§12.1). "" for "0", which means none.
std::string expiry_reason(std::string_view er) {
  static constexpr std::string_view kReasons[] = {
      "",
      "self-trade prevention",
      "immediate-or-cancel remainder",
      "immediate-or-cancel remainder after self-trade prevention",
      "reduce-only order displaced or would reverse",
      "liquidation",
      "position the order depended on is gone",
      "delisting",
      "original order expired after its stop triggered",
      "market order remainder",
  };
  if (er.empty()) return {};
  if (er.size() == 1 && er[0] >= '0' && er[0] <= '9') return std::string(kReasons[er[0] - '0']);
  return std::string("expiry reason ").append(er);
}

// The venue's own orders are known by their client ids (§12.1).
std::string_view execution_type(std::string_view client_order_id) {
  if (client_order_id.starts_with("autoclose-")) return "bust_trade";
  if (client_order_id.starts_with("adl_autoclose")) return "adl_trade";
  if (client_order_id.starts_with("settlement_autoclose-")) return "settle";
  if (client_order_id.starts_with("delivery_autoclose-")) return "delivery";
  return "trade";
}

std::string instrument_status(std::string_view word) {
  if (word == "PENDING_TRADING") return "pre_launch";
  if (word == "PRE_DELIVERING" || word == "DELIVERING" || word == "PRE_SETTLE" || word == "SETTLING") return "settling";
  if (word == "DELIVERED" || word == "CLOSE") return "closed";
  return lower(word);
}

std::string contract_type(std::string_view word) {
  if (word.ends_with("_MONTH") || word.ends_with("_QUARTER")) return "delivery";
  return lower(word);
}

}  // namespace tradesync::binance
