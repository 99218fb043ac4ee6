"""After halt() nothing new opens; what is open stays protected and can be closed."""
import time

from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, check_protected, equal_to_exchange, trader

SETTINGS = LIVE_TRADING
OPEN = "select monitoring.open_position(%s, %s, 'long', notional => 200, stop_loss_percent => 2)"


def test_nothing_opens_and_protection_goes_on(world, venue):
    account = trader(world, venue)
    first, second = account.opened("SOLUSDT", quantity="10"), account.opened("XRPUSDT", quantity="100")
    account.call("select monitoring.halt(%s, 'enough for today')", account.name)
    refusal = account.refused(OPEN, account.name, "ETHUSDT")
    assert refusal.code == "TS015" and "enough for today" in f"{refusal.message} {refusal.detail}"
    since = account.log_mark()
    # Moved, replaced and closed as before.
    account.done(account.set_stop(first, "172"))
    check_protected(account, first)
    if venue == "bybit":
        account.control("stop", symbol="SOLUSDT", stop_loss="0")
    else:
        account.control("cancel", order_id=account.resting("SOLUSDT")[0]["order_id"])
    wait_for(lambda: account.resting("SOLUSDT"), "the lost stop is placed again", 5)
    account.done(account.close(second))
    account.reach(second, "closed")
    account.mark("SOLUSDT", "171")
    account.reach(first, "closed")
    equal_to_exchange(account)
    assert account.entries("ETHUSDT") == [] and {w.symbol for w in account.writes(since) if w.places} <= {"SOLUSDT", "XRPUSDT"}
    account.mark("SOLUSDT", "178.43")
    account.call("select monitoring.resume(%s)", account.name)
    account.opened("ETHUSDT")


def test_an_opening_that_was_queued_before_the_halt_does_not_leave_after_it(world, venue):
    """Both commit in one transaction, so the worker sees the halt with the command."""
    account = trader(world, venue)
    with account.transaction() as cursor:
        cursor.execute(OPEN, (account.name, "ETHUSDT"))
        position = cursor.fetchone()[0]
        cursor.execute("select monitoring.halt(%s, 'at once')", (account.name,))
    account.reach(position, "failed", "canceled", timeout=10)
    command = account.one("select status, error from monitoring.commands where position_id = %s", position)
    assert command["status"] in ("failed", "expired") and command["error"], command
    assert [w for w in account.writes() if w.path == ENTRY[venue]] == []
    equal_to_exchange(account)


def test_an_entry_that_had_left_before_the_halt_is_protected(world, venue):
    account = trader(world, venue)
    account.fault("http_delay", path=ENTRY[venue], method="POST", ms=500)
    since = account.log_mark()
    position = account.open("ETHUSDT", quantity="0.5")
    account.wait_write(ENTRY[venue], since)
    account.call("select monitoring.halt(%s)", account.name)
    account.reach(position, "active")
    check_protected(account, position, 2)
    equal_to_exchange(account)


def test_an_opening_right_after_the_resume_is_not_refused_for_the_halt(world, venue):
    """Three commits within the milliseconds in which the worker has not looked at the account's row again."""
    account = trader(world, venue)
    for symbol in ("SOLUSDT", "XRPUSDT", "ETHUSDT", "BTCUSDT"):
        account.call("select monitoring.halt(%s, 'for a moment')", account.name)
        time.sleep(0.05)
        account.call("select monitoring.resume(%s)", account.name)
        account.reach(account.call(OPEN, account.name, symbol), "active")
    equal_to_exchange(account)


def test_nothing_real_leaves_for_an_account_that_is_on_paper_by_now(world, venue):
    """The opening is committed before the worker of mode live has seen that there is another mode."""
    account = trader(world, venue)
    since = account.log_mark()
    account.call("update monitoring.accounts set mode = 'dry_run' where name = %s", account.name)
    position = account.call(OPEN, account.name, "ETHUSDT")
    account.reach(position, "active", timeout=15)
    assert [w for w in account.writes(since) if w.places] == []
    assert account.entries("ETHUSDT") == []
