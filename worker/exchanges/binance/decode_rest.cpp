// REST answers as facts (§6–§11). Whatever is not understood completely is `failed`: what is missing from a list is a
// conclusion (flat, gone), and nobody may draw it from a list with a hole. Instruments are the exception: nothing follows
// from a missing one, and one odd listing must not keep an account from starting.
#include <algorithm>
#include <utility>
#include <vector>

#include "exchanges/binance/binance.hpp"

namespace tradesync::binance {
namespace {

Version version(std::int64_t update_time) { return {update_time, update_time}; }

bool reduces(json::Fields& row) {
  const bool reduce_only = row.flag("reduceOnly"), close_position = row.flag("closePosition");
  return reduce_only || close_position;
}

Order read_order(json::Fields& row) {
  Order order;
  order.symbol = canonical_symbol(row.required_text("symbol"));
  order.order_id = std::to_string(row.required_integer("orderId"));
  order.client_order_id = row.text("clientOrderId");
  order.side = side(row, "side");
  order.position_side = position_side(row, "positionSide");
  order.type = lower(row.text("type"));
  order.venue_status = row.required_text("status");
  order.status = order_status(order.venue_status);
  order.price = set_price(row.decimal("price"));
  // A trailing order's stopPrice means nothing (§12.1).
  if (row.text("origType") != "TRAILING_STOP_MARKET") order.stop_price = set_price(row.decimal("stopPrice"));
  order.quantity = row.required_decimal("origQty");
  order.filled_quantity = row.required_decimal("executedQty");
  order.average_price = set_price(row.decimal("avgPrice"));
  order.reduce_only = reduces(row);
  order.created_ms = row.integer("time");
  order.version = version(row.required_integer("updateTime"));
  return order;
}

Order read_algo_order(json::Fields& row) {
  Order order;
  order.kind = OrderKind::conditional;
  order.symbol = canonical_symbol(row.required_text("symbol"));
  order.order_id = std::to_string(row.required_integer("algoId"));
  order.client_order_id = row.text("clientAlgoId");
  order.side = side(row, "side");
  order.position_side = position_side(row, "positionSide");
  const std::string_view type = row.text("orderType");
  order.type = lower(type.empty() ? row.text("type") : type);  // "type" in older rows
  order.price = set_price(row.decimal("price"));
  order.stop_price = set_price(row.decimal("triggerPrice"));
  order.quantity = row.decimal_or_zero("quantity");  // absent or 0 for close-position orders
  const auto filled = row.decimal("actualQty");
  order.filled_quantity = filled.value_or(Decimal());
  order.average_price = set_price(row.decimal("actualPrice"));
  order.venue_status = row.required_text("algoStatus");
  order.status = algo_status(order.venue_status, order.quantity, filled);
  order.reduce_only = reduces(row);
  order.child_order_id = row.text("actualOrderId");
  order.created_ms = row.integer("createTime");
  order.version = version(row.required_integer("updateTime"));
  return order;
}

VenuePosition read_position(json::Fields& row) {
  VenuePosition position;
  position.symbol = canonical_symbol(row.required_text("symbol"));
  position.position_side = position_side(row, "positionSide");
  position.quantity = row.required_decimal("positionAmt");
  position.entry_price = without_float_noise(row.required_decimal("entryPrice"));
  position.mark_price = row.decimal("markPrice");
  position.unrealized_pnl = row.decimal("unRealizedProfit");
  position.leverage = row.decimal("leverage");  // v2 only
  position.liquidation_price = row.decimal("liquidationPrice");
  position.version = version(row.integer("updateTime"));
  return position;
}

Fill read_trade(json::Fields& row) {
  Fill fill;
  fill.symbol = canonical_symbol(row.required_text("symbol"));
  fill.trade_id = std::to_string(row.required_integer("id"));
  fill.order_id = std::to_string(row.required_integer("orderId"));
  fill.side = side(row, "side");
  fill.position_side = position_side(row, "positionSide");
  fill.price = row.required_decimal("price");
  fill.quantity = row.required_decimal("qty");
  fill.fee = row.decimal_or_zero("commission");
  fill.fee_currency = row.text("commissionAsset");
  fill.realized_pnl = row.decimal("realizedPnl");
  fill.exec_type = execution_type({});  // the row does not say; the stream does
  fill.is_maker = row.flag("maker");
  fill.executed_ms = row.required_integer("time");
  fill.sequence = fill.executed_ms;
  return fill;
}

// Equity without the unrealised result of isolated positions, which this list does not carry (§7.1).
Balance read_balance(json::Fields& row) {
  Balance balance;
  balance.asset = row.required_text("asset");
  balance.wallet_balance = row.required_decimal("balance");
  balance.available_balance = row.decimal("availableBalance");
  if (const auto unrealized = row.decimal("crossUnPnl")) balance.equity = add(balance.wallet_balance, *unrealized);
  balance.updated_ms = row.integer("updateTime");
  return balance;
}

Leverage read_leverage(json::Fields& row) {
  return {canonical_symbol(row.required_text("symbol")), row.required_decimal("leverage")};
}

// Rows of delisted contracts may lack filters: a missing limit is zero, "none".
void read_filter(json::Fields& filter, Instrument& instrument) {
  const std::string_view type = filter.text("filterType");
  if (type == "PRICE_FILTER") instrument.tick_size = filter.decimal_or_zero("tickSize");
  if (type == "MARKET_LOT_SIZE") instrument.max_market_quantity = filter.decimal_or_zero("maxQty");
  if (type == "MIN_NOTIONAL") instrument.min_notional = filter.decimal_or_zero("notional");
  if (type == "LOT_SIZE") {
    instrument.quantity_step = filter.decimal_or_zero("stepSize");
    instrument.min_quantity = filter.decimal_or_zero("minQty");
    instrument.max_quantity = filter.decimal_or_zero("maxQty");
  }
}

Instrument read_instrument(json::Fields& row) {
  Instrument instrument;
  instrument.symbol = canonical_symbol(row.required_text("symbol"));
  instrument.status = instrument_status(row.text("status"));
  instrument.contract_type = contract_type(row.text("contractType"));
  instrument.base_asset = row.text("baseAsset");
  instrument.quote_asset = row.text("quoteAsset");
  instrument.settle_asset = row.text("marginAsset");
  for (const json::Value filter_row : row["filters"]) {
    json::Fields filter(filter_row);
    read_filter(filter, instrument);
    if (!filter.ok()) row.fail("filters", "a limit is not a decimal number");
  }
  return instrument;
}

// One answer being read: facts go to the reply, the first fault turns it into `failed`.
class Answer {
 public:
  Answer(const Request& request, json::Value root, Reply& reply) : request_(request), root_(root), reply_(reply) {}

  // The answer is a list; `keep` says which rows matter.
  template <class Read, class Keep>
  void list(std::string_view where, Read read, Keep keep) {
    if (!root_.is_array()) return fail(std::string(where).append(": not a list"));
    for (const json::Value element : root_) {
      json::Fields row(element);
      auto fact = read(row);
      const std::size_t index = row_count_++;
      if (!row.ok() || keep(fact)) rows().add(row, where, index, std::move(fact));
    }
  }
  template <class Read>
  void list(std::string_view where, Read read) {
    list(where, read, [](const auto&) { return true; });
  }
  template <class Read>
  void one(std::string_view where, Read read) {
    json::Fields row(root_);
    rows().add(row, where, read(row));
  }

  std::size_t row_count() const { return row_count_; }
  void fail(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }

  // Everything read completely is ok; one lost row and nothing may be concluded from the rest.
  void conclude() {
    reply_.outcome = fault_.empty() ? Outcome::ok : Outcome::failed;
    reply_.message = std::move(fault_);
    if (reply_.outcome != Outcome::ok) reply_.next_cursor.clear();
  }

  const Request& request() const { return request_; }
  json::Value root() const { return root_; }
  Reply& reply() { return reply_; }

 private:
  Rows rows() { return {reply_.facts, fault_}; }

  const Request& request_;
  const json::Value root_;
  Reply& reply_;
  std::string fault_;
  std::size_t row_count_ = 0;
};

void instruments(Answer& answer) {
  const json::Value symbols = answer.root()["symbols"];
  if (!symbols.is_array()) return answer.fail("exchangeInfo.symbols: not a list");
  Facts& facts = answer.reply().facts;
  const std::string& wanted = answer.request().symbol;
  for (const json::Value value : symbols) {
    json::Fields row(value);
    Instrument instrument = read_instrument(row);
    if (!wanted.empty() && instrument.symbol != wanted) continue;
    if (row.ok()) facts.push_back(std::move(instrument));
    else facts.push_back(Notice{"instrument_not_understood", "WARNING", instrument.symbol, row.fault()});
  }
}

// Trade ids grow per symbol: the next page starts behind the largest one (§8.8).
void executions(Answer& answer) {
  std::int64_t last_id = 0;
  const auto remember = [&](json::Fields& row) {
    last_id = std::max(last_id, row.integer("id"));
    return read_trade(row);
  };
  answer.list("userTrades", remember);
  if (answer.row_count() >= kTradePage && last_id < INT64_MAX) answer.reply().next_cursor = std::to_string(last_id + 1);
}

// Pages of allOrders follow the creation time, inclusive: orders of the same millisecond are read twice, not lost. Only a
// page filled by one single millisecond steps over it.
void closed_orders(Answer& answer) {
  std::int64_t newest = 0, oldest = INT64_MAX;
  const auto remember = [&](json::Fields& row) {
    Order order = read_order(row);
    newest = std::max(newest, order.created_ms);
    oldest = std::min(oldest, order.created_ms);
    return order;
  };
  answer.list("allOrders", remember);
  if (answer.row_count() < kOrderPage || newest == INT64_MAX) return;
  answer.reply().next_cursor = std::to_string(newest == oldest ? newest + 1 : newest);
}

// Which symbols were traded (§7.4). Funding is paid without a trade and would cost a userTrades call for nothing.
void income_symbols(Answer& answer) {
  const auto read = [](json::Fields& row) {
    Notice notice;
    notice.event_type = "income";
    notice.severity = "INFO";
    notice.symbol = canonical_symbol(row.text("symbol"));
    notice.message = row.required_text("incomeType");
    return notice;
  };
  std::vector<std::string> seen;
  const auto is_new_trade = [&](const Notice& notice) {
    if (notice.symbol.empty() || notice.message.find("FUNDING_FEE") != std::string::npos) return false;
    if (std::find(seen.begin(), seen.end(), notice.symbol) != seen.end()) return false;
    seen.push_back(notice.symbol);
    return true;
  };
  answer.list("income", read, is_new_trade);
  if (answer.row_count() < kIncomePage) return;
  const std::int64_t page = leading_integer(answer.request().cursor).value_or(1);
  if (page < INT32_MAX) answer.reply().next_cursor = std::to_string(page + 1);
}

// An answer about another order than the one in question proves nothing about ours.
void expect(json::Fields& row, std::string_view key, const std::string& wanted, const std::string& said) {
  if (!wanted.empty() && said != wanted) row.fail(key, "not that of the order in question");
}

void one_order(Answer& answer, OrderKind kind) {
  const Request& request = answer.request();
  const bool regular = kind == OrderKind::regular;
  answer.one(regular ? "order" : "algoOrder", [&](json::Fields& row) {
    Order order = regular ? read_order(row) : read_algo_order(row);
    if (!request.order_id.empty()) expect(row, regular ? "orderId" : "algoId", request.order_id, order.order_id);
    else expect(row, regular ? "clientOrderId" : "clientAlgoId", request.client_order_id, order.client_order_id);
    return order;
  });
}

// §8.2, §10.4. The client id is ours: an order without it, or with another one, is not the order we placed.
void placed(Answer& answer) {
  const OrderTicket& ticket = answer.request().ticket;
  const bool regular = ticket.kind == OrderKind::regular;
  answer.one(regular ? "order" : "algoOrder", [&](json::Fields& row) {
    Order order = regular ? read_order(row) : read_algo_order(row);
    if (order.client_order_id != ticket.client_order_id)
      row.fail(regular ? "clientOrderId" : "clientAlgoId", "not that of the order in question");
    return order;
  });
}

// A regular order comes back as it ended (§8.4), a conditional one is only acknowledged, with the text "200" (§10.1).
void canceled(Answer& answer) {
  const Request& request = answer.request();
  if (request.ticket.kind == OrderKind::regular) return one_order(answer, OrderKind::regular);
  json::Fields row(answer.root());
  const std::string id = std::to_string(row.required_integer("algoId"));
  if (!request.order_id.empty()) expect(row, "algoId", request.order_id, id);
  else expect(row, "clientAlgoId", request.client_order_id, std::string(row.text("clientAlgoId")));
  if (!row.ok()) answer.fail("algoOrder." + row.fault());
}

// Two calls, each with one of the two prices (§6, §6.3).
void ticker(Answer& answer) {
  const bool last = answer.request().cursor == kLastPriceStep;
  answer.one(last ? "ticker" : "premiumIndex", [&](json::Fields& row) {
    Price price;
    price.symbol = canonical_symbol(row.required_text("symbol"));
    if (price.symbol != answer.request().symbol) row.fail("symbol", "not the one in question");
    if (last) price.last = row.required_decimal("price");
    else price.mark = row.required_decimal("markPrice");
    price.at_ms = row.integer("time");
    return price;
  });
  if (!last) answer.reply().next_cursor = kLastPriceStep;
}

// A symbol that has not been traded yet has no volume: it is left out, nothing follows from a missing one (§6.3).
void tickers(Answer& answer) {
  bool has_volume = false;
  const auto read = [&](json::Fields& row) {
    Ticker ticker;
    ticker.symbol = canonical_symbol(row.required_text("symbol"));
    const auto volume = row.decimal("quoteVolume");
    has_volume = volume.has_value();
    ticker.quote_volume = volume.value_or(Decimal());
    ticker.last = row.decimal("lastPrice");
    if (ticker.quote_volume.is_negative()) row.fail("quoteVolume", "negative");
    if (ticker.last && ticker.last->is_negative()) row.fail("lastPrice", "negative");
    return ticker;
  };
  answer.list("ticker", read, [&](const Ticker&) { return has_volume; });
}

void read_answer(Answer& answer) {
  const Request& request = answer.request();
  Reply& reply = answer.reply();
  json::Fields root(answer.root());
  switch (request.kind) {
    case RequestKind::server_time: reply.venue_time_ms = root.required_integer("serverTime"); break;
    case RequestKind::position_mode:
      if (!answer.root()["dualSidePosition"].has_value()) root.fail("dualSidePosition", "missing");
      reply.hedge_mode = root.flag("dualSidePosition");
      break;
    case RequestKind::create_listen_key: reply.listen_key = root.required_text("listenKey"); break;
    case RequestKind::keep_alive_listen_key: reply.listen_key = root.text("listenKey"); break;
    case RequestKind::instruments: return instruments(answer);
    case RequestKind::positions:
      // v3 also lists flat symbols that have open orders.
      return answer.list("positionRisk", read_position, [&](const VenuePosition& position) {
        return !request.symbol.empty() || !position.quantity.is_zero();
      });
    case RequestKind::leverages: return answer.list("symbolConfig", read_leverage);
    case RequestKind::balances: return answer.list("balance", read_balance);
    case RequestKind::open_orders: return answer.list("openOrders", read_order);
    case RequestKind::open_conditional_orders: return answer.list("openAlgoOrders", read_algo_order);
    case RequestKind::closed_orders: return closed_orders(answer);
    case RequestKind::executions: return executions(answer);
    case RequestKind::income_symbols: return income_symbols(answer);
    case RequestKind::order: return one_order(answer, OrderKind::regular);
    case RequestKind::conditional_order: return one_order(answer, OrderKind::conditional);
    case RequestKind::ticker: return ticker(answer);
    case RequestKind::tickers: return tickers(answer);
    case RequestKind::place_order: return placed(answer);
    case RequestKind::cancel_order: return canceled(answer);
    case RequestKind::set_leverage: return answer.one("leverage", read_leverage);
    case RequestKind::set_position_stop: return answer.fail("not a question of this venue");
  }
  if (!root.ok()) answer.fail(root.fault());
}

}  // namespace

Reply decode_reply(const Request& request, const HttpResponse& response) {
  Reply reply;
  reply.id = request.id;
  const bool readable = response.status != 0 && response.complete;
  const json::Document body = readable ? json::parse(response.body) : json::Document{{}, "not read"};
  if (!succeeded(request, response, body, reply)) return reply;
  Answer answer(request, body.root, reply);
  read_answer(answer);
  answer.conclude();
  return reply;
}

}  // namespace tradesync::binance
