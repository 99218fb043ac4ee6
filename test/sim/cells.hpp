// Reading the cells that the wall is given, and writing those that it gives back.
#pragma once
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/decimal.hpp"
#include "postgres/wall.h"

namespace tradesync::sim {

// One row of a call; borrowed.
class CellsOf {
 public:
  CellsOf(const wall_call& call, int row) : values_(call.values + row * call.columns), columns_(call.columns) {}

  int columns() const { return columns_; }
  bool is_null(int column) const { return column >= columns_ || values_[column].size < 0; }
  std::string_view view(int column) const {
    return is_null(column) ? std::string_view() : std::string_view(values_[column].data, static_cast<std::size_t>(values_[column].size));
  }
  std::string text(int column) const { return std::string(view(column)); }
  std::int64_t number(int column) const {
    std::int64_t value = 0;
    const std::string_view digits = view(column);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  std::optional<Decimal> decimal(int column) const { return is_null(column) ? std::nullopt : Decimal::parse(view(column)); }
  Decimal amount(int column) const { return decimal(column).value_or(Decimal()); }
  bool boolean(int column) const { return view(column) == "t"; }

 private:
  const wall_value* values_;
  int columns_;
};

// Rows of one answer, built cell by cell: Answer row(answer) << …; NULL is nullopt.
class Answer {
 public:
  void row() { cells_.emplace_back(); }
  Answer& text(std::string_view value) { cells_.back().emplace_back(std::string(value)); return *this; }
  Answer& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
  Answer& number(std::int64_t value) { return text(std::to_string(value)); }
  Answer& number_or_null(std::int64_t value) { return value == 0 ? null() : number(value); }
  Answer& decimal(const Decimal& value) { return text(value.text()); }
  Answer& decimal(const std::optional<Decimal>& value) { return value ? decimal(*value) : null(); }
  Answer& boolean(bool value) { return text(value ? "t" : "f"); }
  Answer& null() { cells_.back().emplace_back(); return *this; }

  const std::vector<std::vector<std::optional<std::string>>>& rows() const { return cells_; }

 private:
  std::vector<std::vector<std::optional<std::string>>> cells_;
};

}  // namespace tradesync::sim
