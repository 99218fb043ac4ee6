"""refresh_liquid_pairs(): the most traded pairs as the exchange itself says, through any running worker."""
import threading
from decimal import Decimal

import psycopg2
import pytest
from support.cluster import wait_for

TICKERS = {"bybit": "/v5/market/tickers", "binance": "/fapi/v1/ticker/24hr"}
# The simulator's first instrument has this much, the n-th the n-th part of it, cut after so many digits.
VOLUME, DIGITS = Decimal("9145099231.42"), {"bybit": 4, "binance": 2}


def refresh(world, venue, n=30):
    return world.cluster.value("select monitoring.refresh_liquid_pairs(%s, %s)", (venue, n))


def kept(world, venue):
    return world.cluster.rows("select rank, symbol, volume_24h, last_price from monitoring.liquid_pairs "
                              "where exchange = %s order by rank", (venue,))


def refusal(world, venue):
    with pytest.raises(psycopg2.Error) as raised:
        refresh(world, venue)
    assert raised.value.pgcode == "TS045", raised.value
    assert raised.value.diag.message_detail and raised.value.diag.message_hint
    return raised.value.diag.message_detail


def asked(world, venue):
    """The requests for the tickers of all symbols that the exchange has seen."""
    seen = world.simulator.control("requests", venue=venue)["requests"]
    return [request for request in seen if request["path"] == TICKERS[venue] and "symbol=" not in request["query"]]


def cut(volume, digits):
    return volume - volume % Decimal(1).scaleb(-digits)


def test_without_a_worker_there_is_no_answer(world, venue):
    assert "No worker" in refusal(world, venue)


@pytest.mark.parametrize("mode", ["observe", "dry_run"])
def test_the_most_traded_pairs_are_those_of_the_exchange(world, venue, mode):
    world.account(venue, mode=mode)
    before = len(asked(world, venue))
    assert refresh(world, venue, 30) == 30
    requests = asked(world, venue)[before:]
    assert [request["key"] for request in requests] == [""], "one request, without a key"
    rows = kept(world, venue)
    assert [row[0] for row in rows] == list(range(1, 31))
    assert rows[0][1] == "BTCUSDT" and rows[0][3] == Decimal("63920.1")
    assert [row[2] for row in rows] == [cut(VOLUME / n, DIGITS[venue]) for n in range(1, 31)]
    assert refresh(world, venue, 5) == 5
    assert [row[1] for row in kept(world, venue)] == [row[1] for row in rows[:5]]


def test_an_account_that_has_not_synchronized_yet_will_do(world, venue):
    account = world.account(venue)
    account.fault("http_status", status=500, path="/v5/position/list" if venue == "bybit" else "/fapi/v3/positionRisk", times=1000000)
    account.control("drop", stream="private", how="close")
    wait_for(lambda: account.cluster.worker_state(account.name) not in ("live", None), "session down", 10)
    assert refresh(world, venue, 3) == 3


def test_what_cannot_be_traded_is_left_out(world, venue):
    account = world.account(venue)
    account.rows("update monitoring.instruments set status = 'closed' where symbol = 'ETHUSDT' and account = :account")
    assert refresh(world, venue, 2) == 2
    assert [row[1] for row in kept(world, venue)] == ["BTCUSDT", "SOLUSDT"]


def test_an_exchange_that_does_not_answer_changes_nothing(world, venue):
    account = world.account(venue)
    refresh(world, venue, 7)
    before = kept(world, venue)
    account.fault("http_status", status=503, path=TICKERS[venue], times=1000000)
    assert account.name in refusal(world, venue)
    assert kept(world, venue) == before
    # The session does not suffer from it, and the next question is answered.
    world.simulator.control("faults_clear", venue=venue)
    assert account.cluster.worker_state(account.name) == "live"
    assert refresh(world, venue, 2) == 2


def test_two_sessions_at_once(world, venue):
    world.account(venue)
    sessions = [world.cluster.connect() for _ in range(4)]
    cursors, failures = [], []

    def run(connection):
        try:
            with connection.cursor() as cursor:
                cursor.execute("select monitoring.refresh_liquid_pairs(%s, 10)", (venue,))
                cursors.append(cursor.fetchone()[0])
        except psycopg2.Error as error:
            failures.append(error)
    threads = [threading.Thread(target=run, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and cursors == [10] * 4
    assert len(kept(world, venue)) == 10
