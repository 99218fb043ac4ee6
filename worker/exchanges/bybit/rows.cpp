// One row of an order, an execution, a position, a wallet. Everything that may be "", null, absent, a number or a string
// is accepted as any of these (§ Conventions); a field that is none of them spoils its row and only that.
#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {
namespace {

constexpr std::string_view kSettlement = "USDT";

// Every USDT-settled linear contract has USDT in its name (BTCUSDT, BTCUSDT-26DEC25); a USDC-settled one never has.
bool in_scope(json::Value value) {
  const json::Value category = value["category"];
  if (category.has_value() && !category.text().empty() && category.text() != "linear") return false;
  const std::string_view symbol = value["symbol"].text();
  return symbol.empty() || symbol.find(kSettlement) != std::string_view::npos;
}

// "", "0", "0.0" and "0.00" all say that a price is not set.
std::optional<Decimal> set_price(const std::optional<Decimal>& price) {
  return price && !price->is_zero() ? price : std::nullopt;
}

// Absent: the message does not say. Present but empty: there is none now, which is zero.
std::optional<Decimal> decimal_or_none(json::Fields& row, std::string_view key) {
  if (row[key].type() == json::Type::absent) return std::nullopt;
  return row.decimal_or_zero(key);
}

std::string reject_reason(json::Fields& row) {
  const std::string_view text = word(row, "rejectReason");
  return text == "EC_NoError" ? std::string() : std::string(text);
}

// -1 is what a symbol that was never traded carries.
std::int64_t sequence(json::Fields& row) {
  const std::int64_t seq = row.integer("seq");
  return seq > 0 ? seq : 0;
}

std::string fee_currency(json::Fields& row) {
  const std::string_view text = word(row, "feeCurrency");
  return std::string(text.empty() ? kSettlement : text);
}

// Taxed accounts pay extra fees that execFee does not contain (§5.5). The field is a list, "" or missing.
Decimal total_fee(json::Fields& row, const std::string& currency) {
  Decimal total = row.decimal_or_zero("execFee");
  for (const json::Value entry : row["extraFees"]) {
    json::Fields extra(entry);
    const std::string_view coin = word(extra, "feeCoin");
    const auto sum = add(total, extra.decimal_or_zero("fee"));
    if (!extra.ok() || !sum) row.fail("extraFees", "malformed");
    else if (coin.empty() || coin == currency) total = *sum;
  }
  return total;
}

Funding read_funding(json::Fields& row) {
  Funding funding;
  funding.symbol = canonical_symbol(row.required_text("symbol"));
  funding.funding_id = row.required_text("execId");
  funding.amount = -row.required_decimal("execFee");  // execFee is positive when we paid
  funding.rate = row.decimal("feeRate");
  funding.asset = fee_currency(row);
  funding.at_ms = row.required_integer("execTime");
  return funding;
}

Fill read_fill(json::Fields& row) {
  Fill fill;
  fill.symbol = canonical_symbol(row.required_text("symbol"));
  fill.trade_id = row.required_text("execId");
  fill.order_id = row.text("orderId");
  fill.client_order_id = row.text("orderLinkId");
  fill.side = side(row, "side");
  fill.price = row.required_decimal("execPrice");
  fill.quantity = row.required_decimal("execQty");
  fill.fee_currency = fee_currency(row);
  fill.fee = total_fee(row, fill.fee_currency);
  fill.realized_pnl = row.decimal("execPnl");
  fill.closed_quantity = row.decimal("closedSize");
  fill.exec_type = lower_snake(row.text("execType"));
  fill.is_maker = row.flag("isMaker");
  fill.executed_ms = row.required_integer("execTime");
  fill.sequence = sequence(row);
  return fill;
}

// size is never negative; side gives the sign and is "" (once "None") when flat.
Decimal signed_quantity(json::Fields& row, PositionSide slot) {
  const Decimal size = row.required_decimal("size");
  if (size.is_negative()) row.fail("size", "negative");
  if (size.is_zero()) return size;
  const std::string_view text = row.text("side");
  if (text == "Buy" || (text.empty() && slot == PositionSide::long_)) return size;
  if (text == "Sell" || (text.empty() && slot == PositionSide::short_)) return -size;
  row.fail("side", "neither Buy nor Sell");
  return size;
}

}  // namespace

bool Rows::add(const json::Fields& row, std::string_view where, Fact fact) {
  if (row.ok()) {
    facts.push_back(std::move(fact));
    return true;
  }
  if (error.empty()) error = std::string(where).append(": ").append(row.fault());
  return false;
}

bool read_order(json::Value value, Rows& rows) {
  if (!in_scope(value)) return false;
  json::Fields row(value);
  const std::string_view stop_order_type = word(row, "stopOrderType");
  const std::string_view create_type = word(row, "createType");
  const std::string_view venue_type = word(row, "orderType");

  Order order;
  order.symbol = canonical_symbol(row.required_text("symbol"));
  order.order_id = row.required_text("orderId");
  order.client_order_id = row.text("orderLinkId");
  order.kind = order_kind(stop_order_type, create_type);
  order.side = side(row, "side");
  order.position_side = position_side(row);
  order.type = order_type(stop_order_type, create_type, venue_type);
  order.venue_status = row.required_text("orderStatus");
  // The price of a market order is the bound of its internal limit order, not a wish of ours (§3.10).
  order.price = set_price(row.decimal("price"));
  if (venue_type == "Market") order.price.reset();
  order.stop_price = set_price(row.decimal("triggerPrice"));
  order.quantity = row.decimal_or_zero("qty");
  order.filled_quantity = row.decimal_or_zero("cumExecQty");
  order.average_price = set_price(row.decimal("avgPrice"));
  order.status = order_status(order.venue_status, order.filled_quantity);
  const bool close_on_trigger = row.flag("closeOnTrigger");
  // The stops of a position can only close it, whatever an older backend says in the flags.
  order.reduce_only = row.flag("reduceOnly") || close_on_trigger || belongs_to_position(stop_order_type, create_type);
  order.reject_reason = reject_reason(row);
  order.created_ms = row.integer("createdTime");
  // Order rows carry no seq; that of the message id is no help, because REST has no message id to compare with.
  order.version.time = row.integer("updatedTime");
  if (order.version.time == 0) order.version.time = order.created_ms;
  return rows.add(row, "order", std::move(order));
}

bool read_execution(json::Value value, Rows& rows) {
  if (!in_scope(value)) return false;
  json::Fields row(value);
  const std::string_view type = row.text("execType");
  switch (execution(type)) {
    case Execution::fill: {
      Fill fill = read_fill(row);
      return rows.add(row, "execution", std::move(fill));
    }
    case Execution::funding: {
      Funding funding = read_funding(row);
      return rows.add(row, "execution", std::move(funding));
    }
    case Execution::none: return false;
    case Execution::not_understood: {
      Notice notice{"execution_not_understood", "WARNING", canonical_symbol(row.text("symbol")),
                    "execution " + std::string(row.text("execId")) + " is of kind '" + std::string(type) + "'"};
      rows.add(row, "execution", std::move(notice));
      return false;
    }
  }
  return false;
}

bool read_position(json::Value value, Rows& rows) {
  if (!in_scope(value)) return false;
  json::Fields row(value);
  VenuePosition position;
  position.symbol = canonical_symbol(row.required_text("symbol"));
  position.position_side = position_side(row);
  position.quantity = signed_quantity(row, position.position_side);
  // REST says avgPrice, the stream entryPrice.
  position.entry_price = row.decimal_or_zero(row["entryPrice"].has_value() ? "entryPrice" : "avgPrice");
  position.mark_price = row.decimal("markPrice");
  position.unrealized_pnl = row.decimal("unrealisedPnl");
  position.leverage = row.decimal("leverage");
  position.liquidation_price = decimal_or_none(row, "liqPrice");
  position.stop_loss = decimal_or_none(row, "stopLoss");
  position.take_profit = decimal_or_none(row, "takeProfit");
  position.opened_ms = row.integer("openTime");
  position.version.order = sequence(row);
  position.version.time = row.integer("updatedTime");
  return rows.add(row, "position", std::move(position));
}

bool read_wallet(json::Value value, std::int64_t at_ms, Rows& rows) {
  json::Fields account(value);
  const auto account_available = account.decimal("totalAvailableBalance");
  bool any = false;
  for (const json::Value coin : value["coin"]) {
    json::Fields row(coin);
    Balance balance;
    balance.asset = row.required_text("coin");
    balance.wallet_balance = row.required_decimal("walletBalance");
    balance.available_balance = row.decimal("availableToWithdraw");
    // The coin's own figure is deprecated and mostly "". What counts for a new order in the settlement coin is the margin
    // the whole unified account has left, which the venue states in USD (§3.5).
    if (!balance.available_balance && balance.asset == kSettlement) balance.available_balance = account_available;
    balance.equity = row.decimal("equity");
    balance.updated_ms = at_ms;
    any = rows.add(row, "wallet", std::move(balance)) || any;
  }
  if (!account.ok() && rows.error.empty()) rows.error = "wallet: " + account.fault();
  return any;
}

}  // namespace tradesync::bybit
