// Control reads: the market as it is, in one shape for both venues, and what the clients did.
#include "simulator/control.hpp"

namespace simulator {

using market::JsonWriter;

namespace {

std::string side_word(market::Side side) { return side == market::Side::buy ? "buy" : "sell"; }

std::string stop_word(market::StopKind kind) {
    switch (kind) {
        case market::StopKind::none: return "";
        case market::StopKind::stop:
        case market::StopKind::position_stop_loss:
        case market::StopKind::partial_stop_loss: return "stop_loss";
        case market::StopKind::take_profit:
        case market::StopKind::position_take_profit:
        case market::StopKind::partial_take_profit: return "take_profit";
        case market::StopKind::trailing:
        case market::StopKind::position_trailing: return "trailing";
    }
    return "";
}

std::string slot_word(market::Slot slot) {
    return slot == market::Slot::both ? "both" : slot == market::Slot::long_side ? "long" : "short";
}

void write_fill(JsonWriter& w, const market::Fill& fill) {
    w.open().field("trade_id", fill.trade_id).field("order_id", fill.order_id).field("client_order_id", fill.client_id);
    w.field("symbol", fill.symbol).field("side", side_word(fill.side)).field("price", fill.price);
    w.field("quantity", fill.quantity).field("fee", fill.fee).field("fee_currency", "USDT");
    w.field("realized_pnl", fill.realized_pnl).boolean("is_maker", fill.is_maker).number("time_ms", fill.time_ms);
    w.field("position_side", slot_word(fill.slot)).close();
}

void write_order(JsonWriter& w, const market::Order& order, const market::Face& face) {
    w.open().field("order_id", order.id).field("client_order_id", order.client_id);
    w.field("kind", order.kind == market::OrderKind::conditional ? "conditional" : "regular").field("symbol", order.symbol);
    w.field("side", side_word(order.side)).field("type", order.type == market::OrderType::limit ? "limit" : "market");
    w.field("status", face.status_word(order)).boolean("is_open", order.is_open()).field("price", order.price);
    w.field("trigger_price", order.trigger_price).field("quantity", order.quantity).field("filled_quantity", order.filled);
    w.field("average_price", order.average_price()).boolean("reduce_only", order.reduce_only);
    w.boolean("close_position", order.close_position).boolean("is_position_stop", is_full_stop(order.stop_kind) || is_partial_stop(order.stop_kind));
    w.field("stop_kind", stop_word(order.stop_kind)).field("trigger_by", order.trigger_by == market::TriggerBy::mark ? "mark" : "last");
    w.field("parent_id", order.parent_id).field("child_id", order.child_id).field("position_side", slot_word(order.slot));
    w.number("created_ms", order.created_ms).number("updated_ms", order.updated_ms).close();
}

void write_position(JsonWriter& w, const market::Position& position, market::Decimal mark) {
    w.open().field("symbol", position.symbol).field("position_side", slot_word(position.slot));
    w.field("side", position.is_long() ? "long" : "short").field("quantity", position.quantity.abs());
    w.field("entry_price", position.entry_price).field("mark_price", mark).field("unrealized_pnl", position.unrealized);
    w.field("leverage", position.leverage).field("stop_loss", position.stop_loss).field("take_profit", position.take_profit);
    w.field("trailing_stop", position.trailing_stop).field("realized_pnl", position.total_realized_gross);
    w.number("sequence", position.sequence).number("updated_ms", position.updated_ms).close();
}

void write_account(JsonWriter& w, const market::Account& account, const market::Market& market, const market::Face& face) {
    w.open().field("key", account.key).number("uid", account.uid).boolean("hedge", account.hedge);
    w.key("balances").array();
    for (const auto& [asset, balance] : account.balances)
        w.open().field("asset", asset).field("wallet_balance", balance.wallet)
            .field("equity", balance.wallet + account.totals.unrealized)
            .field("available_balance", balance.wallet + account.totals.unrealized - account.totals.position_initial -
                                            account.totals.order_initial)
            .close();
    w.end_array().key("positions").array();
    for (const auto& [key, position] : account.positions)
        if (!position.is_flat()) write_position(w, position, market.instruments().at(position.symbol).mark);
    w.end_array().key("orders").array();
    for (const market::Order& order : account.orders) write_order(w, order, face);
    w.end_array().key("fills").array();
    for (const market::Fill& fill : account.fills) write_fill(w, fill);
    w.end_array().key("funding").array();
    for (const market::Funding& funding : account.funding)
        w.open().field("trade_id", funding.trade_id).field("symbol", funding.symbol).field("position_side", slot_word(funding.slot))
            .field("rate", funding.rate).field("quantity", funding.quantity).field("amount", funding.amount)
            .number("time_ms", funding.time_ms).close();
    w.end_array().close();
}

const char* stream_word(market::Stream stream) {
    return stream == market::Stream::public_data ? "public" : stream == market::Stream::private_data ? "private" : "trade";
}

}  // namespace

const std::vector<Control::Entry>& Control::read_commands() {
    static const std::vector<Entry> entries = {
        {"/state", [](Command& c) {
             const market::Market& market = c.desk.server.market();
             const std::string wanted = c.body.text("account");
             JsonWriter w;
             w.open().number("time_ms", c.now).key("accounts").array();
             for (const auto& [key, account] : market.accounts())
                 if (wanted.empty() || wanted == key) write_account(w, account, market, c.desk.server.face());
             return w.end_array().close().take();
         }},
        {"/prices", [](Command& c) {
             JsonWriter w;
             w.open().key("instruments").array();
             for (const auto& [symbol, instrument] : c.desk.server.market().instruments())
                 w.open().field("symbol", symbol).field("status", instrument.status).field("mark", instrument.mark)
                     .field("last", instrument.last).field("tick", instrument.tick).field("step", instrument.step)
                     .field("min_quantity", instrument.min_quantity).close();
             return w.end_array().close().take();
         }},
        {"/connections", [](Command& c) {
             JsonWriter w;
             w.open().key("connections").array();
             for (const market::SessionInfo& info : c.desk.server.face().sessions()) {
                 w.open().number("id", static_cast<int64_t>(info.id)).field("stream", stream_word(info.stream));
                 w.field("path", info.path).field("account", info.account).key("subscriptions").array();
                 for (const std::string& topic : info.subscriptions) w.value(topic);
                 w.end_array().close();
             }
             return w.end_array().close().take();
         }},
        {"/requests", [](Command& c) {
             const int64_t since = c.body.integer("since").value_or(0);
             const std::string method = c.body.text("method");
             JsonWriter w;
             w.open().key("requests").array();
             for (const LoggedRequest& request : c.desk.server.requests()) {
                 if (request.number <= since || (!method.empty() && method != request.method)) continue;
                 w.open().number("number", request.number).number("time_ms", request.time_ms).number("time_us", request.time_us);
                 w.field("method", request.method).field("path", request.path).field("query", request.query);
                 w.field("body", request.body).field("key", request.key).number("status", request.status).close();
             }
             return w.end_array().close().take();
         }},
        {"/stats", [](Command& c) {
             const Stats& stats = c.desk.server.stats();
             JsonWriter w;
             w.open().number("time_ms", c.now).number("connections", stats.connections).number("refused", stats.refused);
             w.number("requests", stats.requests).number("sessions", stats.sessions).number("frames_in", stats.frames_in);
             w.number("frames_out", stats.frames_out).number("bytes_out", stats.bytes_out).number("price_steps", c.desk.walk.steps());
             return w.close().take();
         }},
        {"/fills_status", [](Command& c) {
             const FillRun::Status& s = c.desk.fills.status();
             JsonWriter w;
             w.open().number("wanted", s.wanted).number("done_fills", s.done).boolean("done", !s.running);
             w.number("orders_placed", s.orders_placed).number("orders_canceled", s.orders_canceled).number("refused", s.refused);
             w.number("started_ms", s.started_ms).number("ended_ms", s.ended_ms);
             return w.close().take();
         }},
        {"/flood_status", [](Command& c) {
             const Flood::Status& s = c.desk.flood.status();
             JsonWriter w;
             w.open().number("wanted", s.wanted).number("sent", s.sent).boolean("done", s.done).number("sockets", s.sockets);
             w.number("first_sent_us", s.first_sent_us).number("last_sent_us", s.last_sent_us);
             if (c.body.boolean("writes")) {
                 w.key("writes_us").array();
                 for (const int64_t at : s.writes_us) w.value(std::to_string(at));
                 w.end_array();
             }
             return w.close().take();
         }},
    };
    return entries;
}

}  // namespace simulator
