"""Hedge mode: both sides of one symbol at once, each with its own stop; the mode is read, never assumed."""
from compare import number
from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, STOP, check_confirmed, check_protected, equal_to_exchange, trader

SETTINGS = LIVE_TRADING


def hedged(world, venue):
    account = trader(world, venue, hedge=True)
    wait_for(lambda: venue == "bybit" or account.count("position_modes", "symbol = '' and hedge") == 1, "the mode has been read", 5)
    return account


def test_long_and_short_of_one_symbol_live_side_by_side(world, venue):
    account = hedged(world, venue)
    long = account.opened("ETHUSDT", "long", quantity="0.5")
    short = account.opened("ETHUSDT", "short", quantity="0.3", stop=3)
    rows = account.rows("select side, position_side from monitoring.positions where account = :account order by id")
    assert rows == [("long", "long"), ("short", "short")]
    check_protected(account, long, 2)
    check_protected(account, short, 3)
    check_confirmed(account, long)
    check_confirmed(account, short)
    for write in account.writes():
        if write.path in (ENTRY[venue], STOP[venue]):
            if venue == "binance":
                assert write.fields["positionSide"] in ("LONG", "SHORT") and "reduceOnly" not in write.fields
            else:
                assert write.fields["positionIdx"] in (1, 2)
    # One is closed, moved and closed again; the other does not notice.
    account.done(account.close(long))
    account.reach(long, "closed")
    equal_to_exchange(account)
    check_protected(account, short, 3)
    account.done(account.set_stop(short, "3600"))
    again = account.opened("ETHUSDT", "long", quantity="0.2")
    account.done(account.close(short, quantity="0.1"))
    wait_for(lambda: number(account.held("ETHUSDT", "short")["quantity"]) * 10 == 2, "a part is closed", 5)
    equal_to_exchange(account)
    check_protected(account, again, 2)
    check_protected(account, short)
    account.done(account.close(short))
    account.reach(short, "closed")
    equal_to_exchange(account)


def test_the_stop_of_one_side_leaves_the_other_alone(world, venue):
    account = hedged(world, venue)
    account.mark("ETHUSDT", "3485.2")
    long = account.opened("ETHUSDT", "long", quantity="0.5", stop=1)
    short = account.opened("ETHUSDT", "short", quantity="0.3", stop=5)
    account.mark("ETHUSDT", "3440")
    account.reach(long, "closed")
    assert account.position(long)["exit_reason"] == "stop_loss"
    equal_to_exchange(account)
    check_protected(account, short, 5)


def test_the_same_side_twice_is_refused(world, venue):
    account = hedged(world, venue)
    account.opened("ETHUSDT", "long", quantity="0.5")
    assert account.not_opened("ETHUSDT", "long").code == "TS019"


def test_a_mode_that_changed_behind_our_back_is_read_again(world, venue):
    """The venue refuses the position side; the mode is asked for and the entry goes out once in the right one."""
    account = trader(world, venue)
    account.opened("SOLUSDT", quantity="2") if venue == "bybit" else None
    if venue == "bybit":
        account.control("hedge", symbol="ETHUSDT", hedge=True)
    else:
        account.control("hedge", hedge=True)
    position = account.opened("ETHUSDT", "long", quantity="0.2")
    assert account.position(position)["position_side"] == "long", account.story(position)
    check_protected(account, position, 2)
    assert len(account.entries("ETHUSDT")) == 1
    equal_to_exchange(account)
