// Public REST market data (binance-usdm.md 6).
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

namespace market::binance {

namespace {

constexpr Ms kDay = 86'400'000;
constexpr Ms kFundingInterval = 8 * 3'600'000;

std::string price(const Instrument& i, Decimal value) { return value.fixed(price_digits(i)); }
Decimal bid(const Instrument& i) { return max(i.last - i.tick, i.tick); }

std::string filters(const Instrument& i, size_t max_orders) {
    const auto lot = [](JsonWriter& w, const char* type, const Instrument& instrument, Decimal most) {
        w.open().field("filterType", type).field("minQty", instrument.min_quantity).field("maxQty", most)
            .field("stepSize", instrument.step).close();
    };
    JsonWriter w;
    w.array().open().field("filterType", "PRICE_FILTER").field("minPrice", price(i, i.min_price))
        .field("maxPrice", i.max_price).field("tickSize", price(i, i.tick)).close();
    lot(w, "LOT_SIZE", i, i.max_quantity);
    lot(w, "MARKET_LOT_SIZE", i, i.max_market_quantity);
    w.open().field("filterType", "MAX_NUM_ORDERS").number("limit", static_cast<int64_t>(max_orders)).close()
        .open().field("filterType", "MIN_NOTIONAL").field("notional", i.min_notional).close()
        .open().field("filterType", "PERCENT_PRICE").field("multiplierUp", "1.0500").field("multiplierDown", "0.9500")
        .field("multiplierDecimal", "4").close()
        .open().field("filterType", "POSITION_RISK_CONTROL").field("positionControlSide", "NONE").close().end_array();
    return w.take();
}

std::string symbol_row(const Instrument& i, size_t max_orders) {
    JsonWriter w;
    w.open().field("symbol", i.symbol).field("pair", i.symbol).field("contractType", "PERPETUAL")
        .number("deliveryDate", 4'133'404'800'000).number("onboardDate", i.launched_ms)
        .field("status", instrument_status_word(i)).field("maintMarginPercent", "2.5000")
        .field("requiredMarginPercent", "5.0000").field("baseAsset", i.base).field("quoteAsset", "USDT")
        .field("marginAsset", "USDT").number("pricePrecision", price_digits(i)).number("quantityPrecision", quantity_digits(i))
        .number("baseAssetPrecision", 8).number("quotePrecision", 8).field("underlyingType", "COIN")
        .key("underlyingSubType").array().end_array().field("triggerProtect", "0.0500").field("liquidationFee", "0.012500")
        .field("marketTakeBound", "0.05").number("maxMoveOrderLimit", 10000).key("filters").raw(filters(i, max_orders))
        .key("orderTypes").raw(R"(["LIMIT","MARKET","STOP","STOP_MARKET","TAKE_PROFIT","TAKE_PROFIT_MARKET","TRAILING_STOP_MARKET"])")
        .key("timeInForce").raw(R"(["GTC","IOC","FOK","GTX"])").key("permissionSets").raw(R"(["GRID","COPY"])").close();
    return w.take();
}

constexpr const char* kRateLimits =
    R"([{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400},)"
    R"({"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200},)"
    R"({"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":300}])";

}  // namespace

std::variant<std::vector<const Instrument*>, Problem> BinanceFace::wanted_instruments(const Call& call) const {
    const std::string symbol = call.parameters.get("symbol");
    std::vector<const Instrument*> wanted;
    if (!symbol.empty()) {
        const Instrument* instrument = market_.instrument(symbol);
        if (!instrument) return refusal_problem(Refusal::unknown_symbol, nullptr);
        wanted.push_back(instrument);
        return wanted;
    }
    for (const auto& [name, instrument] : market_.instruments()) wanted.push_back(&instrument);
    return wanted;
}

// One object for a named symbol, an array of them without one.
template <class RowOf>
HttpReply BinanceFace::per_instrument(const Call& call, RowOf row_of) const {
    const auto wanted = wanted_instruments(call);
    if (const Problem* problem = std::get_if<Problem>(&wanted)) return refused(*problem);
    const auto& instruments = std::get<std::vector<const Instrument*>>(wanted);
    if (call.parameters.has("symbol")) return ok(row_of(*instruments.front()));
    JsonWriter w;
    w.array();
    for (const Instrument* instrument : instruments) w.raw(row_of(*instrument));
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_ping(Call&) { return ok("{}"); }

HttpReply BinanceFace::get_time(Call& call) {
    JsonWriter w;
    return ok(w.open().number("serverTime", call.now).close().take());
}

HttpReply BinanceFace::get_exchange_info(Call& call) {
    JsonWriter w;
    w.open().key("exchangeFilters").array().end_array().key("rateLimits").raw(kRateLimits).number("serverTime", call.now)
        .key("assets").raw(R"([{"asset":"USDT","marginAvailable":true,"autoAssetExchange":"-10000"}])").key("symbols").array();
    for (const auto& [symbol, instrument] : market_.instruments()) {
        w.raw(symbol_row(instrument, market_.rules.max_open_orders_per_symbol));
    }
    return ok(w.end_array().field("timezone", "UTC").field("futuresType", "U_MARGINED").close().take());
}

HttpReply BinanceFace::get_premium_index(Call& call) {
    return per_instrument(call, [&](const Instrument& i) {
        JsonWriter w;
        return w.open().field("symbol", i.symbol).field("markPrice", i.mark.fixed(8)).field("indexPrice", i.index.fixed(8))
            .field("estimatedSettlePrice", i.mark.fixed(8)).field("lastFundingRate", i.funding_rate.fixed(8))
            .field("interestRate", "0.00010000").number("nextFundingTime", i.next_funding_ms).number("time", call.now)
            .close().take();
    });
}

HttpReply BinanceFace::get_ticker_24h(Call& call) {
    return per_instrument(call, [&](const Instrument& i) {
        const Decimal change = i.last - i.previous_24h;
        JsonWriter w;
        return w.open().field("symbol", i.symbol).field("priceChange", price(i, change))
            .field("priceChangePercent", (change * 100 / i.previous_24h).fixed(3)).field("weightedAvgPrice", price(i, i.last))
            .field("lastPrice", price(i, i.last)).field("lastQty", i.min_quantity).field("openPrice", price(i, i.previous_24h))
            .field("highPrice", price(i, max(i.last, i.previous_24h))).field("lowPrice", price(i, min(i.last, i.previous_24h)))
            .field("volume", "148213.551").field("quoteVolume", i.quote_volume().fixed(2)).number("openTime", call.now - kDay)
            .number("closeTime", call.now).number("firstId", 6'900'000'001).number("lastId", 6'903'120'044)
            .number("count", 3'120'044).close().take();
    });
}

HttpReply BinanceFace::get_ticker_price(Call& call) {
    return per_instrument(call, [&](const Instrument& i) {
        JsonWriter w;
        return w.open().field("symbol", i.symbol).field("price", price(i, i.last)).number("time", call.now).close().take();
    });
}

HttpReply BinanceFace::get_book_ticker(Call& call) {
    return per_instrument(call, [&](const Instrument& i) {
        JsonWriter w;
        return w.open().field("symbol", i.symbol).field("bidPrice", price(i, bid(i))).field("bidQty", "7.310")
            .field("askPrice", price(i, i.last)).field("askQty", "4.822").number("time", call.now)
            .number("lastUpdateId", i.sequence).close().take();
    });
}

HttpReply BinanceFace::get_depth(Call& call) {
    const Instrument* i = market_.instrument(call.parameters.get("symbol"));
    if (!i) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    JsonWriter w;
    w.open().number("lastUpdateId", i->sequence).number("E", call.now).number("T", call.now)
        .key("bids").array().array().value(price(*i, bid(*i))).value("7.310").end_array().end_array()
        .key("asks").array().array().value(price(*i, i->last)).value("4.822").end_array().end_array().close();
    return ok(w.take());
}

// One flat candle: the model keeps no price history.
HttpReply BinanceFace::get_klines(Call& call) {
    const Instrument* i = market_.instrument(call.parameters.get("symbol"));
    if (!i) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    const std::string last = price(*i, i->last);
    const Ms open = call.now - call.now % 60'000;
    JsonWriter w;
    w.array().array().raw(std::to_string(open)).value(last).value(last).value(last).value(last).value("1.000")
        .raw(std::to_string(open + 59'999)).value(last).raw("1").value("0.500").value(last).value("0").end_array().end_array();
    return ok(w.take());
}

HttpReply BinanceFace::get_funding_rate(Call& call) {
    const auto wanted = wanted_instruments(call);
    if (const Problem* problem = std::get_if<Problem>(&wanted)) return refused(*problem);
    JsonWriter w;
    w.array();
    for (const Instrument* i : std::get<std::vector<const Instrument*>>(wanted)) {
        w.open().field("symbol", i->symbol).field("fundingRate", i->funding_rate.fixed(8)).field("markPrice", i->mark.fixed(8))
            .number("fundingTime", i->next_funding_ms - kFundingInterval).field("rateType", "Regular").close();
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_empty_list(Call&) { return ok("[]"); }

}  // namespace market::binance
