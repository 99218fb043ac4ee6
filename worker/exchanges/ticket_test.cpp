#include "exchanges/ticket.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

OrderTicket entry() {
  OrderTicket ticket;
  ticket.symbol = "BTCUSDT";
  ticket.client_order_id = "tabcd2345-1z-1";
  ticket.quantity = Decimal(1);
  return ticket;
}

bool is_sendable(const OrderTicket& ticket, RequestKind kind = RequestKind::place_order) {
  Request request;
  request.kind = kind;
  request.ticket = ticket;
  return is_sendable(request);
}

template <class Change>
bool with(OrderTicket ticket, Change change) {
  change(ticket);
  return is_sendable(ticket);
}

TEST(Ticket, an_order_needs_everything_that_makes_it_one) {
  EXPECT_TRUE(is_sendable(entry()));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.symbol.clear(); }));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.quantity = Decimal(0); }));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.quantity = Decimal(-1); }));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.type = "limit"; }));
  EXPECT_TRUE(with(entry(), [](auto& ticket) { ticket.type = "limit", ticket.price = Decimal(1); }));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.type = "limit", ticket.price = Decimal(0); }));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.stop_price = Decimal(-1); }));
  EXPECT_FALSE(with(entry(), [](auto& ticket) { ticket.stop_price = Decimal(0); })) << "an entry without the stop it was to carry";
}

TEST(Ticket, a_client_id_must_please_both_venues) {
  for (const std::string& id : {std::string("a"), std::string(36, 'x'), std::string("A-Z_09")})
    EXPECT_TRUE(with(entry(), [&](auto& ticket) { ticket.client_order_id = id; })) << id;
  for (const std::string& id : {std::string(), std::string(37, 'x'), std::string("a b"), std::string("a&b"), std::string("a.b"),
                                std::string("\xC3\xA4"), std::string("a\0b", 3)})
    EXPECT_FALSE(with(entry(), [&](auto& ticket) { ticket.client_order_id = id; })) << id;
}

TEST(Ticket, type_and_kind_must_agree) {
  for (const char* type : {"stop", "stop_market", "take_profit", "take_profit_market", "trailing_stop_market", "MARKET", ""})
    EXPECT_FALSE(with(entry(), [&](auto& ticket) { ticket.type = type, ticket.price = ticket.stop_price = Decimal(1); })) << type;
  OrderTicket stop = entry();
  stop.kind = OrderKind::conditional;
  stop.type = "stop_market";
  EXPECT_FALSE(is_sendable(stop)) << "no trigger";
  stop.stop_price = Decimal(5);
  EXPECT_TRUE(is_sendable(stop));
  for (const char* type : {"market", "limit", "trailing_stop_market", ""})
    EXPECT_FALSE(with(stop, [&](auto& ticket) { ticket.type = type, ticket.price = Decimal(1); })) << type;
  EXPECT_FALSE(with(stop, [](auto& ticket) { ticket.type = "take_profit"; })) << "no price";
  EXPECT_TRUE(with(stop, [](auto& ticket) { ticket.type = "take_profit", ticket.price = Decimal(1); }));
}

// Binance knows no reduceOnly in hedge mode: such an order would add to the position that it was to reduce.
TEST(Ticket, what_only_reduces_points_at_its_position) {
  const auto reducing = [](PositionSide position_side, Side side) {
    OrderTicket ticket = entry();
    ticket.reduce_only = true;
    ticket.position_side = position_side;
    ticket.side = side;
    return is_sendable(ticket);
  };
  EXPECT_TRUE(reducing(PositionSide::both, Side::buy));
  EXPECT_TRUE(reducing(PositionSide::both, Side::sell));
  EXPECT_TRUE(reducing(PositionSide::long_, Side::sell));
  EXPECT_TRUE(reducing(PositionSide::short_, Side::buy));
  EXPECT_FALSE(reducing(PositionSide::long_, Side::buy));
  EXPECT_FALSE(reducing(PositionSide::short_, Side::sell));
}

TEST(Ticket, a_position_stop_may_be_nothing_but_not_negative) {
  OrderTicket ticket;
  EXPECT_FALSE(is_sendable(ticket, RequestKind::set_position_stop));
  ticket.symbol = "BTCUSDT";
  EXPECT_TRUE(is_sendable(ticket, RequestKind::set_position_stop));
  ticket.stop_price = Decimal(0);
  EXPECT_TRUE(is_sendable(ticket, RequestKind::set_position_stop));
  ticket.take_profit = Decimal(-1);
  EXPECT_FALSE(is_sendable(ticket, RequestKind::set_position_stop));
}

TEST(Ticket, a_question_needs_what_it_asks_about) {
  Request request;
  for (RequestKind kind : {RequestKind::order, RequestKind::conditional_order, RequestKind::cancel_order}) {
    request = Request();
    request.kind = kind;
    request.symbol = "BTCUSDT";
    EXPECT_FALSE(is_sendable(request));
    request.client_order_id = "web:a/1";  // of somebody else: no alphabet is asked for
    EXPECT_TRUE(is_sendable(request));
    request.client_order_id.clear();
    request.order_id = "1";
    EXPECT_TRUE(is_sendable(request));
  }
  request.symbol.clear();
  EXPECT_FALSE(is_sendable(request));  // cancel_order
  request.kind = RequestKind::ticker;
  EXPECT_FALSE(is_sendable(request));
  request.kind = RequestKind::set_leverage;
  request.symbol = "BTCUSDT";
  EXPECT_FALSE(is_sendable(request));
  request.leverage = Decimal(1);
  EXPECT_TRUE(is_sendable(request));
  request.leverage = Decimal::parse("0.99").value();
  EXPECT_FALSE(is_sendable(request));
}

}  // namespace
}  // namespace tradesync
