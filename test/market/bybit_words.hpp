// Bybit's words for the model's enums, and its codes for refusals (bybit-v5.md 4, 5.4).
#pragma once

#include "market/market.hpp"

namespace market::bybit {

struct Code {
    int code = 0;
    std::string message = "OK";
};

// What the refusal happened to, because texts and some codes differ.
enum class Act { create, amend, cancel, trading_stop, leverage, mode };
Code code_of(Refusal refusal, Act act, const Instrument* instrument);

std::string side_word(Side side);
// Stops that never triggered end as "Deactivated" or "Cancelled": both have been reported, hence the switch.
std::string status_word(const Order& order, bool stops_end_deactivated = true);
std::string type_word(OrderType type);
std::string time_in_force_word(const Order& order);
std::string stop_type_word(const Order& order, std::string_view when_none);   // "" on the order topic, "UNKNOWN" on executions
std::string create_type_word(const Order& order);
std::string cancel_type_word(const Order& order);
std::string reject_reason_word(const Order& order);
std::string trigger_by_word(TriggerBy by);
std::string exec_type_word(Origin origin);
std::string instrument_status_word(const Instrument& instrument);
int position_idx(Slot slot);

std::optional<Side> parse_side(std::string_view word);
std::optional<Slot> parse_position_idx(int64_t idx);
TriggerBy parse_trigger_by(std::string_view word);                            // "" = LastPrice
std::optional<TimeInForce> parse_time_in_force(std::string_view word);        // "" = GTC

}  // namespace market::bybit
