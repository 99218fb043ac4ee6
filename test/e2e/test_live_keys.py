"""Outside this machine real orders need keys that say which environment they are for; any others mirror and order nothing.

0.0.0.0 leads to this machine, and no rule calls it loopback: the account counts as one far away, and nothing leaves.
"""
import pytest
from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, Trader, check_protected, equal_to_exchange

TLS = True
SETTINGS = LIVE_TRADING
LAST_ERROR = "select coalesce(last_error, '') from monitoring.worker_status where account = :account"


def far_trader(world, venue, word):
    """A live account on mainnet at an address that is not loopback; `word` ends its line of the credentials file."""
    number = len(world.keys)
    account = Trader(world, venue, f"{venue}_far_{number}", f"far{number:04d}{venue}".ljust(18, "x"))
    world.simulator.control("account", venue=venue, key=account.key, secret=secret_of(account), wallet="100000")
    say_environment(account, word)
    rest, stream = (url.replace("localhost", "0.0.0.0") for url in world.simulator.urls(venue, tls=True))
    world.cluster.rows("select monitoring.add_account(%s, %s, 'mainnet', 'live', %s, %s, %s)", (account.name, venue, rest, stream, stream))
    world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
    return account


def secret_of(account):
    return f"secret-{account.key}".ljust(36, "y")


def say_environment(account, word):
    account.world.keys[account.name] = (account.key, f"{secret_of(account)} {word}".strip())
    account.cluster.write_credentials(account.world.keys)


@pytest.mark.parametrize("word,reason", [("", "the credentials line names no environment"),
                                         ("testnet", 'credentials are for environment "testnet" but the account is on "mainnet"')],
                         ids=["no_environment", "another_environment"])
def test_nothing_is_ordered_until_the_keys_are_for_this_environment(world, venue, word, reason):
    account = far_trader(world, venue, word)
    account.wait_live()
    wait_for(lambda: reason in account.value(LAST_ERROR), f"the reason is shown: {reason}", 5)
    assert f"account {account.name}: " in account.cluster.log_text() and reason in account.cluster.log_text()
    positions = [account.open(symbol, notional="300") for symbol in ("BTCUSDT", "ETHUSDT")]
    for position in positions:
        account.reach(position, "failed")
        command = account.one("select status, error from monitoring.commands where position_id = %s", position)
        assert command["status"] == "failed" and reason in command["error"], command
    assert account.writes() == [], "something was asked of the venue"
    assert account.count("orders") == 0 and account.truth()["orders"] == []

    say_environment(account, "mainnet")
    account.cluster.reload()
    wait_for(lambda: account.value(LAST_ERROR) == "", "the line is right now", 10)
    account.wait_live()
    position = account.opened("ETHUSDT", notional="300")
    check_protected(account, position, 2)
    assert any(write.path == ENTRY[venue] for write in account.writes())

    # Taken back while it trades: what is open keeps its stop at the exchange, and nothing new leaves.
    say_environment(account, word)
    account.cluster.reload()
    wait_for(lambda: reason in account.value(LAST_ERROR), "the reason is back", 10)
    account.wait_live()
    since = account.log_mark()
    account.reach(account.open("SOLUSDT", notional="300"), "failed")
    assert account.writes(since) == []
    assert len(account.resting("ETHUSDT")) == 1
    equal_to_exchange(account)


def test_keys_for_this_environment_trade_at_once(world, venue):
    account = far_trader(world, venue, "mainnet")
    account.wait_live()
    assert account.value(LAST_ERROR) == ""
    check_protected(account, account.opened("BTCUSDT", notional="300"), 2)
    equal_to_exchange(account)
