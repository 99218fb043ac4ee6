"""Ten of ten: whatever one source of truth does, ten symbols opened at once end active, sized from their fills and protected."""
from decimal import Decimal

import pytest
from compare import number
from support.cluster import wait_for
from trading import (ALWAYS, BY_CLIENT_ID, ENTRY, LIVE_TRADING, MARKETS, NO_ORDER, POSITIONS, PRICE, QUERY, STEP, STOP, SYMBOLS, TICK,
                     check_confirmed, check_protected, check_sent_once, equal_to_exchange, expected_stop, signal, trader)

SETTINGS = LIVE_TRADING
PERCENT = "2.5"


@pytest.fixture(autouse=True)
def market(world, venue):
    """Prices as at the start, books that fill in three parts at three prices."""
    world.simulator.control("fault", venue=venue, name="no_rate_limits")
    for symbol, price, _, _ in MARKETS:
        world.simulator.control("price", venue=venue, symbol=symbol, mark=price, last=price)
        world.simulator.control("book", venue=venue, symbol=symbol, parts=3, ticks_apart=3)


def nothing_is_wrong(account):
    pass


def a_fresh_order_is_not_found_at_first(account):
    """The k-th symbol's order is not found by the first k queries, k = 0 … 6."""
    for k, symbol in enumerate(SYMBOLS):
        if k % 7:
            for path in QUERY[account.venue]:
                account.fault(path=path, method="GET", contains=f"symbol={symbol}", times=k % 7, **NO_ORDER[account.venue])


def the_order_query_fails(account):
    for path in QUERY[account.venue]:
        account.fault("http_status", path=path, method="GET", contains=BY_CLIENT_ID[account.venue], times=ALWAYS, status=500)


def the_stream_is_silent(account):
    account.fault("lose", probability="1")


def everything_read_lags(account):
    """Orders, fills and positions younger than this are missing in every answer; the stream is late, too."""
    account.fault("visibility_lag", ms=1200)
    account.fault("event_latency", min_ms=100, max_ms=900)


def positions_are_stale(account):
    """The list of positions says flat, whoever is asked for."""
    body = "[]" if account.venue == "binance" else NO_ORDER["bybit"]["body"]
    account.fault("http_status", path=POSITIONS[account.venue], times=12, status=200, body=body)


def stream_silent_and_orders_not_found(account):
    the_stream_is_silent(account)
    for symbol in SYMBOLS:
        for path in QUERY[account.venue]:
            account.fault(path=path, method="GET", contains=f"symbol={symbol}", times=2, **NO_ORDER[account.venue])


TROUBLES = [nothing_is_wrong, a_fresh_order_is_not_found_at_first, the_order_query_fails, the_stream_is_silent, everything_read_lags,
            positions_are_stale, stream_silent_and_orders_not_found]


@pytest.mark.parametrize("trouble", TROUBLES, ids=[f.__name__ for f in TROUBLES])
def test_ten_symbols_at_once_are_all_protected(world, venue, trouble):
    account = trader(world, venue)
    trouble(account)
    positions = []
    with account.transaction() as cursor:
        for k, symbol in enumerate(SYMBOLS):
            notional = max(Decimal(1000), 4 * PRICE[symbol] * STEP[symbol])
            cursor.execute("select monitoring.open_position(%s, %s, %s, notional => %s, stop_loss_percent => %s)",
                           (account.name, symbol, "long" if k % 2 else "short", notional, PERCENT))
            positions.append(cursor.fetchone()[0])
    for position in positions:
        account.reach(position, "active", timeout=15)
    truth = account.truth()
    for position in positions:
        row = check_protected(account, position, PERCENT, truth)
        assert len(account.entries(row["symbol"], truth)) == 1
        assert row["quantity"] * PRICE[row["symbol"]] <= 1100 + STEP[row["symbol"]] * PRICE[row["symbol"]]
    check_sent_once(account)
    account.control("faults_clear")
    silent = ["stream"] if trouble in (the_stream_is_silent, stream_silent_and_orders_not_found) else []
    for position in positions[:2]:
        check_confirmed(account, position, silent)
    equal_to_exchange(account)


def test_a_thin_book_fills_a_part_and_the_stop_covers_what_is_held(world, venue):
    account = trader(world, venue)
    account.control("book", symbol="SOLUSDT", depth="3.7", parts=2, ticks_apart=1)
    position = account.opened("SOLUSDT", quantity="10")
    row = check_protected(account, position, 2)
    assert row["quantity"] == Decimal("3.7") and row["wanted_quantity"] == 10
    equal_to_exchange(account)


def test_an_entry_that_nobody_fills_fails_and_leaves_nothing(world, venue):
    account = trader(world, venue)
    account.control("book", symbol="SOLUSDT", depth="0")
    position = account.open("SOLUSDT", quantity="10")
    account.reach(position, "failed")
    assert account.held("SOLUSDT") is None
    equal_to_exchange(account)
    command = account.one("select status, error from monitoring.commands where position_id = %s", position)
    assert command["status"] == "failed" and command["error"], command
    # The symbol is free again.
    account.control("book", symbol="SOLUSDT")
    account.opened("SOLUSDT", quantity="10")


def test_sizes_and_stops_come_from_the_settings_where_nothing_is_said(world, venue):
    account = trader(world, venue, settings={"position_size": 500, "stop_loss_percent": 3, "leverage": 4})
    key = signal()
    position = account.call("select monitoring.open_position(%s, 'ETH/USDT:USDT', 'SELL', signal_id => %s)", account.name, key)
    account.reach(position, "active")
    row = check_protected(account, position, 3)
    assert (row["symbol"], row["side"], row["origin"], row["signal_id"], row["managed"]) == ("ETHUSDT", "short", "signal", key, True)
    assert Decimal(400) < row["quantity"] * row["entry_price"] <= 500
    assert number(account.held("ETHUSDT")["leverage"]) == 4
    account.wait_value(f"select count(*) from monitoring.trades where position_id = {position}", 3)
    assert account.rows(f"select distinct signal_id from monitoring.trades where position_id = {position}") == [(key,)]
    equal_to_exchange(account)


def test_entry_and_stop_say_what_the_mode_of_the_account_wants(world, venue):
    """One-way: reduce-only without a side. The entry of Bybit carries a stop on mark price, so the position is never naked."""
    account = trader(world, venue)
    account.opened("BTCUSDT", quantity="0.01")
    entry = next(w for w in account.writes() if w.path == ENTRY[venue])
    stops = [w for w in account.writes() if w.path == STOP[venue]]
    if venue == "bybit":
        assert (entry.fields["slTriggerBy"], entry.fields["tpslMode"]) == ("MarkPrice", "Full")
        mark = PRICE["BTCUSDT"]
        assert number(entry.fields["stopLoss"]) == expected_stop(mark, 2, "long", TICK["BTCUSDT"])
        assert all(w.fields["tpslMode"] == "Full" and w.fields["slTriggerBy"] == "MarkPrice" for w in stops) and len(stops) == 1
    else:
        assert "reduceOnly" not in entry.fields or entry.fields["reduceOnly"] == "false"
        placed = [w for w in stops if w.method == "POST"]
        assert all((w.fields["reduceOnly"], w.fields["workingType"]) == ("true", "MARK_PRICE") for w in placed)
        # The first fill is protected at once; further ones make the stop larger.
        assert number(placed[-1].fields["quantity"]) == Decimal("0.01") and len(placed) <= 3


@pytest.mark.alone
def test_a_position_is_active_within_moments(world, venue):
    """Wide bounds for a busy machine; the bench states the figures."""
    account = trader(world, venue)
    account.opened("BTCUSDT", quantity="0.01")
    position = account.open("ETHUSDT", quantity="0.1")
    wait_for(lambda: account.status(position) == "active", "active within 1 s", 1.0, every=0.005)
