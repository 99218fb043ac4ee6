"""A small account on an ordinary day: 15 positions, prices once a second. CPU, sync_positions(), and how prices are stored."""
import statistics
import time

import machine
from figure import Figure
from support.cluster import wait_for

POSITIONS = 15
SYNC_TIMES = 20
LEGACY_S_PER_POSITION = 0.1        # see cold_start.py


def measure(bed, cpu_seconds, walk_seconds):
    account = bed.live_account("bybit", positions=POSITIONS)
    wait_for(lambda: account.value("select count(*) = 15 from monitoring.subscriptions where account = :account and last_price_at is not null"),
             "all positions priced", 15)
    bed.cluster.rows("create table bench.positions as select * from monitoring.positions where account = %s", (account.name,))
    bed.cluster.rows("create index on bench.positions (symbol)")
    symbols = [row[0] for row in account.rows("select symbol from monitoring.open_positions where account = :account order by 1")]
    bot = bed.plain_bot(account, kind="prices", symbols=symbols, table="bench.positions")
    bed.simulator.control("price_walk", venue="bybit", every_ms=1000, symbols=symbols)
    try:
        rows = [sync(account), *idle(account, bot, cpu_seconds, walk_seconds)]
    finally:
        bed.simulator.control("price_walk", venue="bybit", every_ms=0)
        bot.kill()
        bot.wait(10)
    bed.disable(account)
    return rows


def sync(account):
    took = []
    for _ in range(SYNC_TIMES):
        connection = account.cluster.connect()
        with connection.cursor() as cursor:
            began = time.monotonic()
            cursor.execute("select count(*) from monitoring.sync_positions(%s)", (account.name,))
            assert cursor.fetchone()[0] == POSITIONS
            took.append((time.monotonic() - began) * 1000)
        connection.close()
    return Figure(f"sync_positions(), {POSITIONS} positions", statistics.median(took), "ms", "legacy bot (documented)",
                  POSITIONS * LEGACY_S_PER_POSITION * 1000, "<= 1000 ms", max(took) <= 1000, False, {"max_ms": max(took)})


def idle(account, bot, cpu_seconds, walk_seconds):
    """One walk of the prices: the worker and the plain bot follow the same tickers at the same time."""
    before = updates(account)
    began, ours, theirs = time.monotonic(), machine.cpu_seconds(account.pid()), machine.cpu_seconds(bot.pid)
    time.sleep(cpu_seconds)
    seconds = time.monotonic() - began
    percent = (machine.cpu_seconds(account.pid()) - ours) / seconds * 100
    plain = (machine.cpu_seconds(bot.pid) - theirs) / seconds * 100
    plain_mb, our_mb = machine.private_mb(bot.pid), machine.private_mb(account.pid())
    time.sleep(max(0.0, walk_seconds - seconds))
    # Statistics reach the views up to a second after the fact.
    wait_for(lambda: updates(account)["monitoring"][0] > before["monitoring"][0], "price updates counted", 15)
    after = updates(account)
    counted = {schema: [now - then for now, then in zip(after[schema], before[schema])] for schema in after}
    hot = {schema: 100 * hot_updates / max(1, all_updates) for schema, (all_updates, hot_updates) in counted.items()}
    return [
        Figure("worker CPU, 15 prices once a second", percent, "% of core", "plain node ws+pg", plain, "<= 1 %", percent <= 1, False,
               {"seconds": seconds}),
        Figure("worker memory, 15 positions", our_mb, "MB", "plain node ws+pg", plain_mb, more_is_better=False),
        Figure("HOT updates of positions", hot["monitoring"], "%", "plain node, own table", hot["bench"], ">= 90 %", hot["monitoring"] >= 90,
               detail={"updates": counted, "bytes": account.value("select pg_relation_size('monitoring.positions')")}),
    ]


def updates(account):
    """{schema: (updates, HOT updates)} of the two tables positions."""
    rows = account.rows("select schemaname, n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'positions'")
    return {schema: (all_updates, hot_updates) for schema, all_updates, hot_updates in rows}
