"""Trading on paper: the same words, the same rows, live prices, and nothing signed ever reaches the exchange."""
from decimal import Decimal

import pytest
from support.cluster import wait_for
from trading import Trader, expected_stop, trader, TICK

SETTINGS = {}


@pytest.fixture(autouse=True)
def market(world):
    for name in ("bybit", "binance"):
        for symbol, price in (("ETHUSDT", "3485.2"), ("SOLUSDT", "178.43"), ("BTCUSDT", "63920.1")):
            world.simulator.control("price", venue=name, symbol=symbol, mark=price, last=price)


def paper(world, venue, **settings):
    return trader(world, venue, mode="dry_run", settings={"paper_balance": 5000, "leverage": 5, **settings})


def check_silent(account):
    """Not one request with a key, and none that wants something done."""
    seen = account.simulator.get("requests", account.venue)["requests"]
    assert [r for r in seen if r["key"] == account.key or r["method"] != "GET"] == []
    assert account.truth()["orders"] == [] and account.truth()["fills"] == []
    private = [c for c in account.simulator.get("connections", account.venue)["connections"] if c["account"] == account.key]
    assert private == []


def test_open_protect_move_and_close_on_paper(world, venue):
    account = paper(world, venue)
    account.wait_value("select wallet_balance from monitoring.balances where account = :account and asset = 'USDT'", 5000)
    position = account.opened("ETHUSDT", "long", quantity="0.5", stop=2)
    row = account.position(position)
    # The taker pays two basis points of slippage by default.
    assert Decimal("3485.2") <= row["entry_price"] <= Decimal("3485.2") * Decimal("1.0004")
    assert row["stop_loss_price"] == expected_stop(row["entry_price"], 2, "long", TICK["ETHUSDT"]) and row["has_stop_loss"]
    assert account.rows("select side, quantity, position_id from monitoring.trades where account = :account") == [
        ("buy", Decimal("0.5"), position)]
    assert account.rows("select symbol, side, quantity from monitoring.venue_positions where account = :account") == [
        ("ETHUSDT", "long", Decimal("0.5"))]
    account.done(account.set_stop(position, "3430"))
    assert account.position(position)["stop_loss_price"] == 3430
    account.done(account.close(position, quantity="0.2"))
    wait_for(lambda: account.position(position)["quantity"] == Decimal("0.3"), account.story(position), 5)
    account.mark("ETHUSDT", "3500")
    wait_for(lambda: account.count("prices", "symbol = 'ETHUSDT' and mark_price = 3500") == 1, "the price", 5)
    account.done(account.close(position))
    account.reach(position, "closed")
    wait_for(lambda: account.position(position)["pnl"] is not None, account.story(position), 5)
    row = account.position(position)
    sums = account.rows("select sum(case side when 'sell' then 1 else -1 end * price * quantity), sum(fee) from monitoring.trades "
                        "where account = :account")[0]
    assert abs(row["pnl"] - (sums[0] - sums[1])) < Decimal("1e-9")
    wallet = account.value("select wallet_balance from monitoring.balances where account = :account and asset = 'USDT'")
    assert abs(wallet - 5000 - row["pnl"]) < Decimal("1e-9")
    resting = "select count(*) from monitoring.orders where account = :account and is_open"
    account.wait_value(resting, 0)
    assert account.value("select bool_and(rows.checked) from monitoring.verify_position(%d) rows" % position) is not None
    check_silent(account)


def test_a_paper_stop_fires_on_the_live_price(world, venue):
    account = paper(world, venue)
    position = account.opened("SOLUSDT", "short", quantity="10", stop=2)
    account.set_target(position, "170")
    # The mark triggers, the fill is at the last price: told first, because each comes by a stream of its own.
    account.control("price", symbol="SOLUSDT", last="183")
    wait_for(lambda: account.count("prices", "symbol = 'SOLUSDT' and last_price = 183") == 1, "the last price", 5)
    account.control("price", symbol="SOLUSDT", mark="183")
    account.reach(position, "closed")
    wait_for(lambda: account.position(position)["pnl"] is not None, account.story(position), 5)
    row = account.position(position)
    assert row["exit_reason"] == "stop_loss" and row["pnl"] < 0 and row["exit_price"] >= 183
    account.wait_value("select count(*) from monitoring.orders where account = :account and is_open", 0)
    check_silent(account)


def test_paper_survives_restarts(world, venue):
    account = paper(world, venue)
    position = account.opened("SOLUSDT", "long", quantity="10", stop=2)
    before = account.position(position)
    wallet = account.value("select wallet_balance from monitoring.balances where account = :account")
    world.cluster.restart("immediate")
    account.wait_live(30)
    again = Trader(world, venue, account.name, account.key)
    after = again.position(position)
    assert {k: after[k] for k in ("status", "quantity", "entry_price", "stop_loss_price", "has_stop_loss")} == {
        k: before[k] for k in ("status", "quantity", "entry_price", "stop_loss_price", "has_stop_loss")}
    assert again.value("select wallet_balance from monitoring.balances where account = :account") == wallet
    assert again.not_opened("SOLUSDT").code == "TS019"
    again.mark("SOLUSDT", "170")
    again.reach(position, "closed", timeout=15)
    assert again.position(position)["exit_reason"] == "stop_loss", again.story(position)
    # Ids go on where they were: a second trade does not collide with the first.
    again.mark("SOLUSDT", "178.43")
    again.opened("SOLUSDT", "short", quantity="5")
    assert again.value("select count(*) from monitoring.dead_letters where account = :account") == 0
    check_silent(again)


def test_paper_money_runs_out(world, venue):
    account = paper(world, venue)
    position = account.open("BTCUSDT", quantity="1")
    account.reach(position, "failed")
    command = account.one("select status, error from monitoring.commands where position_id = %s", position)
    assert command["status"] == "failed" and command["error"], command
    check_silent(account)


def test_paper_needs_no_keys(world, venue):
    account = paper(world, venue)
    world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
    kept = world.keys.pop(account.name)
    try:
        world.cluster.write_credentials(world.keys)
        wait_for(lambda: not account.pid(), "the worker leaves", 5)
        world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
        account.wait_live()
        account.opened("SOLUSDT", quantity="2")
        check_silent(account)
    finally:
        world.keys[account.name] = kept
