"""Signals in: a batch of 100,000 that leads to nothing; one signal at a time: COMMIT of its row -> entry order read by the exchange."""
import json
import time

from figure import Figure
from order_latency import PAUSE_S, SYMBOL, durable_commits, percentile, received, until, watch

BATCH = 100_000
# Half repeats ids that were decided before, a quarter symbol and time, a quarter falls under the symbol filter.
FILL = """
insert into {table} (signal_id, symbol, exchange, "timestamp", wave_number, score, score_week, score_month, recommended_action)
select case when n % 2 = 0 then 'seen' || n % 500 end,
       case when n % 4 = 1 then 'LUNAUSDT' else (array['BTCDOMUSDT', 'USDC/USDT', 'EURBUSD', 'FTM/USDT:USDT', 'BTCUPUSDT'])[1 + n % 5] end,
       case n % 3 when 0 then 'binance' else 'bybit' end,
       case when n % 4 = 1 then date_trunc('second', now()) - interval '10 s' - n % 500 * interval '1 s'
            else now() - interval '1 s' - n * interval '1 ms' end, 2, 50 + n % 50, 50 + n % 40, 50 + n % 30, 'BUY'
from generate_series(1, {count}) n"""
SEEN = """
insert into {table} (signal_id, symbol, exchange, "timestamp", wave_number, score, score_week, score_month, recommended_action)
select 'seen' || n, 'LUNAUSDT', venue, date_trunc('second', now()) - interval '10 s' - n * interval '1 s', 1, 80, 80, 80, 'BUY'
from generate_series(0, 499) n, unnest('{{bybit,binance}}'::text[]) venue"""
SIGNAL = ("insert into bench.one_at_a_time (signal_id, symbol, exchange, \"timestamp\", wave_number, score, score_week, score_month, "
          "recommended_action) values (%s, %s, %s, clock_timestamp(), 1, 80, 80, 80, %s) returning id")


def measure(bed, signals):
    rows = batch(bed)
    for venue in ("bybit", "binance"):
        rows += one_at_a_time(bed, venue, signals)
    return rows


def batch(bed):
    """Source and ingestion in one transaction, so that the supervisor does not take the signals first."""
    session = bed.cluster.connect()
    session.autocommit = False
    with session.cursor() as cursor:
        cursor.execute("select testkit.create_signal_table('bench.many')")
        cursor.execute(SEEN.format(table="bench.many"))
        cursor.execute("select monitoring.attach_signal_source('bench.many')")
        cursor.execute("select count(*) from monitoring.ingest_signals('bench.many')")
        assert cursor.fetchone()[0] == 1000
        cursor.execute("select monitoring.detach_signal_source('bench.many')")
        cursor.execute(FILL.format(table="bench.many", count=BATCH))
        session.commit()
        cursor.execute("select monitoring.attach_signal_source('bench.many')")
        began = time.monotonic()
        cursor.execute("select reason, count(*) from monitoring.ingest_signals('bench.many', %s) group by reason", (BATCH,))
        reasons = dict(cursor.fetchall())
        session.commit()
        took = time.monotonic() - began
        began = time.monotonic()
        cursor.execute("select count(*) from monitoring.ingest_signals('bench.many', %s)", (BATCH,))
        again = cursor.fetchone()[0]
        took_again = time.monotonic() - began
        plain = plain_insert(cursor, session)
        cursor.execute("select monitoring.detach_signal_source('bench.many')")
        session.commit()
    session.close()
    assert sum(reasons.values()) == BATCH and again == 0, (reasons, again)
    assert set(reasons) == {"duplicate_signal_id", "duplicate_symbol_time", "symbol_filter"}, reasons
    return [Figure(f"{BATCH:,} signals in one batch, all duplicate or filtered", took, "s", "INSERT ... SELECT of the same decisions",
                   plain, "<= 5 s", took <= 5, False, {"reasons": reasons}),
            Figure("the same batch again, 0 decided", took_again, "s", more_is_better=False)]


def plain_insert(cursor, session):
    """Seconds for the decisions alone: into a table with the same columns, constraints and indexes."""
    cursor.execute("create table bench.decisions (like monitoring.signal_decisions including all)")
    began = time.monotonic()
    cursor.execute("insert into bench.decisions select * from monitoring.signal_decisions")
    session.commit()
    took = time.monotonic() - began
    cursor.execute("drop table bench.decisions")
    session.commit()
    return took


def one_at_a_time(bed, venue, signals):
    account = bed.account(venue, mode="live")
    settings = {"max_trades_per_wave": 1000, "position_size": 200, "leverage": 10}
    bed.cluster.rows("select monitoring.configure_account(%s, %s)", (account.name, json.dumps(settings)))
    bed.enable(account)
    account.wait_live(60)
    bed.ask("fault", venue=venue, name="no_rate_limits")
    for name in ("rest_latency", "event_latency"):
        bed.ask("fault", venue=venue, name=name, min_ms=1, max_ms=1)
    watch(bed, account)
    bed.cluster.rows("select testkit.create_signal_table('bench.one_at_a_time')")
    source = bed.cluster.value("select monitoring.attach_signal_source('bench.one_at_a_time', null, %s)", ([account.name],))
    baseline = durable_commits(bed, signals)
    with bed.exchange_elsewhere():
        wire = insert_and_close(bed, account, source, signals)
    bed.cluster.rows("select monitoring.detach_signal_source('bench.one_at_a_time')")
    bed.ask("price_walk", venue=venue, every_ms=0)
    bed.disable(account)
    bed.ask("faults_clear", venue=venue)
    detail = {"signals": signals, "wire_min_ms": min(wire), "wire_max_ms": max(wire), "wire_p99_ms": percentile(wire, 99)}
    value = percentile(wire, 50)
    return [Figure(f"signal committed to entry order on the wire p50, {venue.capitalize()}", value, "ms", "one durable commit, psycopg2",
                   percentile(baseline, 50), "<= 5 ms", value <= 5, False, detail)]


def insert_and_close(bed, account, source, signals):
    """Milliseconds from the answer to COMMIT of each signal until the exchange had read its entry order."""
    session = account.cluster.connect()
    session.autocommit = False
    committed = {}
    decided = "select position_id from monitoring.signal_decisions where source_id = %s and signal_key = %s"
    with session.cursor() as cursor:
        for turn in range(signals):
            cursor.execute(SIGNAL, (f"{account.name}-{turn}", SYMBOL, account.venue, "BUY" if turn % 2 else "SELL"))
            key = str(cursor.fetchone()[0])
            session.commit()
            at = time.time()
            position = wait_for_decision(session, cursor, decided, (source, key))
            committed[position] = at
            until(session, cursor, position, "active")
            cursor.execute("select monitoring.close_position(%s)", (position,))
            session.commit()
            until(session, cursor, position, "closed")
            time.sleep(PAUSE_S)
    session.close()
    read_us = received(bed, account)
    rows = account.rows("select position_id, client_order_id from monitoring.orders where account = :account and purpose = 'entry'")
    assert len(rows) == signals, f"{len(rows)} entries for {signals} signals"
    return [(read_us[client_id] / 1e6 - committed[position]) * 1000 for position, client_id in rows]


def wait_for_decision(session, cursor, sql, arguments, timeout=10):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        time.sleep(0.02)  # first of all: whoever measures must not take a processor from what is measured
        cursor.execute(sql, arguments)
        row = cursor.fetchone()
        session.commit()
        if row:
            assert row[0], "the signal was rejected"
            return row[0]
    raise AssertionError(f"no decision within {timeout} s")
