"""Order frame sent -> NOTIFY received by a listening session, the row durably committed in between, at 50 events per second."""
import select
import statistics
import time

import machine
from figure import Figure

PER_SECOND = 50
TIMEOUT_S = 5.0


def measure(bed, events):
    rows = []
    baseline = measure_insert(bed, events)
    for venue in ("bybit", "binance"):
        account = bed.live_account(venue, positions=15)
        pid = account.pid()
        cpu_before = machine.cpu_seconds(pid)
        ours = measure_frames(bed, account, events)
        cpu = machine.cpu_seconds(pid) - cpu_before
        bed.disable(account)
        detail = {"events": events, "min_ms": min(ours), "p10_ms": percentile(ours, 10), "max_ms": max(ours),
                  "worker_cpu_us_per_event": cpu / events * 1e6}
        for rank, limit_ms in ((50, 1.0), (99, 3.0)):
            value = percentile(ours, rank)
            rows.append(Figure(f"frame to NOTIFY p{rank}, {venue.capitalize()}", value, "ms", "INSERT + NOTIFY, psycopg2",
                               percentile(baseline, rank), f"<= {limit_ms:g} ms", value <= limit_ms, False, detail))
    return rows


def percentile(values, rank):
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


def paced(events):
    """Yields at the pace; what came late does not make the next one early."""
    due = time.monotonic()
    for _ in range(events):
        time.sleep(max(0.0, due - time.monotonic()))
        yield
        due = max(due + 1 / PER_SECOND, time.monotonic())


class Listener:
    def __init__(self, bed, channel):
        self.connection = bed.cluster.connect()
        with self.connection.cursor() as cursor:
            cursor.execute(f"listen {channel}")

    def wait(self):
        """Wall clock in seconds of the notification's arrival. One is under way at any time."""
        while True:
            if not select.select([self.connection], [], [], TIMEOUT_S)[0]:
                raise AssertionError(f"no notification within {TIMEOUT_S} s")
            arrived = time.time()
            self.connection.poll()
            if self.connection.notifies:
                assert len(self.connection.notifies) == 1, self.connection.notifies
                return arrived, self.connection.notifies.pop().payload


def measure_frames(bed, account, events):
    """Milliseconds from the moment in which the simulator begins to write a frame to the arrival of its notification."""
    listener = Listener(bed, "monitoring_order")
    bed.ask("flood", venue=account.venue, account=account.key, count=events, rate_per_s=PER_SECOND)
    arrivals = []
    for _ in range(events):
        arrived, payload = listener.wait()
        assert account.name in payload, payload
        arrivals.append(arrived)
    writes = bed.ask("flood_status", venue=account.venue, writes=True)["writes_us"]
    listener.connection.close()
    assert len(writes) == events, f"{len(writes)} writes for {events} notifications: they cannot be told apart"
    return [(arrived - int(write) / 1e6) * 1000 for arrived, write in zip(arrivals, writes)]


def measure_insert(bed, events):
    """Milliseconds of one durable single-row insert with a NOTIFY, seen by a listener."""
    bed.cluster.rows("create table if not exists bench.single (id bigint generated always as identity primary key, account text, at timestamptz)")
    listener = Listener(bed, "bench_single")
    writer = bed.cluster.connect()
    took = []
    with writer.cursor() as cursor:
        for _ in paced(events):
            began = time.time()
            cursor.execute("with saved as (insert into bench.single (account, at) values ('plain', now()) returning id) "
                           "select pg_notify('bench_single', id::text) from saved")
            took.append((listener.wait()[0] - began) * 1000)
    listener.connection.close()
    return took
