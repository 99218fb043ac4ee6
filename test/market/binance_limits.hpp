// Binance's REST counters (binance-usdm.md 5.1): request weight per address, new orders per account, and the ban that
// follows when refusals are ignored. Windows are aligned to the clock.
#pragma once

#include "market/binance_auth.hpp"

#include <map>

namespace market::binance {

class Limits {
public:
    static constexpr int kWeightPerMinute = 2400;
    static constexpr int kOrdersPerTenSeconds = 300;
    static constexpr int kOrdersPerMinute = 1200;
    static constexpr int kRefusalsBeforeBan = 20;        // ignored 429s in one minute; the venue names no number
    static constexpr Ms kFirstBan = 120'000, kLongestBan = 3 * 86'400'000;

    // Counts the request; a refusal carries 429 or 418. `retry_after_s` is meaningful with a refusal.
    struct Verdict { Problem problem; int64_t retry_after_s = 0; };
    Verdict spend_weight(int weight, Ms now);
    Verdict spend_orders(const std::string& account, int ten_second_count, int minute_count, Ms now);

    int used_weight(Ms now) const;
    int orders_ten_seconds(const std::string& account, Ms now) const;
    int orders_minute(const std::string& account, Ms now) const;
    Ms banned_until() const { return banned_until_; }

private:
    struct Window {
        int64_t slot = -1;
        int used = 0;
        int at(int64_t now_slot) const { return slot == now_slot ? used : 0; }
        int add(int64_t now_slot, int count) { used = at(now_slot) + count; slot = now_slot; return used; }
    };
    Verdict refuse(Problem problem, Ms window, Ms now);

    Window weight_, refusals_;
    std::map<std::string, Window> ten_seconds_, minute_;
    Ms banned_until_ = 0, next_ban_ = kFirstBan;
};

}  // namespace market::binance
