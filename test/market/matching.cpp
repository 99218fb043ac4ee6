// Where orders meet prices: taker fills at the last price, resting orders that a price reaches, triggers.
#include "market/market.hpp"

#include "market/margin.hpp"

namespace market {

namespace {

// Market orders on Bybit are limit orders 5 % beyond the last price.
Decimal slippage_bound(const Instrument& instrument, Side side) {
    const Decimal factor = Decimal::of(side == Side::buy ? "1.05" : "0.95");
    return max((instrument.last * factor).floor_to(instrument.tick), instrument.tick);
}

bool is_immediate(const Order& order) {
    return order.type == OrderType::market || order.time_in_force == TimeInForce::ioc ||
           order.time_in_force == TimeInForce::fok;
}

}  // namespace

bool Market::would_cross(const Order& order) const {
    if (order.type == OrderType::market) return true;
    const Instrument& instrument = instruments_.at(order.symbol);
    return order.side == Side::buy ? order.price >= instrument.last : order.price <= instrument.last;
}

void Market::match(Account& account, Order& order, int64_t sequence, Ms now) {
    const Instrument& instrument = instrument_at(order.symbol);
    if (order.type == OrderType::market && rules.venue == Venue::bybit) order.price = slippage_bound(instrument, order.side);
    order.status = order.filled.is_zero() ? OrderStatus::open : OrderStatus::partially_filled;
    order.sequence = sequence;
    order.updated_ms = now;
    refresh(account, order);

    const bool crosses = would_cross(order);
    Decimal available = crosses ? order.remaining() : Decimal();
    if (instrument.depth) available = min(available, *instrument.depth);
    const bool goes_on = available.sign() > 0 || is_immediate(order);
    emit(OrderChanged{.order = order, .crossing = goes_on}, account.key, order.symbol, sequence, now);

    const Decimal filled_before = order.filled;
    const Decimal piece = (available / instrument.parts).floor_to(instrument.step);
    const Decimal apart = instrument.tick * (order.side == Side::buy ? instrument.ticks_apart : -instrument.ticks_apart);
    Decimal price = instrument.last;
    for (int part = 1; part < instrument.parts && piece.sign() > 0; ++part) {
        execute(account, order, piece, price, false, sequence, now);
        available -= piece;
        price += apart;
    }
    if (available.sign() > 0) execute(account, order, available, price, false, sequence, now);

    const bool traded = order.filled > filled_before;
    if (order.remaining().is_zero()) {
        end(account, order, OrderStatus::filled, EndReason::none, sequence, now);
    } else if (is_immediate(order)) {
        const EndReason why = order.filled.is_zero()              ? EndReason::no_liquidity
                              : order.type == OrderType::market ? EndReason::market_remainder
                                                                : EndReason::ioc_remainder;
        end(account, order, rules.venue == Venue::bybit ? OrderStatus::canceled : OrderStatus::expired, why, sequence, now);
    } else if (traded) {
        emit(OrderChanged{order}, account.key, order.symbol, sequence, now);
    }
    if (traded)
        settle(account, order, sequence, now);
    else
        report_order_activity(account, order, now);
}

// One execution: the fill, the order, the position and the wallet move together.
void Market::execute(Account& account, Order& order, Decimal quantity, Decimal price, bool is_maker, int64_t sequence,
                     Ms now) {
    const Instrument& instrument = instrument_at(order.symbol);
    Fill fill;
    fill.number = next_trade_number_++;
    fill.trade_id = rules.venue == Venue::bybit ? random.uuid() : std::to_string(fill.number);
    fill.account = account.key;
    fill.symbol = order.symbol;
    fill.order_id = order.id;
    fill.client_id = order.client_id;
    fill.side = order.side;
    fill.slot = order.slot;
    fill.price = price;
    fill.quantity = quantity;
    fill.fee_rate = is_maker ? rules.maker_fee : rules.taker_fee;
    fill.fee = (price * quantity * fill.fee_rate).money();
    fill.is_maker = is_maker;
    fill.origin = order.origin;
    fill.mark_price = instrument.mark;
    fill.time_ms = now;
    fill.sequence = sequence;

    order.filled += quantity;
    order.filled_value += fill.value();
    order.fees += fill.fee;
    order.sequence = sequence;
    order.updated_ms = now;
    order.status = order.remaining().is_zero() ? OrderStatus::filled : OrderStatus::partially_filled;
    fill.remaining = order.remaining();
    apply_to_position(account, order, fill, now);
    refresh(account, order);

    account.fills.push_back(fill);
    const Position& position = position_at(account, order.symbol, order.slot);
    emit(Traded{fill, order, position, account.usdt()}, account.key, order.symbol, sequence, now);
    emit(PublicTrade{fill.trade_id, is_maker ? opposite(order.side) : order.side, price, quantity}, "", order.symbol,
         sequence, now);
}

// What follows a matching event that traded: the position's report, its stops, the wallet's report.
void Market::settle(Account& account, Order& order, int64_t sequence, Ms now) {
    Position& position = position_at(account, order.symbol, order.slot);
    emit_position(account, position, PositionWhy::fill, sequence, now);
    follow_position(account, position, sequence, now);
    attach_stops(account, order, position, sequence, now);
    emit_wallet(account, order.symbol, WalletWhy::fill, 0, sequence, now);
}

// ---- triggers

void Market::trail(Order& order, const Instrument& instrument) {
    if (order.trailing_distance.is_zero() && order.trailing_percent.is_zero()) return;
    const Decimal price = order.trigger_by == TriggerBy::mark ? instrument.mark : instrument.last;
    const bool sells = order.side == Side::sell;
    if (!order.trailing_active) {
        const Decimal& activation = order.activation_price;
        order.trailing_active = activation.is_zero() || (sells ? price >= activation : price <= activation);
        if (!order.trailing_active) return;
        order.trigger_price = 0;
    }
    const Decimal distance = order.trailing_percent.is_zero() ? order.trailing_distance
                                                              : price * order.trailing_percent / 100;
    const Decimal candidate = sells ? price - distance : price + distance;
    const bool better = order.trigger_price.is_zero() || (sells ? candidate > order.trigger_price : candidate < order.trigger_price);
    if (better) order.trigger_price = candidate;
}

bool Market::is_triggered(const Order& order, const Instrument& instrument) const {
    const bool trails = !order.trailing_distance.is_zero() || !order.trailing_percent.is_zero();
    if (trails && !order.trailing_active) return false;
    const Decimal price = order.trigger_by == TriggerBy::last   ? instrument.last
                          : order.trigger_by == TriggerBy::mark ? instrument.mark
                                                                : instrument.index;
    return order.trigger_when == TriggerWhen::rises ? price >= order.trigger_price : price <= order.trigger_price;
}

void Market::fire(Account& account, Order& order, Ms now) {
    order.triggered_ms = order.updated_ms = now;
    order.status = OrderStatus::triggered;
    order.sequence = advance(order.symbol);
    if (rules.trigger_makes_child) return fire_child(account, order, now);

    emit(OrderChanged{order}, account.key, order.symbol, order.sequence, now);
    const Position& position = position_at(account, order.symbol, order.slot);
    const bool matches = !position.is_flat() && position.is_long() == (order.side == Side::sell);
    if (order.only_reduces()) {
        if (!matches) {
            end(account, order, OrderStatus::canceled, EndReason::reduce_only, order.sequence, now);
            return report_order_activity(account, order, now);
        }
        const Decimal held = position.quantity.abs();
        order.quantity = is_full_stop(order.stop_kind) || order.close_position ? held : min(order.quantity, held);
    } else {
        OrderRequest again;
        again.symbol = order.symbol;
        again.side = order.side;
        again.slot = order.slot;
        again.type = order.type;
        again.price = order.price;
        if (check_margin(account, again, order.quantity) != Refusal::none) {
            end(account, order, OrderStatus::canceled, EndReason::margin, order.sequence, now);
            return report_order_activity(account, order, now);
        }
    }
    match(account, order, order.sequence, now);
}

// Binance: the algo order stays behind as a record, a regular order with its own id does the work.
void Market::fire_child(Account& account, Order& parent, Ms now) {
    const int64_t sequence = parent.sequence;
    OrderRequest request;
    request.symbol = parent.symbol;
    request.client_id = parent.client_id;
    request.side = parent.side;
    request.slot = parent.slot;
    request.type = parent.type;
    request.price = parent.price;
    request.time_in_force = parent.time_in_force;
    request.reduce_only = parent.reduce_only;
    request.close_position = parent.close_position;
    request.quantity = parent.quantity;

    Decimal quantity = request.quantity;
    const Refusal refusal = check(account, request, quantity);
    if (refusal != Refusal::none) {
        const bool margin = refusal == Refusal::margin_insufficient;
        return end(account, parent, OrderStatus::rejected, margin ? EndReason::margin : EndReason::reduce_only, sequence, now);
    }
    Order child = make_order(account, request, quantity, now);
    child.parent_id = parent.id;
    child.origin = Origin::stop_order;
    child.trigger_price = parent.trigger_price;
    parent.child_id = child.id;
    emit(OrderChanged{parent}, account.key, parent.symbol, sequence, now);
    match(account, insert(account, std::move(child)), sequence, now);
}

void Market::trigger(Account& account, const Order& order, Ms now) {
    if (order.status == OrderStatus::untriggered) fire(account, writable(account, order), now);
}

// ---- prices

void Market::set_price(const std::string& symbol, std::optional<Decimal> mark, std::optional<Decimal> last, Ms now) {
    Instrument& instrument = instrument_at(symbol);
    const bool traded = last && *last != instrument.last;
    if (mark) instrument.mark = instrument.index = *mark;
    if (last) instrument.last = *last;
    ++instrument.price_version;
    const int64_t sequence = advance(symbol);
    for (auto& [key, account] : accounts_)
        for (const Slot slot : {Slot::both, Slot::long_side, Slot::short_side}) {
            const auto held = account.positions.find({symbol, slot});
            if (held != account.positions.end() && !held->second.is_flat()) refresh(account, held->second);
        }
    emit(PriceChanged{symbol}, "", symbol, sequence, now);
    if (traded) emit(PublicTrade{random.uuid(), Side::buy, instrument.last, instrument.min_quantity}, "", symbol, sequence, now);
    sweep(symbol, now);
}

void Market::sweep(const std::string& symbol, Ms now) {
    const Instrument& instrument = instrument_at(symbol);
    for (auto& [key, account] : accounts_) {
        const auto found = account.open.find(symbol);
        if (found == account.open.end()) continue;
        const std::vector<size_t> indexes(found->second.begin(), found->second.end());
        for (const size_t index : indexes) {
            Order& order = account.orders[index];
            if (order.status == OrderStatus::untriggered) {
                trail(order, instrument);
                if (is_triggered(order, instrument)) fire(account, order, now);
            } else if (order.is_on_book() && would_cross(order)) {
                fill(account, order, order.remaining(), order.price, now);
            }
        }
    }
}

void Market::random_walk(const std::string& symbol, Ms now) {
    const Instrument& instrument = instrument_at(symbol);
    const Decimal factor = Decimal(1) + Decimal::units(random.between(-5, 5), 4);
    const Decimal price = max((instrument.last * factor).floor_to(instrument.tick), instrument.tick);
    set_price(symbol, price, price, now);
}

}  // namespace market
