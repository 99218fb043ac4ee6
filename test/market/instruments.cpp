// The instruments every market starts with, and synthetic ones for load. Filters are plausible, not copied from a venue.
#include "market/market.hpp"

#include <cstdio>

namespace market {

namespace {

struct Usual {
    const char *base, *price, *tick, *step, *min_quantity, *max_quantity, *max_market_quantity;
    int max_leverage;
};

constexpr Usual kUsual[] = {
    {"BTC", "63920.1", "0.1", "0.001", "0.001", "1190", "500", 100},
    {"ETH", "3485.2", "0.01", "0.01", "0.01", "7240", "2000", 100},
    {"SOL", "178.43", "0.01", "0.1", "0.1", "79770", "16000", 75},
    {"XRP", "2.2315", "0.0001", "0.1", "0.1", "3190000", "640000", 75},
    {"BNB", "655.2", "0.1", "0.01", "0.01", "12000", "2500", 75},
    {"DOGE", "0.18342", "0.00001", "1", "1", "31700000", "6400000", 75},
    {"ADA", "0.6412", "0.0001", "1", "1", "7700000", "1500000", 75},
    {"AVAX", "27.815", "0.001", "0.1", "0.1", "190000", "40000", 50},
    {"LINK", "15.932", "0.001", "0.1", "0.1", "370000", "80000", 50},
    {"DOT", "4.8721", "0.0001", "0.1", "0.1", "1200000", "250000", 50},
    {"LTC", "91.47", "0.01", "0.1", "0.1", "62000", "12000", 50},
    {"BCH", "388.65", "0.05", "0.01", "0.01", "9500", "1900", 50},
    {"TRX", "0.23144", "0.00001", "1", "1", "16000000", "3200000", 50},
    {"UNI", "7.214", "0.001", "0.1", "0.1", "460000", "90000", 50},
    {"ATOM", "5.312", "0.001", "0.1", "0.1", "620000", "120000", 50},
    {"NEAR", "3.185", "0.001", "0.1", "0.1", "1350000", "270000", 50},
    {"APT", "6.4415", "0.0005", "0.01", "0.01", "500000", "100000", 50},
    {"ARB", "0.4127", "0.0001", "0.1", "0.1", "4900000", "1000000", 50},
    {"OP", "0.9153", "0.0001", "0.1", "0.1", "2900000", "580000", 50},
    {"FIL", "3.219", "0.001", "0.1", "0.1", "930000", "190000", 50},
    {"INJ", "12.614", "0.001", "0.1", "0.1", "140000", "28000", 50},
    {"SUI", "3.5512", "0.0001", "10", "10", "2300000", "460000", 50},
    {"SEI", "0.2471", "0.0001", "1", "1", "11000000", "2200000", 50},
    {"TIA", "3.1244", "0.0001", "0.1", "0.1", "710000", "140000", 50},
    {"ETC", "19.325", "0.005", "0.1", "0.1", "190000", "39000", 50},
    {"XLM", "0.29131", "0.00001", "1", "1", "15000000", "3000000", 50},
    {"ICP", "6.218", "0.001", "0.1", "0.1", "340000", "68000", 50},
    {"HBAR", "0.19223", "0.00001", "1", "1", "16000000", "3200000", 50},
    {"VET", "0.028411", "0.000001", "1", "1", "70000000", "14000000", 50},
    {"ALGO", "0.2218", "0.0001", "0.1", "0.1", "9600000", "1900000", 50},
    {"AAVE", "182.31", "0.01", "0.01", "0.01", "14000", "2900", 50},
    {"MKR", "1612.4", "0.1", "0.001", "0.001", "1300", "260", 50},
    {"RUNE", "1.523", "0.001", "0.1", "0.1", "1500000", "300000", 25},
    {"GALA", "0.01834", "0.00001", "1", "1", "91000000", "18000000", 25},
    {"SAND", "0.3127", "0.0001", "1", "1", "5600000", "1100000", 25},
    {"WIF", "0.6913", "0.0001", "1", "1", "4200000", "840000", 25},
    {"ORDI", "9.314", "0.001", "0.01", "0.01", "210000", "42000", 25},
    {"1000PEPE", "0.0089213", "0.0000001", "100", "100", "100000000", "20000000", 50},
    {"1000BONK", "0.0172210", "0.0000010", "100", "100", "80000000", "16000000", 50},
    {"1000SHIB", "0.0128450", "0.0000010", "10", "10", "90000000", "18000000", 50},
};

constexpr Ms kEightHours = 8 * 3'600'000;

Instrument make(const Usual& usual, int64_t number, Ms now) {
    Instrument instrument;
    instrument.base = usual.base;
    instrument.symbol = instrument.base + "USDT";
    instrument.number = number;
    instrument.tick = Decimal::of(usual.tick);
    instrument.step = Decimal::of(usual.step);
    instrument.min_quantity = Decimal::of(usual.min_quantity);
    instrument.max_quantity = Decimal::of(usual.max_quantity);
    instrument.max_market_quantity = Decimal::of(usual.max_market_quantity);
    instrument.min_notional = 5;
    instrument.last = instrument.mark = instrument.index = instrument.previous_24h = Decimal::of(usual.price);
    instrument.min_price = instrument.tick;
    instrument.max_price = (instrument.last * 20).floor_to(instrument.tick);
    instrument.max_leverage = usual.max_leverage;
    instrument.maintenance_rate = Decimal::of(usual.max_leverage >= 100 ? "0.005" : "0.01");
    instrument.launched_ms = 1'585'526'400'000 + number * 86'400'000;
    instrument.funding_rate = Decimal::of("0.0001");
    instrument.next_funding_ms = (now / kEightHours + 1) * kEightHours;
    instrument.sequence = 612'000'000'000 + number * 1'000'000;
    return instrument;
}

}  // namespace

void Market::add_usual_instruments(Ms now) {
    for (const Usual& usual : kUsual) {
        Instrument instrument = make(usual, static_cast<int64_t>(instruments_.size()) + 1, now);
        std::string symbol = instrument.symbol;
        instruments_.try_emplace(std::move(symbol), std::move(instrument));
    }
}

void Market::add_synthetic_instruments(int count, Ms now) {
    for (int i = 1; i <= count; ++i) {
        char base[16];
        snprintf(base, sizeof base, "SYM%04d", i);
        const std::string price = "10." + std::to_string(100 + i % 900);
        const Usual usual{base, price.c_str(), "0.001", "0.1", "0.1", "1000000", "200000", 50};
        Instrument instrument = make(usual, static_cast<int64_t>(instruments_.size()) + 1, now);
        std::string symbol = instrument.symbol;
        const auto [place, added] = instruments_.try_emplace(std::move(symbol), std::move(instrument));
        if (added) emit(InstrumentChanged{place->first}, "", place->first, place->second.sequence, now);
    }
}

}  // namespace market
