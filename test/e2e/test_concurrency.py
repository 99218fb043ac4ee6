"""Two who want the same symbol at the same time: one gets it, the other hears so at once, and nobody waits for anybody."""
import itertools
import threading
import time

import psycopg2
import pytest
from support.cluster import wait_for
from trading import LIVE_TRADING, OPEN, TICK, Refused, Trader, equal_to_exchange, on_tick, trader

SETTINGS = {**LIVE_TRADING, "deadlock_timeout": "'50ms'"}


class Session(threading.Thread):
    """Opens one symbol after the other, each at the barrier with its rival, and keeps its transaction open for a moment."""

    def __init__(self, cluster, barrier, wanted, hold_s):
        super().__init__()
        self.barrier, self.wanted, self.hold_s = barrier, wanted, hold_s
        self.connection = cluster.connect()
        self.outcomes = []

    def run(self):
        for k, (account, symbol) in enumerate(self.wanted):
            self.barrier.wait(30)
            self.outcomes.append(self.try_one(account, symbol, self.hold_s if k % 2 else 0))

    def try_one(self, account, symbol, hold_s):
        self.connection.autocommit = False
        began = time.monotonic()
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(OPEN, (account.name, symbol, "long", "20", None, 2))
                position = cursor.fetchone()[0]
                time.sleep(hold_s)
                self.connection.commit()
                return "opened", position, 0
        except psycopg2.Error as error:
            took = time.monotonic() - began
            self.connection.rollback()
            return error.pgcode, None, took


RACES = 100
ACCOUNTS = 4  # an account of Bybit may write ten times per second, and an opening takes two or three of these


@pytest.mark.alone
def test_one_of_two_gets_the_symbol_every_time(world, venue):
    world.simulator.control("instruments", venue=venue, count=RACES)
    world.simulator.control("fault", venue=venue, name="no_rate_limits")
    accounts = [trader(world, venue, live=False, settings={"leverage": 10}) for _ in range(ACCOUNTS)]
    symbols = [f"SYM{k:04d}USDT" for k in range(1, RACES + 1)]
    for account in accounts:
        account.wait_live()
        wait_for(lambda a=account: a.count("instruments", "symbol like 'SYM%USDT'") == RACES, "the instruments are known", 10)
    wanted = list(zip(itertools.cycle(accounts), symbols))
    barrier = threading.Barrier(2)
    rivals = [Session(world.cluster, barrier, wanted, 0.02) for _ in range(2)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(60)
        assert not rival.is_alive(), "a session hangs"
    for k, symbol in enumerate(symbols):
        codes = sorted(rival.outcomes[k][0] for rival in rivals)
        assert codes in (["TS019", "opened"], ["TS020", "opened"]), (symbol, codes)
    refused = [outcome for rival in rivals for outcome in rival.outcomes if outcome[0] != "opened"]
    assert len(refused) == RACES
    # While the other held its transaction open, too. A quiet machine answers within milliseconds.
    assert sorted(took for _, _, took in refused)[-3] < 0.1, sorted(took for _, _, took in refused)[-5:]
    positions = [outcome[1] for rival in rivals for outcome in rival.outcomes if outcome[0] == "opened"]
    assert len(set(positions)) == RACES
    assert "deadlock" not in world.cluster.log_text()
    share = RACES // ACCOUNTS
    statuses = "select status, count(*) from monitoring.positions where account = :account group by 1"
    for account in accounts:
        wait_for(lambda a=account: a.rows(statuses) == [("active", share)], f"all of {account.name} are active", 40)
        assert account.count("positions") == account.count("orders", "purpose = 'entry'") == share
        truth = equal_to_exchange(account)
        assert len([o for o in truth["orders"] if o["kind"] == "regular" and not o["reduce_only"]]) == share


def test_the_refused_one_is_told_which_position_is_there(world, venue):
    account = trader(world, venue)
    position = account.opened("ETHUSDT")
    refusal = account.not_opened("ethusdt", "short")
    assert refusal.code == "TS019" and str(position) in refusal.message + refusal.detail


def test_a_position_of_somebody_else_counts(world, venue):
    account = trader(world, venue)
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.2")
    wait_for(lambda: account.count("open_positions") == 1, "the mirror shows it", 5)
    assert account.not_opened("ETHUSDT").code == "TS019"
    assert account.rows("select managed from monitoring.positions where account = :account") == [(False,)]


def test_openings_closings_and_stops_at_once_from_many_sessions(world, venue):
    """Eight sessions on four symbols: whatever they ask in whatever order, tables and exchange agree in the end."""
    account = trader(world, venue)
    account.fault("no_rate_limits")
    symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]
    unexpected = []

    def busy(number):
        mine = Trader(account.world, account.venue, account.name, account.key)
        symbol = symbols[number % 4]
        for turn in range(6):
            try:
                if (number + turn) % 2:
                    mine.open(symbol, "long" if turn % 2 else "short", notional="200")
                else:
                    found = "select id, entry_price, side from monitoring.open_positions where account = :account and symbol = "
                    for position, entry, side in mine.rows(f"{found}'{symbol}'"):
                        if entry is not None and turn % 3 == 0:
                            mine.set_stop(position, on_tick(entry * (96 if side == "long" else 104) / 100, TICK[symbol]))
                        else:
                            mine.close(position)
            except Refused as refusal:
                if refusal.code not in ("TS019", "TS020", "TS021", "TS022"):
                    unexpected.append(refusal)
            time.sleep(0.05)
    sessions = [threading.Thread(target=busy, args=(number,)) for number in range(8)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join(60)
        assert not session.is_alive(), "a session hangs"
    assert unexpected == []
    wait_for(lambda: account.count("commands", "status in ('queued', 'running')") == 0, "all commands end", 20)
    wait_for(lambda: account.count("positions", "is_open and status <> 'active'") == 0, "every position is active or over", 20)
    equal_to_exchange(account)
