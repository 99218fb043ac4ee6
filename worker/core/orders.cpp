#include "core/orders.hpp"

#include "core/states.hpp"

namespace tradesync {
namespace {

std::string key_of(const std::string& symbol, const std::string& order_id, OrderKind kind) {
  std::string key;
  key.reserve(symbol.size() + order_id.size() + 1);
  key.append(symbol).push_back(kind == OrderKind::regular ? '|' : '~');
  key.append(order_id);
  return key;
}

bool same_values(const Order& a, const Order& b) {
  return a.status == b.status && a.quantity == b.quantity && a.filled_quantity == b.filled_quantity &&
         a.price == b.price && a.stop_price == b.stop_price && a.average_price == b.average_price;
}

}  // namespace

bool is_news(const Order& held, const Order& incoming, Source source) {
  if (incoming.filled_quantity < held.filled_quantity) return false;
  if (incoming.status != held.status && !may_move(held.status, incoming.status)) return false;
  if (incoming.filled_quantity > held.filled_quantity) return true;
  if (incoming.version.newer_than(held.version)) return true;
  if (held.version.newer_than(incoming.version)) return rank(incoming.status) > rank(held.status) && is_terminal(incoming.status);
  if (rank(incoming.status) != rank(held.status)) return rank(incoming.status) > rank(held.status);
  return source == Source::stream && !same_values(held, incoming);
}

bool Orders::apply(Order order, Source source, Changes& changes) {
  const std::string key = key_of(order.symbol, order.order_id, order.kind);
  if (const auto it = open_.find(key); it != open_.end()) {
    Order& held = it->second;
    if (!is_news(held, order, source)) return false;
    note_move(held.status, order.status);
    if (order.created_ms == 0) order.created_ms = held.created_ms;
    if (order.purpose == Purpose::external) {
      order.purpose = held.purpose;
      order.position_id = held.position_id;
    }
    if (order.client_order_id.empty()) order.client_order_id = held.client_order_id;
    if (is_terminal(order.status)) {
      finish(key, order);
      count(order.symbol, -1);
      open_.erase(it);
    } else {
      held = order;
    }
  } else if (const Finished* finished = finished_.find(key)) {
    // Sticky, except that a late fill may still make it larger.
    if (!is_terminal(order.status) || !(order.filled_quantity > finished->filled)) return false;
    finish(key, order);
  } else if (is_terminal(order.status)) {
    finish(key, order);
  } else if (open_.size() < limits::kOpenOrders) {
    open_.emplace(key, order);
    count(order.symbol, +1);
  }
  changes.put(OrderChange{std::move(order), source});
  return true;
}

void Orders::load(Order order) {
  const std::string key = key_of(order.symbol, order.order_id, order.kind);
  const std::string symbol = order.symbol;
  if (open_.emplace(key, std::move(order)).second) count(symbol, +1);
}

void Orders::finish(const std::string& key, const Order& order) {
  finished_.put(key, Finished{order.status, order.filled_quantity, order.position_side});
}

void Orders::count(const std::string& symbol, int by) {
  const int now = (open_per_symbol_[symbol] += by);
  if (now <= 0) open_per_symbol_.erase(symbol);
}

const Order* Orders::find(const std::string& symbol, const std::string& order_id, OrderKind kind) const {
  const auto it = open_.find(key_of(symbol, order_id, kind));
  return it == open_.end() ? nullptr : &it->second;
}

std::optional<PositionSide> Orders::side_of(const std::string& symbol, const std::string& order_id) {
  for (OrderKind kind : {OrderKind::regular, OrderKind::conditional}) {
    if (const Order* order = find(symbol, order_id, kind)) return order->position_side;
    if (const Finished* finished = finished_.find(key_of(symbol, order_id, kind))) return finished->position_side;
  }
  return std::nullopt;
}

int Orders::open_count(const std::string& symbol) const {
  const auto it = open_per_symbol_.find(symbol);
  return it == open_per_symbol_.end() ? 0 : it->second;
}

std::vector<std::string> Orders::open_symbols() const {
  std::vector<std::string> symbols;
  symbols.reserve(open_per_symbol_.size());
  for (const auto& [symbol, count] : open_per_symbol_) symbols.push_back(symbol);
  return symbols;
}

std::vector<Order> Orders::open() const {
  std::vector<Order> orders;
  orders.reserve(open_.size());
  for (const auto& [key, order] : open_) orders.push_back(order);
  return orders;
}

}  // namespace tradesync
