// The answer of one worker_load_* function: rows of text cells, read by column number and freed when it goes out of scope.
#pragma once
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "app/load.hpp"
#include "core/decimal.hpp"
#include "postgres/wall.h"

namespace tradesync {

// Not "Query": that is the part of a URL (exchanges/url.hpp).
class TableQuery {
 public:
  TableQuery(const char* function, std::int32_t account_id, std::string& error) {
    wall_error wall{};
    outcome_ = wall_query(function, account_id, &result_, &wall);
    if (outcome_ != WALL_SAVED) error = std::string(function) + ": " + wall.sqlstate + " " + wall.message;
  }
  ~TableQuery() { wall_free_result(&result_); }
  TableQuery(const TableQuery&) = delete;
  TableQuery& operator=(const TableQuery&) = delete;

  LoadResult result() const {
    if (outcome_ == WALL_SAVED) return LoadResult::ok;
    return outcome_ == WALL_GONE ? LoadResult::gone : LoadResult::failed;
  }
  int rows() const { return outcome_ == WALL_SAVED ? result_.rows : 0; }
  bool is_null(int row, int column) const { return cell(row, column) == nullptr; }
  std::string text(int row, int column) const { return std::string(view(row, column)); }
  bool boolean(int row, int column) const { return view(row, column) == "t"; }
  // 0 for NULL.
  std::int64_t number(int row, int column) const {
    const std::string_view digits = view(row, column);
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  Decimal decimal(int row, int column) const { return decimal_or_none(row, column).value_or(Decimal()); }
  std::optional<Decimal> decimal_or_none(int row, int column) const { return Decimal::parse(view(row, column)); }

 private:
  const char* cell(int row, int column) const {
    return column < result_.columns ? result_.cells[row * result_.columns + column] : nullptr;
  }
  std::string_view view(int row, int column) const {
    const char* text = cell(row, column);
    return text ? std::string_view(text) : std::string_view();
  }

  wall_result result_{};
  wall_outcome outcome_;
};

}  // namespace tradesync
