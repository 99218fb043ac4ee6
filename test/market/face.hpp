// A venue face: the model market seen through one venue's REST and WebSocket protocol. Pure like the market: bytes and
// time in, bytes out. The simulator runs faces behind real sockets, the virtual-clock simulation runs the same ones.
//
// Contract with the caller
//  - `now` is venue time in ms and never goes back. The face draws randomness from market.random only.
//  - Call take_outbound() after every other call; deliver each item when the clock reaches due_ms, in order of
//    (due_ms, order of appearance). Frames of one session are never due before earlier frames of the same topic.
//  - Somebody else may change the market directly (control commands); call tick(now) afterwards, it translates the journal.
//  - tick() is also the heart-beat of everything periodic (tickers, mark price, time-outs): at least every 100 ms.
#pragma once

#include "market/market.hpp"

#include <memory>
#include <set>
#include <string_view>

namespace market {

using SessionId = uint64_t;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;            // "GET"
    std::string path;              // "/v5/order/create", not decoded
    std::string query;             // exact bytes after '?', may be empty
    Headers headers;               // names in lower case
    std::string body;
    std::string_view header(std::string_view lower_case_name) const;   // empty when absent
};

struct HttpReply {
    int status = 200;
    Headers headers;               // without Content-Length; Content-Type is application/json unless given here
    std::string body;
    Ms due_ms = 0;                 // when the answer leaves; <= now means at once
};

struct Outbound {
    enum class Kind { text, close } kind = Kind::text;
    SessionId session = 0;
    std::string text;
    Ms due_ms = 0;
    bool is_event = false;         // pushed by itself (an order, a price), not an answer: what event faults may hit
};

enum class Stream { public_data, private_data, trade };

// One open WebSocket as /connections shows it.
struct SessionInfo {
    SessionId id = 0;
    Stream stream = Stream::public_data;
    std::string path;
    std::string account;                        // empty until authenticated
    std::vector<std::string> subscriptions;     // topics or stream names, as the client wrote them
};

// Misbehaviour that only a face can show. Changed directly by control and by simulations.
struct Knobs {
    Ms visibility_lag_ms = 0;                   // orders, fills, positions younger than this are missing in REST reads
    Ms rest_latency_min_ms = 0, rest_latency_max_ms = 0;     // drawn per answer
    Ms event_latency_min_ms = 0, event_latency_max_ms = 0;   // drawn per matching event, before the fixed order of its frames
    bool unknown_fields = false;                // random extra members and one unknown enum value in rows
    std::set<std::string> failing_subscriptions;             // a topic, stream or symbol that cannot be subscribed
    Ms banned_until_ms = 0;                     // every request is answered as a banned address until then
    bool ignores_rate_limits = false;           // load tests
    bool stops_end_deactivated = true;          // Bybit: untriggered stops end as Deactivated, else as Cancelled
    Ms price_interval_ms = 100;                 // how often a changed price is pushed
};

// A frame that can be sent millions of times without building it again: '#' x 12 is replaced by a running number with
// leading zeros (the distinct order id), '$' x 13 by the time in ms.
enum class FloodKind { order, price };

class Face {
public:
    virtual ~Face() = default;
    Knobs knobs;

    virtual HttpReply on_http(const HttpRequest& request, Ms now) = 0;

    // WebSocket sessions. open() false: the path is not one of the venue's, refuse the handshake with 404.
    virtual bool open(SessionId session, std::string_view path_and_query, Ms now) = 0;
    virtual void on_text(SessionId session, std::string_view text, Ms now) = 0;
    virtual void on_close(SessionId session) = 0;      // gone, for whatever reason; unknown ids are ignored
    virtual void tick(Ms now) = 0;
    virtual std::vector<Outbound> take_outbound() = 0;

    virtual std::vector<SessionInfo> sessions() const = 0;
    virtual Ms protocol_ping_interval_ms() const = 0;  // how often the server itself sends a protocol ping; 0 = never

    // ---- for control and faults
    virtual HttpReply error_reply(int code, const std::string& message, int http_status, Ms now) const = 0;
    virtual std::string status_word(const Order& order) const = 0;           // "PartiallyFilled", "PARTIALLY_FILLED"
    virtual std::string flood_template(FloodKind kind, const Account& account, const std::string& symbol) const = 0;
    virtual void expire_listen_keys(Ms) {}             // venues with listen keys
    // True when a query asks for a page after the first one (cursor, fromId, page).
    virtual bool is_later_page(const HttpRequest& request) const = 0;
};

std::unique_ptr<Face> make_bybit_face(Market& market);
std::unique_ptr<Face> make_binance_face(Market& market);

}  // namespace market
