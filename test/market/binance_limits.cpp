// See binance_limits.hpp.
#include "market/binance_limits.hpp"

#include <algorithm>

namespace market::binance {

namespace {

constexpr Ms kMinute = 60'000, kTenSeconds = 10'000;

Problem too_many_orders(int limit, const char* interval) {
    return {429, -1015, "Too many new orders; current limit is " + std::to_string(limit) + " orders per " + interval + "."};
}

}  // namespace

Limits::Verdict Limits::refuse(Problem problem, Ms window, Ms now) {
    if (refusals_.add(now / kMinute, 1) > kRefusalsBeforeBan) {
        banned_until_ = now + next_ban_;
        next_ban_ = std::min(next_ban_ * 2, kLongestBan);
        refusals_ = {};
    }
    return {std::move(problem), (window - now % window + 999) / 1000};
}

Limits::Verdict Limits::spend_weight(int weight, Ms now) {
    if (weight_.add(now / kMinute, weight) <= kWeightPerMinute) return {};
    return refuse({429, -1003, "Too many requests; current limit is 2400 requests per minute. Please use the websocket for "
                               "live updates to avoid polling the API."}, kMinute, now);
}

Limits::Verdict Limits::spend_orders(const std::string& account, int ten_second_count, int minute_count, Ms now) {
    const int ten = ten_seconds_[account].add(now / kTenSeconds, ten_second_count);
    const int minute = minute_[account].add(now / kMinute, minute_count);
    if (ten > kOrdersPerTenSeconds) return refuse(too_many_orders(kOrdersPerTenSeconds, "10 SECOND"), kTenSeconds, now);
    if (minute > kOrdersPerMinute) return refuse(too_many_orders(kOrdersPerMinute, "1 MINUTE"), kMinute, now);
    return {};
}

int Limits::used_weight(Ms now) const { return weight_.at(now / kMinute); }

int Limits::orders_ten_seconds(const std::string& account, Ms now) const {
    const auto found = ten_seconds_.find(account);
    return found == ten_seconds_.end() ? 0 : found->second.at(now / kTenSeconds);
}

int Limits::orders_minute(const std::string& account, Ms now) const {
    const auto found = minute_.find(account);
    return found == minute_.end() ? 0 : found->second.at(now / kMinute);
}

}  // namespace market::binance
