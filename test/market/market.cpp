// Accounts, look-ups, the journal. What happens to orders is in orders.cpp, matching.cpp and positions.cpp.
#include "market/market.hpp"

#include "market/margin.hpp"

#include <utility>

namespace market {

Rules Rules::of(Venue venue) {
    Rules rules;
    rules.venue = venue;
    rules.maker_fee = Decimal::of("0.0002");
    if (venue == Venue::bybit) {
        rules.taker_fee = rules.close_fee_rate = Decimal::of("0.00055");
        return rules;
    }
    rules.taker_fee = Decimal::of("0.0005");
    rules.client_id_unique_forever = false;
    rules.truncates_off_step_quantity = false;
    rules.refuses_post_only_and_fok = true;
    rules.trigger_makes_child = true;
    rules.max_open_orders_per_symbol = 200;
    rules.max_conditional_per_symbol = 200;
    rules.max_conditional_per_account = 200;
    rules.first_order_number = 9'007'199'254'741'001;
    rules.first_algo_number = 1'000'000'311'223'344;
    rules.first_trade_number = 5'600'000'101;
    return rules;
}

Market::Market(Venue venue, uint64_t seed)
    : rules(Rules::of(venue)), random(seed), next_order_number_(rules.first_order_number),
      next_algo_number_(rules.first_algo_number), next_trade_number_(rules.first_trade_number) {}

// ---- accounts

Account& Market::add_account(std::string key, std::string secret, Decimal wallet, bool hedge) {
    Account& account = accounts_[key];
    if (account.uid == 0) account.uid = 9'000'122 + static_cast<int64_t>(accounts_.size());
    account.key = std::move(key);
    account.secret = std::move(secret);
    account.hedge = hedge;
    account.balances["USDT"].asset = "USDT";
    account.balances["USDT"].wallet = wallet;
    return account;
}

Account* Market::account(const std::string& key) {
    const auto found = accounts_.find(key);
    return found == accounts_.end() ? nullptr : &found->second;
}

void Market::deposit(Account& account, Decimal amount, Ms now) {
    Balance& balance = account.balances.at("USDT");
    balance.wallet += amount;
    balance.updated_ms = now;
    emit_wallet(account, "", WalletWhy::deposit, amount, 0, now);
}

std::vector<const Order*> Account::open_orders(const std::string& symbol) const {
    std::vector<const Order*> found;
    for (const auto& [name, indexes] : open) {
        if (!symbol.empty() && name != symbol) continue;
        for (const size_t index : indexes) found.push_back(&orders[index]);
    }
    return found;
}

bool Account::is_hedge(const std::string& symbol) const {
    const auto found = hedge_by_symbol.find(symbol);
    return found == hedge_by_symbol.end() ? hedge : found->second;
}

const Decimal& Account::leverage_of(const std::string& symbol) const {
    const auto found = leverage.find(symbol);
    return found == leverage.end() ? default_leverage : found->second;
}

const Order* Account::order(const std::string& id, bool algo) const {
    const auto& ids = algo ? by_algo_id : by_id;
    const auto found = ids.find(id);
    return found == ids.end() ? nullptr : &orders[found->second];
}

const Order* Account::order_by_client_id(const std::string& client_id, bool algo) const {
    const auto& ids = algo ? by_algo_client_id : by_client_id;
    const auto found = ids.find(client_id);
    return found == ids.end() ? nullptr : &orders[found->second];
}

const Position* Account::position(const std::string& symbol, Slot slot) const {
    const auto found = positions.find({symbol, slot});
    return found == positions.end() ? nullptr : &found->second;
}

Position& Market::position_at(Account& account, const std::string& symbol, Slot slot) {
    Position& position = account.positions[{symbol, slot}];
    if (position.symbol.empty()) {
        position.account = account.key;
        position.symbol = symbol;
        position.slot = slot;
        position.leverage = account.leverage_of(symbol);
    }
    return position;
}

// ---- instruments

const Instrument* Market::instrument(const std::string& symbol) const {
    const auto found = instruments_.find(symbol);
    return found == instruments_.end() ? nullptr : &found->second;
}

void Market::set_instrument_status(const std::string& symbol, const std::string& status, Ms now) {
    instrument_at(symbol).status = status;
    emit(InstrumentChanged{symbol}, "", symbol, instrument_at(symbol).sequence, now);
}

void Market::set_book(const std::string& symbol, std::optional<Decimal> depth, int parts, int ticks_apart) {
    instrument_at(symbol).depth = depth;
    instrument_at(symbol).parts = parts < 1 ? 1 : parts;
    instrument_at(symbol).ticks_apart = ticks_apart;
}

// ---- the journal

int64_t Market::advance(const std::string& symbol) {
    Instrument& instrument = instrument_at(symbol);
    return instrument.sequence += random.between(1, 40);
}

void Market::emit(decltype(Event::what) what, const std::string& account, const std::string& symbol, int64_t sequence,
                  Ms now) {
    journal_.push_back(Event{++last_event_number_, now, account, symbol, sequence, std::move(what)});
}

void Market::emit_position(Account& account, const Position& position, PositionWhy why, int64_t sequence, Ms now) {
    emit(PositionChanged{position, instrument_at(position.symbol).mark, why}, account.key, position.symbol, sequence, now);
}

void Market::emit_wallet(Account& account, const std::string& symbol, WalletWhy why, Decimal change, int64_t sequence,
                         Ms now) {
    emit(WalletChanged{account.usdt(), account.totals, change, why, symbol}, account.key, symbol, sequence, now);
}

std::vector<Event> Market::take_events() {
    return std::exchange(journal_, {});
}

// ---- margins

void Market::refresh(Account& account, Position& position) {
    const Instrument& instrument = instrument_at(position.symbol);
    Totals& totals = account.totals;
    totals.unrealized -= position.unrealized;
    totals.position_initial -= position.initial_margin;
    totals.position_maintenance -= position.maintenance_margin;
    position.unrealized = margin::unrealized(position, instrument.mark);
    position.initial_margin = margin::position_initial(position, instrument.mark, rules.close_fee_rate);
    position.maintenance_margin =
        margin::position_maintenance(position, instrument.mark, instrument.maintenance_rate, rules.close_fee_rate);
    totals.unrealized += position.unrealized;
    totals.position_initial += position.initial_margin;
    totals.position_maintenance += position.maintenance_margin;
}

void Market::refresh(Account& account, Order& order) {
    account.totals.order_initial -= order.initial_margin;
    const bool reserves = order.is_on_book() && !order.only_reduces() && order.type == OrderType::limit;
    order.initial_margin = reserves ? margin::order_initial(order.remaining() * order.price,
                                                            account.leverage_of(order.symbol), rules.close_fee_rate)
                                    : Decimal();
    account.totals.order_initial += order.initial_margin;
}

}  // namespace market
