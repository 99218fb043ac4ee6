// Accepting, refusing, changing and ending orders. What an accepted order does to the book is in matching.cpp.
#include "market/market.hpp"

#include "market/margin.hpp"

#include <cstdlib>

namespace market {

namespace {

bool closes(Slot slot, Side side) {
    return (slot == Slot::long_side && side == Side::sell) || (slot == Slot::short_side && side == Side::buy);
}

// In hedge mode an order against its slot can only reduce, said or not.
bool is_reducing(const OrderRequest& request) {
    return request.reduce_only || request.close_position || closes(request.slot, request.side);
}

// How much of a position an order of that side could close.
Decimal reducible(const Account& account, const std::string& symbol, Slot slot, Side side) {
    const Position* position = account.position(symbol, slot);
    if (position == nullptr || position->is_flat()) return 0;
    return position->is_long() == (side == Side::sell) ? position->quantity.abs() : Decimal();
}

Decimal trigger_base(const Instrument& instrument, TriggerBy by) {
    switch (by) {
        case TriggerBy::last: return instrument.last;
        case TriggerBy::mark: return instrument.mark;
        case TriggerBy::index: return instrument.index;
    }
    return instrument.last;
}

TriggerWhen natural_direction(const OrderRequest& request) {
    if (request.trigger_when) return *request.trigger_when;
    const bool rises = (request.stop_kind == StopKind::take_profit) == (request.side == Side::sell);
    return rises ? TriggerWhen::rises : TriggerWhen::falls;
}

bool is_marketable(const Instrument& instrument, Side side, Decimal price) {
    return side == Side::buy ? price >= instrument.last : price <= instrument.last;
}

}  // namespace

// ---- refusals, in the order in which a venue would notice them

Refusal Market::check(const Account& account, const OrderRequest& request, Decimal& quantity) const {
    const Instrument* found = instrument(request.symbol);
    if (found == nullptr) return Refusal::unknown_symbol;
    if (!found->is_trading()) return Refusal::symbol_not_trading;
    if (account.is_hedge(request.symbol) == (request.slot == Slot::both)) return Refusal::wrong_slot;

    const bool conditional = request.stop_kind != StopKind::none;
    const Order* twin = request.client_id.empty()
                            ? nullptr
                            : account.order_by_client_id(request.client_id, conditional && rules.trigger_makes_child);
    if (twin != nullptr && (rules.client_id_unique_forever || twin->is_open())) return Refusal::duplicate_client_id;
    if (conditional)
        if (const Refusal refusal = check_conditional(account, request); refusal != Refusal::none) return refusal;

    const bool reducing = is_reducing(request);
    if (reducing && !conditional) {
        const Decimal held = reducible(account, request.symbol, request.slot, request.side);
        const Position* position = account.position(request.symbol, request.slot);
        if (held.is_zero())
            return position == nullptr || position->is_flat() ? Refusal::reduce_only_no_position
                                                              : Refusal::reduce_only_same_side;
        quantity = request.close_position ? held : min(quantity, held);
    }
    if (!(conditional && request.close_position))
        if (const Refusal refusal = check_quantity(*found, request, quantity); refusal != Refusal::none) return refusal;
    if (rules.truncates_off_step_quantity) quantity = quantity.floor_to(found->step);
    if (rules.refuses_post_only_and_fok && !conditional && request.type == OrderType::limit) {
        const bool crosses = is_marketable(*found, request.side, request.price);
        if (request.time_in_force == TimeInForce::post_only && crosses) return Refusal::post_only_would_take;
        const bool whole = crosses && (!found->depth || *found->depth >= quantity);
        if (request.time_in_force == TimeInForce::fok && !whole) return Refusal::fok_unfillable;
    }
    return reducing || conditional ? Refusal::none : check_margin(account, request, quantity);
}

Refusal Market::check_quantity(const Instrument& instrument, const OrderRequest& request, Decimal quantity) const {
    if (quantity.sign() <= 0) return Refusal::quantity_zero;
    if (quantity < instrument.min_quantity) return Refusal::quantity_below_min;
    const bool is_market = request.type == OrderType::market;
    if (quantity > (is_market ? instrument.max_market_quantity : instrument.max_quantity)) return Refusal::quantity_above_max;
    if (!rules.truncates_off_step_quantity && !quantity.is_multiple_of(instrument.step)) return Refusal::quantity_off_step;
    if (!is_market) {
        if (request.price.sign() <= 0) return Refusal::price_missing;
        if (!request.price.is_multiple_of(instrument.tick)) return Refusal::price_off_tick;
        if (request.price < instrument.min_price) return Refusal::price_below_min;
        if (request.price > instrument.max_price) return Refusal::price_above_max;
    }
    const Decimal price = is_market ? instrument.last : request.price;
    const bool exempt = is_reducing(request) && rules.reduce_only_exempt_from_notional;
    if (!exempt && price * quantity.floor_to(instrument.step) < instrument.min_notional) return Refusal::notional_below_min;
    return Refusal::none;
}

Refusal Market::check_conditional(const Account& account, const OrderRequest& request) const {
    const Instrument& instrument = instruments_.at(request.symbol);
    const Decimal base = trigger_base(instrument, request.trigger_by);
    if (request.stop_kind == StopKind::trailing) {
        const bool wrong = request.side == Side::sell ? request.activation_price <= base : request.activation_price >= base;
        if (!request.activation_price.is_zero() && wrong) return Refusal::would_trigger_at_once;
    } else {
        const bool rises = natural_direction(request) == TriggerWhen::rises;
        if (rises ? request.trigger_price <= base : request.trigger_price >= base) return Refusal::would_trigger_at_once;
    }
    size_t on_symbol = 0, on_account = 0;
    for (const Order* order : account.open_orders()) {
        if (order->status != OrderStatus::untriggered) continue;
        ++on_account;
        if (order->symbol != request.symbol) continue;
        ++on_symbol;
        const bool twin = request.close_position && order->close_position && order->stop_kind == request.stop_kind &&
                          order->side == request.side && order->slot == request.slot;
        if (twin && rules.trigger_makes_child) return Refusal::close_position_stop_exists;
    }
    const bool full = on_symbol >= rules.max_conditional_per_symbol || on_account >= rules.max_conditional_per_account;
    return full ? Refusal::too_many_conditional : Refusal::none;
}

Refusal Market::check_margin(const Account& account, const OrderRequest& request, Decimal quantity) const {
    const Instrument& instrument = instruments_.at(request.symbol);
    const auto open = account.open.find(request.symbol);
    if (open != account.open.end() && open->second.size() >= rules.max_open_orders_per_symbol) return Refusal::too_many_orders;
    const Decimal increase = max(quantity - reducible(account, request.symbol, request.slot, request.side), 0);
    const Decimal price = request.type == OrderType::limit ? request.price : instrument.last;
    const Decimal needed = margin::order_initial(price * increase, account.leverage_of(request.symbol), rules.close_fee_rate);
    const Totals& totals = account.totals;
    const Decimal available =
        account.usdt().wallet + totals.unrealized - totals.position_initial - totals.order_initial;
    return needed > available ? Refusal::margin_insufficient : Refusal::none;
}

// ---- making and finding

Order Market::make_order(Account& account, const OrderRequest& request, Decimal quantity, Ms now) {
    const Instrument& instrument = instrument_at(request.symbol);
    const bool conditional = request.stop_kind != StopKind::none;
    const bool is_algo = conditional && rules.trigger_makes_child;
    Order order;
    order.number = is_algo ? next_algo_number_++ : next_order_number_++;
    order.id = rules.venue == Venue::bybit ? random.uuid() : std::to_string(order.number);
    order.client_id = request.client_id;
    if (order.client_id.empty() && rules.venue == Venue::binance) order.client_id = random.text(22);
    order.account = account.key;
    order.symbol = request.symbol;
    order.kind = conditional ? OrderKind::conditional : OrderKind::regular;
    order.stop_kind = request.stop_kind;
    order.side = request.side;
    order.slot = request.slot;
    order.type = request.type;
    order.time_in_force = request.type == OrderType::market && rules.venue == Venue::bybit ? TimeInForce::ioc
                                                                                           : request.time_in_force;
    order.quantity = quantity;
    order.price = request.type == OrderType::limit ? request.price : Decimal();
    order.reduce_only = request.reduce_only || request.close_position;
    order.close_position = request.close_position;
    order.close_on_trigger = request.close_on_trigger;
    order.attached = request.attached;
    order.last_price_on_created = instrument.last;
    order.created_ms = order.updated_ms = now;
    if (!conditional) return order;

    order.status = OrderStatus::untriggered;
    order.trigger_price = request.trigger_price;
    order.trigger_by = request.trigger_by;
    order.trigger_when = natural_direction(request);
    order.trailing_percent = request.trailing_percent;
    order.activation_price = request.activation_price;
    trail(order, instrument);
    return order;
}

Order& Market::insert(Account& account, Order order) {
    const size_t index = account.orders.size();
    const bool is_algo = order.kind == OrderKind::conditional && rules.trigger_makes_child;
    (is_algo ? account.by_algo_id : account.by_id)[order.id] = index;
    if (!order.client_id.empty())
        (is_algo ? account.by_algo_client_id : account.by_client_id)[order.client_id] = index;
    account.open[order.symbol].insert(index);
    return account.orders.emplace_back(std::move(order));
}

Order& Market::writable(Account& account, const Order& order) {
    const bool is_algo = order.kind == OrderKind::conditional && rules.trigger_makes_child;
    return account.orders[(is_algo ? account.by_algo_id : account.by_id).at(order.id)];
}

// ---- the requests

Placed Market::place(Account& account, const OrderRequest& request, Ms now) {
    Decimal quantity = request.quantity;
    if (const Refusal refusal = check(account, request, quantity); refusal != Refusal::none) return {refusal, nullptr};

    Order& order = insert(account, make_order(account, request, quantity, now));
    const int64_t sequence = advance(order.symbol);
    order.sequence = sequence;
    if (order.kind == OrderKind::conditional) {
        emit(OrderChanged{order}, account.key, order.symbol, sequence, now);
        report_order_activity(account, order, now);
        return {Refusal::none, &order};
    }
    const Instrument& instrument = instrument_at(order.symbol);
    const bool crosses = would_cross(order);
    const bool whole = crosses && (!instrument.depth || *instrument.depth >= order.quantity);
    if (order.time_in_force == TimeInForce::post_only && crosses) {
        end(account, order, OrderStatus::canceled, EndReason::post_only_would_take, sequence, now);
        report_order_activity(account, order, now);
    } else if (order.time_in_force == TimeInForce::fok && !whole) {
        end(account, order, OrderStatus::canceled, EndReason::fok_unfillable, sequence, now);
        report_order_activity(account, order, now);
    } else {
        match(account, order, sequence, now);
    }
    return {Refusal::none, &order};
}

Refusal Market::amend(Account& account, const Order& target, const AmendRequest& request, Ms now) {
    Order& order = writable(account, target);
    const Instrument& instrument = instrument_at(order.symbol);
    if (!order.is_open()) return Refusal::order_finished;
    const Decimal quantity = request.quantity.value_or(order.quantity).floor_to(instrument.step);
    const Decimal price = request.price.value_or(order.price);
    const Decimal trigger = request.trigger_price.value_or(order.trigger_price);
    const AttachedStops before = order.attached;
    AttachedStops attached = before;
    if (request.stop_loss) attached.stop_loss = request.stop_loss->is_zero() ? std::nullopt : request.stop_loss;
    if (request.take_profit) attached.take_profit = request.take_profit->is_zero() ? std::nullopt : request.take_profit;
    const bool same_stops = attached.stop_loss == before.stop_loss && attached.take_profit == before.take_profit;
    if (quantity == order.quantity && price == order.price && trigger == order.trigger_price && same_stops)
        return Refusal::not_modified;
    if (quantity <= order.filled && !order.close_position) return Refusal::quantity_below_filled;
    if (quantity > instrument.max_quantity) return Refusal::quantity_above_max;
    if (quantity < instrument.min_quantity && !order.close_position) return Refusal::quantity_below_min;
    if (request.price && order.type == OrderType::limit) {
        if (price.sign() <= 0) return Refusal::price_missing;
        if (!price.is_multiple_of(instrument.tick)) return Refusal::price_off_tick;
    }
    if (order.status == OrderStatus::untriggered && request.trigger_price) {
        const Decimal base = trigger_base(instrument, order.trigger_by);
        if (order.trigger_when == TriggerWhen::rises ? trigger <= base : trigger >= base) return Refusal::would_trigger_at_once;
    }
    order.quantity = quantity;
    order.price = price;
    order.trigger_price = trigger;
    order.attached = attached;
    if (order.stop_kind == StopKind::position_stop_loss) position_at(account, order.symbol, order.slot).stop_loss = trigger;
    if (order.stop_kind == StopKind::position_take_profit) position_at(account, order.symbol, order.slot).take_profit = trigger;
    order.updated_ms = now;
    order.sequence = advance(order.symbol);
    refresh(account, order);
    emit(OrderChanged{.order = order, .amended = true}, account.key, order.symbol, order.sequence, now);
    if (order.is_on_book() && would_cross(order))
        match(account, order, order.sequence, now);
    else
        report_order_activity(account, order, now);
    return Refusal::none;
}

Refusal Market::cancel(Account& account, const Order& target, Ms now, EndReason why) {
    Order& order = writable(account, target);
    if (!order.is_open() || order.status == OrderStatus::triggered) return Refusal::order_finished;
    const int64_t sequence = advance(order.symbol);
    if (order.fills_on_cancel && order.is_on_book()) {
        const Decimal price = order.price;
        execute(account, order, order.remaining(), price, true, sequence, now);
        end(account, order, OrderStatus::filled, EndReason::none, sequence, now);
        settle(account, order, sequence, now);
        emit(OrderChanged{.order = order, .refused_late = true}, account.key, order.symbol, sequence, now);
        return Refusal::none;
    }
    end(account, order, OrderStatus::canceled, why, sequence, now);
    report_order_activity(account, order, now);
    if (is_full_stop(order.stop_kind))
        follow_position(account, position_at(account, order.symbol, order.slot), sequence, now);
    return Refusal::none;
}

std::vector<const Order*> Market::cancel_all(Account& account, const std::function<bool(const Order&)>& wanted, Ms now) {
    std::vector<const Order*> canceled;
    for (const Order* order : account.open_orders()) {
        if (!order->is_open() || !wanted(*order)) continue;
        if (cancel(account, *order, now) == Refusal::none) canceled.push_back(order);
    }
    return canceled;
}

Refusal Market::fill(Account& account, const Order& target, Decimal quantity, Decimal price, Ms now) {
    Order& order = writable(account, target);
    if (!order.is_on_book()) return Refusal::order_finished;
    quantity = min(quantity, order.remaining());
    if (order.only_reduces()) quantity = min(quantity, reducible(account, order.symbol, order.slot, order.side));
    if (quantity.sign() <= 0 || price.sign() <= 0) return Refusal::quantity_zero;
    const int64_t sequence = advance(order.symbol);
    execute(account, order, quantity, price, true, sequence, now);
    if (order.remaining().is_zero())
        end(account, order, OrderStatus::filled, EndReason::none, sequence, now);
    else
        emit(OrderChanged{order}, account.key, order.symbol, sequence, now);
    settle(account, order, sequence, now);
    return Refusal::none;
}

// ---- ending and reporting

void Market::end(Account& account, Order& order, OrderStatus status, EndReason why, int64_t sequence, Ms now) {
    const bool short_of_all = order.filled.sign() > 0 && order.filled < order.quantity;
    if (rules.ends_oddly && short_of_all && status == OrderStatus::canceled) status = OrderStatus::rejected;
    if (rules.ends_oddly && short_of_all && status == OrderStatus::finished) status = OrderStatus::expired;
    order.status = status;
    order.end_reason = why;
    order.updated_ms = now;
    order.sequence = sequence;
    refresh(account, order);
    const bool is_algo = order.kind == OrderKind::conditional && rules.trigger_makes_child;
    auto& open = account.open[order.symbol];
    open.erase((is_algo ? account.by_algo_id : account.by_id).at(order.id));
    if (open.empty()) account.open.erase(order.symbol);
    emit(OrderChanged{order}, account.key, order.symbol, sequence, now);
    if (order.parent_id.empty()) return;

    Order& parent = account.orders[account.by_algo_id.at(order.parent_id)];
    parent.filled = order.filled;
    parent.filled_value = order.filled_value;
    end(account, parent, OrderStatus::finished, EndReason::none, sequence, now);
}

// Bybit pushes the position with each accepted create, amend and cancel, changed or not.
void Market::report_order_activity(Account& account, const Order& order, Ms now) {
    Position& position = position_at(account, order.symbol, order.slot);
    position.sequence = order.sequence;
    emit_position(account, position, PositionWhy::order_activity, order.sequence, now);
    if (order.type == OrderType::limit && !order.only_reduces())
        emit_wallet(account, order.symbol, WalletWhy::order, 0, order.sequence, now);
}

}  // namespace market
