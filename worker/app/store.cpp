#include "app/store.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace tradesync {
namespace {

constexpr std::int64_t kRetryMs = 500;
constexpr int kOwnOrderSymbol = 4;               // column of own_order_row
constexpr std::size_t kWaitingRows = 20000;  // more than this waiting for one lock: start over from the tables

// Out of disk, memory, connections; shutting down; system errors: the row is innocent and is tried again.
bool is_passing(const wall_error& error) {
  const std::string_view state = error.sqlstate;
  return state.starts_with("53") || state.starts_with("57") || state.starts_with("58") || state.starts_with("40") || state == "55P03";
}

std::string as_json(const Rows& rows, int row) {
  std::string out = "[";
  for (int column = 0; column < rows.columns(); ++column) {
    if (column > 0) out += ",";
    const auto value = rows.cell(row, column);
    if (!value) {
      out += "null";
      continue;
    }
    out += '"';
    for (char c : *value) {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    out += '"';
  }
  return out + "]";
}

bool is_position_update(const Rows& rows) { return std::string_view(rows.function()) == "monitoring.worker_save_position_updates"; }

bool is_position_report(const Rows& rows) {
  const std::string_view function = rows.function();
  return function == "monitoring.worker_save_positions" || function == "monitoring.worker_close_positions";
}

std::string kind_of(const Rows& rows) {
  const std::string_view function = rows.function();
  if (function == "monitoring.worker_save_orders") return "order";
  if (function == "monitoring.worker_save_trades") return "trade";
  if (is_position_report(rows) || is_position_update(rows)) return "position";
  if (is_own_orders(rows)) return "order";
  if (function == "monitoring.worker_save_commands") return "command";
  if (function == "monitoring.worker_save_balances") return "balance";
  if (function == "monitoring.worker_save_prices") return "price";
  if (function == "monitoring.worker_save_instruments") return "instrument";
  return "other";
}

// Rows that are keyed by their own id name no symbol first.
std::string symbol_of(const Rows& rows, int row) {
  const std::string_view function = rows.function();
  if (is_position_update(rows) || function == "monitoring.worker_save_commands") return {};
  return std::string(rows.cell(row, is_own_orders(rows) ? kOwnOrderSymbol : 0).value_or(""));
}

bool is_cursors(const Rows& rows) { return std::string_view(rows.function()) == "monitoring.worker_save_cursors"; }

// A halt was faster than the entry: nothing is lost that somebody would have to look at, the opening is taken back.
bool is_halted_entry(const Rows& rows, const wall_error& error) {
  return is_own_orders(rows) && std::string_view(error.sqlstate) == "TS015";
}

// Records about trouble cannot become dead letters themselves: the server log has the last word.
bool is_record(const Rows& rows) {
  const std::string_view function = rows.function();
  return function == "monitoring.worker_save_events" || function == "monitoring.worker_save_dead_letters" ||
         function == "monitoring.worker_save_sync_runs";
}

}  // namespace

wall_outcome Store::execute(std::deque<Rows>& tables, wall_mode mode, bool durable, const char* activity, wall_error& error) {
  std::vector<wall_call> calls;
  calls.reserve(tables.size());
  for (Rows& rows : tables) {
    if (rows.empty()) continue;
    wall_call call = rows.call();
    if (mode == WALL_EACH) {
      rows.errors.assign(static_cast<std::size_t>(rows.count()), wall_error{});
      call.errors = rows.errors.data();
    }
    calls.push_back(call);
  }
  if (calls.empty()) return WALL_SAVED;
  const wall_outcome outcome = wall_execute(account_id_, calls.data(), static_cast<std::int32_t>(calls.size()), mode, durable, activity, &error);
  if (outcome == WALL_SAVED) ++commits_;
  return outcome;
}

bool Store::holds_trades() const {
  return std::any_of(waiting_.begin(), waiting_.end(), [](const Waiting& waiting) { return waiting.subject.starts_with("trade|"); });
}

void Store::wait(const Rows& rows, int row) {
  missed_own_orders_ |= is_own_orders(rows);
  Waiting waiting{subject_of(rows, row), rows.empty_like()};
  waiting.row.append_row(rows, row);
  ++waiting_subjects_[waiting.subject];
  waiting_.push_back(std::move(waiting));
}

bool Store::holds(bool (*is_such)(const Rows&)) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return is_such(waiting.row); });
}

// A row about something that already waits must not overtake it. An update names its position by number, reports and
// closings by symbol: while one kind waits, the other does, too, or a row would be closed before it is told why.
void Store::hold_followers(std::deque<Rows>& tables) {
  const bool holds_reports = holds(is_position_report);
  bool holds_updates = holds(is_position_update);
  for (Rows& rows : tables) {
    Rows kept = rows.empty_like();
    bool held = false;
    for (int row = 0; row < rows.count(); ++row) {
      const std::string subject = subject_of(rows, row);
      const bool behind_the_other = is_position_update(rows) ? holds_reports : is_position_report(rows) && holds_updates;
      if (behind_the_other || (!subject.empty() && waiting_subjects_.contains(subject))) {
        wait(rows, row);
        held = true;
      } else {
        kept.append_row(rows, row);
      }
    }
    holds_updates = holds_updates || (held && is_position_update(rows));  // updates stand before reports
    if (held) rows = std::move(kept);
  }
}

void Store::keep_refused(const Rows& rows) {
  for (int row = 0; row < rows.count(); ++row) {
    const bool refused = rows.fate[static_cast<std::size_t>(row)] == 2 && !is_passing(rows.errors[static_cast<std::size_t>(row)]);
    if (refused && !is_record(rows)) wait(rows, row);
  }
}

// After a row-by-row pass: what was locked (or met a full disk) waits, what was refused is buried.
void Store::sort_fates(const Rows& rows, Changes& buried) {
  for (int row = 0; row < rows.count(); ++row) {
    const std::uint8_t fate = rows.fate[static_cast<std::size_t>(row)];
    if (fate == 0) continue;
    const wall_error& error = rows.errors[static_cast<std::size_t>(row)];
    if (fate == 1 || is_passing(error)) {
      wait(rows, row);
      warn_once(fate == 1 ? "rows are locked by another session; they wait and are tried again"
                          : std::string("rows could not be written yet: ") + error.message);
    } else if (is_halted_entry(rows, error)) {
      missed_own_orders_ = true;
    } else if (is_record(rows)) {
      wall_log('W', (std::string("could not record: ") + error.message).c_str(), as_json(rows, row).c_str(), nullptr);
    } else {
      ++dead_letters_;
      has_refused_rows_ = true;
      missed_own_orders_ |= is_own_orders(rows);
      buried.dead_letters.push_back({kind_of(rows), symbol_of(rows, row), as_json(rows, row), error.message, error.sqlstate});
      wall_log('W', (std::string("a row was refused and kept in monitoring.dead_letters: ") + error.message).c_str(),
               error.detail, "Look at monitoring.dead_letters; a constraint or trigger of this database refuses what the exchange says.");
    }
  }
}

Store::Result Store::commit(const Changes& changes, std::int64_t now_ms, std::int64_t unix_offset_ms, std::string& error_text) {
  Tables tables;
  tables.fill(changes, unix_offset_ms);
  std::deque<Rows>& all = tables.all();
  if (!waiting_.empty()) {
    hold_followers(all);
    if (holds_trades()) std::erase_if(all, is_cursors);
  }
  const bool durable = changes.has_account_data();
  const char* activity = durable ? "saving account events" : "saving prices";
  dead_letters_ += static_cast<std::int64_t>(changes.dead_letters.size());

  wall_error error{};
  const wall_outcome whole = execute(all, WALL_ALL, durable, activity, error);
  if (whole == WALL_SAVED) return Result::saved;
  if (whole == WALL_GONE) return Result::gone;
  return commit_each(all, durable, now_ms, error_text);
}

Store::Result Store::commit_each(std::deque<Rows>& tables, bool durable, std::int64_t now_ms, std::string& error_text) {
  // Cursors may pass only what is safely written: they come last, and not at all while a trade waits.
  std::deque<Rows> cursors;
  for (Rows& rows : tables)
    if (is_cursors(rows)) cursors.push_back(std::move(rows));
  std::erase_if(tables, is_cursors);

  // A report may open a row of its own beside one whose update is locked: reports wait until it is known which updates do.
  std::deque<Rows> later;
  if (std::any_of(tables.begin(), tables.end(), [](const Rows& rows) { return is_position_update(rows) && !rows.empty(); })) {
    const auto first = std::find_if(tables.begin(), tables.end(), is_position_report);
    later.assign(std::make_move_iterator(first), std::make_move_iterator(tables.end()));
    tables.erase(first, tables.end());
  }
  Changes buried;
  wall_error error{};
  for (std::deque<Rows>* part : {&tables, &later}) {
    if (part == &later) hold_followers(later);
    const wall_outcome each = execute(*part, WALL_EACH, durable, "saving row by row", error);
    if (each == WALL_GONE) return Result::gone;
    if (each != WALL_SAVED) {
      error_text = std::string(error.sqlstate) + " " + error.message;
      return Result::broken;
    }
    for (const Rows& rows : *part) sort_fates(rows, buried);
  }
  for (Rows& rows : later) tables.push_back(std::move(rows));
  retry_at_ms_ = now_ms + kRetryMs;
  if (waiting_.size() > kWaitingRows) {
    error_text = "too many rows wait for locks of other sessions";
    return Result::broken;
  }
  if (!buried.empty()) {
    Tables graves;
    graves.fill(buried, 0);
    const wall_outcome saved = execute(graves.all(), WALL_ALL, true, "saving dead letters", error);
    if (saved == WALL_GONE) return Result::gone;
    // Not even the grave holds: the rows stay with us, and the cursors with them.
    if (saved != WALL_SAVED) {
      for (const Rows& rows : tables) keep_refused(rows);
      return Result::saved;
    }
  }
  if (holds_trades()) return Result::saved;
  return execute(cursors, WALL_ALL, durable, "saving cursors", error) == WALL_GONE ? Result::gone : Result::saved;
}

Store::Result Store::retry(std::int64_t now_ms, std::string& error_text) {
  if (waiting_.empty() || now_ms < retry_at_ms_) return Result::saved;
  std::deque<Rows> tables;
  for (const Waiting& waiting : waiting_) {
    if (tables.empty() || std::string_view(tables.back().function()) != waiting.row.function()) {
      tables.push_back(waiting.row.empty_like());
    }
    tables.back().append_row(waiting.row, 0);
  }
  waiting_.clear();
  waiting_subjects_.clear();
  const Result result = commit_each(tables, true, now_ms, error_text);
  if (waiting_.empty() && warned_) {
    warned_ = false;
    wall_log('L', "the waiting rows are written", nullptr, nullptr);
  }
  return result;
}

void Store::warn_once(const std::string& text) {
  if (warned_) return;
  warned_ = true;
  wall_log('W', text.c_str(), nullptr,
           "health() shows how many wait. Everything else of the account goes on.");
}

}  // namespace tradesync
