// Rows on their way to one SQL function: cells as text, in one reusable buffer. The wall borrows them for one call.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/decimal.hpp"
#include "postgres/wall.h"

namespace tradesync {

class Rows {
 public:
  // Static strings: the function's name is the wall's plan cache key.
  Rows(const char* function, const char* row_type, int columns) : function_(function), row_type_(row_type), columns_(columns) {}

  Rows& text(std::string_view value);            // as it is
  Rows& text_or_null(std::string_view value);    // "" is NULL
  Rows& number(std::int64_t value);
  Rows& time_or_null(std::int64_t unix_ms);      // 0 is NULL
  Rows& id_or_null(std::int64_t id);             // 0 is NULL
  Rows& decimal(const Decimal& value);
  Rows& decimal(const std::optional<Decimal>& value);
  Rows& boolean(bool value);
  Rows& null();

  Rows empty_like() const { return Rows(function_, row_type_, columns_); }
  int count() const { return static_cast<int>(cells_.size()) / columns_; }
  bool empty() const { return cells_.empty(); }
  void clear();
  const char* function() const { return function_; }
  int columns() const { return columns_; }

  // Valid until the next change. fate (and errors) have count() entries afterwards.
  wall_call call();
  std::vector<std::uint8_t> fate;
  std::vector<wall_error> errors;

  std::optional<std::string_view> cell(int row, int column) const;
  // Copies one row of another Rows of the same shape.
  void append_row(const Rows& from, int row);

 private:
  struct Cell {
    std::size_t offset;
    std::int32_t size;  // -1 = NULL
  };
  void add(std::string_view value);

  const char* function_;
  const char* row_type_;
  int columns_;
  std::string bytes_;
  std::vector<Cell> cells_;
  std::vector<wall_value> values_;
};

}  // namespace tradesync
