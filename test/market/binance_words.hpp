// Binance's words for the model's nouns, and its codes for the market's refusals (binance-usdm.md 2, 4.4, 12.1).
#pragma once

#include "market/binance_auth.hpp"

namespace market::binance {

const char* side_word(Side side);                         // BUY
const char* position_side_word(Slot slot);                // BOTH
const char* time_in_force_word(const Order& order);       // GTC; closePosition orders say GTE_GTC
const char* regular_type_word(const Order& order);        // LIMIT, MARKET
const char* algo_type_word(const Order& order);           // STOP_MARKET
const char* working_type_word(TriggerBy by);              // CONTRACT_PRICE
const char* order_status_word(const Order& order);        // regular orders
const char* algo_status_word(const Order& order);         // conditional orders
const char* expiry_reason(EndReason reason);              // `er`: "0" .. "9"
const char* instrument_status_word(const Instrument& instrument);
std::string reject_reason(const Order& algo);             // `rm`

std::optional<Side> parse_side(std::string_view word);
std::optional<Slot> parse_position_side(std::string_view word);
std::optional<TimeInForce> parse_time_in_force(std::string_view word);   // GTC IOC FOK GTX
bool is_algo_type(std::string_view word);

// Decimals of a padded price or quantity of this symbol; also the precisions of exchangeInfo (violated: -1111).
int price_digits(const Instrument& instrument);
int quantity_digits(const Instrument& instrument);

Problem missing_parameter(std::string_view name);         // -1102
// `instrument` may be null when the symbol is unknown.
Problem refusal_problem(Refusal refusal, const Instrument* instrument);

}  // namespace market::binance
