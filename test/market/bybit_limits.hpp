// Bybit's request budgets (bybit-v5.md 7): a rolling second per user and endpoint group, and 600 requests per 5 s per address.
#pragma once

#include "market/model.hpp"

#include <deque>
#include <map>
#include <string>

namespace market::bybit {

class RollingWindow {
public:
    explicit RollingWindow(Ms length_ms) : length_ms_(length_ms) {}
    // Takes up to `count` places of `cap`; returns how many were free and are now used.
    int take(int count, int cap, Ms now);
    int used() const { return static_cast<int>(times_.size()); }
    // When the oldest used place becomes free again; now when nothing is used.
    Ms reset_ms(Ms now) const { return times_.empty() ? now : times_.front() + length_ms_; }

private:
    Ms length_ms_;
    std::deque<Ms> times_;
};

class Limits {
public:
    struct Grant { int granted = 0, cap = 0, remaining = 0; Ms reset_ms = 0; };
    Grant take(int64_t uid, const std::string& group, int cap, int count, Ms now);
    // False when this request breaks the address limit.
    bool take_address(Ms now) { return address_.take(1, 600, now) == 1; }

private:
    std::map<std::pair<int64_t, std::string>, RollingWindow> windows_;
    RollingWindow address_{5'000};
};

}  // namespace market::bybit
