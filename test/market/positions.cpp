// What fills, settings, funding and liquidation do to positions, and the stops that belong to a position.
#include "market/market.hpp"

namespace market {

namespace {

constexpr Ms kFundingInterval = 8 * 3'600'000;
constexpr StopKind kFullStops[] = {StopKind::position_stop_loss, StopKind::position_take_profit, StopKind::position_trailing};
constexpr int kMaxPartialStops = 20;

bool is_position_stop(StopKind kind) { return is_full_stop(kind) || is_partial_stop(kind); }

Decimal& stop_value(Position& position, StopKind kind) {
    if (kind == StopKind::position_take_profit) return position.take_profit;
    if (kind == StopKind::position_trailing) return position.trailing_stop;
    return position.stop_loss;
}

bool loses_at(StopKind kind) { return kind != StopKind::position_take_profit && kind != StopKind::partial_take_profit; }

}  // namespace

Decimal ClosedPnl::pnl() const {
    const Decimal gross = side == Side::sell ? exit_value - entry_value : entry_value - exit_value;
    return gross.money() - open_fee - close_fee;
}

// ---- fills

void Market::apply_to_position(Account& account, Order& order, Fill& fill, Ms now) {
    Position& position = position_at(account, order.symbol, order.slot);
    Balance& wallet = account.balances.at("USDT");
    const Decimal held = position.quantity.abs();
    const bool same_way = position.is_flat() || position.is_long() == (fill.side == Side::buy);
    const Decimal closing = same_way ? Decimal() : min(fill.quantity, held);
    const Decimal opening = fill.quantity - closing;
    const Decimal closing_fee = closing.is_zero() ? Decimal() : (fill.fee * closing / fill.quantity).money();

    if (closing == held && !held.is_zero())                // closed or turned: its stops are void
        for (const StopKind kind : kFullStops) stop_value(position, kind) = 0;
    if (closing.sign() > 0) {
        const Decimal entry_part = closing == held ? position.entry_value : position.entry_value * closing / held;
        const Decimal open_fee = closing == held ? position.open_fee : (position.open_fee * closing / held).money();
        const Decimal gain = closing * fill.price - entry_part;
        fill.closed_quantity = closing;
        fill.realized_pnl = (position.is_long() ? gain : -gain).money();
        position.entry_value -= entry_part;
        position.open_fee -= open_fee;
        position.quantity += position.is_long() ? -closing : closing;
        position.current_realized += fill.realized_pnl - closing_fee;
        position.total_realized_gross += fill.realized_pnl;
        record_closed(account, order, fill, entry_part, open_fee, now);
    }
    if (opening.sign() > 0) {
        const bool fresh = position.is_flat();
        if (fresh) {
            position.current_realized = 0;
            position.opened_ms = now;
            if (position.created_ms == 0) position.created_ms = now;
        }
        position.entry_value += opening * fill.price;
        position.quantity += fill.side == Side::buy ? opening : -opening;
        position.entry_price = position.entry_value / position.quantity.abs();
        position.open_fee += fill.fee - closing_fee;
        position.current_realized -= fill.fee - closing_fee;
    }
    if (position.is_flat()) {
        position.entry_price = position.entry_value = position.open_fee = 0;
        position.opened_ms = 0;
    }
    order.realized_pnl += fill.realized_pnl;
    position.total_realized += fill.realized_pnl - fill.fee;
    position.updated_ms = now;
    position.sequence = fill.sequence;
    wallet.wallet += fill.realized_pnl - fill.fee;
    wallet.total_realized += fill.realized_pnl - fill.fee;
    wallet.updated_ms = now;
    refresh(account, position);
}

void Market::record_closed(Account& account, const Order& order, const Fill& fill, Decimal entry_value, Decimal open_fee,
                           Ms now) {
    if (account.closed.empty() || account.closed.back().order_id != order.id) {
        ClosedPnl row;
        row.account = account.key;
        row.symbol = order.symbol;
        row.order_id = order.id;
        row.side = order.side;
        row.origin = order.origin;
        row.order_type = order.type;
        row.order_quantity = order.quantity;
        row.order_price = order.price;
        row.leverage = account.leverage_of(order.symbol);
        row.created_ms = order.created_ms;
        account.closed.push_back(std::move(row));
    }
    ClosedPnl& row = account.closed.back();
    row.quantity += fill.closed_quantity;
    row.entry_value += entry_value;
    row.exit_value += fill.closed_quantity * fill.price;
    row.open_fee += open_fee;
    row.close_fee += (fill.fee * fill.closed_quantity / fill.quantity).money();
    row.updated_ms = now;
    ++row.fill_count;
}

// The orders that hang on a position: resized with it, ended when it is gone or has turned.
void Market::follow_position(Account& account, Position& position, int64_t sequence, Ms now) {
    bool touched = false;
    for (const Order* open : account.open_orders(position.symbol)) {
        if (open->slot != position.slot || !open->is_open()) continue;
        Order& order = writable(account, *open);
        const bool waits = order.status == OrderStatus::untriggered;
        const bool hangs = waits ? is_position_stop(order.stop_kind) || order.close_position
                                 : order.is_on_book() && order.only_reduces();
        if (!hangs) continue;
        const bool fits = !position.is_flat() && position.is_long() == (order.side == Side::sell);
        if (!fits) {
            const OrderStatus status = rules.venue == Venue::bybit ? OrderStatus::canceled : OrderStatus::expired;
            end(account, order, status, waits ? EndReason::position_closed : EndReason::reduce_only, sequence, now);
            touched = true;
            continue;
        }
        const bool full = waits && is_full_stop(order.stop_kind);
        if (!full || order.quantity == position.quantity.abs()) continue;
        order.quantity = position.quantity.abs();
        order.updated_ms = now;
        order.sequence = sequence;
        emit(OrderChanged{.order = order, .amended = true}, account.key, order.symbol, sequence, now);
    }
    for (const StopKind kind : kFullStops)
        if (!stop_value(position, kind).is_zero() && open_stop(account, position, kind) == nullptr) {
            stop_value(position, kind) = 0;
            touched = true;
        }
    if (touched) emit_position(account, position, PositionWhy::settings, sequence, now);
}

// ---- position stops

Order* Market::open_stop(Account& account, const Position& position, StopKind kind) {
    for (const Order* order : account.open_orders(position.symbol))
        if (order->stop_kind == kind && order->slot == position.slot && order->status == OrderStatus::untriggered)
            return &writable(account, *order);
    return nullptr;
}

void Market::put_stop(Account& account, Position& position, StopKind kind, const StopTerms& terms, int64_t sequence, Ms now) {
    Order* existing = is_full_stop(kind) ? open_stop(account, position, kind) : nullptr;
    if (is_full_stop(kind)) stop_value(position, kind) = terms.price;
    if (terms.price.is_zero()) {
        if (existing != nullptr) end(account, *existing, OrderStatus::canceled, EndReason::user, sequence, now);
        return;
    }
    Order order;
    if (existing != nullptr) {
        order = *existing;
    } else {
        OrderRequest request;
        request.symbol = position.symbol;
        request.slot = position.slot;
        request.side = position.is_long() ? Side::sell : Side::buy;
        request.type = terms.limit_price.is_zero() ? OrderType::market : OrderType::limit;
        request.price = terms.limit_price;
        request.reduce_only = request.close_on_trigger = true;
        request.stop_kind = kind;
        request.trigger_when = loses_at(kind) == position.is_long() ? TriggerWhen::falls : TriggerWhen::rises;
        const Decimal held = position.quantity.abs();
        order = make_order(account, request, is_full_stop(kind) ? held : min(terms.partial_quantity, held), now);
        order.origin = kind == StopKind::position_trailing ? Origin::trailing_stop
                       : loses_at(kind)                    ? Origin::stop_loss
                                                           : Origin::take_profit;
    }
    order.trigger_by = terms.by;
    order.trigger_price = terms.price;
    order.updated_ms = now;
    order.sequence = sequence;
    if (kind == StopKind::position_trailing) {
        order.trailing_distance = terms.price;
        order.activation_price = order.trigger_price = terms.activation;
        order.trailing_active = false;
        trail(order, instrument_at(position.symbol));
    }
    const Order& stored = existing != nullptr ? (*existing = order) : insert(account, std::move(order));
    emit(OrderChanged{.order = stored, .amended = existing != nullptr}, account.key, position.symbol, sequence, now);
}

Refusal Market::set_position_stop(Account& account, const std::string& symbol, Slot slot, const StopRequest& request, Ms now) {
    const Instrument* found = instrument(symbol);
    if (found == nullptr) return Refusal::unknown_symbol;
    if (account.is_hedge(symbol) == (slot == Slot::both)) return Refusal::wrong_slot;
    const auto held = account.positions.find({symbol, slot});
    if (held == account.positions.end() || held->second.is_flat()) return Refusal::no_position;
    Position& position = held->second;

    const bool partial = request.partial_quantity.sign() > 0;
    const auto changes = [&](const std::optional<Decimal>& wanted, Decimal present) { return wanted && (partial || *wanted != present); };
    const bool stop_loss = changes(request.stop_loss, position.stop_loss);
    const bool take_profit = changes(request.take_profit, position.take_profit);
    const bool trailing = changes(request.trailing_distance, position.trailing_stop);
    if (!stop_loss && !take_profit && !trailing) return Refusal::not_modified;

    const auto base = [&](TriggerBy by) { return by == TriggerBy::mark ? found->mark : found->last; };
    const auto beyond = [&](Decimal price, Decimal reference, bool below) { return below ? price < reference : price > reference; };
    if (stop_loss && !request.stop_loss->is_zero() && !beyond(*request.stop_loss, base(request.stop_loss_by), position.is_long()))
        return Refusal::stop_loss_wrong_side;
    if (take_profit && !request.take_profit->is_zero() &&
        !beyond(*request.take_profit, base(request.take_profit_by), !position.is_long()))
        return Refusal::take_profit_wrong_side;

    if (partial) {
        int present = 0;
        for (const Order* order : account.open_orders(symbol)) present += is_partial_stop(order->stop_kind);
        if (present >= kMaxPartialStops) return Refusal::too_many_partial_stops;
    }
    const int64_t sequence = advance(symbol);
    const auto put = [&](StopKind kind, Decimal price, TriggerBy by) {
        const StopTerms terms{price, by, request.activation_price, request.partial_quantity, request.limit_price};
        put_stop(account, position, kind, terms, sequence, now);
    };
    if (stop_loss)
        put(partial ? StopKind::partial_stop_loss : StopKind::position_stop_loss, *request.stop_loss, request.stop_loss_by);
    if (take_profit)
        put(partial ? StopKind::partial_take_profit : StopKind::position_take_profit, *request.take_profit,
            request.take_profit_by);
    if (trailing) put(StopKind::position_trailing, *request.trailing_distance, TriggerBy::last);
    position.sequence = sequence;
    position.updated_ms = now;
    emit_position(account, position, PositionWhy::settings, sequence, now);
    return Refusal::none;
}

void Market::attach_stops(Account& account, Order& order, Position& position, int64_t sequence, Ms now) {
    const bool opened = !position.is_flat() && position.is_long() == (order.side == Side::buy);
    if (!order.attached.any() || !opened) return;
    const AttachedStops& wanted = order.attached;
    if (wanted.stop_loss && *wanted.stop_loss != position.stop_loss)
        put_stop(account, position, StopKind::position_stop_loss, {*wanted.stop_loss, wanted.stop_loss_by, 0, 0, 0}, sequence, now);
    if (wanted.take_profit && *wanted.take_profit != position.take_profit)
        put_stop(account, position, StopKind::position_take_profit, {*wanted.take_profit, wanted.take_profit_by, 0, 0, 0},
                 sequence, now);
    order.attached = {};                                   // later fills of this order only resize them
    emit_position(account, position, PositionWhy::settings, sequence, now);
}

// ---- settings

Refusal Market::set_leverage(Account& account, const std::string& symbol, Decimal leverage, Ms now) {
    const Instrument* found = instrument(symbol);
    if (found == nullptr) return Refusal::unknown_symbol;
    if (leverage < Decimal(1) || leverage > Decimal(found->max_leverage)) return Refusal::leverage_out_of_range;
    if (account.leverage_of(symbol) == leverage) return Refusal::not_modified;
    account.leverage[symbol] = leverage;
    emit(LeverageChanged{symbol, leverage}, account.key, symbol, found->sequence, now);
    for (const Order* order : account.open_orders(symbol)) refresh(account, writable(account, *order));
    for (const Slot slot : {Slot::both, Slot::long_side, Slot::short_side}) {
        const auto held = account.positions.find({symbol, slot});
        if (held == account.positions.end()) continue;
        held->second.leverage = leverage;
        held->second.updated_ms = now;
        refresh(account, held->second);
        emit_position(account, held->second, PositionWhy::settings, held->second.sequence, now);
    }
    emit_wallet(account, symbol, WalletWhy::settings, 0, found->sequence, now);
    return Refusal::none;
}

Refusal Market::set_hedge(Account& account, const std::string& symbol, bool hedge, Ms) {
    if (!symbol.empty() && instrument(symbol) == nullptr) return Refusal::unknown_symbol;
    if ((symbol.empty() ? account.hedge : account.is_hedge(symbol)) == hedge) return Refusal::not_modified;
    for (const auto& [key, position] : account.positions)
        if ((symbol.empty() || key.first == symbol) && !position.is_flat()) return Refusal::position_exists;
    if (!account.open_orders(symbol).empty()) return Refusal::open_orders_exist;
    if (symbol.empty()) {
        account.hedge = hedge;
        account.hedge_by_symbol.clear();
    } else {
        account.hedge_by_symbol[symbol] = hedge;
    }
    return Refusal::none;
}

// ---- what the exchange does by itself

void Market::liquidate(Account& account, const std::string& symbol, Ms now) {
    for (const Slot slot : {Slot::both, Slot::long_side, Slot::short_side}) {
        const auto held = account.positions.find({symbol, slot});
        if (held == account.positions.end() || held->second.is_flat()) continue;
        for (const Order* order : account.open_orders(symbol))
            if (order->slot == slot && order->is_open()) cancel(account, *order, now, EndReason::liquidation);
        for (const StopKind kind : kFullStops) stop_value(held->second, kind) = 0;
        OrderRequest request;
        request.symbol = symbol;
        request.slot = slot;
        request.side = held->second.is_long() ? Side::sell : Side::buy;
        request.reduce_only = true;
        if (rules.venue == Venue::binance) request.client_id = "autoclose-" + std::to_string(now);
        Order order = make_order(account, request, held->second.quantity.abs(), now);
        order.origin = Origin::liquidation;
        match(account, insert(account, std::move(order)), advance(symbol), now);
    }
}

void Market::pay_funding(const std::string& symbol, Decimal rate, Ms now) {
    Instrument& instrument = instrument_at(symbol);
    instrument.funding_rate = rate;
    instrument.next_funding_ms = (now / kFundingInterval + 1) * kFundingInterval;
    for (auto& [key, account] : accounts_)
        for (const Slot slot : {Slot::both, Slot::long_side, Slot::short_side}) {
            const auto held = account.positions.find({symbol, slot});
            if (held == account.positions.end() || held->second.is_flat()) continue;
            Position& position = held->second;
            const int64_t sequence = advance(symbol);
            const Decimal amount = (-(position.quantity * instrument.mark) * rate).money();
            Balance& wallet = account.balances.at("USDT");
            wallet.wallet += amount;
            wallet.total_realized += amount;
            wallet.updated_ms = position.updated_ms = now;
            position.current_realized += amount;
            position.total_realized += amount;
            position.sequence = sequence;
            Funding funding;
            funding.number = next_trade_number_++;
            funding.trade_id = rules.venue == Venue::bybit ? random.uuid() : std::to_string(funding.number);
            funding.account = key;
            funding.symbol = symbol;
            funding.slot = slot;
            funding.position_side = position.is_long() ? Side::buy : Side::sell;
            funding.quantity = position.quantity.abs();
            funding.mark_price = instrument.mark;
            funding.rate = rate;
            funding.amount = amount;
            funding.time_ms = now;
            funding.sequence = sequence;
            account.funding.push_back(funding);
            emit(FundingPaid{funding}, key, symbol, sequence, now);
            emit_position(account, position, PositionWhy::funding, sequence, now);
            emit_wallet(account, symbol, WalletWhy::funding, amount, sequence, now);
        }
}

void Market::seed_position(Account& account, const std::string& symbol, Slot slot, Decimal signed_quantity, Ms now) {
    Position& position = position_at(account, symbol, slot);
    const Instrument& instrument = instrument_at(symbol);
    position.quantity = signed_quantity;
    position.entry_price = instrument.last;
    position.entry_value = signed_quantity.abs() * instrument.last;
    position.created_ms = position.opened_ms = position.updated_ms = now;
    position.sequence = advance(symbol);
    refresh(account, position);
}

}  // namespace market
