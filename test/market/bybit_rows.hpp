// The JSON rows of Bybit: one function per kind of row, REST and stream variants of the same row side by side.
#pragma once

#include "market/market.hpp"

#include <string>

namespace market::bybit {

enum class Where { rest, stream };

// Extra members ("\"x\":1") appended to rows, to see that readers ignore what they do not know; empty = none.
struct RowStyle {
    Where where = Where::rest;
    bool unknown_fields = false;
    bool stops_end_deactivated = true;
};

std::string order_row(const Order& order, RowStyle style, bool refused_late = false);
std::string fill_row(const Fill& fill, const Order& order, RowStyle style);
std::string fast_fill_row(const Fill& fill);
std::string funding_row(const Funding& funding, RowStyle style);
std::string position_row(const Position& position, Decimal mark, Decimal close_fee_rate, RowStyle style);
// The whole account; `coins` JSON array text.
std::string wallet_row(const Balance& balance, const Totals& totals, RowStyle style);
std::string closed_pnl_row(const ClosedPnl& closed);
std::string instrument_row(const Instrument& instrument, RowStyle style);

// Members of a ticker in wire order; the stream sends the ones that changed.
std::vector<std::pair<std::string, std::string>> ticker_members(const Instrument& instrument, Where where);

}  // namespace market::bybit
