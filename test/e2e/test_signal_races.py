"""Several take the same signals in at once, ids commit out of order, people open by hand meanwhile: one decision each, one position
each, and nobody waits for ever."""
import random
import threading
import time

import psycopg2
import pytest
from support.cluster import wait_for
from test_signals import ROOM, VENUES, attach, insert, reasons, wait_active, wait_decided
from trading import LIVE_TRADING, trader

SETTINGS = LIVE_TRADING
SESSIONS, SIGNALS, BATCH = 4, 1000, 50
FILL = ("insert into {table} (signal_id, symbol, exchange, \"timestamp\", wave_number, score, score_week, score_month, recommended_action) "
        "select case when n % 3 = 0 then null else 'id' || n % 700 end, format('SYM%s', lpad((n % 90 + 1)::text, 4, '0')) || 'USDT', "
        "case n % 2 when 0 then 'bybit' else 'binance' end, now() - n % 60 * interval '1 second', 1, 70 + n % 20, 70 + n % 20, "
        "70 + n % 20, 'BUY' "
        "from generate_series(1, {signals}) n")


@pytest.fixture(scope="module", autouse=True)
def listed(world):
    for venue in VENUES:
        world.simulator.control("instruments", venue=venue, count=90)


@pytest.fixture(autouse=True)
def detached(world):
    yield
    world.cluster.rows("select monitoring.detach_signal_source(relation) from monitoring.signal_sources where active")


def together(work, count):
    """Runs work(number) in so many threads that start at the same moment; returns what they return, in order."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(number):
        barrier.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # the assertion belongs to the test's own thread
            results[number] = error
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a session hangs"
    return results


class SourceLock:
    """Keeps a source from everybody: a connection that holds its advisory lock until it is rolled back."""

    def __init__(self, world, source):
        self.connection = world.cluster.connect()
        self.connection.autocommit = False
        with self.connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(monitoring.source_lock_class(), %s)", (source,))

    def __enter__(self):
        return self.connection

    def __exit__(self, *_):
        self.connection.close()


def check_one_each(world, source, table):
    """A decision for every signal; every opened one has its own position, and no symbol has two."""
    undecided = world.cluster.value(f"select count(*) from {table} t where not exists (select from monitoring.signal_decisions d "
                                    "where d.source_id = %s and d.signal_key = t.id::text)", (source,))
    assert undecided == 0, reasons(world, source)
    twice = world.cluster.rows("select account, symbol, count(*) from monitoring.positions where is_open group by 1, 2 having count(*) > 1")
    assert twice == []
    opened, positions = world.cluster.rows(
        "select count(*), count(distinct p.id) from monitoring.signal_decisions d left join monitoring.positions p on p.id = d.position_id "
        "and p.account = d.account and p.symbol = d.symbol and p.signal_id is not distinct from d.signal_id "
        "where d.source_id = %s and d.decision = 'opened'", (source,))[0]
    assert opened == positions > 0
    return opened


def test_four_sessions_and_the_supervisor_on_the_same_signals(world):
    accounts = [trader(world, venue, mode="dry_run", settings=ROOM) for venue in VENUES]
    sources = {}
    connections = [world.cluster.connect() for _ in range(SESSIONS)]
    with accounts[0].transaction() as cursor:
        for table in ("public.race_a", "public.race_b"):
            cursor.execute("select testkit.create_signal_table(%s)", (table,))
            cursor.execute(FILL.format(table=table, signals=SIGNALS // 2))
            cursor.execute("select monitoring.attach_signal_source(%s, null, %s)", (table, [a.name for a in accounts]))
            sources[table] = cursor.fetchone()[0]

    def take_all(number):
        taken, idle = [], 0
        while idle < 3:
            with connections[number].cursor() as cursor:
                try:
                    cursor.execute("select signal_key, position_id from monitoring.ingest_signals(null, %s)", (BATCH,))
                    rows = cursor.fetchall()
                except psycopg2.Error as error:
                    assert error.pgcode == "TS042", f"{error.pgcode}: {error}"
                    continue
            taken += rows
            idle = 0 if rows else idle + 1
        return taken

    taken = together(take_all, SESSIONS)
    errors = [result for result in taken if isinstance(result, BaseException)]
    assert errors == []
    for table, source in sources.items():
        wait_decided(world, source, SIGNALS // 2)
        check_one_each(world, source, table)
    positions = [position for rows in taken for _, position in rows if position]
    assert len(positions) == len(set(positions))
    deadlocks = world.cluster.value("select deadlocks from pg_stat_database where datname = current_database()")
    assert deadlocks == 0
    for account in accounts:
        wait_active(account, 120)


def test_ids_that_commit_out_of_order(world):
    account = trader(world, "bybit", mode="dry_run", settings=ROOM)
    source = attach(world, [account], "public.unordered")
    count, order = 20, list(range(20))
    random.Random(7).shuffle(order)
    connections = []
    for number in range(count):
        connection = world.cluster.connect()
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("insert into public.unordered (symbol, exchange, \"timestamp\", wave_number, score, score_week, score_month, "
                           "recommended_action) values (%s, 'bybit', now(), 1, 80, 80, 80, 'BUY')", (f"SYM{number + 1:04d}USDT",))
        connections.append(connection)
    for number in order:
        connections[number].commit()
        time.sleep(random.Random(number).choice([0, 0, 0.02]))
    wait_decided(world, source, count)
    assert reasons(world, source) == {"accepted": count}
    check_one_each(world, source, "public.unordered")
    for connection in connections:
        connection.close()
    wait_active(account)


def test_an_old_snapshot_decides_nothing_twice(world):
    """A REPEATABLE READ transaction that began before somebody else decided."""
    account = trader(world, "bybit", mode="dry_run", settings=ROOM)
    source = attach(world, [account], "public.snapshots")
    old = world.cluster.connect()
    old.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    with SourceLock(world, source) as lock:
        insert(world, "public.snapshots", {"symbol": "BTCUSDT"}, {"symbol": "NOSUCHUSDT"}, {"symbol": "ETHUSDT"})
        with old.cursor() as cursor:
            cursor.execute("select count(*) from public.snapshots")
            assert cursor.fetchone()[0] == 3
        lock.rollback()
    wait_decided(world, source, 3)
    with old.cursor() as cursor, pytest.raises(psycopg2.errors.SerializationFailure):
        cursor.execute("select * from monitoring.ingest_signals('public.snapshots')")
    old.rollback()
    assert reasons(world, source) == {"accepted": 2, "unknown_symbol": 1}
    check_one_each(world, source, "public.snapshots")


def test_a_source_that_somebody_keeps(world):
    """A person is told after two seconds; the supervisor goes on with the other sources."""
    account = trader(world, "bybit", mode="dry_run", settings=ROOM)
    kept, free = attach(world, [account], "public.kept"), attach(world, [account], "public.free")
    with SourceLock(world, kept) as lock:
        insert(world, "public.kept", {"symbol": "BTCUSDT"})
        insert(world, "public.free", {"symbol": "ETHUSDT"})
        wait_decided(world, free, 1, 5)
        began = time.monotonic()
        refusal = account.refused("select count(*) from monitoring.ingest_signals('public.kept')")
        assert refusal.code == "TS042" and 1.5 < time.monotonic() - began < 6
        assert reasons(world, kept) == {}
        lock.rollback()
    wait_decided(world, kept, 1, 5)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_person_who_is_opening_the_same_symbol(world, venue, end):
    """Nothing is decided while it is open what becomes of the person's own opening, and nobody waits for it."""
    account = trader(world, venue, mode="dry_run", settings=ROOM)
    other = trader(world, "bybit" if venue == "binance" else "binance", mode="dry_run", settings=ROOM)
    table = f"public.by_hand_{venue}_{end}"
    source = attach(world, [account, other], table)
    hand = world.cluster.connect()
    hand.autocommit = False
    with hand.cursor() as cursor:
        cursor.execute("select monitoring.open_position(%s, 'SOLUSDT', 'long', 200)", (account.name,))
    insert(world, table, {"symbol": "SOLUSDT", "exchange": venue}, {"symbol": "XRPUSDT", "exchange": venue},
           {"symbol": "SOLUSDT", "exchange": other.venue})
    wait_decided(world, source, 1, 3)
    decided = world.cluster.rows("select exchange, reason from monitoring.signal_decisions where source_id = %s", (source,))
    assert decided == [(other.venue, "accepted")]
    getattr(hand, end)()
    hand.close()
    wait_decided(world, source, 3, 5)
    fate = world.cluster.rows("select symbol, reason from monitoring.signal_decisions where source_id = %s and exchange = %s order by 1",
                              (source, venue))
    assert fate == [("SOLUSDT", "duplicate_position" if end == "commit" else "accepted"), ("XRPUSDT", "accepted")]
    assert account.count("positions", "is_open and symbol = 'SOLUSDT'") == 1


def test_a_table_that_somebody_locks_delays_no_other(world):
    account = trader(world, "bybit", mode="dry_run", settings=ROOM)
    locked, free = attach(world, [account], "public.locked"), attach(world, [account], "public.unlocked")
    with account.transaction() as cursor:
        cursor.execute("lock table public.locked in access exclusive mode")
        began = time.monotonic()
        insert(world, "public.unlocked", {"symbol": "BTCUSDT"})
        wait_decided(world, free, 1, 5)
        assert time.monotonic() - began < 3
        cursor.execute("insert into public.locked (symbol, exchange, \"timestamp\", wave_number, score, score_week, score_month, "
                       "recommended_action) values ('ETHUSDT', 'bybit', now(), 1, 80, 80, 80, 'BUY')")
    wait_decided(world, locked, 1, 5)
    failed = ("select count(*) from monitoring.events where event_type = 'signal_source_failed' "
              "and event_data ->> 'source' = 'public.locked'")
    assert world.cluster.value(failed) == 0
    wait_for(lambda: account.count("positions", "is_open") == 2, "both positions", 5)
