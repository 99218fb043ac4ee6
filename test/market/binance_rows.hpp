// Binance's JSON rows: one function per shape of binance-usdm.md (7, 8, 10, 12). REST pads decimals, streams trim them.
#pragma once

#include "market/json_writer.hpp"
#include "market/market.hpp"

namespace market::binance {

// REST
enum class OrderShape { reply, query };       // 8.2: cumQty, no averages / 8.3: avgPrice, cumQuote, time
std::string order_row(const Order& order, const Instrument& instrument, OrderShape shape);
// 10.4; `child` is the regular order it became, or null. The reply to a placement has no actual* members.
std::string algo_row(const Order& algo, const Order* child, const Instrument& instrument, OrderShape shape);
std::string trade_row(const Fill& fill, const Instrument& instrument);                          // 8.8

// One side of one symbol as the position end-points show it; `position` may be null (never held).
struct Holding {
    const Account& account;
    const Instrument& instrument;
    Slot slot = Slot::both;
    const Position* position = nullptr;
    bool isolated = false;
    Decimal taker_fee;

    Decimal amount() const { return position ? position->quantity : Decimal(); }
    Decimal notional() const { return amount() * instrument.mark; }
};
std::string position_risk_v3_row(const Holding& holding);       // 7.2
std::string position_risk_v2_row(const Holding& holding);
std::string account_position_row(const Holding& holding, bool v2);

// What the whole account is worth at present (single-asset mode, cross).
struct Worth {
    Decimal wallet, unrealized, position_initial, order_initial, maintenance;
    explicit Worth(const Account& account);
    Decimal margin_balance() const { return wallet + unrealized; }
    Decimal available() const { return max(margin_balance() - position_initial - order_initial, 0); }
};

// Break-even of 16: entry price moved by one taker fee.
Decimal break_even_price(const Position& position, Decimal taker_fee);
// Sum of price x remaining quantity of the open regular orders of one side.
Decimal open_notional(const Account& account, const std::string& symbol, Side side);

// user events (12): complete messages
struct Stamp { Ms event_ms = 0, transaction_ms = 0; };
// `fill` only with execution type TRADE or CALCULATED.
std::string order_trade_update(const Order& order, const char* execution_type, const Fill* fill, Decimal bid_notional,
                               Decimal ask_notional, Stamp stamp);
std::string trade_lite(const Fill& fill, const Order& order, const Instrument& instrument, Stamp stamp);
// `status` is given because TRIGGERING has no counterpart in the model.
std::string algo_update(const Order& algo, const Order* child, const char* status, const Instrument& instrument, Stamp stamp);
std::string account_position_member(const Position& position, bool isolated, Decimal taker_fee);    // one element of P

}  // namespace market::binance
