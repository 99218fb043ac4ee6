"""Coming and going: signals, crashes, and statements that need the database for themselves."""
import os
import signal

import psycopg2
from support.cluster import wait_for
from server import Below


def test_the_extension_and_an_account_are_noticed_at_once(server):
    server.cluster.rows("create database other")
    wait_for(lambda: server.cluster.rows("select 1 from pg_stat_activity where backend_type = 'pg_tradesync supervisor' "
                                          "and datname = 'other' and state = 'idle'"), "the supervisor is there", 10)
    server.cluster.rows("create extension pg_tradesync", database="other")
    with Below(2):
        server.cluster.rows("select monitoring.add_account('x', 'bybit')", database="other")
        server.cluster.rows("select monitoring.enable_account('x')", database="other")
        wait_for(lambda: server.cluster.value("select count(*) from monitoring.worker_slots() where state = 'live'",
                                                database="other") == 1, "the worker is live", 2)
    with Below(5):
        server.cluster.rows("drop database other")
    assert server.is_live()


def test_a_database_that_is_no_longer_named_is_left(server):
    server.configure(tradesync__databases="other")
    wait_for(lambda: server.processes() == 1, "only the launcher is left", 5)
    server.configure(tradesync__databases="wall, other")
    server.wait_live()


def test_a_disabled_account_has_no_worker(server):
    server.sql("select monitoring.disable_account('a')")
    wait_for(lambda: server.slot() == (None, None, None), "the worker leaves", 3)
    server.sql("select monitoring.enable_account('a')")
    server.wait_live(seconds=3)


def test_sigterm_is_heard_while_a_lock_is_awaited(server):
    server.hammer()
    other = server.session()
    other.cursor().execute("lock table wall_test.rows in access exclusive mode")
    pid = server.worker_pid()
    wait_for(lambda: server.sql("select 1 from pg_locks where pid = %s and not granted", pid), "it waits", 5)
    with Below(2):
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: server.worker_pid() != pid, "it leaves", 5)
    other.rollback()
    other.close()


def test_a_cancel_ends_no_process(server):
    pid = server.worker_pid()
    for _ in range(20):
        server.sql("select pg_cancel_backend(%s)", pid)
    assert server.ask("echo", "x") is not None
    server.hammer()
    pid = server.worker_pid()
    for _ in range(50):
        server.sql("select pg_cancel_backend(%s)", pid)
    assert server.worker_pid() == pid
    supervisor = server.status("supervisor_pid")
    for _ in range(20):
        server.sql("select pg_cancel_backend(%s)", int(supervisor))
    assert server.status("supervisor_pid") == supervisor


def test_a_terminated_worker_comes_back(server):
    pid = server.worker_pid()
    server.sql("select pg_reload_conf()")  # no back-off left from earlier tests
    server.terminate(pid)
    server.wait_live(not_pid=pid, seconds=5)


def test_a_worker_that_will_not_stop_leaves_after_the_timeout(server):
    server.configure(tradesync__shutdown_timeout="1s")
    pid = server.worker_pid()
    wait_for(lambda: server.ask("setting", "tradesync.shutdown_timeout") == [["1000", "1000"]], "the reload arrives", 5)
    server.plan("stop", "never")
    with Below(3):
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: server.worker_pid() != pid, "it leaves", 5)
    server.configure(tradesync__shutdown_timeout="3s")


def test_supervisor_and_launcher_come_back_and_workers_stay(server):
    pid = server.worker_pid()
    for item in ("supervisor_pid", "launcher_pid"):
        before = server.status(item)
        server.terminate(int(before))
        wait_for(lambda: server.status(item) not in (None, before), f"a new {item}", 10)
        assert server.ask("echo", "x") is not None
    assert server.worker_pid() == pid


def test_a_killed_worker_takes_the_sessions_but_all_come_back(server):
    crashes = server.crashes()
    server.hammer()
    os.kill(server.worker_pid(), signal.SIGKILL)
    wait_for(lambda: server.crashes() == crashes + 1, "the server notices", 10)
    wait_for(lambda: _connects(server), "the server is back", 15)
    server.wait_live()
    assert server.value("select count(*) from wall_test.rows") >= 100


def _connects(server):
    try:
        return server.value("select 1") == 1
    except psycopg2.Error:
        return False


def test_dropping_the_database_waits_for_nobody(server):
    server.hammer()
    with Below(5):
        server.cluster.rows("drop database wall")
    wait_for(lambda: server.processes() == 1, "only the launcher is left", 5)
    server.make_ready()


def test_the_database_can_be_copied_while_the_worker_works(server):
    server.hammer()
    with Below(5):
        server.cluster.rows("create database copy template wall")
    rows = server.cluster.value("select count(*) from wall_test.rows", database="copy")
    assert rows >= 100
    server.wait_live()
    server.cluster.rows("drop database copy")


def test_the_database_can_be_renamed_while_the_worker_works(server):
    server.hammer()
    with Below(5):
        server.cluster.rows("alter database wall rename to aside")
    wait_for(lambda: server.processes() == 1, "nobody serves a database that is not named", 5)
    server.cluster.rows("alter database aside rename to wall")
    server.wait_live()


def test_the_database_can_be_moved_while_the_worker_works(server):
    place = server.cluster.home / "space"
    place.mkdir()
    place.chmod(0o777)
    os.chown(place, server.cluster.data.stat().st_uid, -1)
    server.cluster.rows(f"create tablespace space location '{place}'")
    server.hammer()
    with Below(10):
        server.cluster.rows("alter database wall set tablespace space")
    server.wait_live()
    server.cluster.rows("alter database wall set tablespace pg_default")
    server.cluster.rows("drop tablespace space")
    server.wait_live()


def test_the_extension_can_be_dropped_while_the_worker_works(server):
    server.hammer()
    with Below(5):
        server.sql("drop extension pg_tradesync cascade")
    wait_for(lambda: server.processes() == 2, "launcher and supervisor are left", 5)
    server.make_ready()


def test_a_drop_that_is_rolled_back_brings_the_worker_back(server):
    server.hammer()
    pid = server.worker_pid()
    other = server.session()
    other.cursor().execute("drop extension pg_tradesync cascade")
    server.cluster.value("select pg_reload_conf()")
    wait_for(lambda: server.processes() == 2, "launcher and supervisor are left", 5)
    assert server.cluster.value("select count(*) from pg_stat_activity where backend_type = 'pg_tradesync worker'") == 0
    other.rollback()
    other.close()
    server.wait_live(not_pid=pid, seconds=5)


def test_a_drop_that_fails_inside_a_block_brings_the_worker_back(server):
    pid = server.worker_pid()
    other = server.session()
    other.cursor().execute("create view wall_test.dependent as select * from monitoring.worker_slots()")
    other.commit()
    other.cursor().execute("do $$ begin drop extension pg_tradesync; exception when others then null; end $$")
    server.wait_live(not_pid=pid, seconds=5)
    other.cursor().execute("drop view wall_test.dependent")
    other.commit()
    other.close()


def test_who_may_not_run_the_statement_cannot_stop_the_worker(server):
    server.sql("drop role if exists passer_by; create role passer_by login createdb")
    pid = server.worker_pid()
    for statement, database in (("drop database wall", "postgres"), ("alter database wall rename to mine", "postgres"),
                                ("create database mine template wall", "postgres"),
                                ("alter database wall set tablespace pg_default", "postgres"),
                                ("drop extension pg_tradesync cascade", "wall"),
                                ("alter extension pg_tradesync update", "wall")):
        try:
            server.cluster.rows(statement, database=database, user="passer_by")
            raise AssertionError(f"{statement} was allowed")
        except psycopg2.Error:
            pass
    assert server.worker_pid() == pid
    server.sql("drop role passer_by")


def test_a_list_of_accounts_that_cannot_be_read_ends_no_worker(server):
    pid = server.worker_pid()
    server.sql("alter function monitoring.worker_list_accounts() rename to put_aside")
    try:
        server.wait_scans(2)
        assert server.worker_pid() == pid
    finally:
        server.sql("alter function monitoring.put_aside() rename to worker_list_accounts")
    server.wait_scans(2)
    log = server.cluster.log_text()
    assert log.count("could not read the accounts: function") == 1 and "could read the accounts again" in log
    assert server.worker_pid() == pid


def test_a_busy_worker_does_not_hold_up_other_databases(server):
    server.hammer()
    pid = server.worker_pid()
    with Below(5):
        server.cluster.rows("create database elsewhere")
        server.cluster.rows("drop database elsewhere")
    assert server.worker_pid() == pid


def test_a_fast_shutdown_under_load_is_fast(server):
    server.hammer()
    with Below(5):
        server.stop("fast")


def test_an_immediate_restart_under_load_brings_all_back(server):
    server.hammer()
    with Below(5):
        server.stop("immediate")
    server.start()
    server.wait_live()


def test_workers_leave_when_the_postmaster_dies(server):
    server.hammer()
    pids = [row[0] for row in server.cluster.rows("select pid from pg_stat_activity where backend_type like 'pg_tradesync%'")]
    postmaster = server.cluster.data / "postmaster.pid"
    os.kill(int(postmaster.read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "all are gone", 5)
    server.running = False
    postmaster.unlink()
