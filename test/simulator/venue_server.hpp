// One venue on real sockets: its market, its face, its listeners and the clients connected to them. Decides nothing about the
// venue; carries bytes, time and faults between clients and face.
#pragma once

#include "market/faults.hpp"
#include "simulator/connection.hpp"
#include "simulator/http_codec.hpp"
#include "simulator/websocket_codec.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace simulator {

using market::Ms;
using FaceFactory = std::unique_ptr<market::Face> (*)(market::Market&);

struct LoggedRequest {
    int64_t number = 0;
    Ms time_ms = 0;
    std::string method, path, query, body;         // query and body without their signature
    std::string key;                               // the API key that it names, empty when unsigned
    int status = 0;
    int64_t time_us = 0;                           // of this machine's clock, when its last byte had been read
};

struct Stats {
    int64_t connections = 0, refused = 0, requests = 0, sessions = 0, frames_in = 0, frames_out = 0, bytes_out = 0;
};

class VenueServer {
public:
    VenueServer(uv_loop_t* loop, market::Venue venue, FaceFactory factory, uint64_t seed);
    int listen(SSL_CTX* tls);                      // on 127.0.0.1, any free port; returns the port
    void reset(uint64_t seed);                     // a new market with one account and the usual instruments; clients are cut

    market::Market& market() { return *market_; }
    market::Face& face() { return *face_; }
    market::Faults& faults() { return *faults_; }
    market::Venue venue() const { return venue_; }
    const std::string& default_account() const { return default_account_; }

    Ms now() const;                                // venue clock
    void shift_clock(Ms by);
    // After anything changed the market from outside: translate, deliver what is due, look for the next due time.
    void pump();

    // ---- faults and load that work on connections
    enum class How { close, reset, silent };
    int drop(std::optional<market::Stream> stream, How how);
    int push_raw(std::optional<market::Stream> stream, Opcode opcode, std::string_view payload);
    int throttle(std::optional<market::Stream> stream, int bytes_per_s);
    // Connections of open sessions on that stream, for writing prepared bytes.
    std::vector<Connection*> connections(market::Stream stream) const;
    void count_frames(int64_t frames, int64_t bytes);

    const std::deque<LoggedRequest>& requests() const { return requests_; }
    const Stats& stats() const { return stats_; }

private:
    struct Client {
        Connection* connection = nullptr;          // null once closed
        HttpReader http;
        WebSocketReader socket;
        market::SessionId session = 0;             // 0 while HTTP
        bool answering = false;                    // a reply is on its way; the next request waits
    };
    using ClientPtr = std::shared_ptr<Client>;

    void accept(uv_stream_t* listener, SSL_CTX* tls);
    void read_http(const ClientPtr& client);
    void answer(const ClientPtr& client, const market::HttpRequest& request);
    void send_reply(const ClientPtr& client, const market::Faults::Answer& answer, bool keep_alive);
    void upgrade(const ClientPtr& client, const market::HttpRequest& request);
    void read_socket(const ClientPtr& client);
    void deliver(const market::Outbound& frame);
    void run_due();
    void ping_all();
    void log(const market::HttpRequest& request, int status, int64_t received_us);

    uv_loop_t* loop_;
    market::Venue venue_;
    FaceFactory factory_;
    std::string default_account_;
    std::unique_ptr<market::Market> market_;
    std::unique_ptr<market::Face> face_;
    std::unique_ptr<market::Faults> faults_;
    Ms shift_ms_ = 0;
    market::SessionId last_session_ = 0;
    std::unordered_map<market::SessionId, ClientPtr> sessions_;
    std::multimap<Ms, market::Outbound> frames_;                // waiting for their time
    std::multimap<Ms, std::function<void()>> replies_;
    std::deque<LoggedRequest> requests_;
    int64_t last_request_ = 0;
    Ms next_ping_ms_ = 0;
    Stats stats_;
    uv_timer_t due_timer_, tick_timer_;
};

}  // namespace simulator
