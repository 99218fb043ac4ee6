// Load on one venue, paced by timers of the loop: a price walk, fills through the real market path, and floods of prepared
// frames that go straight to the sockets.
#pragma once

#include "simulator/venue_server.hpp"

#include <set>
#include <vector>

namespace simulator {

class PriceWalk {
public:
    PriceWalk(uv_loop_t* loop, VenueServer& server);
    void start(std::vector<std::string> symbols, int every_ms);    // no symbols = all; 0 ms stops
    int64_t steps() const { return steps_; }

private:
    VenueServer& server_;
    std::vector<std::string> symbols_;
    int64_t steps_ = 0;
    uv_timer_t timer_;
};

// `count` executions spread over `orders` limit orders: placed below the market, filled in pieces, some cancelled with a
// remainder in between. Everything goes through Market::place, fill and cancel.
class FillRun {
public:
    struct Plan {
        std::string account;
        int64_t count = 0, orders = 0;
        int symbols = 1;
        int rate_per_s = 0;                        // 0 = as fast as possible
        uint64_t seed = 1;
    };
    struct Status {
        int64_t wanted = 0, done = 0, orders_placed = 0, orders_canceled = 0, refused = 0;
        Ms started_ms = 0, ended_ms = 0;
        bool running = false;
    };
    FillRun(uv_loop_t* loop, VenueServer& server);
    void start(const Plan& plan);
    const Status& status() const { return status_; }

private:
    struct Open { const market::Order* order; market::Decimal lot; int64_t fills_left; };
    void step();
    bool place_next();
    void fill_one();

    VenueServer& server_;
    Plan plan_;
    Status status_;
    market::Random random_{0};
    std::vector<std::string> symbols_;
    std::vector<Open> open_;
    int64_t planned_ = 0;                          // fills promised to orders already placed
    uint64_t started_hr_ns_ = 0;
    uv_timer_t timer_;
};

// Frames with distinct ids made by patching digits into one prepared frame; see Face::flood_template.
class Flood {
public:
    struct Status {
        int64_t wanted = 0, sent = 0;
        bool done = true;
        int64_t first_sent_us = 0, last_sent_us = 0;
        int sockets = 0;
        std::vector<int64_t> writes_us = {};       // of a paced flood: when each write began
    };
    Flood(uv_loop_t* loop, VenueServer& server);
    void start(market::FloodKind kind, const std::string& account, const std::string& symbol, int64_t count, int rate_per_s);
    const Status& status() const { return status_; }

private:
    void step();
    void append_frame(std::string& out);

    VenueServer& server_;
    market::Stream stream_ = market::Stream::private_data;
    Status status_;
    int rate_per_s_ = 0;
    int64_t next_number_ = 0;
    std::string frame_;                            // header and payload
    std::vector<size_t> number_at_, time_at_;      // where the digits go
    uint64_t started_hr_ns_ = 0;
    uv_timer_t timer_;
};

}  // namespace simulator
