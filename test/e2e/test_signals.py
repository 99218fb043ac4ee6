"""Rows of a table become protected positions by themselves: each signal one decision, each accepted one a position with a stop."""
import json
import time

import pytest
from support.cluster import wait_for
from trading import LIVE_TRADING, equal_to_exchange, trader, wait_or_tell

SETTINGS = LIVE_TRADING
VENUES = ("bybit", "binance")
WAVES, PAIRS = 6, 60
# Larger than the least that any of the simulator's instruments takes; leverage as the simulator has it, so that nothing is set.
ROOM = {"max_trades_per_wave": 1000, "position_size": 200, "leverage": 10, "paper_balance": 100000, "entry_validity": "10min"}


@pytest.fixture(scope="module", autouse=True)
def listed(world):
    """More instruments than six waves need."""
    for venue in VENUES:
        world.simulator.control("instruments", venue=venue, count=110)


@pytest.fixture(autouse=True)
def detached(world):
    yield
    world.cluster.rows("select monitoring.detach_signal_source(relation) from monitoring.signal_sources where active")


def attach(world, accounts, name, options=None, mapping=None):
    """A table of test signals, attached to these accounts; returns the number of the source."""
    world.cluster.rows("select testkit.create_signal_table(%s)", (name,))
    return world.cluster.value("select monitoring.attach_signal_source(%s, %s, %s, %s)",
                               (name, mapping and json.dumps(mapping), [a.name for a in accounts], options and json.dumps(options)))


def insert(world, table, *signals):
    """Signals in one statement; each is a dictionary, with what a good one has where nothing is said."""
    usual = {"signal_id": None, "symbol": "BTCUSDT", "exchange": "bybit", "timestamp": "now", "wave_number": 1, "score": 80,
             "score_week": 80, "score_month": 80, "recommended_action": "BUY"}
    columns = ", ".join(f'"{name}"' for name in usual)
    values = [tuple({**usual, **signal}.values()) for signal in signals]
    row = "(" + ", ".join("%s" for _ in usual) + ")"
    world.cluster.rows(f"insert into {table} ({columns}) values " + ", ".join([row] * len(values)), [v for value in values for v in value])


def reasons(world, source):
    return dict(world.cluster.rows("select reason, count(*) from monitoring.signal_decisions where source_id = %s group by reason",
                                   (source,)))


def wait_decided(world, source, count, timeout=20):
    decided = lambda: world.cluster.value("select count(*) from monitoring.signal_decisions where source_id = %s", (source,))  # noqa: E731
    wait_for(lambda: decided() == count, f"{count} decisions ({decided()}, {reasons(world, source)})", timeout, every=0.05)


def wait_active(account, timeout=30):
    """Every position of the account has ended its opening well."""
    waiting = "status in ('pending_entry', 'entry_placed', 'pending_sl')"
    first = f"select min(id) from monitoring.positions where account = :account and {waiting}"
    wait_or_tell(lambda: account.count("positions", waiting) == 0, f"openings of {account.name} end", timeout,
                 lambda: account.story(account.value(first)))
    failed = account.rows("select symbol, status, exit_reason from monitoring.positions where account = :account and status <> 'active'")
    assert failed == []


class Waves:
    """A table of waves and the accounts of one mode that trade them."""

    def __init__(self, world, mode):
        self.world, self.mode, self.table = world, mode, f"public.six_waves_{mode}"
        self.accounts = [trader(world, venue, mode=mode, settings=ROOM) for venue in VENUES]
        self.source = attach(world, self.accounts, self.table)

    def generate(self, wave):
        self.world.cluster.rows("select testkit.generate_wave(%s, %s, 0.3, 7, %s)", (wave, PAIRS, self.table))

    def check_decisions(self):
        signals, repeats = self.world.cluster.rows(f"select count(*), count(repeat_of) from {self.table}")[0]
        assert (signals, repeats) == (WAVES * PAIRS, WAVES * PAIRS * 3 // 10)
        decided = f"from {self.table} t join monitoring.signal_decisions d on d.source_id = {self.source} and d.signal_key = t.id::text"
        assert self.world.cluster.value(f"select count(*) {decided}") == signals
        assert set(self.world.cluster.rows(f"select distinct d.decision {decided} where t.repeat_of is null")) == {("opened",)}
        of_repeats = dict(self.world.cluster.rows(f"select d.reason, count(*) {decided} where t.repeat_of is not null group by 1"))
        assert set(of_repeats) <= {"duplicate_signal_id", "duplicate_symbol_time", "duplicate_position"}
        assert sum(of_repeats.values()) == repeats
        matching = self.world.cluster.value(
            f"select count(*) {decided} join monitoring.positions p on p.id = d.position_id and p.account = d.account "
            "and p.symbol = t.symbol and p.exchange = t.exchange and p.signal_id = t.signal_id "
            "and p.side = case t.recommended_action when 'BUY' then 'long' else 'short' end and p.status = 'active' and p.has_stop_loss and p.origin = 'signal' where d.decision = 'opened'")
        assert matching == sum(account.count("positions") for account in self.accounts) == signals - repeats
        told = self.world.cluster.rows(
            "select sum((event_data ->> 'decided')::int), sum((event_data ->> 'opened')::int) from monitoring.events "
            "where event_type = 'signals_received' and event_data ->> 'source' = %s", (self.table,))
        assert told == [(signals, signals - repeats)]

    def check_accounts(self):
        for account in self.accounts:
            assert account.count("positions", "is_open") == account.count("orders", "purpose = 'stop_loss' and is_open")
            if self.mode == "live":
                equal_to_exchange(account)
            else:
                assert account.truth()["orders"] == [] and account.truth()["fills"] == []


def test_six_waves_live_and_on_paper(world):
    both = [Waves(world, mode) for mode in ("live", "dry_run")]
    for wave in range(1, WAVES + 1):
        for waves in both:
            waves.generate(wave)
        for waves in both:
            wait_decided(world, waves.source, wave * PAIRS)
    # Bybit takes nine writes a second from an account, and an opening needs more than one.
    for waves in both:
        for account in waves.accounts:
            wait_active(account, 180)
    assert world.cluster.rows("select * from monitoring.unprotected_positions") == []
    for waves in both:
        waves.check_decisions()
        waves.check_accounts()


def test_bad_signals_stop_nobody(world):
    """Everything that a table can say wrongly, in one statement with good signals."""
    world.simulator.control("instrument", venue="binance", symbol="WIFUSDT", status="closed")
    bybit, binance = (trader(world, venue, mode="dry_run", settings=ROOM) for venue in ("bybit", "binance"))
    source = attach(world, [bybit, binance], "public.bad_signals")
    insert(world, "public.bad_signals",
           {"symbol": "BTC/USDT:USDT"}, {"symbol": "ethusdt", "exchange": "Binance", "recommended_action": "short"},
           {"symbol": "SOL/USDT", "exchange": "BYBIT", "recommended_action": "Sell"},
           {"symbol": "XRPUSDT", "score_week": None}, {"symbol": "ADAUSDT", "score_month": "NaN"},
           {"symbol": "LTCUSDT", "exchange": "kraken"}, {"symbol": "DOTUSDT", "timestamp": "tomorrow"},
           {"symbol": "LINKUSDT", "timestamp": "yesterday"}, {"symbol": "WIFUSDT", "exchange": "binance"}, {"symbol": "NOSUCHUSDT"},
           {"symbol": "TRXUSDT", "recommended_action": "NO_TRADE"}, {"symbol": "UNIUSDT", "recommended_action": "WAIT"},
           {"symbol": "USDC/USDT"}, {"symbol": "APTUSDT", "signal_id": "twice"}, {"symbol": "APTUSDT", "signal_id": "twice"},
           {"symbol": "BTCUSDT", "score_week": 90})
    # A row of yesterday lies outside the age window and gets no decision.
    wait_decided(world, source, 15)
    assert reasons(world, source) == {
        "accepted": 4, "no_score": 1, "invalid_score": 1, "unknown_exchange": 1, "future_timestamp": 1, "not_tradable": 1,
        "unknown_symbol": 1, "no_trade": 1, "invalid_side": 1, "symbol_filter": 1, "duplicate_signal_id": 1, "duplicate_symbol_time": 1}
    for account, symbols in ((bybit, {"BTCUSDT", "SOLUSDT", "APTUSDT"}), (binance, {"ETHUSDT"})):
        wait_active(account)
        assert {row[0] for row in account.rows("select symbol from monitoring.positions where account = :account and is_open")} == symbols


def test_signals_wait_for_their_account(world, venue):
    """An account that is not live yet loses no signal; one that is halted rejects it; a late one is too old."""
    account = trader(world, venue, mode="dry_run", settings=ROOM, live=True)
    source = attach(world, [account], f"public.late_{venue}", {"max_age": "3s"})
    world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
    insert(world, f"public.late_{venue}", {"symbol": "BTCUSDT", "exchange": venue})
    wait_for(lambda: reasons(world, source) == {"account_not_trading": 1}, "a disabled account rejects", 5)
    with account.transaction() as cursor:
        cursor.execute("select monitoring.enable_account(%s)", (account.name,))
        cursor.execute(f"insert into public.late_{venue} (symbol, exchange, \"timestamp\", wave_number, score, score_week, score_month, "
                       "recommended_action) values ('ETHUSDT', %s, clock_timestamp(), 1, 80, 80, 80, 'BUY')", (venue,))
    account.wait_live()
    wait_for(lambda: reasons(world, source).get("accepted") == 1, f"accepted ({reasons(world, source)})", 5)
    world.cluster.rows("select monitoring.halt(%s, 'test')", (account.name,))
    insert(world, f"public.late_{venue}", {"symbol": "SOLUSDT", "exchange": venue})
    wait_for(lambda: reasons(world, source).get("account_not_trading") == 2, "a halted account rejects", 5)


def test_marks_what_it_decided(world):
    account = trader(world, "bybit", mode="dry_run", settings=ROOM)
    sources = {"public.marked": attach(world, [account], "public.marked", {"mark_processed": True}),
               "public.left_alone": attach(world, [account], "public.left_alone")}
    for table, source in sources.items():
        insert(world, table, {"symbol": "BTCUSDT"}, {"symbol": "NOSUCHUSDT"})
        wait_decided(world, source, 2)
    marked = world.cluster.rows("select symbol, is_active, processed, processed_at is not null, position_opened, position_id "
                                "from public.marked order by id")
    position = account.value("select id from monitoring.positions where account = :account")
    assert marked == [("BTCUSDT", False, True, True, True, position), ("NOSUCHUSDT", False, True, True, False, None)]
    assert world.cluster.value("select count(*) from public.left_alone where is_active and not processed") == 2


def test_a_source_that_breaks_is_told_once_and_stops_no_other(world):
    account = trader(world, "bybit", mode="dry_run", settings=ROOM)
    broken = attach(world, [account], "public.broken")
    source = attach(world, [account], "public.sound")
    told = ("select count(*) from monitoring.events where event_type = 'signal_source_failed' and severity = 'WARNING' "
            "and event_data ->> 'source' = 'public.broken'")
    world.cluster.rows('alter table public.broken rename column "timestamp" to at')
    wait_for(lambda: world.cluster.value(told) == 1, "the failure is told", 5)
    insert(world, "public.sound", {"symbol": "BTCUSDT"})
    wait_decided(world, source, 1, 5)
    time.sleep(2.2)  # two rounds of the supervisor in which it must not be told again
    assert world.cluster.value(told) == 1
    world.cluster.rows('alter table public.broken rename column at to "timestamp"')
    insert(world, "public.broken", {"symbol": "ETHUSDT"})
    wait_decided(world, broken, 1, 5)
    recovered = ("select count(*) from monitoring.events where event_type = 'signal_source_recovered' "
                 "and event_data ->> 'source' = 'public.broken'")
    assert world.cluster.value(recovered) == 1
