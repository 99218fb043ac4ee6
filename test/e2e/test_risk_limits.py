"""However many ask at the same time, an account never gets more positions than it may have, and nobody waits for long."""
import threading
import time

import psycopg2
import pytest
from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, OPEN, SYMBOLS, equal_to_exchange, trader

SETTINGS = {**LIVE_TRADING, "max_connections": 150}


def limit(account, **limits):
    text = ", ".join(f'"{name}": {"null" if value is None else value}' for name, value in limits.items())
    account.call("select monitoring.set_risk_limits(%s, %s)", account.name, "{" + text + "}")


def opening(account, symbol, notional="20"):
    return OPEN, (account.name, symbol, "long", notional, None, 2)


class Caller(threading.Thread):
    """A session that opens one symbol at the barrier."""

    def __init__(self, account, symbol, barrier):
        super().__init__()
        self.statement, self.barrier = opening(account, symbol), barrier
        self.connection = account.cluster.connect()
        self.outcome, self.detail = None, ""

    def run(self):
        with self.connection.cursor() as cursor:
            self.barrier.wait(60)
            try:
                cursor.execute(*self.statement)
                self.outcome = "opened"
            except psycopg2.Error as error:
                self.outcome, self.detail = error.pgcode, error.diag.message_detail
        self.connection.close()


@pytest.mark.parametrize("mode", ["live", "dry_run"])
def test_of_a_hundred_callers_exactly_ten_succeed(world, venue, mode):
    account = trader(world, venue, mode=mode, live=False, settings={"leverage": 10})
    account.control("instruments", count=100)
    account.fault("no_rate_limits")
    account.wait_live()
    wait_for(lambda: account.count("instruments", "symbol like 'SYM%USDT'") == 100, "the instruments are known", 10)
    limit(account, max_open_positions=10)
    barrier = threading.Barrier(100)
    callers = [Caller(account, f"SYM{k:04d}USDT", barrier) for k in range(1, 101)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    outcomes = [caller.outcome for caller in callers]
    assert {code: outcomes.count(code) for code in set(outcomes)} == {"opened": 10, "TS033": 90}
    assert {caller.detail for caller in callers if caller.detail} == {"max_open_positions is 10, 10 in use, 1 asked for."}
    assert account.count("positions") == 10
    statuses = "select status, count(*) from monitoring.positions where account = :account group by 1"
    wait_for(lambda: account.rows(statuses) == [("active", 10)], "the ten are active", 40)
    assert account.value("select openings from monitoring.risk_state where account = :account") == 10
    if mode == "live":
        truth = equal_to_exchange(account)
        assert len([o for o in truth["orders"] if o["kind"] == "regular" and not o["reduce_only"]]) == 10


def test_an_old_snapshot_is_refused_instead_of_counted(world, venue):
    account = trader(world, venue)
    limit(account, max_open_positions=1)
    reader = account.cluster.connect()
    reader.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    with reader.cursor() as cursor:
        cursor.execute("select count(*) from monitoring.positions")
        account.opened("ETHUSDT")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            cursor.execute(*opening(account, "BTCUSDT", "200"))
    reader.rollback()
    assert account.count("positions") == 1
    with reader.cursor() as cursor, pytest.raises(psycopg2.Error) as refusal:
        cursor.execute(*opening(account, "BTCUSDT", "200"))
    assert refusal.value.pgcode == "TS033"
    reader.close()


def test_a_transaction_that_stays_open_makes_the_account_busy(world, venue):
    account = trader(world, venue, mode="dry_run")
    with account.transaction() as cursor:
        cursor.execute(*opening(account, "ETHUSDT", "200"))
        began = time.monotonic()
        refusal = account.not_opened("SOLUSDT")
        assert refusal.code == "TS038" and 1.5 < time.monotonic() - began < 4, refusal
        limit(account, max_open_positions=0)
        assert account.not_opened("SOLUSDT").code == "TS033"
        limit(account, max_open_positions=None)
    assert account.open("SOLUSDT", notional="200") > 0
    assert account.value("select count(*) from monitoring.positions where account = :account and is_open") == 2


def test_two_accounts_in_opposite_order_do_not_wait_for_each_other(world):
    first, second = (trader(world, venue, mode="dry_run") for venue in ("bybit", "binance"))
    barrier, outcomes = threading.Barrier(2), []

    def both(one, other, symbol):
        connection = world.cluster.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(*opening(one, symbol, "200"))
            barrier.wait(10)
            began = time.monotonic()
            try:
                cursor.execute(*opening(other, symbol, "200"))
                connection.commit()
                outcomes.append("opened")
            except psycopg2.Error as error:
                outcomes.append((error.pgcode, time.monotonic() - began))
                connection.rollback()
        connection.close()

    threads = [threading.Thread(target=both, args=arguments) for arguments in ((first, second, "ETHUSDT"), (second, first, "SOLUSDT"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    refused = [outcome for outcome in outcomes if outcome != "opened"]
    assert outcomes.count("opened") == 1 and len(refused) == 1 and refused[0][0] == "TS038", outcomes
    assert refused[0][1] < 2.5, outcomes
    for account in (first, second):
        assert account.count("positions") == 1


def test_what_a_limit_left_is_not_exceeded_at_an_unknown_price(world, venue):
    account = trader(world, venue)
    limit(account, max_position_notional=1000)
    mark = account.log_mark()
    assert account.value("select count(*) from monitoring.prices where account = :account and symbol = 'BTCUSDT'") == 0
    position = account.open("BTCUSDT", quantity="0.1")
    account.reach(position, "failed")
    row = account.position(position)
    assert row["exit_reason"] == "max_notional" and row["max_notional"] == 1000, account.story(position)
    error = account.one("select error from monitoring.commands where position_id = %s", position)["error"]
    assert "above max_notional 1000" in error, error
    assert [w for w in account.writes(mark) if w.path == ENTRY[venue]] == []
    assert account.value("select open_positions + exposure from monitoring.risk_usage where account = :account") == 0
    account.opened("BTCUSDT", quantity="0.01")


@pytest.mark.parametrize("mode", ["live", "dry_run"])
def test_the_balance_is_not_spent_twice(world, venue, mode):
    account = trader(world, venue, mode=mode, wallet="1000", settings={"leverage": 1, "paper_balance": 1000})
    wait_for(lambda: account.value("select available_balance from monitoring.balances where account = :account and asset = 'USDT'") == 1000, "balance", 10)
    assert account.not_opened("ETHUSDT", notional="990.01").code == "TS037"
    account.opened(SYMBOLS[1], notional="600")
    refusal = account.not_opened(SYMBOLS[2], notional="600")
    assert refusal.code == "TS037" and "min_free_balance is 10" in refusal.detail, refusal
    account.opened(SYMBOLS[2], notional="300")
