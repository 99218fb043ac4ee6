// Bybit v5, category linear, over the model market: REST, private, public and trade streams (bybit-v5.md).
//   bybit_face.cpp      the door of REST: routes, authentication, budgets, envelope
//   bybit_reads.cpp     GET handlers            bybit_writes.cpp   POST handlers
//   bybit_stream.cpp    sessions and requests   bybit_push.cpp     what the journal makes the streams say
#pragma once

#include "market/bybit_limits.hpp"
#include "market/bybit_rows.hpp"
#include "market/bybit_words.hpp"
#include "market/face.hpp"
#include "market/json_writer.hpp"
#include "market/wire_text.hpp"

namespace market::bybit {

// What a handler says; the door puts it into the envelope.
struct Answer {
    Code code;
    std::string result = "{}";
    std::string extra = "{}";                              // retExtInfo

    static Answer ok(std::string result) { return {{}, std::move(result), "{}"}; }
    static Answer error(int code, std::string message) { return {{code, std::move(message)}, "{}", "{}"}; }
};

// One request on its way through a handler. account is null on public routes.
struct Call {
    const Query& query;
    const Json& body;
    Account* account;
    Ms now;
};

struct Session {
    SessionInfo info;
    std::string conn_id;
    std::set<std::string> topics;
    Ms last_heard_ms = 0, last_said_ms = 0;                // for the 10 minute rule
    Ms idle_limit_ms = 600'000;
    Ms last_due_ms = 0;                                    // frames of a session never overtake each other
    size_t args_length = 0;
    std::set<std::string> request_ids;                     // trade socket: reqId must be unique
};

class BybitFace : public Face {
public:
    explicit BybitFace(Market& market) : market_(market) {}

    HttpReply on_http(const HttpRequest& request, Ms now) override;
    bool open(SessionId session, std::string_view path_and_query, Ms now) override;
    void on_text(SessionId session, std::string_view text, Ms now) override;
    void on_close(SessionId session) override;
    void tick(Ms now) override;
    std::vector<Outbound> take_outbound() override;
    std::vector<SessionInfo> sessions() const override;
    Ms protocol_ping_interval_ms() const override { return 0; }
    HttpReply error_reply(int code, const std::string& message, int http_status, Ms now) const override;
    std::string status_word(const Order& order) const override;
    std::string flood_template(FloodKind kind, const Account& account, const std::string& symbol) const override;
    bool is_later_page(const HttpRequest& request) const override;

private:
    using Handler = Answer (BybitFace::*)(const Call&);
    struct Route {
        const char* method;
        const char* path;
        int limit;                                         // per second and user; 0 = public
        bool is_write;
        Handler handler;
    };
    static const std::vector<Route>& routes();

    // bybit_face.cpp
    HttpReply reply(const Answer& answer, Ms now) const;
    std::optional<HttpReply> refuse(const HttpRequest& request, const Route& route, Account*& account, Ms now);
    RowStyle style(Where where) const { return {where, knobs.unknown_fields, knobs.stops_end_deactivated}; }
    bool is_visible(Ms since, Ms now) const { return since + knobs.visibility_lag_ms <= now; }

    // bybit_reads.cpp
    Answer time(const Call& call);
    Answer instruments(const Call& call);
    Answer tickers(const Call& call);
    Answer orderbook(const Call& call);
    Answer price_limit(const Call& call);
    Answer risk_limit(const Call& call);
    Answer kline(const Call& call);
    Answer system_status(const Call& call);
    Answer account_info(const Call& call);
    Answer wallet_balance(const Call& call);
    Answer positions(const Call& call);
    Answer symbol_info(const Call& call);
    Answer orders_realtime(const Call& call);
    Answer orders_history(const Call& call);
    Answer orders(const Call& call, bool closed_only, bool history);
    Answer executions(const Call& call);
    Answer closed_pnl(const Call& call);
    Answer fee_rate(const Call& call);
    Answer query_api(const Call& call);
    Answer dcp_info(const Call& call);

    // bybit_writes.cpp
    Answer create(const Call& call);
    Answer amend(const Call& call);
    Answer cancel(const Call& call);
    Answer cancel_all(const Call& call);
    Answer create_batch(const Call& call);
    Answer amend_batch(const Call& call);
    Answer cancel_batch(const Call& call);
    Answer batch(const Call& call, Handler one);
    Answer set_leverage(const Call& call);
    Answer switch_mode(const Call& call);
    Answer trading_stop(const Call& call);
    Answer set_margin_mode(const Call& call);
    Answer set_dcp(const Call& call);
    const Order* find_order(const Call& call) const;

    // bybit_stream.cpp
    void handle(Session& session, const Json& message, Ms now);
    void authenticate(Session& session, const Json& message, Ms now);
    void subscribe(Session& session, const Json& message, bool add, Ms now);
    void trade(Session& session, const Json& message, Ms now);
    bool is_known_topic(const Session& session, const std::string& topic) const;
    void say(Session& session, std::string text, Ms due, bool is_event);
    void hang_up(Session& session, Ms now);
    void cut_idle(Ms now);
    void watch_disconnects(Ms now);

    // bybit_push.cpp
    void translate(Ms now);
    void push_private(const std::string& account, std::string_view topic, const std::string& id, const std::string& rows, Ms due);
    void push_public(const std::string& topic, const std::string& text, Ms due);
    void push_tickers(Ms now);
    void push_snapshot(Session& session, const std::string& topic, Ms now);
    std::string public_trade_frame(const PublicTrade& trade, const Event& event, Ms due) const;
    std::string ticker_frame(const Instrument& instrument, std::string_view type, const std::string& members, Ms now) const;
    std::string book_frame(const Instrument& instrument, const std::string& topic, Ms now) const;
    bool wants(const std::string& account, std::string_view topic) const;
    std::string private_frame(std::string_view topic, const std::string& id, const std::string& rows, std::string_view time) const;

    Market& market_;
    Limits limits_;
    std::map<SessionId, Session> sessions_;
    std::vector<Outbound> outbound_;
    std::map<std::string, std::deque<std::string>> recently_closed_;     // order ids by account, at most 500
    std::set<std::string> dirty_prices_;                                 // symbols changed since the last ticker push
    std::map<std::string, std::vector<std::pair<std::string, std::string>>> ticker_sent_;
    std::map<std::string, int> topic_users_;                             // public topics with subscribers
    Ms tickers_due_ms_ = 0, idle_check_ms_ = 0;
    struct Dcp { Ms window_ms = 0, silent_since_ms = 0; };
    std::map<std::string, Dcp> dcp_;                                     // by account, once armed
};

}  // namespace market::bybit
