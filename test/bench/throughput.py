"""Distinct private order frames over TLS -> durably committed rows, against a plain node client and an in-process batch."""
import json
import pathlib
import time

import machine
from figure import Figure
from support.cluster import wait_for

PLAIN_EVENTS = 10_000      # the plain client needs seconds for these; its rate does not depend on how many there are
IN_PROCESS = pathlib.Path(__file__).resolve().parent / "in_process.sql"


def measure(bed, events):
    account = bed.live_account("bybit")
    ours = flood_worker(bed, account, events)
    bed.disable(account)
    in_process = save_in_process(bed, account, events)
    plain = flood_plain_bot(bed, account, pipelined=False)
    pipelined = flood_plain_bot(bed, account, pipelined=True)
    binance_account = bed.live_account("binance")
    binance = flood_worker(bed, binance_account, events)
    bed.disable(binance_account)

    def against(venue, run, name, value, factor=None):
        rate = run["events_per_s"]
        return Figure(f"orders saved, {venue}", rate, "events/s", name, value, f">= {factor:g}x" if factor else "",
                      rate >= factor * value if factor else None, detail=run)
    return [
        against("Bybit", ours, "plain node ws+pg", plain["events_per_s"], 10),
        against("Bybit", ours, "in-process batch", in_process, 0.5),
        against("Bybit", ours, "goal", 40_000),
        against("Binance", binance, "plain node ws+pg", plain["events_per_s"], 10),
        against("Binance", binance, "in-process batch", in_process, 0.5),
        Figure("plain node, pipelined", pipelined["events_per_s"], "events/s", "plain node ws+pg", plain["events_per_s"], detail=pipelined),
        Figure("plain node, memory after that", pipelined["privateMb"], "MB"),
    ]


def flood_worker(bed, account, events):
    """From the first byte sent to the last row visible. CPU time of the worker is the second opinion on a busy machine."""
    bed.cluster.rows("truncate monitoring.orders")
    bed.cluster.rows("checkpoint")
    pid = account.pid()
    cpu_before, commits_before = machine.cpu_seconds(pid), commits(account)
    sent = bed.flood(account, events)
    seen_us = last_row_visible(bed, account, events)
    cpu = machine.cpu_seconds(pid) - cpu_before
    seconds = (seen_us - sent["first_sent_us"]) / 1e6
    return {"events": events, "seconds": seconds, "events_per_s": events / seconds,
            "send_seconds": (sent["last_sent_us"] - sent["first_sent_us"]) / 1e6,
            "worker_cpu_us_per_event": cpu / events * 1e6, "worker_cores": cpu / seconds,
            "events_per_commit": events / max(1, commits(account) - commits_before)}


def last_row_visible(bed, account, events):
    """Wall clock in microseconds of the moment. The table was empty: its ids say by index how many rows there can be."""
    connection = bed.cluster.connect()

    def value(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]
    wait_for(lambda: (value("select max(id) - min(id) + 1 from monitoring.orders") or 0) >= events, f"{events} rows", 600, every=0.005)
    seen_us = time.time() * 1e6
    connection.close()
    account.wait_value("select count(*) from monitoring.orders where account = :account", events, 5)
    return seen_us


def commits(account):
    return account.value("select commits from monitoring.stat_worker where account = :account")


def save_in_process(bed, account, events):
    """Events per second of worker_save_orders() over ready arrays of the same rows, called inside the server."""
    bed.cluster.rows(IN_PROCESS.read_text(encoding="utf-8"), {"account": account.name})
    bed.cluster.rows("truncate monitoring.orders")
    bed.cluster.rows("checkpoint")
    account_id = account.value("select id from monitoring.accounts where name = :account")
    began = time.monotonic()
    bed.cluster.rows("call bench.save_batches(%s)", (account_id,))
    seconds = time.monotonic() - began
    saved = account.value("select count(*) from monitoring.orders where account = :account")
    assert saved == events, f"the in-process batch saved {saved} of {events} rows"
    return events / seconds


def flood_plain_bot(bed, account, pipelined):
    """The same frames, one durable insert each, into a copy of the table with all its constraints and indexes."""
    bed.cluster.rows("drop table if exists bench.orders")
    bed.cluster.rows("create table bench.orders (like monitoring.orders including all)")
    bed.cluster.rows("checkpoint")
    bot = bed.plain_bot(account, kind="orders", count=PLAIN_EVENTS, pipelined=pipelined, table="bench.orders")
    sent = bed.flood(account, PLAIN_EVENTS)
    done = json.loads(bot.stdout.readline())
    bot.wait(10)
    saved = bed.cluster.value("select count(*) from bench.orders")
    assert saved == PLAIN_EVENTS, f"the plain bot saved {saved} of {PLAIN_EVENTS} rows"
    seconds = (done["lastSavedUs"] - sent["first_sent_us"]) / 1e6
    return {"events": PLAIN_EVENTS, "seconds": seconds, "events_per_s": PLAIN_EVENTS / seconds, "privateMb": done["privateMb"]}
