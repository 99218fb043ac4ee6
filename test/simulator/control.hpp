// The control port: HTTP on loopback, JSON in and out, one command per path (README.md lists them all). Commands change the
// market directly, or ask the server and the load generators; they never bypass the market's own rules unless they say so.
#pragma once

#include "simulator/load.hpp"

#include "market/json_writer.hpp"
#include "market/wire_text.hpp"

namespace simulator {

struct Desk {                                      // everything that belongs to one venue
    Desk(uv_loop_t* loop, market::Venue venue, FaceFactory factory, uint64_t seed)
        : server(loop, venue, factory, seed), walk(loop, server), fills(loop, server), flood(loop, server) {}
    VenueServer server;
    PriceWalk walk;
    FillRun fills;
    Flood flood;
};

class Control {
public:
    explicit Control(std::map<std::string, Desk*> desks) : desks_(std::move(desks)) {}
    int listen(uv_loop_t* loop);                   // on 127.0.0.1, any free port; returns the port
    market::HttpReply answer(const market::HttpRequest& request);

private:
    struct Command {
        Desk& desk;
        const market::Json& body;
        market::Account* account;
        Ms now;
    };
    using Handler = std::string (*)(Command&);     // JSON text of the answer; throws std::invalid_argument with what is wrong
    struct Entry { const char* path; Handler handler; };
    static const std::vector<Entry>& commands();
    static const std::vector<Entry>& market_commands();     // control_market.cpp
    static const std::vector<Entry>& fault_commands();      // control_faults.cpp
    static const std::vector<Entry>& read_commands();       // control_reads.cpp

    static market::Decimal need_decimal(const market::Json& body, const char* name);
    static std::string need_text(const market::Json& body, const char* name);
    static std::string need_symbol(Command& command);
    static const market::Order& need_order(Command& command);
    static std::string ok() { return R"({"ok":true})"; }

    std::map<std::string, Desk*> desks_;
};

}  // namespace simulator
