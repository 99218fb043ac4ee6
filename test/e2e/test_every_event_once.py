"""10,000 fills across 20 forced disconnects, with duplicated and reordered events: every fill once, every state equal."""
import functools
import random
from decimal import Decimal

import pytest
from compare import wait_equal
from conftest import VENUES, side_by_side
from support.cluster import wait_for


def trouble(account, count, seed, drops):
    """Runs `count` fills of many orders while the private connection is cut `drops` times, at seeded moments and in seeded ways."""
    account.fault("no_rate_limits")
    account.fault("duplicate", probability="0.05")
    account.fault("reorder", window_ms=15)
    account.control("fills", count=count, symbols=6, rate_per_s=count // 20, seed=seed)
    rng = random.Random(seed)
    status = lambda: account.control("fills_status")  # noqa: E731

    def cut():
        kind, how = rng.choice(["private", "private", "all"]), rng.choice(["close", "reset"])
        wait_for(lambda: account.simulator.control("drop", venue=account.venue, stream=kind, how=how)["sockets"] > 0, "a connection to cut", 30, every=0.005)

    for drop in range(1, drops + 1):
        wait_for(lambda due=drop: status()["done_fills"] >= count * due // (drops + 1) or status()["done"], f"fills before cut {drop}", 60)
        account.wait_live(30)
        cut()
        # Half of the cuts are followed by another one into the restoration of the first, at whatever point it has reached.
        if rng.random() < 0.5:
            account.fault("http_delay", path="/", ms=rng.choice([5, 20, 60]), times=3)
            cut()
        if account.venue == "binance" and rng.random() < 0.3:
            account.fault("expire_listen_key")
    wait_for(lambda: status()["done"], "all fills made", 120)
    account.control("faults_clear")
    assert status()["done_fills"] == count


def every_fill_is_there_once(account, count, drops):
    trouble(account, count, seed=42, drops=drops)
    truth = wait_equal(account, timeout=60)
    assert account.value("select count(*) from monitoring.trades where account = :account") == len(truth["fills"])
    ours = account.rows("select sum(price * quantity), sum(fee), count(distinct trade_id) from monitoring.trades where account = :account")[0]
    theirs = (sum(Decimal(f["price"]) * Decimal(f["quantity"]) for f in truth["fills"]), sum(Decimal(f["fee"]) for f in truth["fills"]))
    assert ours[:2] == theirs
    assert account.value("select count(*) from monitoring.sync_runs where account = :account") > drops
    # Every order that ever filled carries exactly the quantity of its fills.
    wrong = account.rows("select o.order_id, o.filled_quantity, t.filled from monitoring.orders o join (select order_id, sum(quantity) filled from "
                         "monitoring.trades where account = :account group by 1) t using (order_id) where o.account = :account "
                         "and o.filled_quantity <> t.filled")
    assert wrong == []
    assert account.value("select count(*) from monitoring.dead_letters where account = :account") == 0


@pytest.mark.parametrize("count,drops", [(10000, 20)])
def test_every_fill_once_whatever_breaks(world, count, drops):
    """Both venues at once: nearly all of it is waiting for connections to come back."""
    accounts = [world.account(venue, wallet="10000000") for venue in VENUES]
    side_by_side([functools.partial(every_fill_is_there_once, account, count, drops) for account in accounts])


def test_a_lost_event_is_noticed_and_read_again(world, venue):
    account = world.account(venue)
    account.fault("lose", probability="1")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    account.control("faults_clear")
    # The next event does not add up with what we hold: the venue is asked.
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
    wait_equal(account, timeout=30)
