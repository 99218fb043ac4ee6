// Binance USDⓈ-M futures in front of the model market: REST, listen keys, user and market streams (binance-usdm.md).
// One object per market. Requests are handled by the table in binance_http.cpp; the handlers live in
// binance_market_data.cpp, binance_account.cpp, binance_orders.cpp and binance_algo.cpp, the streams in
// binance_sessions.cpp. See face.hpp for the contract.
#pragma once

#include "market/binance_limits.hpp"
#include "market/binance_listen_keys.hpp"
#include "market/binance_market_streams.hpp"
#include "market/binance_rows.hpp"
#include "market/binance_user_events.hpp"
#include "market/wire_text.hpp"

#include <utility>
#include <variant>

namespace market::binance {

// Variants of 18 beside Face::knobs.
struct BinanceKnobs {
    UserEventKnobs events;
    bool old_reply_shape = false;                  // avgPrice and cumQuote in replies, as before 2026-07-15
    bool countdown_cancels_algo_orders = false;
    bool missing_path_is_json = false;             // -5000 as on the testnet instead of an HTML page
};

class BinanceFace final : public Face {
public:
    explicit BinanceFace(Market& market) : market_(market) {}
    BinanceKnobs venue;

    HttpReply on_http(const HttpRequest& request, Ms now) override;
    bool open(SessionId session, std::string_view path_and_query, Ms now) override;
    void on_text(SessionId session, std::string_view text, Ms now) override;
    void on_close(SessionId session) override { sessions_.erase(session); }
    void tick(Ms now) override;
    std::vector<Outbound> take_outbound() override { return std::exchange(outbound_, {}); }
    std::vector<SessionInfo> sessions() const override;
    Ms protocol_ping_interval_ms() const override { return 180'000; }
    HttpReply error_reply(int code, const std::string& message, int http_status, Ms now) const override;
    std::string status_word(const Order& order) const override;
    std::string flood_template(FloodKind kind, const Account& account, const std::string& symbol) const override;
    void expire_listen_keys(Ms now) override { listen_keys_.expire_all_at(now); }
    bool is_later_page(const HttpRequest& request) const override;

private:
    // One request on its way through a handler; `account` is null on public routes.
    struct Call {
        const HttpRequest& request;
        Query parameters;
        Account* account = nullptr;
        Ms now = 0;
    };
    using Handler = HttpReply (BinanceFace::*)(Call&);
    // weight_all: without `symbol`. orders_10s, orders_1m: counts in the order windows.
    struct Endpoint {
        const char* method;
        const char* path;
        Security security;
        int weight, weight_all, orders_10s, orders_1m;
        Handler handler;
    };
    static const Endpoint kEndpoints[];

    // binance_http.cpp
    HttpReply answer(const HttpRequest& request, Ms now);
    HttpReply dispatch(const Endpoint& endpoint, const HttpRequest& request, Ms now);
    HttpReply unknown_path(const HttpRequest& request) const;
    HttpReply finish(HttpReply reply, const Endpoint& endpoint, const std::string& account, Ms now);
    std::string decorated(std::string json);
    static HttpReply ok(std::string body) { return {200, {}, std::move(body), 0}; }
    static HttpReply refused(const Problem& problem);
    static HttpReply success_message(const char* text);

    // Shared by handlers
    bool is_visible(Ms created_ms, Ms now) const { return created_ms + knobs.visibility_lag_ms <= now; }
    const Instrument& instrument_of(const Order& order) const { return *market_.instrument(order.symbol); }
    std::string row(const Order& order, OrderShape shape, Ms now) const;        // regular or algo, as visible now
    // The symbols to list: the one asked for or all; a problem when unknown.
    std::variant<std::vector<const Instrument*>, Problem> wanted_instruments(const Call& call) const;
    template <class RowOf> HttpReply per_instrument(const Call& call, RowOf row_of) const;

    // binance_market_data.cpp
    HttpReply get_ping(Call&);
    HttpReply get_time(Call&);
    HttpReply get_exchange_info(Call&);
    HttpReply get_premium_index(Call&);
    HttpReply get_ticker_24h(Call&);
    HttpReply get_ticker_price(Call&);
    HttpReply get_book_ticker(Call&);
    HttpReply get_depth(Call&);
    HttpReply get_klines(Call&);
    HttpReply get_funding_rate(Call&);
    HttpReply get_empty_list(Call&);

    // binance_account.cpp
    std::vector<Holding> holdings(const Account& account, const Instrument& instrument) const;
    std::vector<Holding> active_holdings(const Account& account, Ms now) const;
    HttpReply get_balance(Call&);
    HttpReply get_account_v3(Call&);
    HttpReply get_account_v2(Call&);
    HttpReply account_reply(Call&, bool v2);
    HttpReply get_position_risk_v3(Call&);
    HttpReply get_position_risk_v2(Call&);
    HttpReply get_position_mode(Call&);
    HttpReply post_position_mode(Call&);
    HttpReply post_leverage(Call&);
    HttpReply post_margin_type(Call&);
    HttpReply get_multi_assets(Call&);
    HttpReply get_symbol_config(Call&);
    HttpReply get_account_config(Call&);
    HttpReply get_leverage_bracket(Call&);
    HttpReply get_commission_rate(Call&);
    HttpReply get_income(Call&);
    HttpReply get_order_limits(Call&);
    HttpReply post_listen_key(Call&);
    HttpReply put_listen_key(Call&);
    HttpReply delete_listen_key(Call&);

    // binance_order_entry.cpp: parameters of 8.1 and 10.2 to a request, and what place() says to an answer
    std::variant<OrderRequest, Problem> order_request(const Query& parameters, const Account& account, bool algo) const;
    Problem read_limits_and_amounts(const Query& parameters, const Instrument& instrument, OrderRequest& request) const;
    Problem read_trigger(const Query& parameters, std::string_view type, OrderRequest& request) const;
    Problem check_percent_price(const OrderRequest& request) const;
    std::variant<const Order*, Problem> place(const Query& parameters, Account& account, bool algo, Ms now);
    std::string placed_row(const Order& order, const Query& parameters) const;
    // As the matching engine knows it; reads add the visibility lag.
    std::variant<const Order*, Problem> find_order(const Query& parameters, const Account& account, Ms now) const;

    // binance_orders.cpp
    HttpReply post_order(Call&);
    HttpReply post_order_test(Call&);
    HttpReply put_order(Call&);
    HttpReply get_order(Call&);
    HttpReply delete_order(Call&);
    HttpReply post_batch(Call&);
    HttpReply put_batch(Call&);
    HttpReply delete_batch(Call&);
    HttpReply delete_all_open(Call&);
    HttpReply post_countdown(Call&);
    HttpReply get_open_order(Call&);
    HttpReply get_open_orders(Call&);
    HttpReply get_all_orders(Call&);
    HttpReply get_user_trades(Call&);
    std::variant<std::string, Problem> modify(const Query& parameters, Account& account, Ms now);
    std::variant<std::string, Problem> cancel(const Query& parameters, Account& account, Ms now);

    // binance_algo.cpp
    const Order* find_algo(const Call& call) const;
    HttpReply post_algo(Call&);
    HttpReply get_algo(Call&);
    HttpReply delete_algo(Call&);
    HttpReply delete_all_algo(Call&);
    HttpReply get_open_algo(Call&);
    HttpReply get_all_algo(Call&);

    // binance_sessions.cpp
    struct Session {
        Route route = Route::unrouted;
        bool combined = false;
        std::string path;
        std::vector<MarketStream> streams;         // listen keys stand here too
        std::set<std::string> wanted_events;       // empty: all
        Ms opened_ms = 0, last_due_ms = 0;
        int64_t message_second = 0;
        int messages = 0;
    };
    void send(SessionId id, Session& session, const std::string& stream, const std::string& payload, Ms due, bool is_event);
    void answer_control(SessionId id, Session& session, const Json& message, Ms now);
    void close(SessionId id, Ms now);
    void publish(Ms now);                          // translates the journal
    void publish_user(const std::vector<Event>& events, Ms now);
    void publish_trades(const std::vector<Event>& events, Ms now);
    void tick_streams(SessionId id, Session& session, Ms now);
    void expire_keys(Ms now);
    void run_countdowns(Ms now);
    bool is_muted(const MarketStream& stream) const;

    Market& market_;
    Limits limits_;
    ListenKeys listen_keys_;
    IsolatedSymbols isolated_;
    std::map<std::pair<std::string, std::string>, Ms> countdowns_;      // (account, symbol) -> when
    std::map<SessionId, Session> sessions_;
    std::vector<Outbound> outbound_;
    int64_t aggregate_number_ = 3'100'998'877;
};

}  // namespace market::binance
