"""The server under test: a cluster whose account workers run the double of app_double.cpp, and questions to them."""
import os
import pathlib
import shutil
import subprocess
import time

from support.cluster import PG_BIN, ROOT, Cluster, wait_for

FIXTURE = pathlib.Path(__file__).with_name("fixture.sql")
# Folders that hold the double, and the double with another layout, each as pg_tradesync_worker.so.
LIBRARIES = pathlib.Path(os.environ.get("TRADESYNC_DOUBLES", ROOT / "build/wall"))
DATABASE = "wall"


class Server:
    def __init__(self):
        self.cluster = Cluster({"log_min_messages": "warning"}, databases=f"{DATABASE}, other", name="tradesync-wall")
        # The server's user must be able to read them, wherever the build folder lies.
        for name in ("double", "salted"):
            (self.cluster.home / name).mkdir(mode=0o755)
            shutil.copy(LIBRARIES / name / "pg_tradesync_worker.so", self.cluster.home / name)
        self.running = False
        self.use_library("double")

    def configure(self, **settings):
        self.cluster.configure({name.replace("__", "."): f"'{value}'" for name, value in settings.items()})
        if self.running:
            self.cluster.reload()

    def use_library(self, name):
        """None: the one that is installed with the extension is not found either."""
        self.library = name
        self.configure(dynamic_library_path=f"{self.cluster.home}/{name}:$libdir" if name else "/nowhere")

    def start(self, option=None):
        if option:
            self.cluster.server("pg_ctl", "-D", self.cluster.data, "-l", self.cluster.log, "-o", option, "-w", "start")
        else:
            self.cluster.start()
        self.running = True

    def stop(self, mode="fast"):
        if self.running:
            self.cluster.stop(mode)
        self.running = False

    def single_user(self, statement):
        command = self.cluster.as_server_user([PG_BIN / "postgres", "--single", "-D", self.cluster.data, "postgres"])
        return subprocess.run(command, input=statement + "\n", capture_output=True, text=True, timeout=30, cwd=self.cluster.home)

    def make_ready(self):
        """A running server, database wall with the extension, account a live, nothing planned."""
        if not self.running:
            self.start()
        if not self.cluster.value("select count(*) from pg_database where datname = %s", (DATABASE,)):
            self.cluster.rows(f"create database {DATABASE}")
        if not self.value("select count(*) from pg_extension where extname = 'pg_tradesync'"):
            self.sql("create extension pg_tradesync")
        if not self.value("select count(*) from pg_namespace where nspname = 'wall_test'"):
            self.sql(FIXTURE.read_text(encoding="utf-8"))
        if self.library != "double":
            self.use_library("double")
        self.sql("delete from wall_test.scenarios")
        if not self.account():
            self.sql("select monitoring.add_account('a', 'binance')")
        self.sql("select monitoring.enable_account('a') from monitoring.accounts where name = 'a' and not enabled")
        self.wait_back(None)

    # ------------------------------------------------------------------ what the database says
    def sql(self, statement, *parameters):
        return self.cluster.rows(statement, parameters or None, DATABASE)

    def value(self, statement, *parameters):
        return self.cluster.value(statement, parameters or None, DATABASE)

    def session(self):
        """A connection to the database that commits only when told to."""
        connection = self.cluster.connect(DATABASE)
        connection.autocommit = False
        return connection

    def account(self, name="a"):
        return self.value("select id from monitoring.accounts where name = %s", name)

    def slot(self, name="a"):
        """pid, state, last_error of an account's worker."""
        rows = self.sql("select s.pid, s.state, s.last_error from monitoring.worker_slots() s "
                        "join monitoring.accounts a on a.id = s.account_id where a.name = %s", name)
        return rows[0] if rows else (None, None, None)

    def worker_pid(self, name="a"):
        return self.slot(name)[0]

    def status(self, item):
        return self.value("select value from monitoring.cluster_status() where item = %s", item)

    def is_live(self, name="a", not_pid=None):
        pid, state, _ = self.slot(name)
        return pid if pid and state == "live" and pid != not_pid else None

    def wait_live(self, name="a", not_pid=None, seconds=15):
        return wait_for(lambda: self.is_live(name, not_pid), f"the worker of {name} is live", seconds)

    def wait_back(self, pid, name="a"):
        """Until the worker has a successor; reloads forgive the back-off that failures in a row have earned."""
        def is_back():
            self.sql("select pg_reload_conf()")
            return self.is_live(name, not_pid=pid)
        return wait_for(is_back, f"the worker of {name} is back", 15)

    def wait_error(self, text, name="a"):
        """The back-off of at least a second keeps the error of a worker that has failed in sight."""
        wait_for(lambda: text in (self.slot(name)[2] or ""), f"last_error contains {text!r}", 15)

    def wait_scans(self, count):
        """Until the supervisor has looked at its accounts so many times."""
        query = "select query_start from pg_stat_activity where backend_type = 'pg_tradesync supervisor' and datname = %s"
        for _ in range(count):
            before = self.value(query, DATABASE)
            wait_for(lambda: self.value(query, DATABASE) > before, "the supervisor scans", 5)

    def crashes(self):
        return self.cluster.log_text().count("reinitializing")

    def processes(self):
        return self.cluster.value("select count(*) from pg_stat_activity where backend_type like 'pg_tradesync%%'", ())

    # ------------------------------------------------------------------ what the worker is asked to do
    def ask(self, kind, argument="", name="a", timeout_ms=10000):
        """The answer's rows; None when there was none."""
        rows = self.sql("select answered, cells from monitoring.worker_ask(%s, %s, %s, %s)", self.account(name), kind,
                        argument, timeout_ms)
        assert rows[0][1] is None
        return [cells for _, cells in rows[1:]] if rows[0][0] else None

    def plan(self, door, act, name="a"):
        """From now on the worker misbehaves at that door; its successor does not."""
        assert self.ask("do", f"{door} {act}", name) == [[door, act]]

    def terminate(self, pid):
        self.sql("select pg_terminate_backend(%s)", pid)

    def hammer(self):
        """The worker writes batches without a pause."""
        self.sql("insert into wall_test.scenarios values (%s, 'turn', 'hammer')", self.account())
        pid = self.worker_pid()
        self.terminate(pid)
        self.wait_back(pid)
        wait_for(lambda: self.value("select count(*) from wall_test.rows") >= 100, "rows arrive")


class Below:
    """with Below(seconds): the block takes no longer."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.start = time.monotonic()

    def __exit__(self, kind, *_):
        took = time.monotonic() - self.start
        assert kind or took < self.seconds, f"took {took:.1f} s, not below {self.seconds} s"
