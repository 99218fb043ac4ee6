// REST answers (§3). An answer is ok only when every row of it was understood: what is missing from a list is a conclusion
// (flat, gone), and nobody may draw it from a list with a hole. Instruments are the exception: nothing follows from a
// missing one, and one odd listing must not keep an account from starting.
#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {
namespace {

Reply& fail(Reply& reply, std::string message) {
  reply.outcome = Outcome::failed;
  reply.message = std::move(message);
  return reply;
}

bool read_instrument(json::Value value, Rows& rows) {
  if (value["settleCoin"].has_value() && value["settleCoin"].text() != "USDT") return false;
  json::Fields row(value), price(value["priceFilter"]), lot(value["lotSizeFilter"]), leverage(value["leverageFilter"]);
  Instrument instrument;
  instrument.symbol = canonical_symbol(row.required_text("symbol"));
  instrument.status = instrument_status(row.required_text("status"));
  // A contract in its call auction is listed as such beside its status (§3.2).
  if (row.flag("isPreListing") && instrument.status == "trading") instrument.status = "pre_launch";
  instrument.contract_type = contract_type(row.text("contractType"));
  instrument.base_asset = row.text("baseCoin");
  instrument.quote_asset = row.text("quoteCoin");
  instrument.settle_asset = row.text("settleCoin");
  instrument.tick_size = price.required_decimal("tickSize");
  instrument.quantity_step = lot.required_decimal("qtyStep");
  instrument.min_quantity = lot.decimal_or_zero("minOrderQty");
  instrument.max_quantity = lot.decimal_or_zero("maxOrderQty");
  instrument.max_market_quantity = lot.decimal_or_zero("maxMktOrderQty");
  instrument.min_notional = lot.decimal_or_zero("minNotionalValue");
  instrument.max_leverage = leverage.decimal("maxLeverage");
  if (!price.ok()) row.fail("priceFilter", "malformed");
  if (!lot.ok()) row.fail("lotSizeFilter", "malformed");
  return rows.add(row, "instrument", std::move(instrument));
}

void read_instruments(json::Value list, Facts& facts) {
  for (const json::Value row : list) {
    std::string error;
    Rows rows{facts, error};
    read_instrument(row, rows);
    if (error.empty()) continue;
    const std::string symbol = shown(row["symbol"].text());
    facts.push_back(Notice{"instrument_not_understood", "WARNING", canonical_symbol(symbol), error});
  }
}

bool read_leverage(json::Value value, Rows& rows) {
  json::Fields row(value);
  Leverage leverage;
  leverage.symbol = canonical_symbol(row.required_text("symbol"));
  leverage.leverage = row.required_decimal("leverage");
  return rows.add(row, "position", std::move(leverage));
}

void read_mode(json::Value list, Reply& reply, Rows& rows) {
  for (const json::Value value : list) {
    json::Fields row(value);
    if (position_side(row) != PositionSide::both) reply.hedge_mode = true;
    if (!row.ok() && rows.error.empty()) rows.error = "position: " + row.fault();
  }
}

bool read_ticker(const Request& request, json::Value value, Reply& reply, Rows& rows) {
  json::Fields row(value);
  Price price;
  price.symbol = canonical_symbol(row.required_text("symbol"));
  if (price.symbol != request.symbol) row.fail("symbol", "not the one in question");
  price.mark = row.required_decimal("markPrice");
  price.last = row.required_decimal("lastPrice");
  price.at_ms = reply.venue_time_ms;  // the row carries no time of its own
  return rows.add(row, "ticker", std::move(price));
}

// What does not apply is empty: a symbol without a turnover is left out, nothing follows from a missing one.
bool read_day(json::Value value, Rows& rows) {
  json::Fields row(value);
  Ticker ticker;
  ticker.symbol = canonical_symbol(row.required_text("symbol"));
  const auto turnover = row.decimal("turnover24h");
  ticker.quote_volume = turnover.value_or(Decimal());
  ticker.last = row.decimal("lastPrice");
  if (ticker.quote_volume.is_negative()) row.fail("turnover24h", "negative");
  if (ticker.last && ticker.last->is_negative()) row.fail("lastPrice", "negative");
  if (row.ok() && !turnover) return false;
  return rows.add(row, "ticker", std::move(ticker));
}

void read_list(const Request& request, json::Value list, Reply& reply, Rows& rows) {
  for (const json::Value row : list) {
    switch (request.kind) {
      case RequestKind::positions: read_position(row, rows); break;
      case RequestKind::leverages: read_leverage(row, rows); break;
      case RequestKind::balances: read_wallet(row, reply.venue_time_ms, rows); break;
      case RequestKind::open_orders:
      case RequestKind::open_conditional_orders:
      case RequestKind::closed_orders:
      case RequestKind::order:
      case RequestKind::conditional_order: read_order(row, rows); break;
      case RequestKind::executions: read_execution(row, rows); break;
      case RequestKind::ticker: read_ticker(request, row, reply, rows); break;
      case RequestKind::tickers: read_day(row, rows); break;
      case RequestKind::server_time:
      case RequestKind::instruments:
      case RequestKind::position_mode:
      case RequestKind::income_symbols:
      case RequestKind::create_listen_key:
      case RequestKind::keep_alive_listen_key:
      case RequestKind::place_order:
      case RequestKind::cancel_order:
      case RequestKind::set_position_stop:
      case RequestKind::set_leverage: break;
    }
  }
}

// §3.6: the last page has no cursor; an empty page or the same cursor again ends it too.
std::string next_page(const Request& request, json::Value result, json::Value list) {
  const std::string_view cursor = result["nextPageCursor"].text();
  if (list.empty() || cursor == request.cursor || cursor.size() > json::kMaxFieldText) return {};
  return std::string(cursor);
}

// An answer about another order than the one in question proves nothing about ours.
bool is_asked_for(const Request& request, std::string_view order_id, std::string_view client_order_id) {
  if (!request.order_id.empty()) return order_id == request.order_id;
  return request.client_order_id.empty() || client_order_id == request.client_order_id;
}

// The venue's memory of an order is in two places; only both together know that there is none.
void conclude_order(const Request& request, json::Value list, Reply& reply) {
  for (const Fact& fact : reply.facts) {
    const Order* order = std::get_if<Order>(&fact);
    if (order && !is_asked_for(request, order->order_id, order->client_order_id))
      return void(fail(reply, "order: not the one in question"));
  }
  if (!list.empty()) return;
  if (request.cursor == kHistoryStep) reply.outcome = Outcome::not_found;
  else reply.next_cursor = kHistoryStep;
}

// The answer to order/create holds ids only; the rest is what we asked for. Accepted is not yet "on book" (§3.10): the
// version is that of nothing seen, so that every report of the venue is newer.
Order placed_order(const OrderTicket& ticket, std::string_view order_id) {
  Order order;
  order.symbol = ticket.symbol;
  order.order_id = order_id;
  order.client_order_id = ticket.client_order_id;
  order.kind = ticket.kind;
  order.side = ticket.side;
  order.position_side = ticket.position_side;
  order.type = ticket.type;
  order.price = ticket.price;
  if (ticket.kind == OrderKind::conditional) order.stop_price = ticket.stop_price;
  order.quantity = ticket.quantity;
  order.reduce_only = ticket.reduce_only;
  return order;
}

// What a write answers: the ids of its order, or an empty object (§3.8, §3.9).
Reply& conclude_write(const Request& request, json::Value result, Reply& reply) {
  const bool places = request.kind == RequestKind::place_order;
  if (!places && request.kind != RequestKind::cancel_order) return reply;
  json::Fields row(result);
  const std::string_view order_id = row.required_text("orderId"), client_order_id = row.text("orderLinkId");
  const bool ours = places ? client_order_id == request.ticket.client_order_id : is_asked_for(request, order_id, client_order_id);
  if (!ours) row.fail("orderLinkId", "not that of the order in question");
  if (!row.ok()) return fail(reply, "result: " + row.fault());
  if (places) reply.facts.emplace_back(placed_order(request.ticket, order_id));
  return reply;
}

bool is_about_one_order(RequestKind kind) { return kind == RequestKind::order || kind == RequestKind::conditional_order; }

}  // namespace

Reply decode_reply(const Request& request, const HttpResponse& response) {
  Reply reply;
  reply.id = request.id;
  const json::Document body = response.complete ? json::parse(response.body) : json::Document{};
  if (!succeeded(request, response, body, reply)) return reply;

  const json::Value result = body.root["result"];
  if (!result.is_object()) return fail(reply, "result: missing");
  if (request.kind == RequestKind::server_time) {
    const auto nanoseconds = result["timeNano"].integer();
    if (nanoseconds.value_or(0) > 0) reply.venue_time_ms = *nanoseconds / 1000000;
    return reply.venue_time_ms > 0 ? reply : fail(reply, "timeNano: missing");
  }
  if (is_write(request.kind)) return conclude_write(request, result, reply);
  const json::Value list = result["list"];
  if (!list.is_array()) return fail(reply, "result.list: missing");
  if (request.kind == RequestKind::ticker && list.empty()) return fail(reply, "result.list: empty");

  std::string error;
  Rows rows{reply.facts, error};
  if (request.kind == RequestKind::instruments) read_instruments(list, reply.facts);
  else if (request.kind == RequestKind::position_mode) read_mode(list, reply, rows);
  else read_list(request, list, reply, rows);
  if (!error.empty()) return fail(reply, error);

  if (is_about_one_order(request.kind)) conclude_order(request, list, reply);
  else reply.next_cursor = next_page(request, result, list);
  return reply;
}

}  // namespace tradesync::bybit
