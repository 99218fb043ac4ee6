"""Bad words end with a clear error before anything leaves: the simulator's log does not grow by a single write."""
import pytest
from support.cluster import wait_for
from trading import LIVE_TRADING, OPEN, check_protected, equal_to_exchange, trader

SETTINGS = LIVE_TRADING
SIDES = {"long": ("long", "LONG", "Long", "buy", "BUY"), "short": ("short", "SHORT", "Short", "sell", "Sell")}

# (symbol, side, notional, quantity, stop) -> (SQLSTATE, a word of message or detail)
BAD = {
    "quantity_zero": (("BTCUSDT", "long", None, "0", 2), "TS018", "0"),
    "quantity_negative": (("BTCUSDT", "long", None, "-1", 2), "TS018", "-1"),
    "quantity_nan": (("BTCUSDT", "long", None, "NaN", 2), "TS018", "NaN"),
    "quantity_infinite": (("BTCUSDT", "long", None, "Infinity", 2), "TS018", "Infinity"),
    "quantity_huge": (("BTCUSDT", "long", None, "1e30", 2), "TS018", "max_market_quantity"),
    "quantity_above_the_largest_market_order": (("BTCUSDT", "long", None, "500.001", 2), "TS018", "max_market_quantity"),
    "quantity_below_the_smallest": (("BTCUSDT", "long", None, "0.0001", 2), "TS018", "quantity"),
    "quantity_off_step": (("BTCUSDT", "long", None, "0.0015", 2), "TS018", "quantity_step"),
    "notional_zero": (("BTCUSDT", "long", "0", None, 2), "TS018", "0"),
    "notional_negative": (("BTCUSDT", "long", "-5", None, 2), "TS018", "-5"),
    "notional_nan": (("BTCUSDT", "long", "NaN", None, 2), "TS018", "NaN"),
    "notional_and_quantity": (("BTCUSDT", "long", "100", "0.01", 2), "TS018", "Both"),
    "stop_zero": (("BTCUSDT", "long", "100", None, 0), "TS022", "0"),
    "stop_negative": (("BTCUSDT", "long", "100", None, -1), "TS022", "-1"),
    "stop_of_a_hundred": (("BTCUSDT", "long", "100", None, 100), "TS022", "100"),
    "stop_nan": (("BTCUSDT", "long", "100", None, "NaN"), "TS022", "NaN"),
    "side_unknown": (("BTCUSDT", "sideways", "100", None, 2), "TS017", "sideways"),
    "side_null": (("BTCUSDT", None, "100", None, 2), "TS017", ""),
    "side_empty": (("BTCUSDT", "", "100", None, 2), "TS017", ""),
    "symbol_unknown": (("NOSUCHUSDT", "long", "100", None, 2), "TS016", "NOSUCHUSDT"),
    "symbol_null": ((None, "long", "100", None, 2), "TS016", ""),
    "symbol_empty": (("", "long", "100", None, 2), "TS016", ""),
    "symbol_with_a_quote": (("BTC'; drop table monitoring.positions; --", "long", "100", None, 2), "TS016", ""),
}


@pytest.fixture(scope="module")
def shared(world):
    """One account of each venue for tests that leave it as it was."""
    world.made = getattr(world, "made", {})

    def account(venue):
        if venue not in world.made:
            world.made[venue] = trader(world, venue)
        world.cluster.rows("select monitoring.enable_account(%s)", (world.made[venue].name,))
        world.made[venue].wait_live()
        return world.made[venue]
    return account


def test_every_bad_opening_is_refused_and_nothing_leaves(shared, venue):
    account = shared(venue)
    since = account.log_mark()
    for name, ((symbol, side, notional, quantity, stop), code, word) in BAD.items():
        refusal = account.refused(OPEN, account.name, symbol, side, notional, quantity, stop)
        assert refusal.code == code, (name, refusal)
        assert word in f"{refusal.message} {refusal.detail} {refusal.hint}", (name, refusal.message, refusal.detail)
    assert account.refused(OPEN, "nobody", "BTCUSDT", "long", "100", None, 2).code == "TS002"
    assert account.refused(OPEN, None, "BTCUSDT", "long", "100", None, 2).code == "TS002"
    assert account.writes(since) == []
    assert account.count("positions") == account.count("commands") == 0


def test_a_symbol_of_the_other_venue_is_named(world, shared):
    """Only Binance has the synthetic instruments here."""
    world.simulator.control("instruments", venue="binance", count=3)
    binance, bybit = trader(world, "binance"), shared("bybit")
    wait_for(lambda: binance.count("instruments", "symbol = 'SYM0001USDT'") == 1, "the instrument is known", 10)
    refusal = bybit.not_opened("SYM0001USDT")
    assert refusal.code == "TS016" and "binance" in f"{refusal.message} {refusal.detail} {refusal.hint}"


def test_a_side_may_be_written_in_any_case(world, venue):
    account = trader(world, venue)
    for side, word in [(side, word) for side in SIDES for word in SIDES[side]]:
        for symbol in ("SOLUSDT", "sol/usdt:usdt"):
            connection = account.cluster.connect()
            connection.autocommit = False
            with connection.cursor() as cursor:
                cursor.execute(OPEN, (account.name, symbol, word, "100", None, 2))
                cursor.execute("select symbol, side from monitoring.positions where id = %s", cursor.fetchone())
                assert cursor.fetchone() == ("SOLUSDT", side)
            connection.rollback()
            connection.close()
    assert account.writes() == []


def test_a_closed_instrument_is_refused(world, venue):
    account = trader(world, venue, live=False)
    account.control("instrument", symbol="ORDIUSDT", status="closed")
    account.wait_live()
    status = "select status from monitoring.instruments where account = :account and symbol = 'ORDIUSDT'"
    wait_for(lambda: account.value(status) not in ("trading",), "the status is known", 10)
    assert account.not_opened("ORDIUSDT").code == "TS016"
    assert account.writes() == []
    account.control("instrument", symbol="ORDIUSDT", status="trading")


def test_an_instrument_that_closed_unnoticed_is_refused_by_the_exchange(world, venue):
    """The row says trading, the venue knows better: the entry is refused, nothing stays."""
    account = trader(world, venue)
    account.fault("lose", probability="1")
    account.control("instrument", symbol="WIFUSDT", status="closed")
    position = account.open("WIFUSDT", notional="100")
    account.reach(position, "failed")
    command = account.one("select status, error from monitoring.commands where position_id = %s", position)
    assert command["status"] == "failed" and command["error"]
    account.control("faults_clear")
    account.control("instrument", symbol="WIFUSDT", status="trading")
    equal_to_exchange(account)


def test_too_little_money_fails_the_opening_in_words(world, venue):
    account = trader(world, venue, wallet="50")
    position = account.open("BTCUSDT", quantity="0.1")
    account.reach(position, "failed")
    command = account.one("select status, error from monitoring.commands where position_id = %s", position)
    assert command["status"] == "failed" and command["error"]
    assert account.held("BTCUSDT") is None
    equal_to_exchange(account)


def test_bad_closings_and_stops_are_refused_and_nothing_leaves(world, venue):
    account = trader(world, venue)
    account.mark("ETHUSDT", "3000")
    account.mark("SOLUSDT", "180")
    long, short = account.opened("ETHUSDT", "long", quantity="0.2"), account.opened("SOLUSDT", "short", quantity="2")
    wait_for(lambda: account.count("prices", "mark_price is not null") == 2, "priced", 5)
    gone = account.opened("XRPUSDT", quantity="50")
    account.done(account.close(gone))
    account.reach(gone, "closed")
    since = account.log_mark()
    close, stop, target = (f"select monitoring.{name}" for name in ("close_position", "set_stop_loss", "set_take_profit"))
    for call, arguments, code in [
            (f"{close}(%s)", (gone,), "TS021"), (f"{close}(%s)", (987654321,), "TS021"), (f"{close}(null)", (), "TS021"),
            (f"{stop}(%s, 2000)", (gone,), "TS021"), (f"{target}(%s, 2000)", (987654321,), "TS021"),
            (f"{close}(%s, quantity => 0)", (long,), "TS018"), (f"{close}(%s, quantity => -1)", (long,), "TS018"),
            (f"{close}(%s, quantity => 'NaN')", (long,), "TS018"), (f"{close}(%s, quantity => 0.3)", (long,), "TS018"),
            (f"{close}(%s, quantity => 0.015)", (long,), "TS018"),
            (f"{stop}(%s, 3001)", (long,), "TS022"), (f"{stop}(%s, 3000)", (long,), "TS022"), (f"{stop}(%s, 0)", (long,), "TS022"),
            (f"{stop}(%s, -5)", (long,), "TS022"), (f"{stop}(%s, 'NaN')", (long,), "TS022"), (f"{stop}(%s, null)", (long,), "TS022"),
            (f"{stop}(%s, 2950.005)", (long,), "TS022"), (f"{stop}(%s, 179)", (short,), "TS022"),
            (f"{target}(%s, 2999)", (long,), "TS022"), (f"{target}(%s, 181)", (short,), "TS022"),
            (f"{target}(%s, 'Infinity')", (long,), "TS022"),
            ("select monitoring.set_leverage(%s, 'BTCUSDT', 0)", (account.name,), None),
            ("select monitoring.set_leverage(%s, 'BTCUSDT', 100000)", (account.name,), None),
            ("select monitoring.set_leverage(%s, 'NOSUCHUSDT', 5)", (account.name,), "TS016"),
            ("select monitoring.set_leverage('nobody', 'BTCUSDT', 5)", (), "TS002"),
            ("select monitoring.cancel_order(%s, 'no-such-order')", (account.name,), None)]:
        refusal = account.refused(call, *arguments)
        assert code in (None, refusal.code), (call, refusal, refusal.detail)
    assert account.writes(since) == []
    check_protected(account, long, 2)
    check_protected(account, short, 2)
    equal_to_exchange(account)


def test_a_position_that_is_not_ours_is_left_alone(world, venue):
    account = trader(world, venue)
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.5")
    wait_for(lambda: account.count("open_positions") == 1, "the mirror shows it", 5)
    position = account.value("select id from monitoring.open_positions where account = :account")
    for call in ("close_position(%s)", "set_stop_loss(%s, 3000)", "set_take_profit(%s, 4000)"):
        assert account.refused(f"select monitoring.{call}", position).code == "TS021"
    assert account.writes() == []


def test_an_account_that_only_observes_sends_nothing(world, venue):
    account = trader(world, venue, mode="observe")
    assert account.not_opened("BTCUSDT").code == "TS014"
    assert account.refused("select monitoring.set_leverage(%s, 'BTCUSDT', 5)", account.name).code == "TS014"
    assert account.writes() == []


def test_an_account_that_is_not_synchronized_opens_nothing(world, venue):
    account = trader(world, venue)
    world.simulator.control("fault", venue=venue, name="refuse", ms=60000)
    world.simulator.control("drop", venue=venue, stream="all", how="reset")
    wait_for(lambda: world.cluster.worker_state(account.name) != "live", "the cut is noticed", 5)
    refusal = account.not_opened("BTCUSDT")
    assert refusal.code == "TS013" and account.name in refusal.message
    world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
    assert account.not_opened("BTCUSDT").code == "TS013"


def test_who_may_not_trade_cannot(world, venue):
    account = trader(world, venue)
    if not world.cluster.value("select 1 from pg_roles where rolname = 'watcher'"):
        world.cluster.rows("create role watcher login; create role dealer login; create role stranger login; "
                           "grant tradesync_reader to watcher; grant tradesync_trader to dealer")
    for role, may in (("stranger", False), ("watcher", False), ("dealer", True)):
        person = world.cluster.connect(user=role)
        try:
            with person.cursor() as cursor:
                cursor.execute(OPEN, (account.name, "SOLUSDT", "long", "100", None, 2))
                position = cursor.fetchone()[0]
            assert may, role
        except Exception as error:
            assert not may and getattr(error, "pgcode", None) == "42501", (role, error)
    account.reach(position, "active")
    assert account.value(f"select requested_by from monitoring.commands where position_id = {position}") == "dealer"


def test_live_trading_that_is_switched_off_ends_openings_and_keeps_the_protection(world, venue):
    account = trader(world, venue)
    position = account.opened("SOLUSDT", quantity="2")
    try:
        world.cluster.configure({"tradesync.live_trading": "off"})
        world.cluster.reload()
        wait_for(lambda: account.call("show tradesync.live_trading") == "off", "reloaded", 5)
        assert account.not_opened("BTCUSDT").code == "TS007"
        assert account.resting("SOLUSDT") != []
        assert account.status(position) == "active"
    finally:
        world.cluster.configure({"tradesync.live_trading": "on"})
        world.cluster.reload()
        wait_for(lambda: account.call("show tradesync.live_trading") == "on", "reloaded", 5)


def test_as_many_stops_as_the_venue_allows_and_no_more(world):
    """200 conditional orders on Binance, ten kept free."""
    account = trader(world, "binance")
    account.fault("no_rate_limits")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="1")
    for k in range(191):
        account.control("order", symbol="BTCUSDT", side="sell", type="market", trigger_price=str(40000 + k * 10), quantity="0.001",
                        reduce_only=True)
    wait_for(lambda: account.count("orders", "kind = 'conditional' and is_open") == 191, "191 resting stops", 10)
    refusal = account.not_opened("ETHUSDT")
    assert refusal.code == "TS027" and "200" in f"{refusal.message} {refusal.detail}"
