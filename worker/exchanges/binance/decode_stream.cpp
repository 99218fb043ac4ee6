// Stream messages as facts: user data events (§12), prices (§14.2) and answers to our subscriptions (§14.1).
// The hot path: one parse, one look at "e", one row.
#include "exchanges/binance/binance.hpp"

#include <utility>

namespace tradesync::binance {
namespace {

// Both fields are on every event about the account; T decides, E breaks ties.
Version version(json::Fields& event) { return {event.required_integer("T"), event.required_integer("E")}; }

bool reduces(json::Fields& row) {
  const bool reduce_only = row.flag("R"), close_position = row.flag("cp");
  return reduce_only || close_position;
}

Order read_order(json::Fields& row, const Version& version) {
  Order order;
  order.symbol = canonical_symbol(row.required_text("s"));
  order.client_order_id = row.text("c");
  order.side = side(row, "S");
  order.type = lower(row.text("o"));
  order.quantity = row.required_decimal("q");
  order.price = set_price(row.decimal("p"));
  order.average_price = set_price(row.decimal("ap"));
  const auto stop_price = row.decimal("sp");
  const bool is_new = row.text("x") == "NEW";
  order.venue_status = row.required_text("X");
  order.status = order_status(order.venue_status);
  order.order_id = std::to_string(row.required_integer("i"));
  order.filled_quantity = row.required_decimal("z");
  if (is_new) order.created_ms = row.integer("T");
  order.reduce_only = reduces(row);
  if (row.text("ot") != "TRAILING_STOP_MARKET") order.stop_price = set_price(stop_price);  // means nothing there
  order.position_side = position_side(row, "ps");
  if (is_terminal(order.status) && order.status != OrderStatus::filled) order.reject_reason = expiry_reason(row.text("er"));
  order.version = version;
  return order;
}

Fill read_fill(json::Fields& row, const Order& order) {
  Fill fill;
  fill.symbol = order.symbol;
  fill.trade_id = std::to_string(row.integer("t"));
  fill.order_id = order.order_id;
  fill.client_order_id = order.client_order_id;
  fill.side = order.side;
  fill.position_side = order.position_side;
  fill.price = row.required_decimal("L");
  fill.quantity = row.required_decimal("l");
  fill.fee = row.decimal_or_zero("n");
  fill.fee_currency = row.text("N");
  fill.realized_pnl = row.decimal("rp");
  fill.exec_type = execution_type(order.client_order_id);
  fill.is_maker = row.flag("m");
  fill.executed_ms = row.required_integer("T");
  fill.sequence = order.version.order;
  return fill;
}

// An execution without a trade id cannot be told from its repetition: the order's filled quantity shows it, and
// userTrades brings the fill.
bool changes_position(json::Value row) {
  const std::string_view what = row["x"].text();
  if (what != "TRADE" && what != "CALCULATED") return false;
  return row["t"].has_value() && row["t"].text() != "0";
}

void order_trade_update(json::Value event, Rows rows) {
  json::Fields head(event);
  const Version at = version(head);
  if (!rows.check(head, "ORDER_TRADE_UPDATE")) return;
  json::Fields row(event["o"]);
  if (!rows.add(row, "ORDER_TRADE_UPDATE.o", read_order(row, at)) || !changes_position(event["o"])) return;
  const Order& order = std::get<Order>(rows.facts.back());
  json::Fields execution(event["o"]);
  Fill fill = read_fill(execution, order);
  if (execution.ok() && fill.quantity.is_zero()) return;
  rows.add(execution, "ORDER_TRADE_UPDATE.o", std::move(fill));
}

void algo_update(json::Value event, Rows rows) {
  json::Fields head(event);
  const Version at = version(head);
  if (!rows.check(head, "ALGO_UPDATE")) return;
  json::Fields row(event["o"]);
  Order order;
  order.kind = OrderKind::conditional;
  order.client_order_id = row.text("caid");
  order.order_id = std::to_string(row.required_integer("aid"));
  order.type = lower(row.text("o"));
  order.symbol = canonical_symbol(row.required_text("s"));
  order.side = side(row, "S");
  order.position_side = position_side(row, "ps");
  order.quantity = row.decimal_or_zero("q");
  const auto filled = row.decimal("aq");  // absent before the trigger, like ap
  order.filled_quantity = filled.value_or(Decimal());
  order.venue_status = row.required_text("X");
  order.status = algo_status(order.venue_status, order.quantity, filled);
  order.child_order_id = row.text("ai");
  order.average_price = set_price(row.decimal("ap"));
  order.stop_price = set_price(row.decimal("tp"));
  order.price = set_price(row.decimal("p"));
  order.reduce_only = reduces(row);
  // A trailing order says NEW a second time when it is activated (ia); that is not its creation.
  const bool is_activation = order.type == "trailing_stop_market" && row.flag("ia");
  if (order.venue_status == "NEW" && !is_activation) order.created_ms = at.order;
  // The documents print a reason even on NEW; it only means something once the order has ended without a fill.
  if (is_terminal(order.status) && order.status != OrderStatus::filled) order.reject_reason = row.text("rm");
  order.version = at;
  rows.add(row, "ALGO_UPDATE.o", std::move(order));
}

VenuePosition read_position(json::Fields& row, const Version& version) {
  VenuePosition position;
  position.symbol = canonical_symbol(row.required_text("s"));
  position.position_side = position_side(row, "ps");
  position.quantity = row.required_decimal("pa");
  position.entry_price = without_float_noise(row.required_decimal("ep"));
  position.unrealized_pnl = row.decimal("up");
  position.version = version;
  return position;
}

Balance read_balance(json::Fields& row, const Version& version) {
  Balance balance;
  balance.asset = row.required_text("a");
  balance.wallet_balance = row.required_decimal("wb");
  balance.updated_ms = version.order;
  return balance;
}

// The event has no id. Two legs of one symbol in one millisecond differ in the amount; a repetition differs in nothing.
Funding read_funding(json::Fields& row, std::string_view symbol, const Version& version) {
  Funding funding;
  funding.symbol = canonical_symbol(symbol);
  funding.amount = row.required_decimal("bc");
  funding.asset = row.required_text("a");
  funding.at_ms = version.order;
  funding.funding_id = std::to_string(version.order).append("/").append(funding.asset).append("/").append(funding.amount.text());
  return funding;
}

// In hedge mode a touched symbol always brings its empty one-way row along (§12.2). Whether we are in hedge mode shows in
// the message itself: the mode is one for the whole account.
bool is_hedge_mode(json::Value positions) {
  for (const json::Value position : positions) {
    const std::string_view side = position["ps"].text();
    if (side == "LONG" || side == "SHORT") return true;
  }
  return false;
}

void account_update(json::Value event, Rows rows) {
  json::Fields head(event);
  const Version at = version(head);
  const json::Value account = event["a"], balances = account["B"], positions = account["P"];
  if (!account.is_object()) head.fail("a", "not an object");
  if (balances.has_value() && !balances.is_array()) head.fail("B", "not a list");
  if (positions.has_value() && !positions.is_array()) head.fail("P", "not a list");
  if (!rows.check(head, "ACCOUNT_UPDATE")) return;

  std::size_t index = 0;
  const bool is_funding = account["m"].text() == "FUNDING_FEE";
  // `S` came in 2026-08; before, only isolated funding named its symbol, through its position.
  const std::string_view funded = account["S"].has_value() ? account["S"].text() : positions.empty() ? std::string_view()
                                                                                 : (*positions.begin())["s"].text();
  for (const json::Value balance : balances) {
    json::Fields row(balance);
    if (rows.add(row, "ACCOUNT_UPDATE.a.B", index, read_balance(row, at)) && is_funding) {
      Funding funding = read_funding(row, funded, at);
      if (!row.ok() || !funding.amount.is_zero()) rows.add(row, "ACCOUNT_UPDATE.a.B", index, std::move(funding));
    }
    ++index;
  }

  index = 0;
  const bool hedge_mode = is_hedge_mode(positions);
  for (const json::Value element : positions) {
    json::Fields row(element);
    VenuePosition position = read_position(row, at);
    const bool empty_one_way_row = hedge_mode && position.position_side == PositionSide::both && position.quantity.is_zero();
    if (!row.ok() || !empty_one_way_row) rows.add(row, "ACCOUNT_UPDATE.a.P", index, std::move(position));
    ++index;
  }
}

void leverage_changed(json::Value event, Rows rows) {
  if (!event["ac"].has_value()) return;  // the other form announces multi-asset mode
  json::Fields row(event["ac"]);
  rows.add(row, "ACCOUNT_CONFIG_UPDATE.ac", Leverage{canonical_symbol(row.required_text("s")), row.required_decimal("l")});
}

void margin_call(json::Value event, Rows rows) {
  std::size_t index = 0;
  for (const json::Value position : event["p"]) {
    json::Fields row(position);
    Notice notice{"margin_call", "CRITICAL", canonical_symbol(row.required_text("s")), ""};
    notice.message.append("margin call: ").append(lower(row.text("ps"))).append(" ").append(row.text("pa"));
    notice.message.append(" at mark ").append(row.text("mp")).append(", maintenance margin ").append(row.text("mm"));
    rows.add(row, "MARGIN_CALL.p", index++, std::move(notice));
  }
}

void trigger_rejected(json::Value event, Rows rows) {
  json::Fields row(event["or"]);
  Notice notice{"conditional_order_trigger_reject", "ERROR", canonical_symbol(row.text("s")), ""};
  notice.message.append("order ").append(row.text("i")).append(" was not accepted when it triggered: ").append(row.text("r"));
  rows.add(row, "CONDITIONAL_ORDER_TRIGGER_REJECT.or", std::move(notice));
}

void price(json::Value event, std::string_view key, std::optional<Decimal> Price::*which, Rows rows) {
  const json::Value product = event["st"];
  if (product.has_value() && product.text() != "1") return;  // coin-margined
  json::Fields row(event);
  Price price;
  price.symbol = canonical_symbol(row.required_text("s"));
  price.*which = row.required_decimal(key);
  price.at_ms = row.required_integer("E");
  rows.add(row, event["e"].text(), std::move(price));
}

// {"result":null,"id":1} or {"error":{"code","msg"},"id":1}; documents also show the bare {"code","msg"}.
void command_answer(json::Value answer, Rows rows) {
  const json::Value error = answer["error"].is_object() ? answer["error"] : answer;
  const bool ok = answer["result"].type() != json::Type::absent;
  if (!ok && !error["code"].has_value()) return;  // nothing we know
  json::Fields row(answer);
  json::Fields words(error);
  Acknowledged acknowledged;
  acknowledged.command_id = row.text("id");
  acknowledged.ok = ok;
  if (!ok) acknowledged.message.append(words.text("code")).append(" ").append(words.text("msg"));
  rows.add(row, "answer", std::move(acknowledged));
}

void decode_event(json::Value event, Decoded& out) {
  Rows rows{out.facts, out.error};
  const std::size_t before = out.facts.size();
  const std::string_view name = event["e"].text();
  if (name == "markPriceUpdate") return price(event, "p", &Price::mark, rows);
  if (name == "24hrMiniTicker") return price(event, "c", &Price::last, rows);
  if (name == "ORDER_TRADE_UPDATE") order_trade_update(event, rows);
  if (name == "ACCOUNT_UPDATE") account_update(event, rows);
  if (name == "ALGO_UPDATE") algo_update(event, rows);
  if (out.facts.size() > before) {
    out.account_event = true;
    return;
  }
  if (name == "ACCOUNT_CONFIG_UPDATE") return leverage_changed(event, rows);
  if (name == "MARGIN_CALL") return margin_call(event, rows);
  if (name == "CONDITIONAL_ORDER_TRIGGER_REJECT") return trigger_rejected(event, rows);
  if (name == "listenKeyExpired") out.facts.emplace_back(ListenKeyExpired{});
  // TRADE_LITE, STRATEGY_UPDATE, GRID_UPDATE and whatever comes next: nothing to say. TRADE_LITE repeats what
  // ORDER_TRADE_UPDATE tells in full.
  if (name.empty()) command_answer(event, rows);
}

}  // namespace

void decode_message(std::string_view message, Decoded& out) {
  const json::Document document = json::parse(message);
  if (!document.error.empty()) {
    out.error = document.error;
    return;
  }
  // Combined mode wraps the payload; the stream's name is not looked at (§1.2).
  const json::Value data = document.root["data"];
  const json::Value payload = document.root["stream"].has_value() && data.has_value() ? data : document.root;
  if (payload.is_object()) return decode_event(payload, out);
  for (const json::Value event : payload)
    if (event.is_object()) decode_event(event, out);
}

}  // namespace tradesync::binance
