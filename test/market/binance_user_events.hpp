// The market's journal as the messages of Binance's user stream, in the order of binance-usdm.md 13.2 and 16:
//   TRADE_LITE, ORDER_TRADE_UPDATE NEW, ACCOUNT_UPDATE, ORDER_TRADE_UPDATE TRADE for a taker fill, and
//   ALGO_UPDATE TRIGGERING, TRIGGERED ... FINISHED around the child order of a stop.
#pragma once

#include "market/market.hpp"

namespace market::binance {

// Variants of 18 that change the messages.
struct UserEventKnobs {
    bool trade_lite = true;
    bool account_update_per_fill = true;       // false: one merged update, before the last fill of a matching event
    bool triggered_after_child = false;        // ALGO_UPDATE TRIGGERED only just before FINISHED
    bool liquidation_is_calculated = false;    // liquidation fills as CALCULATED instead of TRADE
};

// (account, symbol) whose margin type was set to ISOLATED; a label only, the money is counted as cross.
using IsolatedSymbols = std::set<std::pair<std::string, std::string>>;

struct UserMessage {
    std::string account;
    std::string type;                          // "ORDER_TRADE_UPDATE"
    std::string text;                          // the bare payload
    int64_t sequence = 0;                      // equal for the messages of one matching event
};

std::vector<UserMessage> user_messages(const std::vector<Event>& events, const Market& market,
                                       const IsolatedSymbols& isolated, const UserEventKnobs& knobs);

}  // namespace market::binance
