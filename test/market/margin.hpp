// The venues' margin arithmetic (bybit-v5.md 10.1, binance-usdm.md 16), cross margin. With a close fee rate of 0 the Bybit
// formulas become Binance's, so one set serves both.
#pragma once

#include "market/model.hpp"

namespace market::margin {

Decimal unrealized(const Position& position, Decimal mark);
// What closing is expected to cost: entry value x (1 -/+ 1/leverage) x rate for long / short.
Decimal fee_to_close(const Position& position, Decimal close_fee_rate);
Decimal position_initial(const Position& position, Decimal mark, Decimal close_fee_rate);
Decimal position_maintenance(const Position& position, Decimal mark, Decimal maintenance_rate, Decimal close_fee_rate);
Decimal order_initial(Decimal value, Decimal leverage, Decimal close_fee_rate);
// Price at which closing everything at rate `fee` gives zero, realised results of this holding included; 0 when flat.
Decimal break_even(const Position& position, Decimal fee);

}  // namespace market::margin
