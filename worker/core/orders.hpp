// The account's open orders and the monotone merge: a late or repeated report never rewinds an order.
// Finished orders are remembered for a while (bounded) so that a late "new" cannot resurrect them.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/effect.hpp"
#include "core/limits.hpp"
#include "core/recent.hpp"

namespace tradesync {

class Orders {
 public:
  // Applies one report. true: it is news and was put into `changes`.
  bool apply(Order order, Source source, Changes& changes);
  // What the tables held at start. Not news.
  void load(Order order);

  const Order* find(const std::string& symbol, const std::string& order_id, OrderKind kind) const;
  // Which side of a hedge the order trades; nullopt when we know no such order, open or lately finished.
  std::optional<PositionSide> side_of(const std::string& symbol, const std::string& order_id);
  // Open orders of the symbol, conditional ones included.
  int open_count(const std::string& symbol) const;
  std::vector<std::string> open_symbols() const;
  std::vector<Order> open() const;

 private:
  struct Finished {
    OrderStatus status;
    Decimal filled;
    PositionSide position_side;
  };
  void finish(const std::string& key, const Order& order);
  void count(const std::string& symbol, int by);

  std::map<std::string, Order, std::less<>> open_;
  std::map<std::string, int, std::less<>> open_per_symbol_;
  Recent<Finished> finished_{limits::kRecentOrders};
};

// Is `incoming` news about an order we hold? Filled quantity only grows, then version, then rank; the stream wins a tie.
bool is_news(const Order& held, const Order& incoming, Source source);

}  // namespace tradesync
