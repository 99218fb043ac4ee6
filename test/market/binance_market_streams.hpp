// Binance's market streams (binance-usdm.md 1.1, 14.2): names, the route each lives on, when it ticks, what it says.
#pragma once

#include "market/market.hpp"

#include <string_view>

namespace market::binance {

// unrouted: the old URLs; they open and acknowledge, but deliver only what /public delivers.
enum class Route { public_data, market_data, private_data, unrouted };

enum class Topic { book_ticker, depth, mark_price, ticker, mini_ticker, aggregate_trade, contract_info, silent };

// A stream name taken apart. Unknown names become `silent`: acknowledged, never heard of again.
struct MarketStream {
    std::string name;                  // as the client wrote it
    Topic topic = Topic::silent;
    std::string symbol;                // upper case; empty: all symbols
    Ms period_ms = 0;                  // ticks at multiples of this; 0 = when something happens
    int64_t last_slot = 0;             // the last tick: venue time / period_ms
    int64_t last_version = -1;         // price_version shown last

    static MarketStream parse(std::string_view name);
    Route home() const;
    bool delivers_on(Route route) const;
};

std::string book_ticker_text(const Instrument& instrument, Ms now);
std::string depth_text(const Instrument& instrument, Ms now);
std::string mark_price_text(const Instrument& instrument, Ms now);
std::string ticker_text(const Instrument& instrument, Ms now);
std::string mini_ticker_text(const Instrument& instrument, Ms now);
std::string aggregate_trade_text(const std::string& symbol, const PublicTrade& trade, int64_t number, Ms now);
std::string contract_info_text(const Instrument& instrument, Ms now);
// The payload of a ticking stream; an array for all symbols. Empty text: nothing to say.
std::string tick_text(const MarketStream& stream, const Market& market, Ms now);

}  // namespace market::binance
