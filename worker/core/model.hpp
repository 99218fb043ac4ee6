// The nouns of the account, venue-neutral: what the codecs produce, the core reasons about and the tables store.
// Plain values. Times are venue milliseconds since 1970 (UTC); prices and quantities are Decimal; ids are text.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/decimal.hpp"

namespace tradesync {

enum class Side : std::uint8_t { buy, sell };
enum class PositionSide : std::uint8_t { both, long_, short_ };  // both = one-way mode
enum class OrderKind : std::uint8_t { regular, conditional };
enum class Source : std::uint8_t { stream, rest };
enum class Purpose : std::uint8_t { external, entry, stop_loss, take_profit, close };

enum class OrderStatus : std::uint8_t {
#define ORDER_STATE(name, rank, terminal, meaning) name,
#define ORDER_MOVE(from, to)
#include "core/order_states.def"
#undef ORDER_STATE
#undef ORDER_MOVE
};

// The words the tables use ("new", "partially_filled", "buy", "long", "conditional" …).
std::string_view text(Side side);
std::string_view text(PositionSide side);
std::string_view text(OrderKind kind);
std::string_view text(OrderStatus status);
std::string_view text(Source source);
std::string_view text(Purpose purpose);
Purpose purpose_from(std::string_view text);  // an unknown word is external
std::optional<OrderStatus> order_status_from(std::string_view text);
std::optional<PositionSide> position_side_from(std::string_view text);
bool is_terminal(OrderStatus status);
int rank(OrderStatus status);

// Which of two reports about one thing is newer (DESIGN §11, Versions).
//   Bybit:   order = seq (0 when absent or -1), time = updatedTime
//   Binance: order = T,   time = E;  REST rows: order = time = updateTime (both 0 when updateTime is 0)
// When both carry `order` it decides, then `time`; otherwise `time` alone.
struct Version {
  std::int64_t order = 0;
  std::int64_t time = 0;
  bool newer_than(const Version& other) const;
  bool operator==(const Version&) const = default;
};

// One order, regular or conditional. A conditional Binance (algo) order and its child are two orders.
struct Order {
  std::string symbol;           // canonical: BTCUSDT
  std::string order_id;         // the venue's id (for an algo order its algoId)
  std::string client_order_id;  // "" when the venue sent none
  OrderKind kind = OrderKind::regular;
  Side side = Side::buy;
  PositionSide position_side = PositionSide::both;
  // market limit stop stop_market take_profit take_profit_market trailing_stop_market; an unknown word of the venue
  // comes through in lower case.
  std::string type;
  OrderStatus status = OrderStatus::new_;
  std::string venue_status;             // the venue's own word, kept beside ours
  std::optional<Decimal> price;         // nullopt for market orders and unset prices
  std::optional<Decimal> stop_price;    // trigger price
  Decimal quantity;                     // 0 for close-position orders
  Decimal filled_quantity;
  std::optional<Decimal> average_price; // nullopt while unfilled
  bool reduce_only = false;             // also true for close-position orders
  std::string child_order_id;           // Binance algo order: the regular order it became, "" before
  std::string reject_reason;            // "" when none
  std::int64_t created_ms = 0;          // 0 = the message does not say
  Version version;
  // Filled by the core, not by codecs: what the order is for.
  Purpose purpose = Purpose::external;
  std::int64_t position_id = 0;         // row of positions; 0 = as the tables find it
};

// One execution that changes a position. Funding is not a fill.
struct Fill {
  std::string symbol;
  std::string trade_id;         // unique per (account, symbol)
  std::string order_id;
  std::string client_order_id;  // "" when the message does not say (Binance userTrades)
  Side side = Side::buy;
  std::optional<PositionSide> position_side;  // nullopt: the message does not say (Bybit) – taken from the order
  Decimal price;
  Decimal quantity;
  Decimal fee;                  // positive = paid
  std::string fee_currency;
  std::optional<Decimal> realized_pnl;     // gross, as the venue reports it
  std::optional<Decimal> closed_quantity;  // part that reduced a position; nullopt when the venue does not say
  std::string exec_type;        // lower case: trade adl_trade bust_trade settle delivery …
  bool is_maker = false;
  std::int64_t executed_ms = 0;
  std::int64_t sequence = 0;    // comparable with Version::order of the position event of the same match (Bybit seq, Binance T)
};

// What the venue says about one (symbol, position side). quantity is signed: long > 0, short < 0, flat = 0.
// Optional fields that are nullopt mean "this message does not say": the stored value stays.
struct VenuePosition {
  std::string symbol;
  PositionSide position_side = PositionSide::both;
  Decimal quantity;
  Decimal entry_price;
  std::optional<Decimal> mark_price, unrealized_pnl, leverage, liquidation_price;
  std::optional<Decimal> stop_loss, take_profit;  // position-attached (Bybit); zero = none set
  std::int64_t opened_ms = 0;                     // 0 = the message does not say
  Version version;
};

struct Balance {
  std::string asset;
  Decimal wallet_balance;
  std::optional<Decimal> available_balance, equity;  // nullopt: not in this message
  std::int64_t updated_ms = 0;
};

struct Funding {
  std::string symbol;
  std::string funding_id;  // unique per (account, symbol)
  Decimal amount;          // positive = received, negative = paid
  std::optional<Decimal> rate;
  std::string asset;
  std::int64_t at_ms = 0;
};

// A price message may carry one of the two only (Bybit deltas).
struct Price {
  std::string symbol;
  std::optional<Decimal> mark, last;
  std::int64_t at_ms = 0;
};

// What was traded of a symbol within 24 hours.
struct Ticker {
  std::string symbol;
  Decimal quote_volume;
  std::optional<Decimal> last;
};

struct Instrument {
  std::string symbol, status;  // status: trading, pre_launch, settling, closed, or the venue's word in lower case
  std::string contract_type;   // perpetual, delivery … lower case
  std::string base_asset, quote_asset, settle_asset;
  Decimal tick_size, quantity_step, min_quantity, max_quantity, max_market_quantity, min_notional;
  std::optional<Decimal> max_leverage;
};

struct Leverage {
  std::string symbol;
  Decimal leverage;
};

// "BTC/USDT:USDT" and "btcusdt" both become "BTCUSDT": drop ":SETTLE", drop "/", ASCII upper case.
std::string canonical_symbol(std::string_view symbol);

}  // namespace tradesync
