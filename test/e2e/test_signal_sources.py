"""Signal sources in a living database: their trigger wakes the supervisor, nobody gains rights by being one, and they neither hold
the extension nor get lost in a dump."""
import itertools
import statistics
import time

import psycopg2
import pytest
from support.cluster import Cluster, wait_for
from test_dump import tool

numbers = itertools.count(1)
MAPPING = '{"signal_key": "id", "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "at"}'
DECIDED = "select count(*) from monitoring.signal_decisions where source_id = %s"
IS_SUPERUSER = "select rolsuper from pg_roles where rolname = 'mallory'"


@pytest.fixture(scope="module")
def cluster():
    made = Cluster(name="tradesync-sources").start()
    made.psql("create extension pg_tradesync")
    yield made
    made.remove()


@pytest.fixture
def elsewhere():
    made = Cluster(databases="", name="tradesync-restored").start()
    yield made
    made.remove()


def new_table(cluster):
    name = f"public.signals_{next(numbers)}"
    cluster.rows(f"create table {name} (id int generated always as identity primary key, sym text, ex text, dir text, at timestamptz default now())")
    return name


def attach(cluster, relation, user="postgres"):
    return cluster.rows("select monitoring.attach_signal_source(%s, %s)", (relation, MAPPING), user=user)[0][0]


def insert(cluster, table, count=1):
    """Signals that are decided without any account: nobody knows their exchange."""
    cluster.rows(f"insert into {table} (sym, ex, dir) select 'BTCUSDT', 'nowhere', 'BUY' from generate_series(1, {count})")


def decided(cluster, source):
    return cluster.value(DECIDED, (source,))


def wait_decided(cluster, source, count, timeout=5):
    return wait_for(lambda: decided(cluster, source) == count, f"{count} decisions of source {source}", timeout)


def test_a_committed_signal_wakes_the_supervisor(cluster):
    table = new_table(cluster)
    source = attach(cluster, table)
    took = []
    connection = psycopg2.connect(host=str(cluster.home), port=cluster.port, dbname="postgres", user="postgres")
    connection.autocommit = True
    cursor = connection.cursor()
    for number in range(1, 12):
        cursor.execute(f"insert into {table} (sym, ex, dir) values ('BTCUSDT', 'nowhere', 'BUY')")
        began = time.monotonic()
        while True:
            cursor.execute(DECIDED, (source,))
            if cursor.fetchone()[0] == number:
                break
            assert time.monotonic() - began < 5, f"no decision number {number}"
        took.append(time.monotonic() - began)
    connection.close()
    # The scan once a second would take half a second at the median.
    assert statistics.median(took) < 0.2, took
    assert cluster.rows("select distinct decision, reason from monitoring.signal_decisions where source_id = %s", (source,)) == [("rejected", "unknown_exchange")]


def test_signals_older_than_the_newest_are_found_as_well(cluster):
    """A wake-up reads the newest rows; a row that is older than all of them, or has no time, follows at once."""
    table = new_table(cluster)
    source = attach(cluster, table)
    insert(cluster, table, 40)
    wait_decided(cluster, source, 40)
    took = []
    for count in range(42, 56, 2):
        began = time.monotonic()
        cluster.rows(f"insert into {table} (sym, ex, dir, at) values ('BTCUSDT', 'nowhere', 'BUY', now() - interval '9 minutes'), "
                     "('BTCUSDT', 'nowhere', 'BUY', null)")
        wait_decided(cluster, source, count)
        took.append(time.monotonic() - began)
    # The scan once a second would take half a second at the median.
    assert statistics.median(took) < 0.2, took
    event = "select sum((event_data ->> 'decided')::int) from monitoring.events where event_type = 'signals_received' and event_data ->> 'source' = %s"
    wait_for(lambda: cluster.value(event, (table,)) == 54, "an event for each batch")


def test_a_signal_that_was_rolled_back_was_never_there(cluster):
    table = new_table(cluster)
    source = attach(cluster, table)
    cluster.psql(f"begin; insert into {table} (sym, ex, dir) values ('BTCUSDT', 'nowhere', 'BUY'); rollback")
    insert(cluster, table)
    wait_decided(cluster, source, 1)
    assert cluster.value("select signal_key from monitoring.signal_decisions where source_id = %s", (source,)) == "2"


def test_a_view_is_looked_at_once_a_second(cluster):
    table = new_table(cluster)
    cluster.rows(f"create view {table}_seen as select * from {table}")
    source = attach(cluster, f"{table}_seen")
    insert(cluster, table, 3)
    wait_decided(cluster, source, 3)


def test_a_detached_source_is_left_alone(cluster):
    table, other = new_table(cluster), new_table(cluster)
    source, witness = attach(cluster, table), attach(cluster, other)
    cluster.rows("select monitoring.detach_signal_source(%s)", (table,))
    insert(cluster, table)
    insert(cluster, other)
    wait_decided(cluster, witness, 1)
    assert decided(cluster, source) == 0
    attach(cluster, table)
    wait_decided(cluster, source, 1)


def test_a_dropped_table_is_told_once_and_stops_nobody(cluster):
    table, other = new_table(cluster), new_table(cluster)
    source, witness = attach(cluster, table), attach(cluster, other)
    cluster.rows(f"drop table {table}")
    told = "select count(*) from monitoring.events where event_type = 'signal_source_failed' and event_data ->> 'source' = %s"
    wait_for(lambda: cluster.value(told, (table,)) == 1, "an event", 5)
    insert(cluster, other)
    wait_decided(cluster, witness, 1)
    for _ in range(2):
        insert(cluster, other)
    wait_decided(cluster, witness, 3)
    assert cluster.value(told, (table,)) == 1
    cluster.rows("update monitoring.signal_sources set active = false where id = %s", (source,))


def test_owners_of_a_source_gain_no_rights(cluster):
    cluster.psql("create role mallory login; grant tradesync_admin to mallory; grant create on schema public to mallory; create sequence tries; "
                 "grant all on tries to mallory")
    table = f"public.signals_{next(numbers)}"
    climb = """perform nextval('public.tries');
               if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then execute 'alter role mallory superuser'; end if;"""
    cluster.rows(f"""
        create function public.climb(what int) returns int language plpgsql volatile as $$ begin {climb} return what; end $$;
        create function public.climb_quietly(what int) returns int language plpgsql immutable as $$ begin {climb} return what; end $$;
        create function public.climb_on_change() returns trigger language plpgsql as $$ begin {climb} return new; end $$;
        create table {table} (id int generated always as identity primary key, sym text, ex text, dir text, at timestamptz default now(), processed boolean);
        create index on {table} ((public.climb_quietly(1)));
        create trigger climb before update on {table} for each row execute function public.climb_on_change();
        create view {table}_seen as select public.climb(id) as id, sym, ex, dir, at from {table}""", user="mallory")
    for relation, options in ((table, '{"mark_processed": true}'), (f"{table}_seen", None)):
        source = cluster.rows("select monitoring.attach_signal_source(%s, %s, null, %s)", (relation, MAPPING, options), user="mallory")[0][0]
        cluster.rows("alter sequence public.tries restart", user="postgres")
        cluster.rows(f"insert into {table} (sym, ex, dir) values ('BTCUSDT', 'nowhere', 'BUY')", user="mallory")
        wait_for(lambda source=source: decided(cluster, source) >= 1, "a decision", 5)
        assert cluster.value("select is_called from public.tries"), "nothing was tried, so nothing was tested"
        assert cluster.value(IS_SUPERUSER) is False
    # Asked by its owner: whoever else asks runs what is in the index.
    wait_for(lambda: cluster.value(f"select bool_and(processed) from {table}", user="mallory"), "rows are marked", 5)
    assert cluster.value(IS_SUPERUSER) is False
    cluster.rows(f"select monitoring.detach_signal_source('{table}'), monitoring.detach_signal_source('{table}_seen')")
    cluster.psql("drop owned by mallory cascade; drop role mallory; drop sequence tries")


def test_the_supervisor_goes_on_without_its_function(cluster):
    log = cluster.home / "server.log"
    cluster.rows("alter function monitoring.worker_take_signals(boolean) rename to mislaid")
    try:
        wait_for(lambda: "could not take signals in" in log.read_text(encoding="utf-8"), "a warning", 5)
        # Accounts are still looked after: this one's worker starts, and finds nobody at the other end.
        cluster.rows("select monitoring.add_account('lonely', 'bybit', 'testnet', 'dry_run', 'http://127.0.0.1:1', 'ws://127.0.0.1:1', 'ws://127.0.0.1:1')")
        cluster.rows("select monitoring.enable_account('lonely')")
        wait_for(lambda: cluster.value("select pid from monitoring.worker_status where account = 'lonely'"), "a worker", 5)
        seen = cluster.value("select state || ' ' || coalesce(wait_event, '') from pg_stat_activity where backend_type = 'pg_tradesync supervisor'")
        assert seen.split()[0] in ("idle", "active"), seen
    finally:
        cluster.rows("alter function monitoring.mislaid(boolean) rename to worker_take_signals")
    wait_for(lambda: "could take signals in again" in log.read_text(encoding="utf-8"), "the end of it", 5)
    assert log.read_text(encoding="utf-8").count("could not take signals in") == 1
    cluster.rows("select monitoring.disable_account('lonely')")


def test_a_dump_carries_sources_to_their_relations(cluster, elsewhere):
    table, lost = new_table(cluster), new_table(cluster)
    cluster.rows(f"create materialized view {table}_kept as select * from {table}")
    source, kept, gone = attach(cluster, table), attach(cluster, f"{table}_kept"), attach(cluster, lost)
    insert(cluster, table, 5)
    wait_decided(cluster, source, 5)
    cluster.rows(f"drop table {lost}")
    # Relations have other numbers there.
    elsewhere.rows("create table takes_a_number (id int)")
    dump = elsewhere.home / "dump"
    tool("pg_dump", cluster, "-d", "postgres", "-Fc", "-f", str(dump))
    tool("pg_restore", elsewhere, "-d", "postgres", "--exit-on-error", str(dump))
    there = {row[0]: row[1:] for row in elsewhere.rows("select id, relation::text, name, active from monitoring.signal_sources")}
    assert there[source] == (table.removeprefix("public."), table, True)
    assert there[kept][0] == f"{table}_kept".removeprefix("public.")
    assert gone not in there, "a number that may mean any other relation"
    assert elsewhere.value("select nextval('monitoring.signal_sources_id_seq')") > gone
    undecided = "select count(*) from monitoring.signal_sources s, unnest(monitoring.read_signals(s, 100)) r where s.id = %s"
    assert elsewhere.value(undecided, (source,)) == 0 and decided(elsewhere, source) == 5
    elsewhere.rows(f"insert into {table} (sym, ex, dir) values ('BTCUSDT', 'nowhere', 'BUY')")
    assert elsewhere.value(undecided, (source,)) == 1
    assert attach(elsewhere, table) == source
    elsewhere.rows("drop extension pg_tradesync")
    insert(elsewhere, table)


def test_an_attached_table_does_not_hold_the_extension(cluster):
    table = new_table(cluster)
    attach(cluster, table)
    with pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        cluster.rows("drop function monitoring.signal_source_changed()")
    cluster.rows("drop extension pg_tradesync")
    insert(cluster, table)
    assert cluster.value("select count(*) from pg_trigger where tgname = 'tradesync_signal'") == 0
    cluster.rows("create extension pg_tradesync")
    wait_decided(cluster, attach(cluster, table), 1)
