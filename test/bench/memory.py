"""Private memory of an account worker with 1000 positions, and what a million events leave behind."""
import time

import machine
from figure import Figure
from support.cluster import wait_for
from throughput import flood_worker

POSITIONS = 1000
CHUNKS = 10
GIVE_BACK_S = 2.5  # the worker returns a burst's memory a second after it


def measure(bed, events):
    account = bed.live_account("bybit", positions=POSITIONS)
    priced = "select count(*) = 1000 from monitoring.subscriptions where account = :account and last_price_at is not null"
    wait_for(lambda: account.value(priced), "all positions priced", 30)
    pid = account.pid()
    at_rest = machine.private_mb(pid)
    after = []
    for _ in range(CHUNKS):
        flood_worker(bed, account, events // CHUNKS)
        time.sleep(GIVE_BACK_S)
        after.append(machine.private_mb(pid))
    assert account.pid() == pid, "the worker was replaced in between"
    bed.disable(account)
    highest, growth = max(after), after[-1] - at_rest
    return [
        Figure(f"worker memory, {POSITIONS} positions", at_rest, "MB", "limit", 40, "<= 40 MB", at_rest <= 40, False),
        Figure(f"worker memory, {events:,} events on", highest, "MB", "at rest", at_rest, "<= 40 MB", highest <= 40, False,
               {"after_each_tenth_mb": after}),
        Figure("growth by these events", growth, "MB", promise="+- 2 MB", kept=abs(growth) <= 2),
        Figure("of that, after the first tenth", after[-1] - after[0], "MB"),
    ]
