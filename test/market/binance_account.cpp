// Account, positions, settings and listen keys over REST (binance-usdm.md 7, 11).
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

#include <algorithm>

namespace market::binance {

namespace {

constexpr size_t kIncomeDefault = 100, kIncomeMaximum = 1000;

std::string money(Decimal value) { return value.money().fixed(8); }

struct Income { Ms time_ms; const char* type; std::string symbol; Decimal amount; std::string trade_id; int64_t number; };

std::vector<Income> income_of(const Account& account) {
    std::vector<Income> rows;
    for (const Fill& fill : account.fills) {
        rows.push_back({fill.time_ms, "COMMISSION", fill.symbol, -fill.fee, fill.trade_id, fill.number});
        if (!fill.realized_pnl.is_zero()) {
            rows.push_back({fill.time_ms, "REALIZED_PNL", fill.symbol, fill.realized_pnl, fill.trade_id, fill.number});
        }
    }
    for (const Funding& funding : account.funding) {
        rows.push_back({funding.time_ms, "FUNDING_FEE", funding.symbol, funding.amount, "", funding.sequence});
    }
    std::stable_sort(rows.begin(), rows.end(), [](const Income& a, const Income& b) { return a.time_ms < b.time_ms; });
    return rows;
}

}  // namespace

// ---- money and positions

std::vector<Holding> BinanceFace::holdings(const Account& account, const Instrument& instrument) const {
    const bool isolated = isolated_.contains({account.key, instrument.symbol});
    std::vector<Slot> slots = {Slot::both};
    if (account.hedge) slots = {Slot::long_side, Slot::short_side};
    std::vector<Holding> found;
    for (const Slot slot : slots) {
        found.push_back({account, instrument, slot, account.position(instrument.symbol, slot), isolated,
                         market_.rules.taker_fee});
    }
    return found;
}

// Version 3 lists only what has a position or open orders.
std::vector<Holding> BinanceFace::active_holdings(const Account& account, Ms now) const {
    std::vector<Holding> found;
    for (const auto& [symbol, instrument] : market_.instruments()) {
        bool has_orders = false;
        for (const Order* order : account.open_orders(symbol)) has_orders |= is_visible(order->created_ms, now);
        for (Holding& holding : holdings(account, instrument)) {
            const bool held = !holding.amount().is_zero() && is_visible(holding.position->opened_ms, now);
            if (held || has_orders) found.push_back(holding);
        }
    }
    return found;
}

HttpReply BinanceFace::get_balance(Call& call) {
    const Worth worth(*call.account);
    JsonWriter w;
    w.array();
    for (const auto& [asset, balance] : call.account->balances) {
        const bool usdt = asset == "USDT";
        const std::string wallet = money(balance.wallet), free = usdt ? money(worth.available()) : wallet;
        w.open().field("accountAlias", "SgFzmYsR").field("asset", asset).field("balance", wallet)
            .field("crossWalletBalance", wallet).field("crossUnPnl", money(usdt ? worth.unrealized : Decimal()))
            .field("availableBalance", free).field("maxWithdrawAmount", free).boolean("marginAvailable", true)
            .number("updateTime", balance.updated_ms).close();
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::account_reply(Call& call, bool v2) {
    const Worth worth(*call.account);
    const std::string wallet = money(worth.wallet), free = money(worth.available());
    JsonWriter w;
    w.open();
    if (v2) {
        w.number("feeTier", 0).boolean("feeBurn", false).boolean("canTrade", true).boolean("canDeposit", true)
            .boolean("canWithdraw", true).boolean("multiAssetsMargin", false).number("tradeGroupId", -1).number("updateTime", 0);
    }
    w.field("totalInitialMargin", money(worth.position_initial + worth.order_initial))
        .field("totalMaintMargin", money(worth.maintenance)).field("totalWalletBalance", wallet)
        .field("totalUnrealizedProfit", money(worth.unrealized)).field("totalMarginBalance", money(worth.margin_balance()))
        .field("totalPositionInitialMargin", money(worth.position_initial))
        .field("totalOpenOrderInitialMargin", money(worth.order_initial)).field("totalCrossWalletBalance", wallet)
        .field("totalCrossUnPnl", money(worth.unrealized)).field("availableBalance", free).field("maxWithdrawAmount", free)
        .key("assets").array().open().field("asset", "USDT").field("walletBalance", wallet)
        .field("unrealizedProfit", money(worth.unrealized)).field("marginBalance", money(worth.margin_balance()))
        .field("maintMargin", money(worth.maintenance))
        .field("initialMargin", money(worth.position_initial + worth.order_initial))
        .field("positionInitialMargin", money(worth.position_initial))
        .field("openOrderInitialMargin", money(worth.order_initial)).field("crossWalletBalance", wallet)
        .field("crossUnPnl", money(worth.unrealized)).field("availableBalance", free).field("maxWithdrawAmount", free)
        .number("updateTime", call.account->usdt().updated_ms).close().end_array().key("positions").array();
    if (v2) {
        for (const auto& [symbol, instrument] : market_.instruments()) {
            for (const Holding& holding : holdings(*call.account, instrument)) w.raw(account_position_row(holding, true));
        }
    } else {
        for (const Holding& holding : active_holdings(*call.account, call.now)) w.raw(account_position_row(holding, false));
    }
    return ok(w.end_array().close().take());
}

HttpReply BinanceFace::get_account_v3(Call& call) { return account_reply(call, false); }
HttpReply BinanceFace::get_account_v2(Call& call) { return account_reply(call, true); }

HttpReply BinanceFace::get_position_risk_v3(Call& call) {
    const std::string symbol = call.parameters.get("symbol");
    if (!symbol.empty() && !market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    JsonWriter w;
    w.array();
    for (const Holding& holding : active_holdings(*call.account, call.now)) {
        if (symbol.empty() || holding.instrument.symbol == symbol) w.raw(position_risk_v3_row(holding));
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_position_risk_v2(Call& call) {
    const auto wanted = wanted_instruments(call);
    if (const Problem* problem = std::get_if<Problem>(&wanted)) return refused(*problem);
    JsonWriter w;
    w.array();
    for (const Instrument* instrument : std::get<std::vector<const Instrument*>>(wanted)) {
        for (const Holding& holding : holdings(*call.account, *instrument)) w.raw(position_risk_v2_row(holding));
    }
    return ok(w.end_array().take());
}

// ---- settings

HttpReply BinanceFace::get_position_mode(Call& call) {
    JsonWriter w;
    return ok(w.open().boolean("dualSidePosition", call.account->hedge).close().take());
}

HttpReply BinanceFace::post_position_mode(Call& call) {
    const std::string wanted = call.parameters.get("dualSidePosition");
    if (wanted != "true" && wanted != "false") return refused(missing_parameter("dualsideposition"));
    const Refusal refusal = market_.set_hedge(*call.account, "", wanted == "true", call.now);
    if (refusal == Refusal::not_modified) return refused({400, -4059, "No need to change position side."});
    return refusal == Refusal::none ? success_message("success") : refused(refusal_problem(refusal, nullptr));
}

HttpReply BinanceFace::post_leverage(Call& call) {
    const std::string symbol = call.parameters.get("symbol");
    const auto leverage = call.parameters.integer("leverage");
    if (!leverage) return refused(missing_parameter("leverage"));
    const bool sane = *leverage >= 1 && *leverage <= 125;
    const Refusal refusal = sane ? market_.set_leverage(*call.account, symbol, static_cast<int>(*leverage), call.now)
                                 : Refusal::leverage_out_of_range;
    if (refusal == Refusal::leverage_out_of_range) {
        return refused({400, -4028, "Leverage " + std::to_string(*leverage) + " is not valid"});
    }
    if (refusal != Refusal::none && refusal != Refusal::not_modified) return refused(refusal_problem(refusal, nullptr));
    JsonWriter w;
    return ok(w.open().number("leverage", *leverage).field("maxNotionalValue", "50000000").field("symbol", symbol).close().take());
}

// Only the label changes: the model counts every position as cross.
HttpReply BinanceFace::post_margin_type(Call& call) {
    const std::string symbol = call.parameters.get("symbol"), type = call.parameters.get("marginType");
    if (!market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    if (type != "ISOLATED" && type != "CROSSED") return refused(missing_parameter("margintype"));
    const std::pair<std::string, std::string> place{call.account->key, symbol};
    if (isolated_.contains(place) == (type == "ISOLATED")) return refused({400, -4046, "No need to change margin type."});
    if (!call.account->open_orders(symbol).empty()) {
        return refused({400, -4047, "Margin type cannot be changed if there exists open orders."});
    }
    for (const Holding& holding : holdings(*call.account, *market_.instrument(symbol))) {
        if (!holding.amount().is_zero()) return refused({400, -4048, "Margin type cannot be changed if there exists position."});
    }
    if (type == "ISOLATED") isolated_.insert(place);
    else isolated_.erase(place);
    return success_message("success");
}

HttpReply BinanceFace::get_multi_assets(Call&) { return ok(R"({"multiAssetsMargin":false})"); }

HttpReply BinanceFace::get_symbol_config(Call& call) {
    const auto wanted = wanted_instruments(call);
    if (const Problem* problem = std::get_if<Problem>(&wanted)) return refused(*problem);
    JsonWriter w;
    w.array();
    for (const Instrument* i : std::get<std::vector<const Instrument*>>(wanted)) {
        w.open().field("symbol", i->symbol)
            .field("marginType", isolated_.contains({call.account->key, i->symbol}) ? "ISOLATED" : "CROSSED")
            .boolean("isAutoAddMargin", false).key("leverage").raw(call.account->leverage_of(i->symbol).text())
            .field("maxNotionalValue", "50000000").close();
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_account_config(Call& call) {
    JsonWriter w;
    w.open().number("feeTier", 0).boolean("canTrade", !call.account->read_only).boolean("canDeposit", true)
        .boolean("canWithdraw", true).boolean("dualSidePosition", call.account->hedge).number("updateTime", 0)
        .boolean("multiAssetsMargin", false).number("tradeGroupId", -1).close();
    return ok(w.take());
}

HttpReply BinanceFace::get_leverage_bracket(Call& call) {
    const auto wanted = wanted_instruments(call);
    if (const Problem* problem = std::get_if<Problem>(&wanted)) return refused(*problem);
    JsonWriter w;
    w.array();
    for (const Instrument* i : std::get<std::vector<const Instrument*>>(wanted)) {
        w.open().field("symbol", i->symbol).key("brackets").array().open().number("bracket", 1)
            .number("initialLeverage", i->max_leverage).number("notionalCap", 50'000'000).number("notionalFloor", 0)
            .key("maintMarginRatio").raw(i->maintenance_rate.text()).key("cum").raw("0.0").close().end_array().close();
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_commission_rate(Call& call) {
    const std::string symbol = call.parameters.get("symbol");
    if (!market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    JsonWriter w;
    w.open().field("symbol", symbol).field("makerCommissionRate", market_.rules.maker_fee.fixed(6))
        .field("takerCommissionRate", market_.rules.taker_fee.fixed(6)).field("rpiCommissionRate", "0.000000").close();
    return ok(w.take());
}

HttpReply BinanceFace::get_income(Call& call) {
    const Query& p = call.parameters;
    const size_t limit = std::min<size_t>(p.integer("limit").value_or(kIncomeDefault), kIncomeMaximum);
    const size_t skip = (std::max<int64_t>(p.integer("page").value_or(1), 1) - 1) * limit;
    size_t seen = 0;
    JsonWriter w;
    w.array();
    for (const Income& row : income_of(*call.account)) {
        if (p.has("symbol") && p.get("symbol") != row.symbol) continue;
        if (p.has("incomeType") && p.get("incomeType") != row.type) continue;
        if (row.time_ms < p.integer("startTime").value_or(0) || row.time_ms > p.integer("endTime").value_or(INT64_MAX)) continue;
        if (!is_visible(row.time_ms, call.now) || seen++ < skip || seen > skip + limit) continue;
        w.open().field("symbol", row.symbol).field("incomeType", row.type).field("income", money(row.amount))
            .field("asset", "USDT").field("info", row.type).number("time", row.time_ms).number("tranId", row.number)
            .field("tradeId", row.trade_id).close();
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_order_limits(Call&) {
    return ok(R"([{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":300},)"
              R"({"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200}])");
}

// ---- listen keys

HttpReply BinanceFace::post_listen_key(Call& call) {
    JsonWriter w;
    return ok(w.open().field("listenKey", listen_keys_.create(call.account->key, market_.random, call.now)).close().take());
}

HttpReply BinanceFace::put_listen_key(Call& call) {
    const std::string* key = listen_keys_.extend(call.account->key, call.now);
    if (!key) return refused({400, -1125, "This listenKey does not exist."});
    JsonWriter w;
    return ok(w.open().field("listenKey", *key).close().take());
}

HttpReply BinanceFace::delete_listen_key(Call& call) {
    listen_keys_.remove(call.account->key);
    return ok("{}");
}

}  // namespace market::binance
