"""What may pass the wall between C++ and the server, and what may not."""
import os
import signal
import threading
import time

import psycopg2
from support.cluster import wait_for
from server import Below


def test_no_exception_of_any_door_harms_the_server(server):
    crashes = server.crashes()
    for act in ("throw", "throw_int", "bad_alloc"):
        for door, push in (("turn", None), ("look", None), ("timeout", None), ("reload", server.cluster.reload)):
            pid = server.worker_pid()
            server.plan(door, act)
            if push:
                push()
            server.wait_back(pid)
    assert server.crashes() == crashes


def test_no_exception_on_the_way_out_harms_the_server(server):
    crashes = server.crashes()
    for door in ("stop", "destroy"):
        pid = server.worker_pid()
        server.plan(door, "throw")
        server.terminate(pid)
        server.wait_back(pid)
    assert server.crashes() == crashes


def test_a_worker_that_cannot_start_tells_why(server):
    server.sql("insert into wall_test.scenarios values (%s, 'create', 'bad_alloc')", server.account())
    server.sql("select pg_reload_conf()")  # no back-off left from earlier tests
    server.terminate(server.worker_pid())
    server.wait_error("bad_alloc")
    assert server.slot()[1] in ("backoff", "connecting")
    server.sql("delete from wall_test.scenarios")
    server.wait_back(None)


def test_a_worker_may_leave_or_come_again(server):
    for act, error in (("again", "asked to come again"), ("leave", None)):
        pid = server.worker_pid()
        server.plan("turn", act)
        if error:
            server.wait_error(error)
        server.wait_back(pid)


def test_fields_of_all_types_arrive(server):
    assert server.ask("save", "k=0.10000000000000000001")[0][:2] == ["0", "00000"]
    row = server.sql("select amount::text, at = '2023-11-14 22:13:20.123+00', ordinal from wall_test.rows where key = 'k'")
    assert row == [("0.10000000000000000001", True, 9007199254740993)]


def test_cells_of_all_types_come_back(server):
    rows = server.ask("query", "wall_test.sample")
    assert rows[0] == ["0", "00000"]
    assert [cell for _, cell in rows[1:]] == ["0.10000000000000000001", "1700000000123", None, "t", "ž",
                                              "2", None, "", "f", "b"]


def test_a_refused_row_does_not_take_the_others_along(server):
    server.sql("truncate wall_test.rows")
    assert server.ask("save", "x=1,y=13,z=3")[0][:2] == ["3", "23514"]
    assert server.value("select count(*) from wall_test.rows") == 0
    assert server.ask("each", "x=1,y=13,z=3,w=abc")[0][3] == "02(23514)02(22P02)"
    assert server.sql("select key from wall_test.rows order by key") == [("x",), ("z",)]


def test_a_locked_row_waits_and_the_others_are_saved(server):
    server.sql("truncate wall_test.rows")
    server.ask("save", "x=1,y=2,z=3")
    other = server.session()
    other.cursor().execute("update wall_test.rows set amount = 0 where key = 'y'")
    with Below(2):
        assert server.ask("save", "x=11,y=12,z=13.5")[0][:2] == ["1", "55P03"]
        assert server.ask("each", "x=11,y=12,z=13.5")[0][3] == "010"
    other.rollback()
    other.close()
    assert server.sql("select amount::text from wall_test.rows order by key") == [("11",), ("2",), ("13.5",)]


def test_bytes_that_are_no_text_are_refused(server):
    assert [row[1] for row in server.ask("garbage")] == ["22021", "22021", "22P02"]


def test_a_row_whose_trigger_never_ends_is_refused_in_time(server):
    server.sql("create function wall_test.dawdle() returns trigger language plpgsql as "
               "$$ begin if new.key = 'slow' then perform pg_sleep(60); end if; return new; end $$")
    server.sql("create trigger dawdle before insert on wall_test.rows for each row execute function wall_test.dawdle()")
    with Below(9):
        assert server.ask("save", "slow=1,fast=2")[0][:2] == ["1", "57014"]
        assert server.ask("each", "slow=1,fast=2")[0][3] == "2(57014)0"
    server.sql("drop function wall_test.dawdle() cascade")


def test_a_trigger_that_names_a_missing_table_does_not_look_like_a_dropped_extension(server):
    server.sql("create function wall_test.lost() returns trigger language plpgsql as "
               "$$ begin perform from nowhere.at_all; return new; end $$")
    server.sql("create trigger lost before insert on wall_test.rows for each row execute function wall_test.lost()")
    assert server.ask("save", "q=1")[0][:2] == ["3", "42P01"]
    assert server.ask("each", "q=1")[0][3] == "2(42P01)"
    server.sql("drop function wall_test.lost() cascade")
    assert server.ask("save", "q=1")[0][0] == "0"


def test_a_changed_row_type_is_noticed(server):
    assert server.ask("save", "k=1")[0][0] == "0"
    server.sql("alter type wall_test.wide_row add attribute one_more text")
    assert server.ask("save", "k=2")[0][:2] == ["3", "42804"]
    server.sql("alter type wall_test.wide_row drop attribute one_more")
    assert server.ask("save", "k=3")[0][0] == "0"
    server.sql("alter type wall_test.wide_row alter attribute number_15 type text")
    assert server.ask("save", "k=4")[0][0] == "0"
    server.sql("alter type wall_test.wide_row alter attribute number_15 type numeric")


def test_twenty_thousand_failing_statements_leave_the_memory_flat(server):
    kinds, kind, before, after = server.ask("fail", "20000", timeout_ms=120000)[0]
    assert (kinds, kind) == ("1", "3 22P02")
    assert int(after) - int(before) < 256, f"{before} kB before, {after} kB after"


def test_rows_cross_the_wall_fast(server):
    rate, sqlstate, memory = server.ask("measure", "500", timeout_ms=60000)[0]
    print(f"# {rate} rows of 24 columns a second, {memory} kB private")
    assert sqlstate == "00000" and int(rate) > 50000


def test_reserved_numbers_cross_the_wall_and_are_not_given_twice(server):
    server.sql("create sequence if not exists wall_test.numbers")
    server.sql("create or replace function wall_test.reserve(account_id int) returns table (id bigint) language sql as "
               "$$ select nextval('wall_test.numbers') from generate_series(1, 3) $$")
    first, second = (server.ask("query", "wall_test.reserve") for _ in range(2))
    assert first[0] == second[0] == ["0", "00000"]
    numbers = [int(cell) for rows in (first, second) for _, cell in rows[1:]]
    assert len(set(numbers)) == 6 and numbers == sorted(numbers)


def test_a_query_outlives_the_function_that_it_was_planned_for(server):
    body = "create or replace function wall_test.answer(account_id int) returns text language sql as $$ select '{}' $$"
    server.sql(body.format("one"))
    assert server.ask("query", "wall_test.answer")[1] == ["0,0", "one"]
    server.sql(body.format("two"))
    assert server.ask("query", "wall_test.answer")[1] == ["0,0", "two"]
    server.sql("drop function wall_test.answer(int)")
    assert server.ask("query", "wall_test.answer")[0][1] == "42883"
    server.sql("create function wall_test.answer(account_id int, out a int, out b text) language sql as $$ select 3, 'x' $$")
    assert server.ask("query", "wall_test.answer")[1:] == [["0,0", "3"], ["0,1", "x"]]


def test_a_dead_synchronous_standby_holds_nothing_up(server):
    server.configure(synchronous_standby_names="nobody")
    with Below(3):
        assert server.ask("save", "k=1")[0][0] == "0"
    server.configure(synchronous_standby_names="")


def test_settings_of_the_database_do_not_reach_the_worker(server):
    for setting in ("default_transaction_read_only = on", "search_path = wall_test", "lock_timeout = 1"):
        server.cluster.rows(f"alter database wall set {setting}")
    try:
        pid = server.worker_pid()
        os.kill(pid, signal.SIGTERM)
        server.wait_back(pid)
        assert server.ask("save", "k=1")[0][0] == "0"
    finally:
        server.cluster.rows("alter database wall reset all")


def test_settings_are_read_by_name_and_follow_a_reload(server):
    assert server.ask("setting", "tradesync.price_interval") == [["250", "250"]]
    assert server.ask("setting", "tradesync.ca_file") == [[None, "-7"]]
    assert server.ask("setting", "tradesync.event_retention") == [["2592000", "2592000"]]
    server.configure(tradesync__price_interval="2s")
    wait_for(lambda: server.ask("setting", "tradesync.price_interval") == [["2000", "2000"]], "the reload arrives", 5)
    server.configure(tradesync__price_interval="250ms")


def test_answers_keep_text_null_and_size(server):
    assert server.ask("echo", "a 'quoted' ž") == [["a 'quoted' ž", None, "žluťoučký"]]
    assert server.ask("nothing") == []
    assert len(server.ask("big", "10000")) == 10000
    assert server.ask("big", "200000", timeout_ms=500) is None  # too large: told in the log, a timeout here


def test_a_question_nobody_answers_ends_in_time(server):
    with Below(2):
        assert server.ask("silent", timeout_ms=300) is None
    rows = server.sql("select answered, cells from monitoring.worker_ask(999999, 'echo', 'x', 1000)")
    assert rows == [(False, None)]


def test_the_worker_knows_how_long_the_asker_waits(server):
    assert server.ask("patience", timeout_ms=7654) == [["7654"]]


def count_of(server, seen=-1, timeout_ms=0, account=None):
    return server.value("select monitoring.worker_wait(%s, %s, %s)", account or server.account(), seen, timeout_ms)


class Waiter(threading.Thread):
    """A session in worker_wait: its answer and how long it took, or its error."""

    def __init__(self, server, seen, timeout_ms, account=None, settings="select 1"):
        super().__init__()
        self.connection = server.cluster.connect("wall")
        self.pid = self.connection.get_backend_pid()
        self.arguments = (account or server.account(), seen, timeout_ms)
        self.settings = settings
        self.answer = self.error = None
        self.start()
        wait_for(lambda: server.sql("select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Extension'", self.pid)
                 or not self.is_alive(), "it waits")

    def run(self):
        start = time.monotonic()
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(self.settings)
                cursor.execute("select monitoring.worker_wait(%s, %s, %s)", self.arguments)
                self.answer = cursor.fetchone()[0]
        except psycopg2.Error as error:
            self.error = error
        self.took = time.monotonic() - start

    def end(self, seconds=5):
        self.join(seconds)
        assert not self.is_alive()
        self.connection.close()
        return self


def test_everybody_who_waits_is_woken_by_a_commit(server):
    seen = count_of(server)
    waiters = [Waiter(server, seen, 20000) for _ in range(5)]
    assert all(waiter.is_alive() for waiter in waiters)
    server.ask("save", "k=1")
    assert [waiter.end().answer for waiter in waiters] == [seen + 1] * 5
    assert count_of(server, seen, 20000) == seen + 1  # who comes late does not wait


def test_a_wait_ends_when_its_time_is_up(server):
    seen = count_of(server)
    waiter = Waiter(server, seen, 400).end()
    assert waiter.answer == seen and 0.35 < waiter.took < 2
    assert count_of(server, seen, 0) == seen
    assert count_of(server, seen, -5) == seen


def test_prices_and_failures_wake_nobody(server):
    seen = count_of(server)
    assert server.ask("measure", "1")[0][1] == "00000"
    assert server.ask("save", "k=13")[0][1] == "23514"
    assert count_of(server) == seen


def test_a_wait_can_be_cancelled_timed_out_and_terminated(server):
    seen = count_of(server)
    waiter = Waiter(server, seen, 60000)
    server.sql("select pg_cancel_backend(%s)", waiter.pid)
    assert isinstance(waiter.end().error, psycopg2.errors.QueryCanceled)
    waiter = Waiter(server, seen, 60000, settings="set statement_timeout = 300").end()
    assert isinstance(waiter.error, psycopg2.errors.QueryCanceled) and waiter.took < 3
    waiter = Waiter(server, seen, 60000)
    server.terminate(waiter.pid)
    assert isinstance(waiter.end().error, psycopg2.Error)
    server.ask("save", "k=1")  # nobody is left on the list
    assert count_of(server) == seen + 1


def test_waiting_for_an_account_without_a_worker_ends_in_time_too(server):
    waiter = Waiter(server, 0, 300, account=999999).end()
    assert waiter.answer == 0 and 0.25 < waiter.took < 2
    waiter = Waiter(server, 0, 60000, account=999999)
    server.sql("select pg_cancel_backend(%s)", waiter.pid)
    assert isinstance(waiter.end().error, psycopg2.errors.QueryCanceled)
    assert server.value("select monitoring.worker_wait(null, 0, 0)") is None


def test_the_count_does_not_run_backwards_when_the_worker_starts_again(server):
    server.ask("save", "k=1")
    seen, pid = count_of(server), server.worker_pid()
    server.terminate(pid)
    server.wait_back(pid)
    assert count_of(server) >= seen


def test_places_for_questions_are_given_back(server):
    connection = server.cluster.connect("wall")
    for _ in range(70):
        with connection.cursor() as cursor:
            try:
                cursor.execute("set statement_timeout = 20")
                cursor.execute("select * from monitoring.worker_ask(%s, 'silent', '', 10000)", (server.account(),))
            except psycopg2.errors.QueryCanceled:
                pass
    connection.close()
    assert server.ask("echo", "x") is not None


def test_an_asker_that_is_terminated_gives_its_place_back(server):
    for _ in range(3):
        connection = server.cluster.connect("wall")
        pid = connection.get_backend_pid()
        asking = threading.Thread(target=_ask_silently, args=(connection, server.account()))
        asking.start()
        wait_for(lambda: server.sql("select 1 from pg_stat_activity where pid = %s and state = 'active'", pid), "it asks")
        server.terminate(pid)
        asking.join(5)
        assert not asking.is_alive()
    assert server.ask("echo", "x") is not None


def _ask_silently(connection, account):
    try:
        connection.cursor().execute("select * from monitoring.worker_ask(%s, 'silent', '', 20000)", (account,))
    except psycopg2.Error:
        pass


def test_an_asker_learns_at_once_that_the_worker_has_left(server):
    pid = server.worker_pid()
    leaving = threading.Timer(0.3, lambda: os.kill(pid, signal.SIGTERM))
    leaving.start()
    with Below(3):
        assert server.ask("silent", timeout_ms=20000) is None
    server.wait_back(pid)


def test_one_key_is_served_by_one_worker_only(server):
    server.sql("select monitoring.add_account('b', 'binance')")
    server.sql("select monitoring.enable_account('b')")
    server.wait_live("b")
    fingerprint = "0f" * 32
    assert server.ask("claim", fingerprint) == [["yes"]]
    assert server.ask("claim", fingerprint, name="b") == [["no"]]
    server.sql("select monitoring.disable_account('a')")
    wait_for(lambda: server.slot("a") == (None, None, None), "account a leaves", 5)
    assert server.ask("claim", fingerprint, name="b") == [["yes"]]
    server.sql("select monitoring.disable_account('b')")
    wait_for(lambda: server.slot("b") == (None, None, None), "account b leaves", 5)
    server.sql("select monitoring.drop_account('b')")


def test_the_worker_is_seen_as_it_is(server):
    rows = server.sql("select backend_type, application_name, state from pg_stat_activity where pid = %s", server.worker_pid())
    assert rows == [("pg_tradesync worker", "pg_tradesync worker a", "idle")]
    written = "select n_tup_ins + n_tup_upd from pg_stat_user_tables where relid = 'wall_test.rows'::regclass"
    before = server.value(written)
    wait_for(lambda: server.ask("save", "counted=1") and server.value(written) > before, "the counters arrive")


def test_the_worker_has_the_rights_of_the_owner_of_the_extension(server):
    assert server.ask("query", "wall_test.who")[1] == ["0,0", "postgres"]
    server.sql("create role keeper; grant usage on schema wall_test to keeper")
    server.sql("set allow_system_table_mods = on; update pg_extension set extowner = 'keeper'::regrole where extname = 'pg_tradesync'")
    pid = server.worker_pid()
    server.terminate(pid)
    try:
        server.wait_back(pid)
        assert server.ask("query", "wall_test.who")[1] == ["0,0", "keeper"]
        assert server.ask("save", "k=1")[0][:2] == ["3", "42501"]
    finally:
        server.sql("set allow_system_table_mods = on; update pg_extension set extowner = 10 where extname = 'pg_tradesync'")
        pid = server.worker_pid()
        server.terminate(pid)
        server.wait_back(pid)
        server.sql("drop owned by keeper; drop role keeper")


def test_any_text_can_be_logged(server):
    server.ask("log", "100%s of nothing\nand a line")
    assert "WARNING:  pg_tradesync: 100%s of nothing" in server.cluster.log_text()
