// The nouns of the model exchange, in words that belong to no venue. Plain values; Market (market.hpp) changes them.
// Prices and money are in USDT, quantities in base units, times in venue milliseconds.
#pragma once

#include "market/decimal.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace market {

using Ms = int64_t;

enum class Venue { bybit, binance };
enum class Side { buy, sell };
enum class Slot { both, long_side, short_side };        // one-way mode uses both; hedge mode the other two
enum class OrderType { limit, market };
enum class TimeInForce { gtc, ioc, fok, post_only };
enum class TriggerBy { last, mark, index };
enum class TriggerWhen { rises, falls };                // fires when the price is at or beyond trigger_price

constexpr Side opposite(Side side) { return side == Side::buy ? Side::sell : Side::buy; }

// regular      an order of the book, or what a triggered child became
// conditional  waits for trigger_price: a user's stop order, or a stop that belongs to a position (see StopKind)
enum class OrderKind { regular, conditional };

// What kind of waiting order this is. `stop` and `take_profit` are ordinary orders of the user; the position_* ones are
// made and resized by the exchange for Market::set_position_stop (Bybit's trading-stop) and carry no client id.
enum class StopKind { none, stop, take_profit, trailing, position_stop_loss, position_take_profit, position_trailing,
                      partial_stop_loss, partial_take_profit };

// untriggered -> triggered -> (Bybit: the same order goes on as open/filled/...; Binance: a child order is made, the
// conditional one stays `triggered` until the child ends and becomes `finished`)
enum class OrderStatus { open, partially_filled, filled, canceled, rejected, expired, untriggered, triggered, finished };

// Stops of the whole position: one of each kind, resized by the exchange.
constexpr bool is_full_stop(StopKind kind) {
    return kind == StopKind::position_stop_loss || kind == StopKind::position_take_profit ||
           kind == StopKind::position_trailing;
}
constexpr bool is_partial_stop(StopKind kind) {
    return kind == StopKind::partial_stop_loss || kind == StopKind::partial_take_profit;
}

constexpr bool is_terminal(OrderStatus s) {
    return s == OrderStatus::filled || s == OrderStatus::canceled || s == OrderStatus::rejected ||
           s == OrderStatus::expired || s == OrderStatus::finished;
}

// Why an order ended without being filled.
enum class EndReason { none, user, reduce_only, post_only_would_take, no_liquidity, ioc_remainder, fok_unfillable,
                       market_remainder, position_closed, liquidation, adl, margin, delisting, sibling_triggered,
                       system_disconnect };

// Who wanted the order.
enum class Origin { user, stop_order, stop_loss, take_profit, trailing_stop, liquidation, adl, settlement };

struct Instrument {
    std::string symbol, base;                           // quote and margin asset are always USDT
    int64_t number = 0;                                 // small unique id
    Decimal tick, step, min_quantity, max_quantity, max_market_quantity, min_notional, min_price, max_price;
    int max_leverage = 100;
    Decimal maintenance_rate;                           // 0.005 = 0.5 %
    std::string status = "trading";                     // trading | closed | pre_launch | delivering
    Ms launched_ms = 0;

    Decimal mark, last, index, previous_24h;            // mark moves the PnL, last is where taker orders fill
    Decimal funding_rate;
    Ms next_funding_ms = 0;
    int64_t sequence = 0;                               // strictly increasing, shared by orders, fills, positions, trades, prices
    int64_t price_version = 0;                          // grows with each change of mark or last

    // The book in front of taker orders. Unset: endless at the last price. Set: at most so much is filled, the rest is
    // cancelled (IOC, market) or rests. `parts` > 1 cuts every taker fill into so many executions of one matching event.
    std::optional<Decimal> depth;
    int parts = 1;
    int ticks_apart = 0;                              // each part so many ticks worse for the taker than the one before

    bool is_trading() const { return status == "trading"; }
    // What was traded within 24 hours, in USDT: of the first instrument most.
    Decimal quote_volume() const { return Decimal::of("9145099231.42") / number; }
};

// Stops asked for together with an order; they become position stops after its first fill (Bybit).
struct AttachedStops {
    std::optional<Decimal> stop_loss, take_profit;
    TriggerBy stop_loss_by = TriggerBy::last, take_profit_by = TriggerBy::last;
    bool any() const { return stop_loss || take_profit; }
};

struct Order {
    std::string id;                                     // Bybit: UUID; Binance: decimal digits (orders and algo orders count apart)
    int64_t number = 0;                                 // Binance: the same id as a number; Bybit: running number
    std::string client_id;                              // may be empty
    std::string account, symbol;
    OrderKind kind = OrderKind::regular;
    StopKind stop_kind = StopKind::none;
    Origin origin = Origin::user;
    Side side = Side::buy;
    Slot slot = Slot::both;
    OrderType type = OrderType::market;
    TimeInForce time_in_force = TimeInForce::gtc;
    Decimal quantity;                                   // 0 for close_position orders that wait
    Decimal price;                                      // market orders: the slippage bound on Bybit, 0 on Binance
    Decimal filled, filled_value, fees;                 // value = sum of quantity x price; fees positive = paid
    Decimal realized_pnl;                               // gross, of the closing part
    bool reduce_only = false, close_position = false, close_on_trigger = false;
    OrderStatus status = OrderStatus::open;
    EndReason end_reason = EndReason::none;

    Decimal trigger_price;                              // conditional only; trailing: the present stop price
    TriggerBy trigger_by = TriggerBy::last;
    TriggerWhen trigger_when = TriggerWhen::falls;
    Decimal trailing_distance, trailing_percent;        // one of the two for trailing orders
    Decimal activation_price;                           // 0 = active at once
    bool trailing_active = false;
    Ms triggered_ms = 0;
    std::string parent_id;                              // child of a conditional order: that order's id
    std::string child_id;                               // conditional order: what it became (Binance)

    AttachedStops attached;
    Decimal last_price_on_created;
    Decimal initial_margin;                             // reserved while on the book
    bool fills_on_cancel = false;                       // control: the next cancel is accepted and then loses against a fill
    Ms created_ms = 0, updated_ms = 0;
    int64_t sequence = 0;                               // of the symbol, at the last change

    Decimal remaining() const { return quantity - filled; }
    Decimal average_price() const { return filled.is_zero() ? Decimal() : filled_value / filled; }
    // In hedge mode an order against its slot can only reduce, said or not.
    bool only_reduces() const {
        return reduce_only || close_on_trigger || (slot == Slot::long_side && side == Side::sell) ||
               (slot == Slot::short_side && side == Side::buy);
    }
    bool is_open() const { return !is_terminal(status); }
    bool is_on_book() const { return status == OrderStatus::open || status == OrderStatus::partially_filled; }
};

struct Fill {
    std::string trade_id;                               // Bybit: UUID; Binance: digits, unique per symbol
    int64_t number = 0;                                 // Binance: trade_id as a number
    std::string account, symbol, order_id, client_id;
    Side side = Side::buy;
    Slot slot = Slot::both;
    Decimal price, quantity, fee, fee_rate;
    Decimal realized_pnl;                               // gross
    Decimal closed_quantity;                            // part of quantity that reduced a position
    Decimal remaining;                                  // of the order, after this fill
    bool is_maker = false;
    Origin origin = Origin::user;
    Decimal mark_price;
    Ms time_ms = 0;
    int64_t sequence = 0;

    Decimal value() const { return price * quantity; }
};

struct Funding {
    std::string trade_id, account, symbol;
    int64_t number = 0;                                 // counts together with Fill::number
    Slot slot = Slot::both;
    Side position_side = Side::buy;                     // buy = long
    Decimal quantity, mark_price, rate;
    Decimal amount;                                     // added to the wallet: negative = paid
    Ms time_ms = 0;
    int64_t sequence = 0;
};

// One row per closing order (Bybit's closed-pnl).
struct ClosedPnl {
    std::string account, symbol, order_id;
    Side side = Side::sell;                             // of the closing order
    Origin origin = Origin::user;
    OrderType order_type = OrderType::market;
    Decimal order_quantity, order_price, quantity, entry_value, exit_value, open_fee, close_fee, leverage;
    int fill_count = 0;
    Ms created_ms = 0, updated_ms = 0;
    Decimal pnl() const;                                // net of both fees
};

struct Position {
    std::string account, symbol;
    Slot slot = Slot::both;
    Decimal quantity;                                   // signed: negative = short, also in the short slot
    Decimal entry_price, entry_value;                   // value = |quantity| x average entry
    Decimal open_fee;                                   // paid for what is still open
    Decimal current_realized;                           // Bybit curRealisedPnl: of this holding, net of fees and funding
    Decimal total_realized_gross;                       // Binance `cr`: before fees
    Decimal total_realized;                             // Bybit cumRealisedPnl: net, all time
    Decimal leverage = 10;
    Decimal stop_loss, take_profit, trailing_stop;      // position stops, 0 = none
    TriggerBy stop_loss_by = TriggerBy::last, take_profit_by = TriggerBy::last;
    Ms created_ms = 0, opened_ms = 0, updated_ms = 0;   // created: first position ever; opened 0 = flat
    int64_t sequence = -1;                              // of the symbol at the last order or fill touching it; -1 never

    Decimal unrealized, initial_margin, maintenance_margin;     // at the present mark price
    bool is_flat() const { return quantity.is_zero(); }
    bool is_long() const { return quantity.sign() > 0; }
};

// One asset of one account. Only USDT moves by trading.
struct Balance {
    std::string asset;
    Decimal wallet, total_realized;
    Ms updated_ms = 0;
};

// Sums over the positions and open orders of one account, at present mark prices.
struct Totals {
    Decimal unrealized, position_initial, position_maintenance, order_initial;
};

// ---- the journal: what happened, as copies taken at that moment -------------------------------------------------

// One matching event writes, in this order and with one sequence: OrderChanged{crossing} (accepted, still unfilled),
// Traded for each execution, OrderChanged with the state it ended in, PositionChanged, then what followed from it
// (position stops made, resized, cancelled), WalletChanged. A venue that reports fills one by one takes everything from
// Traded and skips the closing OrderChanged when it says filled or partially_filled and is not `amended`, and skips
// PositionChanged and WalletChanged when `why` is fill or order.

// An order was created, changed or ended. `crossing`: it goes on to fill in the same matching event (Bybit shows no New
// for those, Binance does). `refused_late`: a cancel that lost against a fill (Bybit's double Filled).
struct OrderChanged { Order order; bool crossing = false, amended = false, refused_late = false; };
// All three as they are right after this one execution.
struct Traded { Fill fill; Order order; Position position; Balance balance; };
// why: order activity (nothing changed but the sequence), fill, funding, settings (stops, leverage, mode)
enum class PositionWhy { order_activity, fill, funding, settings };
struct PositionChanged { Position position; Decimal mark; PositionWhy why; };
enum class WalletWhy { order, fill, funding, deposit, settings };
struct WalletChanged { Balance balance; Totals totals; Decimal change; WalletWhy why; std::string symbol; };
struct FundingPaid { Funding funding; };
struct LeverageChanged { std::string symbol; Decimal leverage; };
struct PriceChanged { std::string symbol; };            // read the instrument; only the latest state matters
struct PublicTrade { std::string trade_id; Side taker; Decimal price, quantity; };
struct InstrumentChanged { std::string symbol; };

struct Event {
    int64_t number = 0;                                 // position in the journal, from 1
    Ms time_ms = 0;
    std::string account;                                // empty for public events
    std::string symbol;
    int64_t sequence = 0;                               // equal for everything that belongs to one matching event
    std::variant<OrderChanged, Traded, PositionChanged, WalletChanged, FundingPaid, LeverageChanged, PriceChanged,
                 PublicTrade, InstrumentChanged> what;
};

}  // namespace market
