// Bybit's words in ours (DESIGN §11, Vocabulary). New words appear every few weeks: none of them is an error.
#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {
namespace {

enum class Stop : std::uint8_t { none, stop, take_profit, trailing_stop, other };

Stop stop_of(std::string_view stop_order_type, std::string_view create_type) {
  if (stop_order_type == "Stop" || stop_order_type == "StopLoss" || stop_order_type == "PartialStopLoss") return Stop::stop;
  if (stop_order_type == "TakeProfit" || stop_order_type == "PartialTakeProfit") return Stop::take_profit;
  if (stop_order_type == "TrailingStop") return Stop::trailing_stop;
  if (!stop_order_type.empty()) return Stop::other;
  if (create_type == "CreateByStopOrder" || create_type == "CreateByStopLoss" || create_type == "CreateByPartialStopLoss")
    return Stop::stop;
  if (create_type == "CreateByTakeProfit" || create_type == "CreateByPartialTakeProfit") return Stop::take_profit;
  if (create_type == "CreateByTrailingStop" || create_type == "CreateByTrailingProfit") return Stop::trailing_stop;
  return Stop::none;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

std::string_view word(json::Fields& row, std::string_view key) {
  const std::string_view text = row.text(key);
  return text == "UNKNOWN" ? std::string_view() : text;
}

Side side(json::Fields& row, std::string_view key) {
  const std::string_view text = row.required_text(key);
  if (text == "Sell") return Side::sell;
  if (text != "Buy") row.fail(key, "neither Buy nor Sell");
  return Side::buy;
}

PositionSide position_side(json::Fields& row) {
  switch (row.integer("positionIdx")) {
    case 0: return PositionSide::both;
    case 1: return PositionSide::long_;
    case 2: return PositionSide::short_;
  }
  row.fail("positionIdx", "none of 0, 1, 2");
  return PositionSide::both;
}

// The kind is part of an order's key, so it may not depend on anything that triggering changes: not on the status, and not
// on the trigger price, which plain orders carry as "0" or "". stopOrderType stays what it was when a stop has fired;
// createType says the same of stops that the venue made. A plain order never has either.
OrderKind order_kind(std::string_view stop_order_type, std::string_view create_type) {
  return stop_of(stop_order_type, create_type) == Stop::none ? OrderKind::regular : OrderKind::conditional;
}

std::string order_type(std::string_view stop_order_type, std::string_view create_type, std::string_view order_type) {
  const bool limit = order_type == "Limit";
  switch (stop_of(stop_order_type, create_type)) {
    case Stop::none: return lower_snake(order_type);
    case Stop::stop: return limit ? "stop" : "stop_market";
    case Stop::take_profit: return limit ? "take_profit" : "take_profit_market";
    case Stop::trailing_stop: return "trailing_stop_market";
    case Stop::other: return lower_snake(stop_order_type);
  }
  return {};
}

bool belongs_to_position(std::string_view stop_order_type, std::string_view create_type) {
  switch (stop_of(stop_order_type, create_type)) {
    case Stop::none:
    case Stop::other: return false;
    case Stop::stop: return stop_order_type != "Stop" && create_type != "CreateByStopOrder";
    case Stop::take_profit:
    case Stop::trailing_stop: return true;
  }
  return false;
}

OrderStatus order_status(std::string_view word, const Decimal& filled) {
  if (word == "New" || word == "Untriggered") return OrderStatus::new_;
  if (word == "PartiallyFilled") return OrderStatus::partially_filled;
  if (word == "Triggered") return OrderStatus::triggered;
  if (word == "Filled") return OrderStatus::filled;
  if (word == "Cancelled" || word == "Deactivated" || word == "PartiallyFilledCanceled") return OrderStatus::canceled;
  if (word == "Rejected") return OrderStatus::rejected;
  // Names of older backends, all open (§5.4).
  if (word == "Created" || word == "Active" || word == "PendingCancel")
    return filled.is_zero() ? OrderStatus::new_ : OrderStatus::partially_filled;
  // A word we have never seen settles nothing: the order is queried until a known one comes.
  return OrderStatus::unknown;
}

std::string instrument_status(std::string_view word) {
  if (word == "PreLaunch") return "pre_launch";
  if (word == "Delivering") return "settling";
  return lower_snake(word);  // trading, closed
}

std::string contract_type(std::string_view word) {
  if (word == "LinearPerpetual") return "perpetual";
  if (word == "LinearFutures") return "delivery";
  return lower_snake(word);
}

Execution execution(std::string_view exec_type) {
  if (exec_type == "Funding") return Execution::funding;
  if (exec_type == "SessionSettlePnL") return Execution::none;  // moves money between realised and unrealised, no contracts
  for (std::string_view known :
       {"Trade", "AdlTrade", "BustTrade", "Delivery", "Settle", "BlockTrade", "MovePosition", "FutureSpread", "CorporateAction"})
    if (exec_type == known) return Execution::fill;
  // A fill is never invented: reconciliation finds out what an execution of an unknown kind has done.
  return Execution::not_understood;
}

std::string lower_snake(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (!is_upper(word[i])) {
      out.push_back(word[i]);
      continue;
    }
    if (i > 0 && !is_upper(word[i - 1]) && word[i - 1] != '_') out.push_back('_');
    out.push_back(static_cast<char>(word[i] - 'A' + 'a'));
  }
  return out;
}

}  // namespace tradesync::bybit
