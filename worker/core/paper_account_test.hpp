// A paper account with two symbols, and what it has said, in one line each.
#pragma once
#include <gtest/gtest.h>

#include "core/paper.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync::test {

inline VenueRules with_position_stops() {
  VenueRules rules = login_rules();
  rules.position_stops = true;
  return rules;
}

inline Instrument paper_instrument(const std::string& symbol, std::string_view tick, std::string_view step) {
  Instrument instrument;
  instrument.symbol = symbol;
  instrument.status = "trading";
  instrument.settle_asset = "USDT";
  instrument.tick_size = decimal(tick);
  instrument.quantity_step = instrument.min_quantity = decimal(step);
  instrument.max_quantity = decimal("1000");
  instrument.max_market_quantity = decimal("500");
  instrument.min_notional = decimal("5");
  instrument.max_leverage = decimal("50");
  return instrument;
}

// Fees of 5 bps and no slippage, so that the numbers of a test can be seen at a glance.
inline TradingSettings plain_settings() {
  TradingSettings settings;
  settings.slippage_bps = Decimal();
  return settings;
}

struct PaperAccount {
  explicit PaperAccount(VenueRules rules, TradingSettings settings = plain_settings()) : rules(rules), paper(rules, settings) {
    paper.on_instrument(paper_instrument("AAAUSDT", "0.1", "0.01"));
    paper.on_instrument(paper_instrument("BBBUSDT", "0.01", "1"));
  }

  VenueRules rules;
  Paper paper;
  std::int64_t now_ms = 1700000000000;
  Facts pushed;       // by the last call
  Facts everything;   // by all calls
  int asked = 0;

  void keep() { everything.insert(everything.end(), pushed.begin(), pushed.end()); }
  Reply ask(Request request) {
    pushed.clear();
    request.id = static_cast<std::uint64_t>(++asked);
    now_ms += 10;
    Reply reply = paper.answer(request, now_ms, pushed);
    EXPECT_EQ(reply.id, request.id);
    keep();
    return reply;
  }
  void mark(const std::string& symbol, std::string_view price) {
    pushed.clear();
    now_ms += 10;
    paper.on_price(Price{symbol, decimal(price), std::nullopt, now_ms}, now_ms, pushed);
    keep();
  }
  void last(const std::string& symbol, std::string_view price) {
    pushed.clear();
    paper.on_price(Price{symbol, std::nullopt, decimal(price), now_ms}, now_ms, pushed);
    keep();
  }
  Reply place(const OrderTicket& ticket) {
    Request request;
    request.kind = RequestKind::place_order;
    request.symbol = ticket.symbol;
    request.ticket = ticket;
    return ask(request);
  }
  Reply cancel(OrderKind kind, const std::string& client_order_id, const std::string& order_id = "") {
    Request request;
    request.kind = RequestKind::cancel_order;
    request.symbol = "AAAUSDT";
    request.ticket.kind = kind;
    request.client_order_id = client_order_id;
    request.order_id = order_id;
    return ask(request);
  }
  Reply set_stop(std::optional<Decimal> stop, std::optional<Decimal> target = std::nullopt) {
    Request request;
    request.kind = RequestKind::set_position_stop;
    request.symbol = request.ticket.symbol = "AAAUSDT";
    request.ticket.stop_price = stop;
    request.ticket.take_profit = target;
    return ask(request);
  }
  Reply set_leverage(std::string_view leverage) {
    Request request;
    request.kind = RequestKind::set_leverage;
    request.symbol = "AAAUSDT";
    request.leverage = decimal(leverage);
    return ask(request);
  }
  Reply look_up(RequestKind kind, const std::string& client_order_id, const std::string& order_id = "") {
    Request request;
    request.kind = kind;
    request.client_order_id = client_order_id;
    request.order_id = order_id;
    return ask(request);
  }
  Reply list(RequestKind kind, const std::string& symbol = "") {
    Request request;
    request.kind = kind;
    request.symbol = symbol;
    return ask(request);
  }
  VenuePosition position(const std::string& symbol = "AAAUSDT") {
    return std::get<VenuePosition>(list(RequestKind::positions, symbol).facts.at(0));
  }
  Balance balance() { return std::get<Balance>(list(RequestKind::balances).facts.at(0)); }
};

inline OrderTicket ticket(Side side, std::string_view quantity, const std::string& client_order_id = "") {
  OrderTicket ticket;
  ticket.symbol = "AAAUSDT";
  ticket.client_order_id = client_order_id;
  ticket.side = side;
  ticket.quantity = decimal(quantity);
  return ticket;
}
inline OrderTicket buy(std::string_view quantity, const std::string& id = "") { return ticket(Side::buy, quantity, id); }
inline OrderTicket sell(std::string_view quantity, const std::string& id = "") { return ticket(Side::sell, quantity, id); }
inline OrderTicket reducing(OrderTicket ticket) {
  ticket.reduce_only = true;
  return ticket;
}
inline OrderTicket at_limit(OrderTicket ticket, std::string_view price) {
  ticket.type = "limit";
  ticket.price = decimal(price);
  return ticket;
}
inline OrderTicket with_stop(OrderTicket ticket, std::string_view price) {
  ticket.stop_price = decimal(price);
  return ticket;
}
inline OrderTicket conditional(OrderTicket ticket, std::string_view price, const std::string& type = "stop_market") {
  ticket.kind = OrderKind::conditional;
  ticket.type = type;
  ticket.stop_price = decimal(price);
  return ticket;
}

// All facts of one kind, in their order.
template <class Kind>
std::vector<Kind> all(const Facts& facts) {
  std::vector<Kind> found;
  for (const Fact& fact : facts)
    if (const auto* kind = std::get_if<Kind>(&fact)) found.push_back(*kind);
  return found;
}
template <class Kind>
Kind last_of(const Facts& facts) {
  const auto found = all<Kind>(facts);
  EXPECT_FALSE(found.empty());
  return found.empty() ? Kind() : found.back();
}
// "market filled 0.5" – type, status and filled quantity of every order report.
inline std::string told(const Facts& facts) {
  std::string out;
  for (const Order& order : all<Order>(facts))
    out += (out.empty() ? "" : "; ") + order.type + " " + std::string(text(order.status)) + " " + order.filled_quantity.text() + "/" +
           order.quantity.text();
  return out;
}

}  // namespace tradesync::test
