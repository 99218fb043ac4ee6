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
      case RequestKind::server_time:
      case RequestKind::instruments:
      case RequestKind::position_mode:
      case RequestKind::income_symbols:
      case RequestKind::create_listen_key:
      case RequestKind::keep_alive_listen_key: break;
    }
  }
}

// §3.6: the last page has no cursor; an empty page or the same cursor again ends it too.
std::string next_page(const Request& request, json::Value result, json::Value list) {
  const std::string_view cursor = result["nextPageCursor"].text();
  if (list.empty() || cursor == request.cursor || cursor.size() > json::kMaxFieldText) return {};
  return std::string(cursor);
}

// The venue's memory of an order is in two places; only both together know that there is none.
void conclude_order(const Request& request, json::Value list, Reply& reply) {
  if (!list.empty()) return;
  if (request.cursor == kHistoryStep) reply.outcome = Outcome::not_found;
  else reply.next_cursor = kHistoryStep;
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
  const json::Value list = result["list"];
  if (!list.is_array()) return fail(reply, "result.list: missing");

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
