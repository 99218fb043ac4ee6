// Deterministic randomness for jitter: the seed comes from outside, the same seed gives the same run (splitmix64).
#pragma once
#include <cstdint>

namespace tradesync {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound]; the modulo's bias is irrelevant for jitter.
  std::int64_t up_to(std::int64_t bound) { return bound <= 0 ? 0 : static_cast<std::int64_t>(next() % (static_cast<std::uint64_t>(bound) + 1)); }

 private:
  std::uint64_t state_;
};

}  // namespace tradesync
