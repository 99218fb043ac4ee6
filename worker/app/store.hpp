// Commits one turn's changes and keeps what could not be written: rows somebody has locked wait and are tried again,
// rows that can never be written become dead letters, everything else of the turn is kept (DESIGN §11, Locks).
#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>

#include "app/tables.hpp"

namespace tradesync {

class Store {
 public:
  explicit Store(std::int32_t account_id) : account_id_(account_id) {}

  enum class Result { saved, gone, broken };
  // Everything or everything but the rows that wait or were buried. broken: nothing was saved; forget and load again.
  Result commit(const Changes& changes, std::int64_t now_ms, std::int64_t unix_offset_ms, std::string& error);
  // Tries the waiting rows again.
  Result retry(std::int64_t now_ms, std::string& error);
  std::int64_t retry_at_ms() const { return waiting_.empty() ? INT64_MAX : retry_at_ms_; }

  int waiting() const { return static_cast<int>(waiting_.size()); }
  std::int64_t commits() const { return commits_; }
  std::int64_t dead_letters() const { return dead_letters_; }
  // The database refused a row for good: what the core remembers is not what the tables hold.
  bool has_refused_rows() const { return has_refused_rows_; }
  // The row of an order that we want to send could not be written: it must not leave.
  bool missed_own_orders() const { return missed_own_orders_; }

 private:
  struct Waiting {
    std::string subject;
    Rows row;
  };
  wall_outcome execute(std::deque<Rows>& tables, wall_mode mode, bool durable, const char* activity, wall_error& error);
  void hold_followers(std::deque<Rows>& tables);
  Result commit_each(std::deque<Rows>& tables, bool durable, std::int64_t now_ms, std::string& error);
  void keep_refused(const Rows& rows);
  void sort_fates(const Rows& rows, Changes& buried);
  void wait(const Rows& rows, int row);
  bool holds_trades() const;
  bool holds(bool (*is_such)(const Rows&)) const;
  void warn_once(const std::string& text);

  std::int32_t account_id_;
  std::deque<Waiting> waiting_;
  std::map<std::string, int, std::less<>> waiting_subjects_;
  std::int64_t retry_at_ms_ = 0;
  std::int64_t commits_ = 0, dead_letters_ = 0;
  bool warned_ = false, has_refused_rows_ = false, missed_own_orders_ = false;
};

}  // namespace tradesync
