"""What a stop goes through: triggered, moved, refused, gone; and the position with it."""
from decimal import Decimal

import pytest
from compare import number
from support.cluster import wait_for
from trading import ALWAYS, ENTRY, LIVE_TRADING, MARKETS, STOP, check_protected, equal_to_exchange, expected_stop, is_closing, trader

SETTINGS = LIVE_TRADING
# How each venue says that a stop would trigger at once.
WOULD_TRIGGER = {"bybit": {"code": 10001,
                           "message": "StopLoss:34850000 set for Buy position should lower than base_price:34850000??MarkPrice"},
                 "binance": {"code": -2021, "status": 400, "message": "Order would immediately trigger."}}
REFUSED = {"bybit": {"code": 10001, "message": "params error: stopLoss invalid"},
           "binance": {"code": -1102, "status": 400,
                       "message": "Mandatory parameter 'triggerprice' was not sent, was empty/null, or malformed."}}


@pytest.fixture(autouse=True)
def market(world, venue):
    world.simulator.control("fault", venue=venue, name="no_rate_limits")
    for symbol, price, _, _ in MARKETS:
        world.simulator.control("price", venue=venue, symbol=symbol, mark=price, last=price)
        world.simulator.control("book", venue=venue, symbol=symbol)


def check_no_gap(account, symbol):
    """From the first stop to the end of the last one there was no moment without one."""
    stops = [o for o in account.truth()["orders"] if o["symbol"] == symbol and o["stop_kind"] == "stop_loss"]
    stops.sort(key=lambda o: o["created_ms"])
    covered = stops[0]["created_ms"]
    for stop in stops:
        assert stop["created_ms"] <= covered or stop is stops[0], f"no stop between {covered} and {stop['created_ms']}: {stops}"
        covered = max(covered, float("inf") if stop["is_open"] else stop["updated_ms"])
    return stops


def check_settled(account, position, reason):
    """Closed, with the result of its fills, and nothing of it is left at the exchange."""
    account.reach(position, "closed")
    wait_for(lambda: account.position(position)["pnl"] is not None, f"settled: {account.story(position)}", 5)
    row = account.position(position)
    assert row["exit_reason"] == reason, account.story(position)
    truth = account.truth()
    fills = [f for f in truth["fills"] if f["symbol"] == row["symbol"]]
    gross, fees = (sum(number(f[name]) for f in fills) for name in ("realized_pnl", "fee"))
    assert abs(row["realized_pnl"] - gross) < Decimal("1e-9") and abs(row["pnl"] - (gross - fees)) < Decimal("1e-9"), (row, gross, fees)
    ours = account.value(f"select count(*) from monitoring.trades where position_id = {position}")
    assert ours == len(fills), "every fill belongs to the position"
    return row, equal_to_exchange(account)


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_triggered_stop_closes_the_row_with_the_result_of_its_fills(world, venue, side):
    account = trader(world, venue)
    account.control("book", symbol="ETHUSDT", parts=3, ticks_apart=2)
    position = account.opened("ETHUSDT", side, quantity="0.9", stop=2)
    account.set_target(position, "3600" if side == "long" else "3300")
    wait_for(lambda: account.resting("ETHUSDT", "take_profit"), "the take profit rests", 5)
    account.mark("ETHUSDT", "3400" if side == "long" else "3570")
    row, truth = check_settled(account, position, "stop_loss")
    assert row["exit_price"] is not None and row["pnl"] < 0 and row["has_stop_loss"] is False
    orders = account.rows("select purpose, kind, status, filled_quantity from monitoring.orders "
                          f"where position_id = {position} and purpose = 'stop_loss' and status <> 'canceled' order by kind")
    if venue == "binance":
        assert orders == [("stop_loss", "conditional", "filled", Decimal("0.9")), ("stop_loss", "regular", "filled", Decimal("0.9"))]
    else:
        assert orders[-1][1:] == ("conditional", "filled", Decimal("0.9"))
    assert account.resting("ETHUSDT", "take_profit", truth=truth) == []


def test_a_take_profit_closes_and_its_sibling_goes(world, venue):
    account = trader(world, venue)
    position = account.opened("ETHUSDT", quantity="0.5", stop=2)
    account.done(account.set_target(position, "3600"))
    assert account.position(position)["take_profit_price"] == 3600
    assert [number(o["trigger_price"]) for o in account.resting("ETHUSDT", "take_profit")] == [3600]
    equal_to_exchange(account)
    account.mark("ETHUSDT", "3601.5")
    row, truth = check_settled(account, position, "take_profit")
    assert row["pnl"] > 0 and account.resting("ETHUSDT", "stop_loss", truth=truth) == []


def test_a_take_profit_moves_and_is_taken_away(world, venue):
    account = trader(world, venue)
    position = account.opened("ETHUSDT", "short", quantity="0.5", stop=2)
    for target in ("3300", "3350", "0"):
        account.done(account.set_target(position, target))
        wanted = [Decimal(target)] if target != "0" else []
        assert [number(o["trigger_price"]) for o in account.resting("ETHUSDT", "take_profit")] == wanted
    check_protected(account, position, 2)
    equal_to_exchange(account)


def test_a_stop_moves_without_a_gap(world, venue):
    account = trader(world, venue)
    position = account.opened("ETHUSDT", quantity="0.5", stop=2)
    for price in ("3430", "3440.5", "3420", "3450.01"):
        account.done(account.set_stop(position, price))
        row = check_protected(account, position)
        assert row["stop_loss_price"] == Decimal(price)
    equal_to_exchange(account)
    check_no_gap(account, "ETHUSDT")
    # Once more and once more before the first is done: the last one counts.
    commands = [account.set_stop(position, price) for price in ("3431", "3432", "3433")]
    for command in commands:
        wait_for(lambda c=command: account.command(c)["status"] in ("done", "failed"), "the command ends", 10)
    wait_for(lambda: account.position(position)["stop_loss_price"] == 3433, account.story(position), 5)
    equal_to_exchange(account)
    check_no_gap(account, "ETHUSDT")


def test_a_partial_close_leaves_a_stop_of_the_right_size(world, venue):
    account = trader(world, venue)
    position = account.opened("SOLUSDT", quantity="10", stop=2)
    account.done(account.close(position, quantity="4"))
    wait_for(lambda: (account.held("SOLUSDT") or {}).get("quantity") == "6", "6 are held", 5)
    wait_for(lambda: account.position(position)["quantity"] == 6, "the row says 6", 5)
    equal_to_exchange(account)
    row = check_protected(account, position)
    assert row["stop_loss_price"] == expected_stop(row["entry_price"], 2, "long", Decimal("0.01"))
    check_no_gap(account, "SOLUSDT")
    account.done(account.close(position, reason="enough"))
    check_settled(account, position, "enough")


def test_somebody_else_reduces_and_the_stop_follows(world, venue):
    account = trader(world, venue)
    position = account.opened("SOLUSDT", quantity="10", stop=2)
    account.control("trade", symbol="SOLUSDT", side="sell", quantity="3", reduce_only=True)
    wait_for(lambda: account.position(position)["quantity"] == 7, "the row says 7", 5)
    equal_to_exchange(account)
    check_protected(account, position)
    account.control("trade", symbol="SOLUSDT", side="sell", quantity="7", reduce_only=True)
    account.reach(position, "closed")
    equal_to_exchange(account)


def test_a_stop_that_somebody_cancelled_comes_back(world, venue):
    account = trader(world, venue)
    position = account.opened("SOLUSDT", quantity="10", stop=2)
    if venue == "bybit":
        account.control("stop", symbol="SOLUSDT", stop_loss="0")
    else:
        account.control("cancel", order_id=account.resting("SOLUSDT")[0]["order_id"])
    wait_for(lambda: account.resting("SOLUSDT"), f"a stop again: {account.story(position)}", 5)
    wait_for(lambda: account.position(position)["status"] == "active" and account.position(position)["has_stop_loss"], "the row knows", 5)
    equal_to_exchange(account)
    check_protected(account, position, 2)


def test_a_stop_refused_because_it_would_trigger_is_placed_farther_away(world, venue):
    account = trader(world, venue)
    account.fault("ret_code", path=STOP[venue], method="POST", times=2, **WOULD_TRIGGER[venue])
    position = account.opened("ETHUSDT", quantity="0.5", stop=1)
    row = check_protected(account, position)
    assert row["stop_loss_price"] < row["entry_price"]
    equal_to_exchange(account)


def test_a_price_that_ran_through_the_stop_before_it_was_there(world, venue):
    """The mark falls below the stop between entry and stop: beside mark, or closed, never naked."""
    account = trader(world, venue)
    account.fault("http_delay", path=ENTRY[venue], method="POST", ms=300)
    since = account.log_mark()
    position = account.open("ETHUSDT", quantity="0.5", stop=1)
    account.wait_write(ENTRY[venue], since)
    account.mark("ETHUSDT", "3400")
    account.reach(position, "active", "closed", "rolled_back")
    equal_to_exchange(account)
    if account.status(position) == "active":
        row = check_protected(account, position)
        assert row["stop_loss_price"] < 3400


def test_a_position_that_cannot_be_protected_is_closed_and_alarmed(world, venue):
    account = trader(world, venue, settings={"protect_deadline": "1s"})
    account.fault("ret_code", path=STOP[venue], method="POST", times=ALWAYS, **REFUSED[venue])
    if venue == "bybit":
        # The stop that the entry carries is lost, too.
        account.fault("http_delay", path=ENTRY[venue], method="POST", ms=200)
    since = account.log_mark()
    position = account.open("ETHUSDT", quantity="0.5")
    if venue == "bybit":
        account.wait_write(ENTRY[venue], since)
        wait_for(lambda: account.held("ETHUSDT"), "filled", 5)
        account.control("stop", symbol="ETHUSDT", stop_loss="0")
    account.reach(position, "rolled_back", timeout=10)
    row = account.position(position)
    assert row["exit_reason"] == "not_protected" and account.held("ETHUSDT") is None
    close = [o for o in account.orders_of("ETHUSDT") if is_closing(o)]
    assert len(close) == 1 and close[0]["reduce_only"] and number(close[0]["filled_quantity"]) == Decimal("0.5")
    naked_ms = close[0]["updated_ms"] - min(f["time_ms"] for f in account.truth()["fills"])
    assert naked_ms < 4000, naked_ms
    assert account.count("events", f"position_id = {position} and severity = 'CRITICAL'"), account.story(position)
    wait_for(lambda: account.position(position)["pnl"] is not None, "settled", 5)
    equal_to_exchange(account)


def test_no_stop_is_placed_into_a_running_liquidation(world, venue):
    account = trader(world, venue)
    position = account.opened("SOLUSDT", quantity="10")
    account.control("liquidate", symbol="SOLUSDT")
    account.reach(position, "closed")
    assert account.position(position)["exit_reason"] == "liquidation", account.story(position)
    equal_to_exchange(account)


def test_a_stop_whose_child_fills_only_a_part_is_helped(world, venue):
    """The book runs dry under the triggered stop; what is left is closed at market once there is a book again."""
    account = trader(world, venue)
    position = account.opened("SOLUSDT", quantity="10", stop=2)
    account.control("book", symbol="SOLUSDT", depth="4")
    account.mark("SOLUSDT", "170")
    account.reach(position, "closed", timeout=15)
    assert account.held("SOLUSDT") is None
    equal_to_exchange(account)


def test_a_gap_over_an_outage_is_found_and_settled(world, venue):
    """The stop fires while nobody is connected."""
    account = trader(world, venue)
    position = account.opened("ETHUSDT", quantity="0.5", stop=2)
    world.simulator.control("fault", venue=venue, name="refuse", ms=1500)
    world.simulator.control("drop", venue=venue, stream="all", how="reset")
    account.mark("ETHUSDT", "3300")
    row, _ = check_settled(account, position, "stop_loss")
    assert row["exit_price"] == 3300
