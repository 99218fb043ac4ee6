"""pg_dump and restore into a new cluster carry every row of the users, and nothing is traded by itself."""
import pathlib
import shutil
import subprocess

import pytest
from compare import wait_equal
from conftest import Account
from support.cluster import PG_BIN, Cluster, wait_for

# Where the account lives is what a dump must not carry.
MOVING = {"account_identity"}


def tool(name, cluster, *arguments):
    done = subprocess.run([PG_BIN / name, "-h", cluster.home, "-p", str(cluster.port), "-U", "postgres", *arguments],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"
    return done


def tables(cluster, database="postgres"):
    """Registered for dump by the extension, and the partitions of events, which a dump carries as tables of their own."""
    return [row[0] for row in cluster.rows(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'monitoring' and c.relkind = 'r' "
        "and (c.oid in (select unnest(e.extconfig) from pg_extension e where e.extname = 'pg_tradesync') or c.relname ~ '^events_\\d') order by 1",
        database=database)]


def content(cluster, database="postgres"):
    # Shipped defaults come with the extension, not with a dump.
    only = {"settings": "where not builtin", "symbol_filters": "where not builtin"}
    return {table: sorted(row[0] for row in cluster.rows(f"select t::text from monitoring.{table} t {only.get(table, '')}", database=database))
            for table in tables(cluster, database)}


@pytest.fixture
def elsewhere(world):
    """A new cluster that serves its database postgres."""
    made = Cluster({"tradesync.price_interval": 50}, name="tradesync-restored").start()
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def old_server_back(world):
    yield
    world.cluster.configure({"tradesync.databases": "'postgres'"})
    world.cluster.stop("fast", check=False)
    world.cluster.start()


def off_guard(world):
    """The server without workers, its accounts still enabled; returns what its tables hold."""
    world.cluster.stop("fast")
    world.cluster.configure({"tradesync.databases": "''"})
    world.cluster.start()
    return content(world.cluster)


def lived_in(world, venue):
    """An account with something in every table, its worker gone."""
    account = world.account(venue, wallet="10000000", count=2)
    account.fault("no_rate_limits")
    account.control("fills", count=2000, symbols=5, rate_per_s=0, seed=5)
    wait_for(lambda: account.control("fills_status")["done"], "fills made", 20)
    account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="30000", quantity="0.01")
    account.control("funding", symbol="BTCUSDT", rate="0.0001")
    account.fault("malformed", stream="private")
    wait_for(lambda: account.value("select count(*) from monitoring.dead_letters where account = :account") == 1, "a dead letter", 20)
    account.wait_live()
    wait_equal(account)
    world.cluster.rows("select monitoring.configure_account(%s, '{\"leverage\": 7}')", (account.name,))
    world.cluster.rows("select monitoring.configure_database('{\"order_retention\": \"77 days\"}')")
    return account


def restored(account, cluster, database="postgres"):
    seen = Account(account.world, account.venue, account.name, account.key)
    seen.cluster = cluster
    return seen


def traded(world, venue, since):
    orders = ("/v5/order/create", "/v5/order/cancel", "/v5/order/amend", "/v5/position/trading-stop", "/v5/position/set-leverage",
              "/fapi/v1/order", "/fapi/v1/batchOrders", "/fapi/v1/allOpenOrders", "/fapi/v1/algoOrder", "/fapi/v1/leverage", "/fapi/v1/marginType")
    return [r for r in world.simulator.control("requests", venue=venue, since=since)["requests"]
            if r["method"] != "GET" and r["path"].startswith(orders)]


def test_a_restored_database_has_every_row_and_trades_nothing(world, venue, elsewhere):
    account = lived_in(world, venue)
    before = off_guard(world)
    elsewhere.write_credentials(world.keys)
    dump = elsewhere.home / "dump"
    tool("pg_dump", world.cluster, "-d", "postgres", "-Fc", "-f", str(dump))
    world.cluster.stop("fast")          # the old server is off before the new one speaks for the account
    since = max(r["number"] for r in world.simulator.get("requests", venue)["requests"])
    # While it is restored, a supervisor of the new server is at work in the database.
    tool("pg_restore", elsewhere, "-d", "postgres", "--exit-on-error", str(dump))
    seen = restored(account, elsewhere)
    seen.wait_live()
    wait_equal(seen)
    halted = seen.rows("select halted, halt_reason from monitoring.worker_status where account = :account")[0]
    assert halted[0] is True and "identity changed" in halted[1]

    after = content(elsewhere)
    assert set(before) - MOVING <= set(after)
    for table in ("trades", "funding", "accounts", "settings", "dead_letters", "account_epochs"):
        assert before[table] and after[table] == before[table], table
    for table in set(before) - {"prices"} - MOVING:
        assert len(after[table]) >= len(before[table]), table
    assert "leverage" in str(after["settings"]) and "77 days" in str(after["settings"])
    assert traded(world, venue, since) == []

    # New rows get new numbers.
    sequences = elsewhere.rows("select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                               "where n.nspname = 'monitoring' and c.relkind = 'S'")
    assert sequences
    assert elsewhere.value("select nextval('monitoring.events_id_seq') > max(id) from monitoring.events")
    assert elsewhere.value("select nextval(pg_get_serial_sequence('monitoring.positions', 'id')) > max(id) from monitoring.positions")
    assert elsewhere.value("select nextval(pg_get_serial_sequence('monitoring.orders', 'id')) > max(id) from monitoring.orders")

    elsewhere.rows("select monitoring.resume(%s)", (account.name,))
    wait_for(lambda: seen.value("select halted from monitoring.worker_status where account = :account") is False, "resumed", 5)
    account.control("trade", symbol="XRPUSDT", side="buy", quantity="30")
    wait_equal(seen)
    assert traded(world, venue, since) == []


def test_no_worker_writes_into_a_restore_that_is_not_finished(world, elsewhere):
    account = lived_in(world, "bybit")
    off_guard(world)
    dump = tool("pg_dump", world.cluster, "-d", "postgres").stdout
    world.cluster.stop("fast")
    elsewhere.write_credentials(world.keys)
    at = dump.index("COPY monitoring.orders (")
    assert dump.index("COPY monitoring.accounts (") < at
    command = [PG_BIN / "psql", "-X", "-q", "-h", elsewhere.home, "-p", str(elsewhere.port), "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as psql:
        psql.stdin.write(dump[:at])
        psql.stdin.flush()
        wait_for(lambda: elsewhere.value("select to_regclass('monitoring.accounts') is not null"), "the extension", 10)
        wait_for(lambda: elsewhere.value("select count(*) from monitoring.accounts where enabled") == 1, "the account is there", 10)
        with pytest.raises(AssertionError):  # two scans of the supervisor
            wait_for(lambda: elsewhere.value("select pid from monitoring.worker_status where account = %s", (account.name,)), "a worker", 2.5)
        _, errors = psql.communicate(dump[at:], timeout=30)
    assert psql.returncode == 0, errors
    seen = restored(account, elsewhere)
    seen.wait_live()
    wait_equal(seen)


def test_a_dump_restores_where_nobody_serves_the_database(world, elsewhere):
    account = lived_in(world, "bybit")
    world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
    wait_for(lambda: account.pid() is None, "the worker leaves", 5)
    before = content(world.cluster)
    dump = elsewhere.home / "dump.sql"
    tool("pg_dump", world.cluster, "-d", "postgres", "-f", str(dump))
    elsewhere.rows("create database quiet")
    tool("psql", elsewhere, "-X", "-d", "quiet", "-v", "ON_ERROR_STOP=1", "-q", "-f", str(dump))
    after = content(elsewhere, "quiet")
    assert {table: rows for table, rows in after.items() if rows} == {table: rows for table, rows in before.items() if rows}
    # A dump of the restored database is the same dump again.
    again = elsewhere.home / "again.sql"
    tool("pg_dump", elsewhere, "-d", "quiet", "-f", str(again))
    lines = lambda path: sorted(line for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()  # noqa: E731
                                if not line.startswith("\\") or line == "\\.")
    assert lines(again) == lines(dump)
    shutil.rmtree(dump, ignore_errors=True)
