"""An order leaves if and only if the transaction that asked for it committed, once, and after its row was committed."""
import time

import pytest
from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, check_sent_once, client_id_of_ours, equal_to_exchange, trader

SETTINGS = {**LIVE_TRADING, "max_prepared_transactions": 10}
OPEN = "select monitoring.open_position(%s, %s, 'long', notional => 200, stop_loss_percent => 2)"
QUIET_S = 1.3      # more than the safety scan of the worker


@pytest.fixture
def person(world):
    """A session that has to commit by itself."""
    connection = world.cluster.connect()
    connection.autocommit = False
    yield connection
    connection.close()


def ask(person, sql, *arguments):
    with person.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchone()[0] if cursor.description else None


def test_what_is_rolled_back_never_leaves(world, venue, person):
    account = trader(world, venue)
    kept = account.opened("XRPUSDT")
    since = account.log_mark()
    ask(person, OPEN, account.name, "BTCUSDT")
    ask(person, "select monitoring.close_position(%s)", kept)
    person.rollback()
    # An error ends the transaction as well.
    ask(person, OPEN, account.name, "ETHUSDT")
    with pytest.raises(Exception, match="division by zero"):
        ask(person, "select 1/0")
    person.rollback()
    # The one that commits beside them leaves; of a savepoint only what was kept.
    ask(person, OPEN, account.name, "SOLUSDT")
    ask(person, "savepoint here")
    ask(person, OPEN, account.name, "BNBUSDT")
    ask(person, "rollback to savepoint here")
    person.commit()
    wait_for(lambda: account.held("SOLUSDT"), "the committed one is filled", 5)
    time.sleep(QUIET_S)
    assert {w.symbol for w in account.writes(since)} == {"SOLUSDT"}
    assert account.rows("select symbol from monitoring.positions where account = :account order by 1") == [("SOLUSDT",), ("XRPUSDT",)]
    equal_to_exchange(account)


def test_a_prepared_transaction_leaves_when_it_is_committed(world, venue, person):
    account = trader(world, venue)
    person.autocommit = True
    for end, symbol in (("rollback prepared", "ETHUSDT"), ("commit prepared", "BTCUSDT")):
        name = f"{venue}-{symbol}"
        ask(person, "begin")
        ask(person, OPEN, account.name, symbol)
        ask(person, f"prepare transaction '{name}'")
        time.sleep(QUIET_S)
        assert account.writes() == []
        ask(person, f"{end} '{name}'")
    began = time.monotonic()
    account.wait_write(ENTRY[venue], 0, symbol="BTCUSDT", timeout=5)
    assert time.monotonic() - began < 2.5          # the safety scan runs each second
    wait_for(lambda: account.value("select status from monitoring.positions where account = :account") == "active", "active", 10)
    equal_to_exchange(account)


def test_the_row_of_an_order_is_committed_when_the_order_arrives(world, venue):
    account = trader(world, venue)
    for path in (ENTRY[venue], "/fapi/v1/algoOrder"):
        account.fault("http_delay", path=path, method="POST", ms=400, times=8)
    since = account.log_mark()
    positions = [account.open(symbol, quantity=quantity) for symbol, quantity in (("BTCUSDT", "0.01"), ("SOLUSDT", "2"))]
    seen = set()

    def rows_of_what_arrived():
        for write in account.writes(since):
            if write.places and write.number not in seen:
                row, attempt = client_id_of_ours(write.client_id)
                found = account.rows("select attempt, position_id, client_order_id from monitoring.orders "
                                     f"where account = :account and id = {row}")
                assert found and found[0][0] >= attempt and found[0][1] in positions and found[0][2] == write.client_id, (write, found)
                seen.add(write.number)
        return all(account.status(position) == "active" for position in positions)
    wait_for(rows_of_what_arrived, "both active", 10, every=0.02)
    rows_of_what_arrived()   # the stream may confirm the last stop between the look at the requests and the look at the rows
    assert len(seen) == (2 if venue == "bybit" else 4)
    assert len(check_sent_once(account)) == len(seen)
    equal_to_exchange(account)


def test_an_opening_that_waited_too_long_is_not_sent(world, venue):
    """Commands expire: what an outage kept from leaving is refused afterwards, not sent late."""
    account = trader(world, venue, settings={"entry_validity": "1s"})
    kept = account.opened("XRPUSDT")
    world.simulator.control("fault", venue=venue, name="refuse", ms=2500)
    with account.transaction() as cursor:
        cursor.execute(OPEN, (account.name, "BTCUSDT"))
        position = cursor.fetchone()[0]
        cursor.execute("select monitoring.close_position(%s)", (kept,))
        world.simulator.control("drop", venue=venue, stream="all", how="reset")
        wait_for(lambda: world.cluster.worker_state(account.name) != "live", "the cut is noticed", 5)
    time.sleep(1.2)
    account.wait_live()
    account.reach(position, "failed", "canceled", timeout=10)
    command = account.one("select status, error from monitoring.commands where position_id = %s", position)
    assert command["status"] == "expired" and command["error"], command
    account.reach(kept, "closed", timeout=10)
    assert [w for w in account.writes() if w.symbol == "BTCUSDT"] == []
    equal_to_exchange(account)
