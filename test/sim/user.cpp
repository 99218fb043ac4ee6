// See user.hpp.
#include "sim/user.hpp"

#include <memory>

namespace tradesync::sim {
namespace {

constexpr Ms kEntryValidityMs = 30'000;
constexpr Ms kOtherValidityMs = 600'000;

std::string result_text(const std::string& sqlstate) { return sqlstate.empty() ? "ok" : sqlstate; }

}  // namespace

User::User(VirtualClock& clock, Agenda& agenda, Tables& tables, std::uint64_t seed, std::vector<std::string> symbols)
    : clock_(clock), agenda_(agenda), tables_(tables), random_(seed), curiosity_(seed ^ 0xC0), haste_(seed ^ 0x4A57), symbols_(std::move(symbols)) {}

// ------------------------------------------------------------------------------------------------ the functions

CommandRow& User::command(Transaction& transaction, const char* kind, Ms valid_for_ms) {
  CommandRow row;
  row.id = tables_.next_command_id++;
  row.kind = kind;
  row.created_ms = clock_.unix_ms();
  row.valid_until_ms = row.created_ms + valid_for_ms;
  return transaction.commands.emplace_back(std::move(row));
}

std::string User::open_position(Transaction& transaction, const std::string& symbol, bool is_long, std::optional<Decimal> notional,
                                std::optional<Decimal> quantity, std::optional<Decimal> stop_loss_percent) {
  if (worker_state() != "live") return "TS013";
  if (tables_.halted) return "TS015";
  const auto instrument = tables_.instruments.find(symbol);
  if (instrument == tables_.instruments.end() || instrument->second.status != "trading") return "TS016";
  if (quantity.has_value() == notional.has_value()) return "TS018";
  if (quantity) {
    const auto stepped = to_step(*quantity, instrument->second.quantity_step, Rounding::down);
    if (!stepped || *stepped != *quantity || *quantity < instrument->second.min_quantity) return "TS018";
  }
  if (!stop_loss_percent || !stop_loss_percent->is_positive()) return "TS022";
  const auto symbol_mode = tables_.modes.find(symbol), account_mode = tables_.modes.find("");
  const bool hedge = symbol_mode != tables_.modes.end() ? symbol_mode->second : account_mode != tables_.modes.end() && account_mode->second;
  const std::string position_side = !hedge ? "both" : is_long ? "long" : "short";
  if (locked_symbols_.contains(symbol)) return "TS020";
  // check_no_position(): a row whose side nobody knew when it was made may become one of either side.
  for (const PositionRow& row : tables_.positions)
    if (row.symbol == symbol && row.is_open() && (position_side == "both" || row.position_side == position_side || row.position_side == "both")) return "TS019";
  for (const auto& [key, held] : tables_.venue_positions)
    if (key.first == symbol && !held.quantity.is_zero() && (position_side == "both" || key.second == position_side || key.second == "both")) return "TS019";
  locked_symbols_.insert(symbol);
  transaction.locked_symbols.insert(symbol);
  tables_.reserved.insert({symbol, position_side});

  PositionRow row;
  row.id = tables_.next_position_id++;
  row.symbol = symbol;
  row.position_side = position_side;
  row.side = is_long ? "long" : "short";
  row.wanted_quantity = quantity;
  row.wanted_notional = notional;
  row.stop_loss_percent = stop_loss_percent;
  if (tables_.settings.contains("leverage")) row.wanted_leverage = Decimal::parse(tables_.settings.at("leverage"));
  row.opened_ms = clock_.unix_ms();
  CommandRow& wish = command(transaction, "open_position", kEntryValidityMs);
  wish.position_id = row.id;
  wish.symbol = symbol;
  transaction.positions.push_back(std::move(row));
  return {};
}

std::string User::close_position(Transaction& transaction, std::int64_t position_id, std::optional<Decimal> quantity) {
  const PositionRow* row = tables_.position(position_id);
  if (!row || !row->is_open() || !row->managed) return "TS021";
  if (quantity) {
    const auto step = to_step(*quantity, tables_.instruments.at(row->symbol).quantity_step, Rounding::down);
    if (!quantity->is_positive() || *quantity > row->quantity || !step || *step != *quantity) return "TS018";
  }
  CommandRow& wish = command(transaction, "close_position", kOtherValidityMs);
  wish.position_id = position_id;
  wish.symbol = row->symbol;
  wish.quantity = quantity;
  wish.reason = "manual";
  return {};
}

std::string User::set_stop_loss(Transaction& transaction, std::int64_t position_id, const Decimal& price) {
  const PositionRow* row = tables_.position(position_id);
  if (!row || !row->is_open() || !row->managed) return "TS021";
  const auto mark = tables_.marks.find(row->symbol);
  if (mark != tables_.marks.end() && (row->side == "long" ? price >= mark->second : price <= mark->second)) return "TS022";
  CommandRow& wish = command(transaction, "set_stop_loss", kOtherValidityMs);
  wish.position_id = position_id;
  wish.symbol = row->symbol;
  wish.price = price;
  return {};
}

std::string User::set_take_profit(Transaction& transaction, std::int64_t position_id, const Decimal& price) {
  const PositionRow* row = tables_.position(position_id);
  if (!row || !row->is_open() || !row->managed) return "TS021";
  const auto mark = tables_.marks.find(row->symbol);
  if (!price.is_zero() && mark != tables_.marks.end() && (row->side == "long"
      ? price <= mark->second : price >= mark->second)) return "TS022";
  CommandRow& wish = command(transaction, "set_take_profit", kOtherValidityMs);
  wish.position_id = position_id;
  wish.symbol = row->symbol;
  wish.price = price;
  return {};
}

std::string User::set_leverage(Transaction& transaction, const std::string& symbol, const Decimal& leverage) {
  CommandRow& wish = command(transaction, "set_leverage", kOtherValidityMs);
  wish.symbol = symbol;
  wish.leverage = leverage;
  return {};
}

std::string User::cancel_order(Transaction& transaction, const std::string& client_order_id) {
  CommandRow& wish = command(transaction, "cancel_order", kOtherValidityMs);
  wish.client_order_id = client_order_id;
  return {};
}

void User::commit(Transaction& transaction) {
  for (PositionRow& row : transaction.positions) {
    tables_.reserved.erase({row.symbol, row.position_side});
    tables_.positions.push_back(std::move(row));
  }
  for (CommandRow& row : transaction.commands) {
    row.halts_before = tables_.halt_count - (tables_.halted ? 1 : 0);
    tables_.commands.push_back(std::move(row));
  }
  if (transaction.halt == 1) tables_.halt("manual");
  if (transaction.halt == 0) {
    tables_.resume();
    halted_at_ms = 0;
    open_at_once();
  }
  for (const std::string& symbol : transaction.locked_symbols) locked_symbols_.erase(symbol);
  // Some wake-ups are lost (COMMIT PREPARED by another process): the safety scan of a second finds the rows.
  if (!random_.chance_per_million(lost_wakes_per_million) && wake) wake();
}

void User::roll_back(const Transaction& transaction) {
  for (const PositionRow& row : transaction.positions) {
    tables_.reserved.erase({row.symbol, row.position_side});
    rolled_back_positions.insert(row.id);
  }
  for (const CommandRow& row : transaction.commands) rolled_back_commands.insert(row.id);
  for (const std::string& symbol : transaction.locked_symbols) locked_symbols_.erase(symbol);
}

void User::resume_for_good() {
  tables_.resume();
  halted_at_ms = 0;
  if (wake) wake();
}

// ------------------------------------------------------------------------------------------------ the script

void User::start(Ms until_ms) {
  until_ms_ = until_ms;
  agenda_.at(clock_.true_ms() + random_.between(500, 4000), [this] { act(); });
}

void User::act() {
  if (clock_.true_ms() >= until_ms_) return;
  if (verify && curiosity_.between(0, 99) < 25)
    if (const PositionRow* newest = newest_position()) verify(*newest);
  auto transaction = std::make_shared<Transaction>();
  const int calls = chance(85) ? 1 : 2;
  for (int i = 0; i < calls; ++i) call_something(*transaction);
  const bool commits = !chance(12);
  // Most transactions are one statement; a few stay open while the world goes on.
  const Ms open_for_ms = chance(80) ? 0 : random_.between(1, 3000);
  agenda_.at(clock_.true_ms() + open_for_ms, [this, transaction, commits] {
    if (log) log(commits ? "transaction commits" : "transaction rolls back");
    if (commits) commit(*transaction);
    else roll_back(*transaction);
  });
  agenda_.at(clock_.true_ms() + random_.between(200, 6000), [this] { act(); });
}

std::string User::call_something(Transaction& transaction) {
  const std::int64_t die = random_.between(0, 99);
  if (die < 45) return call_open(transaction);
  if (die < 90) return call_on_position(transaction);
  if (die < 93) return set_leverage(transaction, symbols_[static_cast<std::size_t>(random_.between(0,
      static_cast<std::int64_t>(symbols_.size()) - 1))],
                                    Decimal(random_.between(2, 20)));
  if (die < 97) {
    std::vector<std::string> open;
    for (const OrderRow& row : tables_.orders)
      if (row.is_open() && !row.client_order_id.empty()) open.push_back(row.client_order_id);
    if (open.empty()) return "none";
    const std::string id = open[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(open.size()) - 1))];
    if (log) log("cancel_order " + id);
    return cancel_order(transaction, id);
  }
  transaction.halt = tables_.halted ? 0 : 1;
  if (log) log(transaction.halt ? "halt" : "resume");
  return {};
}

std::string User::call_open(Transaction& transaction) {
  const std::string symbol = symbols_[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(symbols_.size()) - 1))];
  const bool is_long = chance(50);
  std::optional<Decimal> notional, quantity;
  const auto instrument = tables_.instruments.find(symbol);
  if (chance(50) || instrument == tables_.instruments.end()) notional = Decimal(random_.between(100, 2000));
  else quantity = multiply(std::max(instrument->second.min_quantity, instrument->second.quantity_step), Decimal(random_.between(2, 60)));
  const Decimal percent = Decimal::parse(std::to_string(random_.between(3, 60)) + "e-1").value_or(Decimal(1));
  const std::string result = open_position(transaction, symbol, is_long, notional, quantity, percent);
  if (log)
    log("open_position " + symbol + (is_long ? " long " : " short ") + (notional ? "for " + notional->text() : "of " + quantity->text()) +
        " stop " + percent.text() + "%: " + result_text(result) +
        (result.empty() ? " position " + std::to_string(transaction.positions.back().id) : ""));
  return result;
}

// Whoever resumes an account wants to trade: the worker may still be about to read its row.
void User::open_at_once() {
  agenda_.at(clock_.true_ms() + haste_.between(0, 6), [this] {
    Transaction transaction;
    const std::string& symbol = symbols_[static_cast<std::size_t>(haste_.between(0, static_cast<std::int64_t>(symbols_.size()) - 1))];
    const std::string result = open_position(transaction, symbol, haste_.between(0, 1) == 1, Decimal(500), std::nullopt, Decimal(5));
    if (log) log("open_position " + symbol + " at once after the resume: " + result_text(result));
    if (result.empty()) commit(transaction);
  });
}

// Most likely the one that is just being opened.
const PositionRow* User::newest_position() const {
  for (auto row = tables_.positions.rbegin(); row != tables_.positions.rend(); ++row)
    if (row->is_open() && row->managed) return &*row;
  return nullptr;
}

const PositionRow* User::some_position() {
  std::vector<const PositionRow*> open;
  for (const PositionRow& row : tables_.positions)
    if (row.is_open() && row.managed) open.push_back(&row);
  return open.empty() ? nullptr : open[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(open.size()) - 1))];
}

// A price that many thousandths away from the mark, towards the loss when negative; on the tick.
std::optional<Decimal> User::price_near(const PositionRow& row, int from_per_mille, int to_per_mille) {
  const auto mark = tables_.marks.find(row.symbol);
  const auto instrument = tables_.instruments.find(row.symbol);
  if (mark == tables_.marks.end() || instrument == tables_.instruments.end()) return std::nullopt;
  const std::int64_t away = random_.between(from_per_mille, to_per_mille) * (row.side == "long" ? 1 : -1);
  const auto wanted = multiply(mark->second, Decimal::parse(std::to_string(1000 + away) + "e-3").value());
  return wanted ? to_step(*wanted, instrument->second.tick_size, Rounding::down) : std::nullopt;
}

std::string User::call_on_position(Transaction& transaction) {
  const PositionRow* row = some_position();
  if (!row) return "none";
  const std::int64_t die = random_.between(0, 99);
  std::string said, result;
  if (die < 45) {
    std::optional<Decimal> part;
    if (chance(35) && tables_.instruments.contains(row->symbol))
      part = to_step(multiply(row->quantity, Decimal::parse("0.4").value()).value(),
          tables_.instruments.at(row->symbol).quantity_step, Rounding::down);
    result = close_position(transaction, row->id, part);
    said = "close_position" + (part ? " " + part->text() + " of" : std::string());
  } else if (die < 75) {
    const auto price = price_near(*row, -60, -2);
    if (!price) return "no price";
    result = set_stop_loss(transaction, row->id, *price);
    said = "set_stop_loss " + price->text();
  } else {
    const auto price = chance(20) ? std::optional<Decimal>(Decimal()) : price_near(*row, 2, 60);
    if (!price) return "no price";
    result = set_take_profit(transaction, row->id, *price);
    said = "set_take_profit " + price->text();
  }
  if (log) log(said + " position " + std::to_string(row->id) + ": " + result_text(result));
  return result;
}

}  // namespace tradesync::sim
