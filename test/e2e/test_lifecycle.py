"""Coming and going while fills pour in: whatever ends the worker, nothing hangs and the tables equal the exchange afterwards."""
import itertools
import os
import signal
import time

import psycopg2
import pytest
from compare import wait_equal
from conftest import Account
from support.cluster import add_account, wait_for

SETTINGS = {"tradesync.databases": "'postgres, house, second'"}
FILLS = 800
RATE = 1000
numbers = itertools.count(1)


class Below:
    """Fails when the block takes longer."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.began = time.monotonic()

    def __exit__(self, kind, value, trace):
        took = time.monotonic() - self.began
        assert kind is not None or took <= self.seconds, f"took {took:.1f} s instead of {self.seconds} s"


class HouseAccount(Account):
    """An account in a database of its own."""

    def __init__(self, world, venue, name, key, database):
        super().__init__(world, venue, name, key)
        self.database = database

    def rows(self, sql):
        return self.cluster.rows(sql.replace(":account", f"'{self.name}'"), database=self.database)

    def wait_live(self, timeout=15):
        return self.cluster.wait_live(self.name, timeout, self.database)


def new_account(world, venue, database):
    number = next(numbers)
    name, key, secret = f"{database}_{number}", f"key-{database}-{number}", f"secret-of-{database}-{number}"
    world.simulator.control("account", venue=venue, key=key, secret=secret, wallet="10000000")
    world.keys[name] = (key, secret)
    world.cluster.write_credentials(world.keys)
    add_account(world.cluster, world.simulator, venue, name, database=database)
    account = HouseAccount(world, venue, name, key, database)
    account.wait_live()
    return account


def make_house(world, venue, database="house"):
    world.cluster.rows(f"create database {database}")
    world.cluster.rows("create extension pg_tradesync", database=database)
    return new_account(world, venue, database)


@pytest.fixture
def house(world, venue):
    yield make_house(world, venue)
    for database, in world.cluster.rows("select datname from pg_database where datname in ('house','second','copy','aside')"):
        world.cluster.rows(f"drop database {database}")


def pour(account, count=FILLS):
    """Fills begin and go on while the test does its worst."""
    account.fault("no_rate_limits")
    account.control("fills", count=count, symbols=4, rate_per_s=RATE, seed=7)
    written = "select count(*) from monitoring.trades where account = :account"
    wait_for(lambda: account.value(written) >= 50, "the first fills are written", 10)


def all_there(account):
    wait_for(lambda: account.control("fills_status")["done"], "all fills made", 30)
    account.wait_live()
    truth = wait_equal(account, timeout=30)
    assert len(truth["fills"]) >= FILLS
    assert account.value("select count(*) from monitoring.dead_letters where account = :account") == 0


def connects(cluster):
    try:
        return cluster.value("select 1") == 1
    except psycopg2.Error:
        return False


@pytest.mark.alone
def test_a_killed_worker_loses_no_fill(world, venue):
    account = world.account(venue, wallet="10000000")
    pour(account)
    crashes = world.cluster.log_text().count("was terminated by signal 9")
    os.kill(account.pid(), signal.SIGKILL)
    wait_for(lambda: world.cluster.log_text().count("was terminated by signal 9") > crashes, "the server notices", 10)
    with Below(5):
        wait_for(lambda: connects(world.cluster), "the server is back", 10)
    all_there(account)


def test_a_server_that_dies_loses_no_fill(world, venue):
    account = world.account(venue, wallet="10000000")
    pour(account)
    with Below(5):
        world.cluster.stop("immediate")
    world.cluster.start()
    all_there(account)


def test_a_terminated_worker_loses_no_fill(world, venue):
    account = world.account(venue, wallet="10000000")
    pour(account)
    for _ in range(2):
        pid = account.pid()
        assert world.cluster.value("select pg_terminate_backend(%s)", (pid,))
        with Below(5):
            wait_for(lambda: account.pid() not in (None, pid), "another worker", 10)
    all_there(account)


def test_a_fast_shutdown_under_load_is_fast_and_clean(world, venue):
    account = world.account(venue, wallet="10000000")
    pour(account)
    with Below(5):
        world.cluster.stop("fast")
    assert [c for c in world.simulator.get("connections", venue)["connections"]] == []
    world.cluster.start()
    all_there(account)


def test_an_account_is_switched_off_and_on_at_once(world, venue):
    account = world.account(venue, wallet="10000000")
    pour(account)
    with Below(5):
        world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
        wait_for(lambda: world.cluster.worker_state(account.name) == "disabled" and account.pid() is None, "the worker leaves", 5)
    assert [c for c in world.simulator.get("connections", venue)["connections"] if c["account"] == account.key] == []
    wait_for(lambda: account.control("fills_status")["done"], "all fills made", 30)
    with Below(5):
        world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
        account.wait_live()
    all_there(account)


def test_a_dropped_database_is_left_at_once(world, house):
    pour(house)
    with Below(5):
        world.cluster.rows("drop database house")
    wait_for(lambda: not world.simulator.get("connections", house.venue)["connections"], "nobody is connected any more", 5)


def test_a_database_can_be_copied_and_goes_on(world, house):
    pour(house)
    with Below(5):
        world.cluster.rows("create database copy template house")
    all_there(house)
    # The copy is not served: it is not named. Named, it would be in doubt about itself.
    doubt = world.cluster.value("select monitoring.identity_doubt(id) from monitoring.accounts where name = %s", (house.name,), "copy")
    assert "identity changed" in doubt


def test_a_copy_that_is_served_starts_halted_and_without_the_key(world, house):
    with Below(5):
        world.cluster.rows("create database second template house")
    house.wait_live()
    status = "select state, halted, halt_reason, coalesce(last_error, '') from monitoring.worker_status where account = %s"
    seen = lambda: world.cluster.rows(status, (house.name,), "second")[0]  # noqa: E731
    wait_for(lambda: seen()[0] == "disabled" and "already uses this API key" in seen()[3], "the copy stands back", 10)
    assert seen()[1] is True and "identity changed" in seen()[2]
    assert house.rows("select state, halted from monitoring.worker_status where account = :account") == [("live", False)]


def test_a_database_can_be_renamed_and_comes_back(world, house):
    pour(house)
    with Below(5):
        world.cluster.rows("alter database house rename to aside")
    wait_for(lambda: not world.simulator.get("connections", house.venue)["connections"], "a database that is not named is not served", 5)
    world.cluster.rows("alter database aside rename to house")
    all_there(house)


def test_a_database_can_be_moved_and_comes_back(world, house):
    place = world.cluster.home / f"space{next(numbers)}"
    place.mkdir()
    os.chown(place, world.cluster.data.stat().st_uid, world.cluster.data.stat().st_gid)
    world.cluster.rows(f"create tablespace space location '{place}'")
    pour(house)
    with Below(10):  # the copy of the files itself takes its time
        world.cluster.rows("alter database house set tablespace space")
    all_there(house)
    world.cluster.rows("alter database house set tablespace pg_default")
    world.cluster.rows("drop tablespace space")


def test_the_extension_can_be_dropped_and_made_again(world, house):
    pour(house)
    with Below(5):
        world.cluster.rows("drop extension pg_tradesync cascade", database="house")
    wait_for(lambda: not world.simulator.get("connections", house.venue)["connections"], "nobody is connected any more", 5)
    assert world.cluster.value("select count(*) from pg_namespace where nspname = 'monitoring'", database="house") == 0
    wait_for(lambda: house.control("fills_status")["done"], "all fills made", 30)
    with Below(5):
        world.cluster.rows("create extension pg_tradesync", database="house")
        add_account(world.cluster, world.simulator, house.venue, house.name, database="house")
        house.wait_live()
    # A first start has no history, but what is open is there.
    held = {(p["symbol"], p["position_side"]) for p in house.truth()["positions"]}
    rows = "select symbol, position_side from monitoring.open_positions where account = :account"
    wait_for(lambda: set(house.rows(rows)) == held, "the open positions are there", 10)
    house.control("trade", symbol="XRPUSDT", side="buy", quantity="20")
    wait_for(lambda: house.value("select count(*) from monitoring.trades where account = :account") == 1, "and new fills", 5)


def test_a_drop_that_is_rolled_back_changes_nothing(world, house):
    pour(house)
    person = world.cluster.connect("house")
    person.autocommit = False
    with Below(5):
        person.cursor().execute("drop extension pg_tradesync cascade")
    person.rollback()
    person.close()
    world.cluster.connections.remove(person)
    all_there(house)


def test_two_databases_are_served_side_by_side(world, venue, house):
    other = make_house(world, "binance" if venue == "bybit" else "bybit", "second")
    pour(house)
    other.control("trade", symbol="ETHUSDT", side="buy", quantity="0.2")
    wait_equal(other)
    pid = other.pid()
    with Below(5):
        world.cluster.rows("drop database house")
    other.control("trade", symbol="ETHUSDT", side="sell", quantity="0.3")
    wait_equal(other)
    assert other.pid() == pid


def test_two_accounts_of_one_database_do_not_disturb_each_other(world):
    bybit, binance = world.account("bybit", wallet="10000000"), world.account("binance", wallet="10000000")
    pour(bybit)
    pour(binance)
    pid = binance.pid()
    world.cluster.value("select pg_terminate_backend(%s)", (bybit.pid(),))
    all_there(binance)
    all_there(bybit)
    assert binance.pid() == pid
