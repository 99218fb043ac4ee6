#include "app/rows.hpp"

#include <charconv>

namespace tradesync {

void Rows::add(std::string_view value) {
  cells_.push_back({bytes_.size(), static_cast<std::int32_t>(value.size())});
  bytes_.append(value);
}

Rows& Rows::null() {
  cells_.push_back({0, -1});
  return *this;
}
Rows& Rows::text(std::string_view value) {
  add(value);
  return *this;
}
Rows& Rows::text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
Rows& Rows::number(std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  add({digits, static_cast<std::size_t>(end - digits)});
  return *this;
}
Rows& Rows::time_or_null(std::int64_t unix_ms) { return unix_ms == 0 ? null() : number(unix_ms); }
Rows& Rows::id_or_null(std::int64_t id) { return id == 0 ? null() : number(id); }
Rows& Rows::decimal(const Decimal& value) {
  const std::size_t offset = bytes_.size();
  value.append_to(bytes_);
  cells_.push_back({offset, static_cast<std::int32_t>(bytes_.size() - offset)});
  return *this;
}
Rows& Rows::decimal(const std::optional<Decimal>& value) { return value ? decimal(*value) : null(); }
Rows& Rows::boolean(bool value) { return text(value ? "t" : "f"); }

void Rows::clear() {
  constexpr std::size_t kKeepBytes = 1 << 20;  // a burst's memory does not stay
  bytes_.clear();
  cells_.clear();
  values_.clear();
  fate.clear();
  errors.clear();
  if (bytes_.capacity() > kKeepBytes) {
    bytes_.shrink_to_fit();
    cells_.shrink_to_fit();
    values_.shrink_to_fit();
  }
}

wall_call Rows::call() {
  values_.clear();
  values_.reserve(cells_.size());
  for (const Cell& cell : cells_) values_.push_back({cell.size < 0 ? nullptr : bytes_.data() + cell.offset, cell.size});
  fate.assign(static_cast<std::size_t>(count()), 0);
  errors.clear();
  wall_call call{};
  call.function = function_;
  call.row_type = row_type_;
  call.columns = columns_;
  call.rows = count();
  call.values = values_.data();
  call.isolate = true;
  call.fate = fate.data();
  return call;
}

std::optional<std::string_view> Rows::cell(int row, int column) const {
  const Cell& cell = cells_[static_cast<std::size_t>(row * columns_ + column)];
  if (cell.size < 0) return std::nullopt;
  return std::string_view(bytes_.data() + cell.offset, static_cast<std::size_t>(cell.size));
}

void Rows::append_row(const Rows& from, int row) {
  for (int column = 0; column < columns_; ++column) {
    const auto value = from.cell(row, column);
    if (value) add(*value);
    else null();
  }
}

}  // namespace tradesync
