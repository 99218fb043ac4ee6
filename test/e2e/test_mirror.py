"""An account of the exchange lives in the tables: positions, orders, fills, balances, prices, within moments of happening."""
from decimal import Decimal

import pytest
from compare import wait_equal
from support.cluster import wait_for


def test_what_was_there_before_us_is_there_after_the_start(world, venue):
    account = world.account(venue, count=5)
    wait_equal(account)
    rows = account.rows("select origin, managed, status from monitoring.positions where account = :account")
    assert rows == [("external", False, "active")] * 5


def test_a_position_of_another_client_appears_and_closes_with_the_price_of_its_fills(world, venue):
    account = world.account(venue)
    account.control("price", symbol="ETHUSDT", mark="3000", last="3000")
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.5")
    wait_equal(account)
    account.control("price", symbol="ETHUSDT", mark="3100", last="3100")
    account.control("trade", symbol="ETHUSDT", side="sell", quantity="0.2")
    account.control("trade", symbol="ETHUSDT", side="sell", quantity="0.3")
    wait_equal(account)
    account.wait_value("select status from monitoring.positions where account = :account", "closed")
    row = account.rows("select side, quantity, entry_price, exit_price, realized_pnl, pnl, exit_reason, closed_at is not null "
                       "from monitoring.positions where account = :account")[0]
    fees = account.value("select sum(fee) from monitoring.trades where account = :account")
    assert row[:5] == ("long", Decimal("0.5"), Decimal("3000"), Decimal("3100"), Decimal("50.0"))
    assert row[5] == Decimal("50") - fees
    assert row[7]


def test_a_symbol_opened_again_at_once_leaves_the_closed_row_its_result(world, venue):
    account = world.account(venue)
    for side, quantity in (("buy", "0.1"), ("sell", "0.1"), ("buy", "0.05")):
        account.control("trade", symbol="BTCUSDT", side=side, quantity=quantity)
    wait_equal(account)
    result = "select exit_price is not null and pnl is not null from monitoring.positions where account = :account and status = 'closed'"
    account.wait_value(result, True)
    rows = account.rows("select p.status, p.quantity, count(t.trade_id) from monitoring.positions p join monitoring.trades t on t.position_id = p.id "
                        "where p.account = :account group by p.id order by p.id")
    assert rows == [("closed", Decimal("0.1"), 2), ("active", Decimal("0.05"), 1)]


def test_a_flip_closes_one_row_and_opens_another(world, venue):
    account = world.account(venue)
    account.control("trade", symbol="SOLUSDT", side="buy", quantity="2")
    wait_equal(account)
    account.control("trade", symbol="SOLUSDT", side="sell", quantity="5")
    wait_equal(account)
    rows = account.rows("select side, quantity, status, exit_price is not null from monitoring.positions where account = :account order by id")
    assert [(r[0], r[1], r[2]) for r in rows] == [("long", Decimal(2), "closed"), ("short", Decimal(3), "active")]
    wait_for(lambda: account.value("select exit_price from monitoring.positions where account = :account and status = 'closed'"), "exit price")


def test_resting_partly_filled_and_canceled_orders(world, venue):
    account = world.account(venue)
    resting = account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="50000", quantity="0.010")["order_id"]
    wait_equal(account)
    account.control("fill", order_id=resting, quantity="0.004", price="50000")
    wait_equal(account)
    status = f"select status from monitoring.orders where account = :account and order_id = '{resting}'"
    account.wait_value(status, "partially_filled")
    account.control("cancel", order_id=resting)
    account.wait_value(status, "canceled")
    assert account.value(f"select filled_quantity from monitoring.orders where order_id = '{resting}'") == Decimal("0.004")
    wait_equal(account)


def test_a_conditional_order_triggers_and_its_fills_close_the_position(world, venue):
    account = world.account(venue)
    account.control("price", symbol="BTCUSDT", mark="60000", last="60000")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.1")
    account.control("order", symbol="BTCUSDT", side="sell", type="market", trigger_price="59000", quantity="0.1", reduce_only=True)
    wait_equal(account)
    assert account.value("select kind from monitoring.orders where account = :account and status = 'new'") == "conditional"
    account.control("price", symbol="BTCUSDT", mark="58900", last="58900")
    account.wait_value("select status from monitoring.positions where account = :account", "closed")
    wait_equal(account)
    assert account.value("select exit_price from monitoring.positions where account = :account") == Decimal("58900")


def test_balances_follow(world, venue):
    account = world.account(venue, wallet="5000")
    balance = "select wallet_balance from monitoring.balances where account = :account and asset = 'USDT'"
    account.wait_value(balance, Decimal("5000"))
    account.control("deposit", amount="250")
    account.wait_value(balance, Decimal("5250"))


def test_prices_drive_unrealized_pnl_without_bloat(world, venue):
    account = world.account(venue)
    account.control("price", symbol="ETHUSDT", mark="3000", last="3000")
    account.control("trade", symbol="ETHUSDT", side="sell", quantity="1")
    wait_equal(account)
    for mark in range(2990, 2950, -1):
        account.control("price", symbol="ETHUSDT", mark=str(mark), last=str(mark))
    row = "select current_price, unrealized_pnl from monitoring.positions where account = :account"
    wait_for(lambda: account.rows(row) == [(Decimal(2951), Decimal(49))], "mark price in the row")
    assert account.value("select mark_price from monitoring.prices where account = :account and symbol = 'ETHUSDT'") == Decimal(2951)


def test_funding_is_recorded_and_is_no_trade(world, venue):
    account = world.account(venue)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.1")
    wait_equal(account)
    account.control("funding", symbol="BTCUSDT", rate="0.0001")
    wait_for(lambda: account.value("select count(*) from monitoring.funding where account = :account") == 1, "funding row")
    assert account.value("select amount from monitoring.funding where account = :account") < 0
    wait_equal(account)


def test_hedge_mode_keeps_both_sides_apart(world, venue):
    account = world.account(venue, hedge=True)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02", position_side="long")
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.03", position_side="short")
    wait_equal(account)
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.02", position_side="long", reduce_only=venue == "bybit")
    wait_equal(account)
    rows = account.rows("select position_side, status from monitoring.positions where account = :account order by 1")
    assert rows == [("long", "closed"), ("short", "active")]


def test_subscriptions_follow_positions(world, venue):
    account = world.account(venue)
    subscribed = "select count(*) from monitoring.subscriptions where account = :account and symbol = 'SOLUSDT'"
    assert account.value(subscribed) == 0
    account.control("trade", symbol="SOLUSDT", side="buy", quantity="3")
    account.wait_value(subscribed, 1)
    account.control("trade", symbol="SOLUSDT", side="sell", quantity="3")
    account.wait_value(subscribed, 0)


def test_stop_loss_of_the_position_is_shown(world):
    account = world.account("bybit")
    account.control("price", symbol="BTCUSDT", mark="60000", last="60000")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.1")
    account.control("stop", symbol="BTCUSDT", stop_loss="58000")
    account.wait_value("select stop_loss_price from monitoring.positions where account = :account", Decimal(58000))
    assert account.value("select has_stop_loss from monitoring.positions where account = :account") is True


def test_liquidation_closes_the_row(world, venue):
    account = world.account(venue)
    account.control("trade", symbol="SOLUSDT", side="buy", quantity="3")
    wait_equal(account)
    account.control("liquidate", symbol="SOLUSDT")
    account.wait_value("select status from monitoring.positions where account = :account", "closed")
    wait_equal(account)


def test_events_reach_a_listener(world, venue):
    account = world.account(venue)
    connection = world.cluster.connect()
    with connection.cursor() as cursor:
        cursor.execute("listen monitoring_order; listen monitoring_position")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")

    def heard():
        connection.poll()
        channels = {note.channel for note in connection.notifies if account.name in note.payload}
        return channels >= {"monitoring_order", "monitoring_position"}
    wait_for(heard, "both channels", 5)


@pytest.mark.parametrize("fault", ["unknown_fields"])
def test_unknown_fields_and_words_break_nothing(world, venue, fault):
    account = world.account(venue, count=2)
    account.fault(fault)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="50000", quantity="0.010")
    wait_equal(account)
    account.simulator.control("drop", venue=venue, stream="all", how="close")
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.01")
    wait_equal(account)


def test_a_jump_of_the_exchange_clock_is_measured_and_nothing_is_refused_for_long(world, venue):
    account = world.account(venue, count=2)
    account.fault("clock_shift", ms=45000)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    account.simulator.control("drop", venue=venue, stream="private", how="close")
    wait_equal(account, timeout=30)
    account.wait_live(30)
    account.fault("clock_shift", ms=0)


def test_lag_of_the_private_stream_is_shown(world, venue):
    account = world.account(venue)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    lag = "select lag_ms from monitoring.stream_status where account = :account and stream = 'private'"
    wait_for(lambda: account.value(lag) is not None and 0 <= account.value(lag) < 1000, "a lag below a second", 5)
