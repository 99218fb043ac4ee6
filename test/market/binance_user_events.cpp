// See binance_user_events.hpp.
#include "market/binance_user_events.hpp"

#include "market/binance_rows.hpp"
#include "market/binance_words.hpp"

#include <optional>
#include <utility>

namespace market::binance {

namespace {

constexpr Ms kPublishDelay = 1;                // `E` of a message after its `T`

class Translator {
public:
    Translator(const std::vector<Event>& events, const Market& market, const IsolatedSymbols& isolated,
               const UserEventKnobs& knobs)
        : events_(events), market_(market), isolated_(isolated), knobs_(knobs) {}

    std::vector<UserMessage> run() {
        for (at_ = 0; at_ < events_.size(); ++at_) {
            if (!event().account.empty()) std::visit([this](const auto& what) { on(what); }, event().what);
        }
        if (held_) messages_.push_back(*held_);
        return std::move(messages_);
    }

private:
    const Event& event() const { return events_[at_]; }
    Stamp stamp() const { return {event().time_ms + kPublishDelay, event().time_ms}; }
    const Instrument& instrument() const { return market_.instruments().at(event().symbol); }
    bool is_isolated() const { return isolated_.contains({event().account, event().symbol}); }
    const Account& account() const { return market_.accounts().at(event().account); }

    UserMessage message(const char* type, std::string text) const {
        return {event().account, type, std::move(text), event().sequence};
    }
    void push(const char* type, std::string text) { messages_.push_back(message(type, std::move(text))); }

    void push_order(const Order& order, const char* execution, const Fill* fill = nullptr) {
        const Decimal bids = open_notional(account(), order.symbol, Side::buy);
        const Decimal asks = open_notional(account(), order.symbol, Side::sell);
        push("ORDER_TRADE_UPDATE", order_trade_update(order, execution, fill, bids, asks, stamp()));
    }

    // The next fill of that order in the present matching event; its events stand together in the journal.
    const Traded* next_fill(const Order& order) const {
        for (size_t i = at_ + 1; i < events_.size() && events_[i].sequence == event().sequence; ++i) {
            const Traded* traded = std::get_if<Traded>(&events_[i].what);
            if (traded && traded->order.id == order.id) return traded;
        }
        return nullptr;
    }

    void push_trade_lite(const Traded& traded) {
        if (knobs_.trade_lite && lite_sent_.insert(traded.fill.number).second) {
            push("TRADE_LITE", trade_lite(traded.fill, traded.order, instrument(), stamp()));
        }
    }

    void on(const OrderChanged& change) {
        if (change.order.kind == OrderKind::conditional) return on_algo(change.order);
        const Order& order = change.order;
        if (change.amended) {
            amended_ = order.id;
            return push_order(order, "AMENDMENT");
        }
        if (order.status == OrderStatus::open) {
            if (amended_ == order.id) return;      // the book looks again at an order whose price moved
            if (const Traded* first = next_fill(order)) push_trade_lite(*first);
            return push_order(order, "NEW");
        }
        if (order.status == OrderStatus::filled || order.status == OrderStatus::partially_filled) return;   // its fills say so
        push_order(order, std::string_view(order_status_word(order)) == "CANCELED" ? "CANCELED" : "EXPIRED");
    }

    void on_algo(const Order& algo) {
        const Order* child = algo.child_id.empty() ? nullptr : account().order(algo.child_id);
        const auto text = [&](const Order* shown, const char* status) {
            return algo_update(algo, shown, status, instrument(), stamp());
        };
        const bool refused_at_trigger = algo.status == OrderStatus::rejected;
        if (algo.status == OrderStatus::triggered || refused_at_trigger) push("ALGO_UPDATE", text(nullptr, "TRIGGERING"));
        if (algo.status == OrderStatus::triggered) {
            Order unfilled = *child_at_birth(algo);
            UserMessage triggered = message("ALGO_UPDATE", text(&unfilled, "TRIGGERED"));
            if (knobs_.triggered_after_child) held_ = std::move(triggered);
            else messages_.push_back(std::move(triggered));
            return;
        }
        if (held_) messages_.push_back(*std::exchange(held_, std::nullopt));
        push("ALGO_UPDATE", text(child, algo_status_word(algo)));
    }

    // TRIGGERED is said before the child has traded: its first state, not the present one.
    std::optional<Order> child_at_birth(const Order& algo) const {
        for (size_t i = at_; i < events_.size() && events_[i].sequence == event().sequence; ++i) {
            const OrderChanged* change = std::get_if<OrderChanged>(&events_[i].what);
            if (change && change->order.kind == OrderKind::regular && change->order.id == algo.child_id) return change->order;
        }
        Order unknown;
        unknown.id = algo.child_id;
        return unknown;
    }

    void on(const Traded& traded) {
        push_trade_lite(traded);
        if (knobs_.account_update_per_fill || !next_fill(traded.order)) push_account_update(traded);
        const bool calculated = knobs_.liquidation_is_calculated && traded.order.origin == Origin::liquidation;
        push_order(traded.order, calculated ? "CALCULATED" : "TRADE", &traded.fill);
    }

    void push_account_update(const Traded& traded) {
        JsonWriter rows;
        rows.array();
        if (traded.position.slot != Slot::both) {      // hedge mode: an empty BOTH row comes along
            Position none;
            none.symbol = traded.position.symbol;
            rows.raw(account_position_member(none, is_isolated(), market_.rules.taker_fee));
        }
        rows.raw(account_position_member(traded.position, is_isolated(), market_.rules.taker_fee)).end_array();
        push_account("ORDER", traded.balance, 0, rows.text());
    }

    void push_account(const char* reason, const Balance& balance, Decimal change, const std::string& positions) {
        const std::string wallet = balance.wallet.money().fixed(8);
        JsonWriter w;
        w.open().field("e", "ACCOUNT_UPDATE").number("E", stamp().event_ms).number("T", stamp().transaction_ms)
            .key("a").open().field("m", reason);
        if (std::string_view(reason) == "FUNDING_FEE") w.field("S", event().symbol);
        w.key("B").array().open().field("a", balance.asset).field("wb", wallet).field("cw", wallet)
            .field("bc", change.is_zero() ? "0" : change.money().fixed(8)).close().end_array()
            .key("P").raw(positions).close().close();
        push("ACCOUNT_UPDATE", w.take());
    }

    void on(const WalletChanged& change) {
        if (change.why == WalletWhy::funding) push_account("FUNDING_FEE", change.balance, change.change, "[]");
        if (change.why == WalletWhy::deposit) push_account("DEPOSIT", change.balance, change.change, "[]");
    }

    void on(const LeverageChanged& change) {
        JsonWriter w;
        w.open().field("e", "ACCOUNT_CONFIG_UPDATE").number("E", stamp().event_ms).number("T", stamp().transaction_ms)
            .key("ac").open().field("s", change.symbol).key("l").raw(change.leverage.text()).close().close();
        push("ACCOUNT_CONFIG_UPDATE", w.take());
    }

    void on(const PositionChanged&) {}       // positions travel with the fill that changed them
    void on(const FundingPaid&) {}           // the wallet's event says it
    void on(const PriceChanged&) {}
    void on(const PublicTrade&) {}
    void on(const InstrumentChanged&) {}

    const std::vector<Event>& events_;
    const Market& market_;
    const IsolatedSymbols& isolated_;
    const UserEventKnobs& knobs_;
    size_t at_ = 0;
    std::vector<UserMessage> messages_;
    std::optional<UserMessage> held_;
    std::set<int64_t> lite_sent_;
    std::string amended_;
};

}  // namespace

std::vector<UserMessage> user_messages(const std::vector<Event>& events, const Market& market,
                                       const IsolatedSymbols& isolated, const UserEventKnobs& knobs) {
    return Translator(events, market, isolated, knobs).run();
}

}  // namespace market::binance
