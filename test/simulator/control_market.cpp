// Control commands that change the market: accounts, prices, orders, positions, load.
#include "simulator/control.hpp"

#include <stdexcept>

namespace simulator {

using market::Decimal;
using market::Json;
using market::Side;
using market::Slot;

namespace {

Side side_of(const Json& body) {
    const std::string word = body.text("side");
    if (word == "buy" || word == "Buy" || word == "BUY") return Side::buy;
    if (word == "sell" || word == "Sell" || word == "SELL") return Side::sell;
    throw std::invalid_argument("side must be buy or sell");
}

// position_side when given; else both in one-way mode, and in hedge mode the slot that this side opens (or, with
// reduce_only, closes).
Slot slot_of(const Json& body, const market::Account& account, const std::string& symbol, Side side, bool reduces) {
    const std::string word = body.text("position_side");
    if (word == "long") return Slot::long_side;
    if (word == "short") return Slot::short_side;
    if (word == "both" || !account.is_hedge(symbol)) return Slot::both;
    return (side == Side::buy) != reduces ? Slot::long_side : Slot::short_side;
}

Slot held_slot(const Json& body, const market::Account& account, const std::string& symbol) {
    if (!body.text("position_side").empty()) return slot_of(body, account, symbol, Side::buy, false);
    for (const Slot slot : {Slot::both, Slot::long_side, Slot::short_side})
        if (const auto* position = account.position(symbol, slot); position != nullptr && !position->is_flat()) return slot;
    return account.is_hedge(symbol) ? Slot::long_side : Slot::both;
}

[[noreturn]] void refuse(market::Refusal refusal) {
    throw std::invalid_argument("the market refused it: refusal " + std::to_string(static_cast<int>(refusal)));
}

void must(market::Refusal refusal) {
    if (refusal != market::Refusal::none) refuse(refusal);
}

std::string place(market::Market& market, market::Account& account, const market::OrderRequest& request, Ms now) {
    const market::Placed placed = market.place(account, request, now);
    if (!placed) refuse(placed.refusal);
    market::JsonWriter w;
    w.open().boolean("ok", true).field("order_id", placed.order->id).field("client_order_id", placed.order->client_id);
    return w.close().take();
}

market::OrderRequest request_of(const Json& body, const market::Account& account, const std::string& symbol, Decimal quantity) {
    market::OrderRequest request;
    request.symbol = symbol;
    request.client_id = body.text("client_id");
    request.side = side_of(body);
    request.reduce_only = body.boolean("reduce_only");
    request.slot = slot_of(body, account, symbol, request.side, request.reduce_only);
    request.quantity = quantity;
    return request;
}

}  // namespace

const std::vector<Control::Entry>& Control::market_commands() {
    static const std::vector<Entry> entries = {
        {"/reset", [](Command& c) {
             c.desk.walk.start({}, 0);
             c.desk.fills.start({});
             c.desk.flood.start(market::FloodKind::order, c.desk.server.default_account(), "BTCUSDT", 0, 0);
             c.desk.server.reset(static_cast<uint64_t>(c.body.integer("seed").value_or(1)));
             return ok();
         }},
        {"/account", [](Command& c) {
             market::Account& account = c.desk.server.market().add_account(
                 need_text(c.body, "key"), need_text(c.body, "secret"), c.body.decimal("wallet").value_or(100'000),
                 c.body.boolean("hedge"));
             account.read_only = c.body.boolean("read_only");
             return ok();
         }},
        {"/deposit", [](Command& c) {
             c.desk.server.market().deposit(*c.account, need_decimal(c.body, "amount"), c.now);
             return ok();
         }},
        {"/hedge", [](Command& c) {
             must(c.desk.server.market().set_hedge(*c.account, c.body.text("symbol"), c.body.boolean("hedge", true), c.now));
             return ok();
         }},
        {"/instruments", [](Command& c) {
             c.desk.server.market().add_synthetic_instruments(static_cast<int>(c.body.integer("count").value_or(0)), c.now);
             return ok();
         }},
        {"/instrument", [](Command& c) {
             c.desk.server.market().set_instrument_status(need_symbol(c), need_text(c.body, "status"), c.now);
             return ok();
         }},
        {"/book", [](Command& c) {
             c.desk.server.market().set_book(need_symbol(c), c.body.decimal("depth"),
                                             static_cast<int>(c.body.integer("parts").value_or(1)),
                                             static_cast<int>(c.body.integer("ticks_apart").value_or(0)));
             return ok();
         }},
        {"/price", [](Command& c) {
             c.desk.server.market().set_price(need_symbol(c), c.body.decimal("mark"), c.body.decimal("last"), c.now);
             return ok();
         }},
        {"/price_walk", [](Command& c) {
             std::vector<std::string> symbols;
             const Json wanted = c.body["symbols"];
             for (size_t i = 0; i < wanted.size(); ++i) symbols.push_back(wanted.at(i).as_text());
             c.desk.walk.start(std::move(symbols), static_cast<int>(c.body.integer("every_ms").value_or(0)));
             return ok();
         }},
        {"/trade", [](Command& c) {
             const std::string symbol = need_symbol(c);
             return place(c.desk.server.market(), *c.account,
                          request_of(c.body, *c.account, symbol, need_decimal(c.body, "quantity")), c.now);
         }},
        {"/order", [](Command& c) {
             const std::string symbol = need_symbol(c);
             const bool closes = c.body.boolean("close_position");
             market::OrderRequest request = request_of(c.body, *c.account, symbol, closes ? 0 : need_decimal(c.body, "quantity"));
             request.close_position = closes;
             if (c.body.text("type", "limit") == "limit" || c.body.has("price")) {
                 request.type = market::OrderType::limit;
                 request.price = need_decimal(c.body, "price");
             }
             if (c.body.text("time_in_force") == "post_only") request.time_in_force = market::TimeInForce::post_only;
             if (const auto trigger = c.body.decimal("trigger_price")) {
                 const auto& instrument = *c.desk.server.market().instrument(symbol);
                 const bool by_mark = c.body.text("trigger_by", "mark") == "mark";
                 const bool rises = *trigger > (by_mark ? instrument.mark : instrument.last);
                 request.trigger_price = *trigger;
                 request.trigger_by = by_mark ? market::TriggerBy::mark : market::TriggerBy::last;
                 request.trigger_when = rises ? market::TriggerWhen::rises : market::TriggerWhen::falls;
                 request.stop_kind = rises == (request.side == Side::buy) ? market::StopKind::stop : market::StopKind::take_profit;
             }
             return place(c.desk.server.market(), *c.account, request, c.now);
         }},
        {"/fill", [](Command& c) {
             const market::Order& order = need_order(c);
             must(c.desk.server.market().fill(*c.account, order, c.body.decimal("quantity").value_or(order.remaining()),
                                              c.body.decimal("price").value_or(order.price), c.now));
             return ok();
         }},
        {"/cancel", [](Command& c) {
             must(c.desk.server.market().cancel(*c.account, need_order(c), c.now));
             return ok();
         }},
        {"/cancel_race", [](Command& c) {
             c.desk.server.market().lose_next_cancel(*c.account, need_order(c));
             return ok();
         }},
        {"/trigger", [](Command& c) {
             c.desk.server.market().trigger(*c.account, need_order(c), c.now);
             return ok();
         }},
        {"/positions", [](Command& c) {
             market::Market& market = c.desk.server.market();
             const int count = static_cast<int>(c.body.integer("count").value_or(0));
             int made = 0;
             if (count > static_cast<int>(market.instruments().size())) market.add_synthetic_instruments(count, c.now);
             market.take_events();                             // nobody hears of these instruments by stream
             for (const auto& [symbol, instrument] : market.instruments()) {
                 if (made >= count) break;
                 const bool is_long = ++made % 3 != 0;
                 const Slot slot = !c.account->is_hedge(symbol) ? Slot::both : is_long ? Slot::long_side : Slot::short_side;
                 const Decimal lot = max(instrument.min_quantity, (Decimal(10) / instrument.last).floor_to(instrument.step) + instrument.step);
                 market.seed_position(*c.account, symbol, slot, is_long ? lot : -lot, c.now);
             }
             return R"({"ok":true,"made":)" + std::to_string(made) + "}";
         }},
        {"/stop", [](Command& c) {
             const std::string symbol = need_symbol(c);
             market::StopRequest request;
             request.stop_loss = c.body.decimal("stop_loss");
             request.take_profit = c.body.decimal("take_profit");
             request.trailing_distance = c.body.decimal("trailing_stop");
             request.stop_loss_by = request.take_profit_by =
                 c.body.text("trigger_by", "mark") == "mark" ? market::TriggerBy::mark : market::TriggerBy::last;
             must(c.desk.server.market().set_position_stop(*c.account, symbol, held_slot(c.body, *c.account, symbol), request, c.now));
             return ok();
         }},
        {"/liquidate", [](Command& c) {
             c.desk.server.market().liquidate(*c.account, need_symbol(c), c.now);
             return ok();
         }},
        {"/funding", [](Command& c) {
             const std::string symbol = need_symbol(c);
             c.desk.server.market().pay_funding(symbol, need_decimal(c.body, "rate"), c.now);
             return ok();
         }},
        {"/set_leverage", [](Command& c) {
             const std::string symbol = need_symbol(c);
             must(c.desk.server.market().set_leverage(*c.account, symbol, need_decimal(c.body, "leverage"), c.now));
             return ok();
         }},
        {"/fills", [](Command& c) {
             FillRun::Plan plan;
             plan.account = c.account->key;
             plan.count = c.body.integer("count").value_or(0);
             plan.orders = c.body.integer("orders").value_or(std::max<int64_t>(1, plan.count / 3));
             plan.symbols = static_cast<int>(c.body.integer("symbols").value_or(5));
             plan.rate_per_s = static_cast<int>(c.body.integer("rate_per_s").value_or(0));
             plan.seed = static_cast<uint64_t>(c.body.integer("seed").value_or(1));
             c.desk.fills.start(plan);
             return ok();
         }},
        {"/flood", [](Command& c) {
             const bool prices = c.body.text("kind", "order") == "price";
             c.desk.flood.start(prices ? market::FloodKind::price : market::FloodKind::order, c.account->key,
                                c.body.text("symbol", "BTCUSDT"), c.body.integer("count").value_or(0),
                                static_cast<int>(c.body.integer("rate_per_s").value_or(0)));
             return ok();
         }},
    };
    return entries;
}

}  // namespace simulator
