// See margin.hpp.
#include "market/margin.hpp"

namespace market::margin {

Decimal unrealized(const Position& position, Decimal mark) {
    if (position.is_flat()) return 0;
    const Decimal gain = position.quantity.abs() * mark - position.entry_value;
    return (position.is_long() ? gain : -gain).money();
}

Decimal fee_to_close(const Position& position, Decimal close_fee_rate) {
    const Decimal part = position.entry_value / position.leverage;
    const Decimal bust_value = position.is_long() ? position.entry_value - part : position.entry_value + part;
    return bust_value * close_fee_rate;
}

Decimal position_initial(const Position& position, Decimal mark, Decimal close_fee_rate) {
    const Decimal value = position.quantity.abs() * mark;
    return (value / position.leverage + fee_to_close(position, close_fee_rate)).money();
}

Decimal position_maintenance(const Position& position, Decimal mark, Decimal maintenance_rate, Decimal close_fee_rate) {
    const Decimal value = position.quantity.abs() * mark;
    return (value * maintenance_rate + fee_to_close(position, close_fee_rate)).money();
}

Decimal order_initial(Decimal value, Decimal leverage, Decimal close_fee_rate) {
    const Decimal part = value / leverage;
    return (part + value * close_fee_rate + (value - part) * close_fee_rate).money();
}

Decimal break_even(const Position& position, Decimal fee) {
    if (position.is_flat()) return 0;
    const Decimal size = position.quantity.abs();
    if (position.is_long()) return ((position.entry_value - position.current_realized) / (size - size * fee)).money();
    return ((position.entry_value + position.current_realized) / (size + size * fee)).money();
}

}  // namespace market::margin
