// See binance_listen_keys.hpp.
#include "market/binance_listen_keys.hpp"

#include <algorithm>

namespace market::binance {

namespace { constexpr int kLength = 64; }

const std::string& ListenKeys::create(const std::string& account, Random& random, Ms now) {
    Key& key = keys_[account];
    if (key.text.empty() || key.expires_ms <= now) key.text = random.text(kLength);
    key.expires_ms = now + kValidity;
    return key.text;
}

const std::string* ListenKeys::extend(const std::string& account, Ms now) {
    const auto found = keys_.find(account);
    if (found == keys_.end() || found->second.expires_ms <= now) return nullptr;
    found->second.expires_ms = now + kValidity;
    return &found->second.text;
}

std::string ListenKeys::account_of(const std::string& key, Ms now) const {
    for (const auto& [account, entry] : keys_) {
        if (entry.text == key && entry.expires_ms > now) return account;
    }
    return {};
}

std::vector<ListenKeys::Expired> ListenKeys::expire(Ms now) {
    std::vector<Expired> expired;
    for (auto entry = keys_.begin(); entry != keys_.end();) {
        if (entry->second.expires_ms > now) { ++entry; continue; }
        expired.push_back({entry->first, entry->second.text});
        entry = keys_.erase(entry);
    }
    return expired;
}

void ListenKeys::expire_all_at(Ms now) {
    for (auto& [account, key] : keys_) key.expires_ms = std::min(key.expires_ms, now);
}

}  // namespace market::binance
