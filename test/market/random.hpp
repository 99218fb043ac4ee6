// Seeded randomness (splitmix64). Same seed, same calls: same market, on every machine.
#pragma once

#include <cstdint>
#include <string>

namespace market {

class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }
    // Uniform in [low, high], both included.
    int64_t between(int64_t low, int64_t high) {
        return high <= low ? low : low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
    }
    bool chance_per_million(int64_t parts) { return between(0, 999'999) < parts; }
    std::string uuid();                                             // "7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3"
    std::string text(int length);                                   // letters and digits

private:
    uint64_t state_;
};

}  // namespace market
