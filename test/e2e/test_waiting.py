"""Waiting for what was asked: fresh answers, bounded, never for one's own uncommitted row."""
import time

import psycopg2
import pytest
from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, check_confirmed, check_protected, equal_to_exchange, trader

SETTINGS = LIVE_TRADING
OPEN = "monitoring.open_position(%s, %s, 'long', notional => 200, stop_loss_percent => 2)"
OPEN_AND_WAIT = "call monitoring.open_position_and_wait(%s, 'SOLUSDT', 'short', notional => 300, stop_loss_percent => 2)"


@pytest.fixture
def account(world, venue):
    return trader(world, venue)


@pytest.mark.alone
def test_a_position_and_its_commands_are_waited_for(account):
    position = account.call(f"select {OPEN}", account.name, "ETHUSDT")
    assert account.call("select monitoring.wait_for_position(%s)", position) == "active"
    assert account.status(position) == "active"
    check_confirmed(account, position)
    assert account.call("select monitoring.wait_for(%s)", account.set_stop(position, "3420")) == "done"
    assert account.position(position)["stop_loss_price"] == 3420
    assert account.call("select monitoring.wait_for(%s)", account.close(position)) == "done"
    assert account.call("select monitoring.wait_for_position(%s, 'closed')", position) == "closed"
    began = time.monotonic()
    assert account.call("select monitoring.wait_for_position(%s)", position) == "closed"
    assert time.monotonic() - began < 0.5


def test_one_call_opens_and_one_call_closes(account):
    with account.session().cursor() as cursor:
        cursor.execute(OPEN_AND_WAIT, (account.name,))
        position, status = cursor.fetchone()
        assert status == "active"
        check_protected(account, position, 2)
        cursor.execute("call monitoring.close_position_and_wait(%s)", (position,))
        assert cursor.fetchone() == ("closed",)
    assert account.held("SOLUSDT") is None
    equal_to_exchange(account)


def test_what_failed_is_told_by_the_waiting_call(account):
    account.control("book", symbol="SOLUSDT", depth="0")
    try:
        refusal = account.refused(OPEN_AND_WAIT, account.name)
        assert refusal.code == "TS026" and refusal.message
    finally:
        account.control("book", symbol="SOLUSDT")


@pytest.mark.alone
def test_a_row_of_the_own_transaction_is_refused_at_once(account):
    for waiting in ("monitoring.wait_for_position(%s)", "monitoring.wait_for((select id from monitoring.commands where position_id = %s))"):
        began = time.monotonic()
        with pytest.raises(psycopg2.Error) as caught, account.transaction() as cursor:
            cursor.execute(f"select {OPEN}", (account.name, "ETHUSDT"))
            cursor.execute(f"select {waiting}", cursor.fetchone())
        assert caught.value.pgcode == "TS023" and caught.value.diag.message_hint
        assert time.monotonic() - began < 1
    assert account.writes() == []


@pytest.mark.alone
def test_waiting_ends_in_time_and_for_unknown_things_at_once(account, venue):
    began = time.monotonic()
    assert account.refused("select monitoring.wait_for(987654321)").code == "TS025"
    assert account.refused("select monitoring.wait_for_position(987654321)").code == "TS021"
    assert time.monotonic() - began < 0.5
    account.fault("http_delay", path=ENTRY[venue], method="POST", ms=1500)
    account.fault("lose", probability="1")
    position = account.open("ETHUSDT", quantity="0.1")
    began = time.monotonic()
    refusal = account.refused("select monitoring.wait_for_position(%s, 'active', '300ms')", position)
    assert refusal.code == "TS024" and 0.25 < time.monotonic() - began < 1.5
    account.control("faults_clear")
    account.reach(position, "active")


def test_a_snapshot_that_never_changes_is_refused(account):
    position = account.opened("ETHUSDT")
    with pytest.raises(psycopg2.Error) as caught, account.transaction() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select monitoring.wait_for_position(%s, 'closed')", (position,))
    assert caught.value.pgcode == "TS028"


def test_waiting_can_be_cancelled(account, world):
    position = account.opened("ETHUSDT")
    with pytest.raises(psycopg2.Error) as caught, account.transaction() as cursor:
        cursor.execute("set local statement_timeout = '300ms'")
        cursor.execute("select monitoring.wait_for_position(%s, 'closed')", (position,))
    assert caught.value.pgcode == "57014"


def test_many_wait_without_burning_the_processor(account, world):
    """Ten sessions wait for a second; together they use next to no time."""
    import threading
    position = account.opened("ETHUSDT")
    used = []

    def wait_idle():
        connection = world.cluster.connect()
        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            pid = cursor.fetchone()[0]
            before = cpu_s(pid)
            with pytest.raises(psycopg2.Error):
                cursor.execute("select monitoring.wait_for_position(%s, 'closed', '1s')", (position,))
            used.append(cpu_s(pid) - before)
        connection.close()
    threads = [threading.Thread(target=wait_idle) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(used) == 10 and sum(used) < 1.0, used


def cpu_s(pid):
    with open(f"/proc/{pid}/schedstat", encoding="utf-8") as stat:
        return int(stat.read().split()[0]) / 1e9


def test_the_statuses_pass_by_in_order(account):
    """Heard by a listener: nothing is skipped that people wait for, and the end is active."""
    listener = account.cluster.connect()
    with listener.cursor() as cursor:
        cursor.execute("listen monitoring_position")
    position = account.opened("ETHUSDT")
    seen = []

    def heard():
        listener.poll()
        seen.extend(note.payload for note in listener.notifies)
        listener.notifies.clear()
        return any(str(position) in payload for payload in seen)
    wait_for(heard, "a notification about the position", 5)
    listener.close()
