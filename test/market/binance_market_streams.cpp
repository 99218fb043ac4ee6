// See binance_market_streams.hpp. The book has one level on each side: ask at the last price, bid one tick below.
#include "market/binance_market_streams.hpp"

#include "market/binance_words.hpp"
#include "market/json_writer.hpp"

#include <algorithm>
#include <cctype>

namespace market::binance {

namespace {

constexpr Ms kSecond = 1000;
constexpr Ms kDay = 86'400'000;
constexpr int kUsdMargined = 1;        // `st`

struct Form { std::string_view suffix; Topic topic; Ms period; };
constexpr Form kPerSymbol[] = {
    {"bookTicker", Topic::book_ticker, 0},          {"depth5", Topic::depth, 0},
    {"depth10", Topic::depth, 0},                   {"depth20", Topic::depth, 0},
    {"depth5@100ms", Topic::depth, 0},              {"depth10@100ms", Topic::depth, 0},
    {"depth20@100ms", Topic::depth, 0},             {"markPrice", Topic::mark_price, 3 * kSecond},
    {"markPrice@1s", Topic::mark_price, kSecond},   {"ticker", Topic::ticker, 2 * kSecond},
    {"miniTicker", Topic::mini_ticker, 2 * kSecond},{"aggTrade", Topic::aggregate_trade, 0},
};
constexpr Form kAllSymbols[] = {
    {"!bookTicker", Topic::book_ticker, 5 * kSecond},      {"!markPrice@arr", Topic::mark_price, 3 * kSecond},
    {"!markPrice@arr@1s", Topic::mark_price, kSecond},     {"!ticker@arr", Topic::ticker, kSecond},
    {"!miniTicker@arr", Topic::mini_ticker, kSecond},      {"!contractInfo", Topic::contract_info, 0},
};

Decimal bid(const Instrument& i) { return max(i.last - i.tick, i.tick); }
std::string price(const Instrument& i, Decimal value) { return value.fixed(price_digits(i)); }

JsonWriter begin(const char* type, Ms now) {
    JsonWriter w;
    w.open().field("e", type).number("E", now);
    return w;
}

std::string one_text(Topic topic, const Instrument& instrument, Ms now) {
    switch (topic) {
        case Topic::book_ticker: return book_ticker_text(instrument, now);
        case Topic::depth: return depth_text(instrument, now);
        case Topic::mark_price: return mark_price_text(instrument, now);
        case Topic::ticker: return ticker_text(instrument, now);
        case Topic::mini_ticker: return mini_ticker_text(instrument, now);
        case Topic::contract_info: return contract_info_text(instrument, now);
        case Topic::aggregate_trade:
        case Topic::silent: break;
    }
    return {};
}

}  // namespace

MarketStream MarketStream::parse(std::string_view name) {
    MarketStream stream;
    stream.name = name;
    for (const Form& form : kAllSymbols) {
        if (name != form.suffix) continue;
        stream.topic = form.topic;
        stream.period_ms = form.period;
        return stream;
    }
    const size_t at = name.find('@');
    if (at == std::string_view::npos || at == 0) return stream;
    for (const Form& form : kPerSymbol) {
        if (name.substr(at + 1) != form.suffix) continue;
        stream.topic = form.topic;
        stream.period_ms = form.period;
        stream.symbol = name.substr(0, at);
        // Stream names are lower case; a name in capitals names no stream.
        if (std::any_of(stream.symbol.begin(), stream.symbol.end(), [](unsigned char c) { return std::isupper(c); })) {
            stream.topic = Topic::silent;
        }
        std::transform(stream.symbol.begin(), stream.symbol.end(), stream.symbol.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
    return stream;
}

Route MarketStream::home() const {
    return topic == Topic::book_ticker || topic == Topic::depth ? Route::public_data : Route::market_data;
}

bool MarketStream::delivers_on(Route route) const {
    if (topic == Topic::silent) return false;
    return route == home() || (route == Route::unrouted && home() == Route::public_data);
}

std::string book_ticker_text(const Instrument& i, Ms now) {
    return begin("bookTicker", now).number("u", i.sequence).number("T", now).field("s", i.symbol).field("ps", i.symbol)
        .field("b", price(i, bid(i))).field("B", "7.310").field("a", price(i, i.last)).field("A", "4.822")
        .number("st", kUsdMargined).close().take();
}

std::string depth_text(const Instrument& i, Ms now) {
    return begin("depthUpdate", now).number("T", now).field("s", i.symbol).number("U", i.sequence).number("u", i.sequence)
        .number("pu", i.sequence - 1).key("b").array().array().value(price(i, bid(i))).value("7.310").end_array().end_array()
        .key("a").array().array().value(price(i, i.last)).value("4.822").end_array().end_array().close().take();
}

std::string mark_price_text(const Instrument& i, Ms now) {
    return begin("markPriceUpdate", now).field("s", i.symbol).field("p", i.mark.fixed(8)).field("ap", i.mark.fixed(8))
        .field("i", i.index.fixed(8)).field("P", i.mark.fixed(8)).field("r", i.funding_rate.fixed(8))
        .number("T", i.next_funding_ms).number("st", kUsdMargined).close().take();
}

std::string ticker_text(const Instrument& i, Ms now) {
    const Decimal change = i.last - i.previous_24h;
    return begin("24hrTicker", now).field("s", i.symbol).field("ps", i.symbol).field("p", price(i, change))
        .field("P", (change * 100 / i.previous_24h).fixed(3)).field("w", price(i, i.last)).field("c", price(i, i.last))
        .field("Q", i.min_quantity).field("o", price(i, i.previous_24h)).field("h", price(i, max(i.last, i.previous_24h)))
        .field("l", price(i, min(i.last, i.previous_24h))).field("v", "148213.551").field("q", i.quote_volume().fixed(2))
        .number("O", now - kDay).number("C", now).number("F", 6'900'000'001).number("L", 6'903'120'044)
        .number("n", 3'120'044).number("st", kUsdMargined).close().take();
}

std::string mini_ticker_text(const Instrument& i, Ms now) {
    return begin("24hrMiniTicker", now).field("s", i.symbol).field("c", price(i, i.last)).field("o", price(i, i.previous_24h))
        .field("h", price(i, max(i.last, i.previous_24h))).field("l", price(i, min(i.last, i.previous_24h)))
        .field("v", "148213.551").field("q", i.quote_volume().fixed(2)).number("st", kUsdMargined).close().take();
}

std::string aggregate_trade_text(const std::string& symbol, const PublicTrade& trade, int64_t number, Ms now) {
    return begin("aggTrade", now).number("a", number).field("s", symbol).field("p", trade.price).field("q", trade.quantity)
        .field("nq", trade.quantity).number("f", number).number("l", number).number("T", now)
        .boolean("m", trade.taker == Side::sell).number("st", kUsdMargined).close().take();
}

std::string contract_info_text(const Instrument& i, Ms now) {
    return begin("contractInfo", now).field("s", i.symbol).field("ps", i.symbol).field("ct", "PERPETUAL")
        .number("dt", 4'133'404'800'000).number("ot", i.launched_ms).field("cs", instrument_status_word(i))
        .number("st", kUsdMargined).close().take();
}

std::string tick_text(const MarketStream& stream, const Market& market, Ms now) {
    if (!stream.symbol.empty()) {
        const Instrument* instrument = market.instrument(stream.symbol);
        return instrument ? one_text(stream.topic, *instrument, now) : std::string();
    }
    JsonWriter w;
    w.array();
    for (const auto& [symbol, instrument] : market.instruments()) w.raw(one_text(stream.topic, instrument, now));
    return w.end_array().take();
}

}  // namespace market::binance
