"""COMMIT of open_position() -> the order's last byte read by the exchange -> position active: its stop confirmed in the table."""
import statistics
import time

from figure import Figure
from support.cluster import wait_for

SYMBOL, QUANTITY = "ETHUSDT", "0.05"
PAUSE_S = 0.3          # both venues limit orders per second; a queue of our own making is not what is measured
ENTRY = {"bybit": ("/v5/order/create", "orderLinkId"), "binance": ("/fapi/v1/order", "newClientOrderId")}
OPEN = "select monitoring.open_position(%s, %s, %s, quantity => %s, stop_loss_percent => 2)"


def measure(bed, openings):
    rows = []
    baseline = durable_commits(bed, openings)
    for venue in ("bybit", "binance"):
        account = bed.live_account(venue, mode="live")
        bed.ask("fault", venue=venue, name="no_rate_limits")
        for name in ("rest_latency", "event_latency"):
            bed.ask("fault", venue=venue, name=name, min_ms=1, max_ms=1)
        watch(bed, account)
        with bed.exchange_elsewhere():
            wire, active, flat = trade(bed, account, openings)
        bed.ask("price_walk", venue=venue, every_ms=0)
        bed.disable(account)
        bed.ask("faults_clear", venue=venue)
        detail = {"openings": openings, "wire_min_ms": min(wire), "wire_max_ms": max(wire), "active_p99_ms": percentile(active, 99),
                  "closed_p50_ms": percentile(flat, 50)}
        name = venue.capitalize()
        for rank, limit_ms in ((50, 1.5), (99, 5.0)):
            value = percentile(wire, rank)
            rows.append(Figure(f"commit to order on the wire p{rank}, {name}", value, "ms", "one durable commit, psycopg2",
                               percentile(baseline, rank), f"<= {limit_ms:g} ms", value <= limit_ms, False, detail))
        value = percentile(active, 50)
        rows.append(Figure(f"commit to confirmed stop p50, {name}, venue answers in 1 ms", value, "ms", promise="<= 15 ms",
                           kept=value <= 15, more_is_better=False, detail=detail))
    return rows


def percentile(values, rank):
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


def watch(bed, account):
    """A resting order of somebody else keeps the symbol subscribed, so its price is known; else each opening would read it first."""
    account.control("order", symbol=SYMBOL, side="buy", type="limit", price="2000", quantity="0.1")
    bed.ask("price_walk", venue=account.venue, every_ms=200, symbols=[SYMBOL])
    priced = "select count(*) from monitoring.prices where account = :account and mark_price is not null"
    wait_for(lambda: account.value(priced) == 1, f"{SYMBOL} priced", 15)


def trade(bed, account, openings):
    """Milliseconds from the answer to COMMIT: until the order had been read, until active; and of closing until closed."""
    session = account.cluster.connect()
    session.autocommit = False
    committed, active, flat = {}, [], []
    with session.cursor() as cursor:
        for turn in range(openings):
            cursor.execute(OPEN, (account.name, SYMBOL, "long" if turn % 2 else "short", QUANTITY))
            position = cursor.fetchone()[0]
            session.commit()
            committed[position] = time.time()
            active.append(until(session, cursor, position, "active"))
            cursor.execute("select monitoring.close_position(%s)", (position,))
            session.commit()
            flat.append(until(session, cursor, position, "closed"))
            time.sleep(PAUSE_S)
    session.close()
    read_us = received(bed, account)
    rows = account.rows("select position_id, client_order_id from monitoring.orders where account = :account and purpose = 'entry'")
    assert len(rows) == openings, f"{len(rows)} entries for {openings} openings"
    return [(read_us[client_id] / 1e6 - committed[position]) * 1000 for position, client_id in rows], active, flat


def until(session, cursor, position, status):
    """Milliseconds from now until the position has that status, as a person waits for it."""
    began = time.monotonic()
    cursor.execute("select monitoring.wait_for_position(%s, %s)", (position, status))
    took = (time.monotonic() - began) * 1000
    seen = cursor.fetchone()[0]
    session.commit()
    assert seen == status, f"position {position} is {seen} instead of {status}"
    return took


def received(bed, account):
    """{client order id: microseconds at which the simulator had read the request}"""
    path, name = ENTRY[account.venue]
    found = {}
    for request in bed.ask("requests", venue=account.venue, method="POST")["requests"]:
        if request["path"] == path:
            found[client_id(request["query"] + "&" + request["body"], name)] = request["time_us"]
    return found


def client_id(text, name):
    after = text.split(name, 1)[1].lstrip('":= ')
    return after[:next((i for i, c in enumerate(after) if c in '"&,}'), len(after))]


def durable_commits(bed, times):
    """Milliseconds of a COMMIT after one inserted row, for comparison."""
    bed.cluster.rows("create table if not exists bench.commits (id bigint generated always as identity, at timestamptz default now())")
    session = bed.cluster.connect()
    session.autocommit = False
    took = []
    with session.cursor() as cursor:
        for _ in range(times):
            cursor.execute("insert into bench.commits default values")
            began = time.monotonic()
            session.commit()
            took.append((time.monotonic() - began) * 1000)
    session.close()
    return took
