// See bybit_limits.hpp.
#include "market/bybit_limits.hpp"

#include <algorithm>

namespace market::bybit {

int RollingWindow::take(int count, int cap, Ms now) {
    while (!times_.empty() && times_.front() + length_ms_ <= now) times_.pop_front();
    const int granted = std::clamp(cap - used(), 0, count);
    times_.insert(times_.end(), static_cast<size_t>(granted), now);
    return granted;
}

Limits::Grant Limits::take(int64_t uid, const std::string& group, int cap, int count, Ms now) {
    RollingWindow& window = windows_.try_emplace({uid, group}, RollingWindow(1'000)).first->second;
    const int granted = window.take(count, cap, now);
    const Ms reset = granted < count ? window.reset_ms(now) : now;
    return {granted, cap, cap - window.used(), reset};
}

}  // namespace market::bybit
