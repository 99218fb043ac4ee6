// The model exchange of one venue: accounts, instruments, prices, orders, positions, money. Pure: no clock (time comes in
// as venue milliseconds, never going backwards), no randomness but the seed, no sockets, no threads.
// What a venue calls things, which code it answers and in which order its messages leave is the face's business
// (face.hpp); where the two venues *behave* differently the difference is one named member of Rules.
// Every change appends events to a journal; take_events() hands them over once, oldest first.
#pragma once

#include "market/model.hpp"
#include "market/random.hpp"

#include <deque>
#include <functional>
#include <set>
#include <unordered_map>

namespace market {

struct Rules {
    Venue venue = Venue::bybit;
    Decimal taker_fee, maker_fee;
    bool client_id_unique_forever = true;      // Bybit: yes; Binance: among open orders only
    bool truncates_off_step_quantity = true;   // Bybit: silently down; Binance: refused
    bool refuses_post_only_and_fok = false;    // Binance: refused at once; Bybit: accepted, then cancelled
    bool trigger_makes_child = false;          // Binance: a regular order with a new id; Bybit: the same order goes on
    bool reduce_only_exempt_from_notional = true;
    bool ends_oddly = false;                   // words that venues have been seen to end with, or could: Bybit Rejected after
                                               // fills, Binance EXPIRED for an algo order whose child ended short
    size_t max_open_orders_per_symbol = 500;
    size_t max_conditional_per_symbol = 10;    // Bybit; Binance: 200 per account
    size_t max_conditional_per_account = 100'000;
    Decimal close_fee_rate;                    // Bybit: fee assumed for closing in margin figures; Binance: 0
    int64_t first_order_number = 1;            // Binance: above 2^53 on purpose, so that a double loses digits
    int64_t first_algo_number = 1, first_trade_number = 1;

    static Rules of(Venue venue);
};

// Why a request was refused; the face maps it to the venue's code and text. `none` = accepted.
enum class Refusal {
    none, unknown_symbol, symbol_not_trading, quantity_zero, quantity_below_min, quantity_above_max, quantity_off_step,
    price_missing, price_off_tick, price_below_min, price_above_max, notional_below_min, margin_insufficient,
    reduce_only_no_position, reduce_only_same_side, wrong_slot, duplicate_client_id, unknown_order, order_finished,
    would_trigger_at_once, post_only_would_take, fok_unfillable, close_position_stop_exists, too_many_orders,
    too_many_conditional, not_modified, quantity_below_filled, no_position, stop_loss_wrong_side, take_profit_wrong_side,
    too_many_partial_stops, leverage_out_of_range, position_exists, open_orders_exist, not_amendable
};

struct OrderRequest {
    std::string symbol, client_id;
    Side side = Side::buy;
    Slot slot = Slot::both;
    OrderType type = OrderType::market;
    TimeInForce time_in_force = TimeInForce::gtc;      // market orders are always immediate-or-cancel
    Decimal quantity, price;                           // price for limit orders only
    bool reduce_only = false;
    bool close_position = false;                       // Binance conditional: everything held when it triggers;
                                                       // Bybit "qty 0 + reduceOnly + closeOnTrigger": everything now
    bool close_on_trigger = false;
    // conditional when set:
    StopKind stop_kind = StopKind::none;               // stop, take_profit or trailing
    Decimal trigger_price;
    TriggerBy trigger_by = TriggerBy::last;
    std::optional<TriggerWhen> trigger_when;           // unset: derived from side and stop_kind
    Decimal trailing_percent, activation_price;
    AttachedStops attached;
};

struct Placed {
    Refusal refusal = Refusal::none;
    const Order* order = nullptr;                      // set iff accepted; the state after immediate fills. Orders are never removed
    explicit operator bool() const { return refusal == Refusal::none; }
};

struct AmendRequest {
    std::optional<Decimal> quantity, price, trigger_price, stop_loss, take_profit;
};

// Position stops. An unset member is left alone, a zero removes.
struct StopRequest {
    std::optional<Decimal> stop_loss, take_profit, trailing_distance;
    TriggerBy stop_loss_by = TriggerBy::last, take_profit_by = TriggerBy::last;
    Decimal activation_price;                          // trailing; 0 = at once
    Decimal partial_quantity;                          // > 0: adds partial stops of that size instead of changing the full ones
    Decimal limit_price;                               // > 0: partial stops become limit orders
};

struct Account {
    std::string key, secret;
    int64_t uid = 0;
    bool hedge = false;                                // default for symbols without own setting
    bool read_only = false;
    std::map<std::string, Balance> balances;           // by asset; USDT always present
    std::map<std::string, bool> hedge_by_symbol;       // Bybit only
    std::map<std::string, Decimal> leverage;           // by symbol; absent = Account::default_leverage
    Decimal default_leverage = 10;
    std::map<std::pair<std::string, Slot>, Position> positions;   // keeps flat ones that ever existed
    std::deque<Order> orders;                          // oldest first; never shrinks, so pointers stay valid
    std::deque<Fill> fills;                            // oldest first
    std::deque<Funding> funding;
    std::deque<ClosedPnl> closed;                      // oldest first
    std::map<std::string, std::set<size_t>> open;      // by symbol: indexes into orders, of the non-terminal ones
    std::unordered_map<std::string, size_t> by_id;         // regular and Bybit orders
    std::unordered_map<std::string, size_t> by_algo_id;    // Binance conditional orders
    std::unordered_map<std::string, size_t> by_client_id;  // the latest with that id: regular orders (Bybit: all)
    std::unordered_map<std::string, size_t> by_algo_client_id;
    Totals totals;

    // The open orders of one symbol, or of all when empty; oldest first within a symbol.
    std::vector<const Order*> open_orders(const std::string& symbol = "") const;
    bool is_hedge(const std::string& symbol) const;
    const Decimal& leverage_of(const std::string& symbol) const;
    const Balance& usdt() const { return balances.at("USDT"); }
    // Shared look-ups; nullptr when unknown. `algo` selects Binance's separate conditional id space.
    const Order* order(const std::string& id, bool algo = false) const;
    const Order* order_by_client_id(const std::string& client_id, bool algo = false) const;
    const Position* position(const std::string& symbol, Slot slot) const;
};

class Market {
public:
    Market(Venue venue, uint64_t seed);
    Market(const Market&) = delete;
    Market& operator=(const Market&) = delete;

    Rules rules;
    Random random;                                     // one stream for everything drawn by market and face

    // ---- accounts and instruments
    Account& add_account(std::string key, std::string secret, Decimal wallet, bool hedge);
    Account* account(const std::string& key);          // nullptr when unknown
    const std::map<std::string, Account>& accounts() const { return accounts_; }
    void add_usual_instruments(Ms now);                // about 40 USDT perpetuals with sane filters and prices
    void add_synthetic_instruments(int count, Ms now); // SYM0001USDT ...; existing ones are kept
    const std::map<std::string, Instrument>& instruments() const { return instruments_; }
    const Instrument* instrument(const std::string& symbol) const;
    void set_instrument_status(const std::string& symbol, const std::string& status, Ms now);
    void set_book(const std::string& symbol, std::optional<Decimal> depth, int parts, int ticks_apart = 0);
    void deposit(Account& account, Decimal amount, Ms now);

    // ---- prices. Resting orders that the new last price reaches fill at their own price as makers; waiting orders
    // whose trigger is reached fire. An unset price is left alone.
    void set_price(const std::string& symbol, std::optional<Decimal> mark, std::optional<Decimal> last, Ms now);
    void random_walk(const std::string& symbol, Ms now);   // both prices move up to 5 basis points, by the seed

    // ---- orders
    Placed place(Account& account, const OrderRequest& request, Ms now);
    Refusal amend(Account& account, const Order& order, const AmendRequest& request, Ms now);
    Refusal cancel(Account& account, const Order& order, Ms now, EndReason why = EndReason::user);
    // Cancels the open orders that `wanted` accepts, oldest first, and returns them.
    std::vector<const Order*> cancel_all(Account& account, const std::function<bool(const Order&)>& wanted, Ms now);
    // Control only: fills (part of) an order on the book as maker at that price. quantity is capped at the remainder.
    Refusal fill(Account& account, const Order& order, Decimal quantity, Decimal price, Ms now);
    // Control only: the next cancel of this resting order is accepted and then loses against a fill.
    void lose_next_cancel(Account& account, const Order& order) { writable(account, order).fills_on_cancel = true; }
    // Control only: fires a waiting order now, whatever the price.
    void trigger(Account& account, const Order& order, Ms now);

    // ---- positions
    Refusal set_position_stop(Account& account, const std::string& symbol, Slot slot, const StopRequest& request, Ms now);
    Refusal set_leverage(Account& account, const std::string& symbol, Decimal leverage, Ms now);
    // Hedge mode of one symbol, or of the account when symbol is empty.
    Refusal set_hedge(Account& account, const std::string& symbol, bool hedge, Ms now);
    void liquidate(Account& account, const std::string& symbol, Ms now);
    void pay_funding(const std::string& symbol, Decimal rate, Ms now);
    // Opens a position out of nothing, without order, fill or event: something that existed before anybody looked.
    void seed_position(Account& account, const std::string& symbol, Slot slot, Decimal signed_quantity, Ms now);

    // ---- the journal
    std::vector<Event> take_events();

private:
    // market.cpp
    Instrument& instrument_at(const std::string& symbol) { return instruments_.at(symbol); }
    Position& position_at(Account& account, const std::string& symbol, Slot slot);
    int64_t advance(const std::string& symbol);        // the symbol's next sequence
    void emit(decltype(Event::what) what, const std::string& account, const std::string& symbol, int64_t sequence, Ms now);
    void emit_position(Account& account, const Position& position, PositionWhy why, int64_t sequence, Ms now);
    void emit_wallet(Account& account, const std::string& symbol, WalletWhy why, Decimal change, int64_t sequence, Ms now);
    void refresh(Account& account, Position& position);     // unrealised PnL and margins, in the totals too
    void refresh(Account& account, Order& order);           // reserved margin, in the totals too

    // orders.cpp
    Refusal check(const Account& account, const OrderRequest& request, Decimal& quantity) const;
    Refusal check_quantity(const Instrument& instrument, const OrderRequest& request, Decimal quantity) const;
    Refusal check_conditional(const Account& account, const OrderRequest& request) const;
    Refusal check_margin(const Account& account, const OrderRequest& request, Decimal quantity) const;
    Order make_order(Account& account, const OrderRequest& request, Decimal quantity, Ms now);
    Order& insert(Account& account, Order order);
    Order& writable(Account& account, const Order& order);
    void report_order_activity(Account& account, const Order& order, Ms now);
    void end(Account& account, Order& order, OrderStatus status, EndReason why, int64_t sequence, Ms now);

    // matching.cpp
    bool would_cross(const Order& order) const;
    void match(Account& account, Order& order, int64_t sequence, Ms now);
    void execute(Account& account, Order& order, Decimal quantity, Decimal price, bool is_maker, int64_t sequence, Ms now);
    void settle(Account& account, Order& order, int64_t sequence, Ms now);
    void fire(Account& account, Order& order, Ms now);
    void fire_child(Account& account, Order& parent, Ms now);
    void trail(Order& order, const Instrument& instrument);
    bool is_triggered(const Order& order, const Instrument& instrument) const;
    void sweep(const std::string& symbol, Ms now);

    // positions.cpp
    void apply_to_position(Account& account, Order& order, Fill& fill, Ms now);
    void record_closed(Account& account, const Order& order, const Fill& fill, Decimal entry_value, Decimal open_fee, Ms now);
    void follow_position(Account& account, Position& position, int64_t sequence, Ms now);
    void attach_stops(Account& account, Order& order, Position& position, int64_t sequence, Ms now);
    struct StopTerms { Decimal price; TriggerBy by = TriggerBy::last; Decimal activation, partial_quantity, limit_price; };
    void put_stop(Account& account, Position& position, StopKind kind, const StopTerms& terms, int64_t sequence, Ms now);
    Order* open_stop(Account& account, const Position& position, StopKind kind);

    std::map<std::string, Instrument> instruments_;
    std::map<std::string, Account> accounts_;
    std::vector<Event> journal_;
    int64_t last_event_number_ = 0;
    int64_t next_order_number_, next_algo_number_, next_trade_number_;
};

}  // namespace market
