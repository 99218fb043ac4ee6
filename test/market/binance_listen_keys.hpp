// Listen keys (binance-usdm.md 11): one per account, 60 minutes from the last POST or PUT.
#pragma once

#include "market/model.hpp"
#include "market/random.hpp"

namespace market::binance {

class ListenKeys {
public:
    static constexpr Ms kValidity = 60 * 60'000;
    struct Expired { std::string account, key; };

    // The account's active key with its validity extended, or a new one.
    const std::string& create(const std::string& account, Random& random, Ms now);
    // Extends; nullptr when the account has no active key.
    const std::string* extend(const std::string& account, Ms now);
    void remove(const std::string& account) { keys_.erase(account); }
    // The account that this active key belongs to; empty when there is none.
    std::string account_of(const std::string& key, Ms now) const;
    // Removes and returns what ran out.
    std::vector<Expired> expire(Ms now);
    void expire_all_at(Ms now);

private:
    struct Key { std::string text; Ms expires_ms = 0; };
    std::map<std::string, Key> keys_;      // by account
};

}  // namespace market::binance
