// Stops on paper, each venue's way, and starting again from what was told.
#include "core/paper_account_test.hpp"

namespace tradesync {
namespace {

using namespace test;

Order stop_of(const Reply& open_orders) {
  for (const Order& order : all<Order>(open_orders.facts))
    if (order.type == "stop_market") return order;
  return Order();
}

struct PaperPositionStops : testing::Test {
  PaperAccount account{with_position_stops()};
  PaperPositionStops() { account.mark("AAAUSDT", "100"); }
};

TEST_F(PaperPositionStops, an_entry_brings_its_stop) {
  account.place(with_stop(buy("2", "entry"), "95"));
  EXPECT_EQ(told(account.pushed), "market filled 2/2; stop_market new 0/2");
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).stop_loss->text(), "95");
  const Order stop = last_of<Order>(account.pushed);
  EXPECT_EQ(stop.kind, OrderKind::conditional);
  EXPECT_EQ(stop.client_order_id, "");
  EXPECT_EQ(stop.side, Side::sell);
  EXPECT_TRUE(stop.reduce_only);
  EXPECT_EQ(stop_of(account.list(RequestKind::open_orders)).order_id, stop.order_id);
}

TEST_F(PaperPositionStops, an_attached_stop_on_the_wrong_side_refuses_the_entry) {
  EXPECT_EQ(account.place(with_stop(buy("2"), "100")).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.place(with_stop(sell("2"), "99")).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.place(with_stop(at_limit(buy("2"), "110"), "105")).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.place(with_stop(buy("2"), "95.55")).refusal, Refusal::filter);
  EXPECT_TRUE(account.position().quantity.is_zero());
}

TEST_F(PaperPositionStops, the_stop_follows_the_size_and_goes_with_the_position) {
  account.place(with_stop(buy("2"), "95"));
  const std::string id = last_of<Order>(account.pushed).order_id;
  account.place(buy("1"));
  EXPECT_EQ(told(account.pushed), "market filled 1/1; stop_market new 0/3");
  account.place(reducing(sell("2.5")));
  EXPECT_EQ(told(account.pushed), "market filled 2.5/2.5; stop_market new 0/0.5");
  EXPECT_EQ(last_of<Order>(account.pushed).order_id, id);
  account.place(reducing(sell("0.5")));
  EXPECT_EQ(told(account.pushed), "market filled 0.5/0.5; stop_market canceled 0/0.5");
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).stop_loss->text(), "0");
}

TEST_F(PaperPositionStops, a_flip_takes_the_old_stop_away_and_brings_its_own) {
  account.place(with_stop(buy("2"), "95"));
  account.place(with_stop(sell("3"), "105"));
  EXPECT_EQ(told(account.pushed), "market filled 3/3; stop_market canceled 0/2; stop_market new 0/1");
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).stop_loss->text(), "105");
  account.mark("AAAUSDT", "95");
  EXPECT_TRUE(account.pushed.empty());
}

TEST_F(PaperPositionStops, the_same_order_fires_and_fills) {
  account.place(with_stop(buy("2"), "95"));
  const std::string id = last_of<Order>(account.pushed).order_id;
  account.mark("AAAUSDT", "94.5");
  EXPECT_EQ(told(account.pushed), "stop_market triggered 0/2; stop_market filled 2/2");
  const Fill fill = last_of<Fill>(account.pushed);
  EXPECT_EQ(fill.order_id, id);
  EXPECT_EQ(fill.price.text(), "94.5");
  EXPECT_EQ(fill.realized_pnl->text(), "-11");
  EXPECT_TRUE(last_of<VenuePosition>(account.pushed).quantity.is_zero());
  EXPECT_EQ(last_of<Order>(account.look_up(RequestKind::conditional_order, "", id).facts).status, OrderStatus::filled);
}

TEST_F(PaperPositionStops, stop_and_target_are_set_moved_and_removed) {
  EXPECT_EQ(account.set_stop(decimal("95")).refusal, Refusal::zero_position);
  account.place(buy("2"));
  EXPECT_EQ(account.set_stop(decimal("95"), decimal("120")).outcome, Outcome::ok);
  EXPECT_EQ(told(account.pushed), "stop_market new 0/2; take_profit_market new 0/2");
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).stop_loss->text(), "95");
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).take_profit->text(), "120");

  const Reply same = account.set_stop(decimal("95"));
  EXPECT_EQ(same.outcome, Outcome::ok);
  EXPECT_EQ(same.refusal, Refusal::not_modified);
  EXPECT_TRUE(account.pushed.empty());
  EXPECT_EQ(account.set_stop(std::nullopt).refusal, Refusal::not_modified);

  account.set_stop(decimal("96"));
  EXPECT_EQ(told(account.pushed), "stop_market new 0/2");
  EXPECT_EQ(account.position().take_profit->text(), "120");
  EXPECT_EQ(account.set_stop(decimal("100")).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.set_stop(decimal("97"), decimal("100")).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.position().stop_loss->text(), "96");  // all or nothing
  EXPECT_EQ(account.set_stop(decimal("96.05")).refusal, Refusal::filter);
  EXPECT_EQ(account.set_stop(decimal("-1")).refusal, Refusal::filter);

  account.set_stop(std::nullopt, Decimal());
  EXPECT_EQ(told(account.pushed), "take_profit_market canceled 0/2");
  EXPECT_EQ(account.position().take_profit->text(), "0");
  account.mark("AAAUSDT", "130");
  EXPECT_TRUE(account.pushed.empty());
}

TEST_F(PaperPositionStops, when_the_target_fires_the_stop_goes) {
  account.place(with_stop(sell("2"), "105"));
  account.set_stop(std::nullopt, decimal("90"));
  account.mark("AAAUSDT", "89");
  EXPECT_EQ(told(account.pushed), "take_profit_market triggered 0/2; take_profit_market filled 2/2; stop_market canceled 0/2");
  EXPECT_TRUE(account.list(RequestKind::open_orders).facts.empty());
}

TEST_F(PaperPositionStops, a_canceled_stop_leaves_the_position_without) {
  account.place(with_stop(buy("2"), "95"));
  EXPECT_EQ(account.cancel(OrderKind::conditional, "", last_of<Order>(account.pushed).order_id).outcome, Outcome::ok);
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).stop_loss->text(), "0");
}

TEST_F(PaperPositionStops, a_resting_entry_keeps_its_stop_until_it_fills) {
  account.place(with_stop(at_limit(buy("2", "entry"), "98"), "95"));
  account.mark("AAAUSDT", "98");
  EXPECT_EQ(told(account.pushed), "limit filled 2/2; stop_market new 0/2");
  EXPECT_EQ(last_of<VenuePosition>(account.pushed).stop_loss->text(), "95");
  // A price that falls through both: filled, and stopped out at once.
  account.place(reducing(sell("2")));
  account.place(with_stop(at_limit(buy("2", "second"), "97"), "95"));
  account.mark("AAAUSDT", "90");
  EXPECT_EQ(told(account.pushed), "limit filled 2/2; stop_market new 0/2; stop_market triggered 0/2; stop_market filled 2/2");
}

struct PaperConditionalStops : testing::Test {
  PaperAccount account{key_rules()};
  PaperConditionalStops() { account.mark("AAAUSDT", "100"); }
};

TEST_F(PaperConditionalStops, a_fired_order_becomes_a_child_with_its_client_id) {
  account.place(buy("2", "entry"));
  account.place(reducing(conditional(sell("2", "stop"), "95")));
  const std::string id = last_of<Order>(account.pushed).order_id;
  account.mark("AAAUSDT", "95");
  EXPECT_EQ(told(account.pushed), "stop_market triggered 0/2; market filled 2/2; stop_market filled 2/2");
  const Facts told_facts = account.pushed;
  const auto orders = all<Order>(told_facts);
  ASSERT_EQ(orders.size(), 3u);
  const Order &child = orders[1], &parent = orders[2];
  EXPECT_EQ(child.kind, OrderKind::regular);
  EXPECT_EQ(child.client_order_id, "stop");
  EXPECT_EQ(parent.order_id, id);
  EXPECT_EQ(parent.child_order_id, child.order_id);
  EXPECT_EQ(last_of<Fill>(told_facts).order_id, child.order_id);
  EXPECT_EQ(last_of<Order>(account.look_up(RequestKind::order, "stop").facts).order_id, child.order_id);
  EXPECT_EQ(last_of<Order>(account.look_up(RequestKind::conditional_order, "stop").facts).order_id, id);
  EXPECT_FALSE(last_of<VenuePosition>(told_facts).stop_loss);
}

TEST_F(PaperConditionalStops, a_stop_for_more_than_there_is_ends_short) {
  account.place(buy("2"));
  account.place(reducing(conditional(sell("2", "stop"), "95")));
  account.place(reducing(sell("0.5")));
  account.mark("AAAUSDT", "95");
  EXPECT_EQ(told(account.pushed), "stop_market triggered 0/2; market filled 1.5/1.5; stop_market canceled 1.5/2");
  EXPECT_TRUE(account.position().quantity.is_zero());
}

TEST_F(PaperConditionalStops, conditional_orders_are_listed_apart_and_counted) {
  account.place(buy("2"));
  account.place(reducing(conditional(sell("2", "stop"), "95")));
  EXPECT_TRUE(account.list(RequestKind::open_orders).facts.empty());
  EXPECT_EQ(account.list(RequestKind::open_conditional_orders).facts.size(), 1u);
  EXPECT_EQ(account.look_up(RequestKind::order, "stop").outcome, Outcome::not_found);
  EXPECT_EQ(account.cancel(OrderKind::regular, "stop").outcome, Outcome::not_found);
  EXPECT_EQ(account.cancel(OrderKind::conditional, "stop").outcome, Outcome::ok);

  VenueRules few = key_rules();
  few.conditional_orders_at_most = 2;
  PaperAccount limited(few);
  limited.mark("AAAUSDT", "100");
  limited.place(conditional(sell("1", "a"), "95"));
  limited.place(conditional(sell("1", "b"), "95"));
  EXPECT_EQ(limited.place(conditional(sell("1", "c"), "95")).refusal, Refusal::too_many_orders);
  EXPECT_EQ(limited.place(buy("1")).outcome, Outcome::ok);
}

TEST_F(PaperConditionalStops, a_position_has_no_stop_of_its_own) {
  account.place(with_stop(buy("2"), "95"));
  EXPECT_EQ(told(account.pushed), "market filled 2/2");
  EXPECT_EQ(account.set_stop(decimal("95")).refusal, Refusal::other);
}

// What the tables would hold after everything that was told: the last word on each thing.
void load_from(const PaperAccount& before, PaperAccount& after) {
  std::map<std::string, Order> orders;
  std::map<std::string, VenuePosition> positions;
  std::map<std::string, Balance> balances;
  for (const Order& order : all<Order>(before.everything)) orders[order.order_id] = order;
  for (const VenuePosition& position : all<VenuePosition>(before.everything)) positions[position.symbol] = position;
  for (const Balance& balance : all<Balance>(before.everything)) balances[balance.asset] = balance;
  std::vector<Order> open;
  for (const auto& [id, order] : orders)
    if (!is_terminal(order.status)) open.push_back(order);
  std::reverse(open.begin(), open.end());  // tables keep no order
  std::vector<VenuePosition> held;
  for (const auto& [symbol, position] : positions) held.push_back(position);
  std::vector<Balance> money;
  for (const auto& [asset, balance] : balances) money.push_back(balance);
  after.paper.load(open, held, money, 1);
  after.now_ms = before.now_ms;
}

std::string summary(PaperAccount& account) {
  std::string out = account.balance().wallet_balance.text() + " " + account.balance().available_balance->text();
  for (const char* symbol : {"AAAUSDT", "BBBUSDT"}) {
    const VenuePosition position = account.position(symbol);
    out += " | " + position.quantity.text() + " at " + position.entry_price.text() + " x" + position.leverage->text() + " stop " +
           (position.stop_loss ? position.stop_loss->text() : "-") + " since " + std::to_string(position.opened_ms);
  }
  for (RequestKind kind : {RequestKind::open_orders, RequestKind::open_conditional_orders})
    for (const Order& order : all<Order>(account.list(kind).facts))
      out += " | " + order.order_id + " " + order.client_order_id + " " + order.type + " " + order.quantity.text();
  return out;
}

class PaperRestart : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, PaperRestart, testing::Bool());

TEST_P(PaperRestart, everything_goes_on_from_what_was_told) {
  const VenueRules rules = GetParam() ? with_position_stops() : key_rules();
  PaperAccount before(rules);
  before.mark("AAAUSDT", "100");
  before.mark("BBBUSDT", "7");
  before.set_leverage("20");
  before.place(with_stop(buy("2", "entry"), "95"));
  if (!GetParam()) before.place(reducing(conditional(sell("2", "stop"), "95")));
  before.place(at_limit(buy("1", "more"), "98"));
  OrderTicket other = sell("30", "other");
  other.symbol = "BBBUSDT";
  before.place(with_stop(at_limit(other, "7.5"), "8"));
  before.place(reducing(at_limit(sell("1", "target"), "130")));

  PaperAccount after(rules);
  load_from(before, after);
  after.mark("AAAUSDT", "100");
  after.mark("BBBUSDT", "7");
  before.now_ms = after.now_ms;
  EXPECT_EQ(summary(after), summary(before));
  after.now_ms = before.now_ms;

  const Version last_told = last_of<Order>(before.everything).version;
  for (PaperAccount* account : {&before, &after}) {
    account->everything.clear();
    account->mark("BBBUSDT", "7.6");
    account->mark("AAAUSDT", "97");
    account->mark("AAAUSDT", "94");
    account->place(buy("1", "again"));
  }
  EXPECT_EQ(summary(after), summary(before));
  EXPECT_EQ(told(after.everything), told(before.everything));
  EXPECT_EQ(all<Fill>(after.everything).size(), all<Fill>(before.everything).size());
  EXPECT_TRUE(all<Order>(after.everything).front().version.newer_than(last_told));
  EXPECT_EQ(after.place(at_limit(buy("1", "target2"), "50")).outcome, Outcome::ok);
}

TEST_P(PaperRestart, an_order_without_an_answer_was_never_here) {
  const VenueRules rules = GetParam() ? with_position_stops() : key_rules();
  PaperAccount account(rules);
  Order sent = order("AAAUSDT", "", OrderStatus::submitting, {});
  sent.client_order_id = "lost";
  Order open = order("AAAUSDT", "p500", OrderStatus::new_, {50, 1800000000000});
  open.price = decimal("90");
  account.paper.load({sent, open}, {}, {}, 20);
  EXPECT_EQ(account.look_up(RequestKind::order, "lost").outcome, Outcome::not_found);
  EXPECT_EQ(account.list(RequestKind::open_orders).facts.size(), 1u);
  account.mark("AAAUSDT", "100");
  account.place(buy("1", "next"));
  EXPECT_EQ(last_of<Order>(account.pushed).order_id, "p501");  // no id twice
  EXPECT_GT(last_of<Order>(account.pushed).version.time, 1800000000000);
  EXPECT_EQ(account.balance().wallet_balance.text(), "9999.95");
}

}  // namespace
}  // namespace tradesync
