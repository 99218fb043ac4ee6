// Identifiers drawn from the seed.
#include "market/random.hpp"

namespace market {

std::string Random::uuid() {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out(36, '-');
    uint64_t bits = 0;
    int left = 0;
    for (size_t i = 0; i < out.size(); ++i) {
        if (i == 8 || i == 13 || i == 18 || i == 23) continue;
        if (left == 0) {
            bits = next();
            left = 16;
        }
        out[i] = kHex[bits & 15];
        bits >>= 4;
        --left;
    }
    out[14] = '4';                                          // version 4, variant 1
    out[19] = "89ab"[next() & 3];
    return out;
}

std::string Random::text(int length) {
    static constexpr char kAlphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string out;
    for (int i = 0; i < length; ++i) out += kAlphabet[next() % (sizeof kAlphabet - 1)];
    return out;
}

}  // namespace market
