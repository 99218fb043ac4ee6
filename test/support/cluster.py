"""A throw-away PostgreSQL cluster and the exchange simulator, for tests, demo and bench.

Works for root (the server then runs as user postgres) and for any other user. Ports are free ones, everything lives in one
temporary folder and is removed at the end, also after Ctrl-C or a failing test.
"""
import atexit
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
PG_BIN = pathlib.Path(subprocess.run([os.environ.get("PG_CONFIG", "/usr/lib/postgresql/15/bin/pg_config"), "--bindir"],
                                     capture_output=True, text=True, check=True).stdout.strip())
SIMULATOR = ROOT / "build" / "tradesync_simulator"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, timeout=10.0, every=0.02):
    """Waits until condition() is truthy and returns it; fails naming what was awaited and what was seen last."""
    end = time.monotonic() + timeout
    seen = None
    while time.monotonic() < end:
        seen = condition()
        if seen:
            return seen
        time.sleep(every)
    raise AssertionError(f"not within {timeout} s: {what} (last seen: {seen!r})")


def stop_on_signal(number, frame):
    raise SystemExit(128 + number)


signal.signal(signal.SIGTERM, stop_on_signal)


class Cluster:
    """One PostgreSQL server with pg_tradesync preloaded."""

    def __init__(self, settings=None, preload="pg_tradesync", databases="postgres", name="tradesync"):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        os.chmod(self.home, 0o755)
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.credentials = self.home / "credentials"
        self.port = free_port()
        self.connections = []
        if self.user:
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        atexit.register(self.remove)
        self.server("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync")
        values = {
            "port": self.port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": f"'{self.home}'",
            "shared_preload_libraries": f"'{preload}'", "max_worker_processes": 32, "shared_buffers": "256MB",
            "max_wal_size": "2GB", "log_line_prefix": "'%m [%p] %b '", "log_min_messages": "warning",
            "tradesync.databases": f"'{databases}'", "tradesync.credentials_file": f"'{self.credentials}'",
        }
        values.update(settings or {})
        self.configure(values)
        self.write_credentials({})

    # ------------------------------------------------------------------ processes
    def as_server_user(self, command):
        return ["runuser", "-u", self.user.pw_name, "--", *map(str, command)] if self.user else list(map(str, command))

    def server(self, program, *arguments, check=True, timeout=60):
        done = subprocess.run(self.as_server_user([PG_BIN / program, *arguments]), cwd=self.home, capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()} {done.stdout.strip()}")
        return done

    def configure(self, values):
        with open(self.data / "postgresql.auto.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in values.items())
        if self.user:
            os.chown(self.data / "postgresql.auto.conf", self.user.pw_uid, self.user.pw_gid)

    def start(self):
        # pg_ctl's server inherits its output: a file, not a pipe that would keep us waiting.
        with open(self.home / "pg_ctl.out", "w", encoding="utf-8") as out:
            command = self.as_server_user([PG_BIN / "pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60", "start"])
            if subprocess.run(command, cwd=self.home, stdout=out, stderr=out, stdin=subprocess.DEVNULL, timeout=90).returncode != 0:
                raise RuntimeError("server did not start:\n" + self.log_text()[-4000:])
        return self

    def stop(self, mode="fast", check=True):
        return self.server("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "30", "stop", check=check)

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def reload(self):
        self.server("pg_ctl", "-D", self.data, "reload")

    def remove(self):
        if not self.home.exists():
            return
        for connection in self.connections:
            try:
                connection.close()
            except psycopg2.Error:
                pass
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate", check=False)
        if os.environ.get("KEEP_CLUSTER"):
            print(f"kept: {self.home}")
            return
        shutil.rmtree(self.home, ignore_errors=True)

    # ------------------------------------------------------------------ credentials, logs
    def write_credentials(self, accounts):
        """{account: (key, secret)} as the credentials file, mode 0600."""
        text = "".join(f"{name} {key} {secret}\n" for name, (key, secret) in accounts.items())
        self.credentials.write_text("# written by the tests\n" + text, encoding="utf-8")
        os.chmod(self.credentials, 0o600)
        if self.user:
            os.chown(self.credentials, self.user.pw_uid, self.user.pw_gid)

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    # ------------------------------------------------------------------ SQL
    def connect(self, database="postgres", user="postgres"):
        connection = psycopg2.connect(host=str(self.home), port=self.port, dbname=database, user=user)
        connection.autocommit = True
        self.connections.append(connection)
        return connection

    def rows(self, sql, arguments=None, database="postgres", user="postgres"):
        connection = psycopg2.connect(host=str(self.home), port=self.port, dbname=database, user=user)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, sql, arguments=None, database="postgres", user="postgres"):
        rows = self.rows(sql, arguments, database, user)
        return rows[0][0] if rows else None

    def psql(self, sql, database="postgres", check=True):
        done = subprocess.run([PG_BIN / "psql", "-X", "-h", self.home, "-p", str(self.port), "-U", "postgres", "-d", database,
                               "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done

    def worker_state(self, account, database="postgres"):
        return self.value("select state from monitoring.worker_status where account = %s", (account,), database)

    def wait_live(self, account, timeout=10, database="postgres"):
        return wait_for(lambda: self.worker_state(account, database) == "live", f"{account} live", timeout)


class Simulator:
    """The exchange simulator as a process of its own; ports by name, control port as methods."""

    def __init__(self, seed=1, tls=False):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tradesync-sim-"))
        os.chmod(self.home, 0o755)
        atexit.register(self.remove)
        command = [str(SIMULATOR), "--seed", str(seed), "--port-file", str(self.home / "ports")]
        self.ca_file = None
        if tls:
            subprocess.run([str(ROOT / "test/simulator/make_ca.sh"), str(self.home)], check=True, capture_output=True)
            self.ca_file = self.home / "ca.pem"
            command += ["--tls-cert", str(self.home / "server.pem"), "--tls-key", str(self.home / "server.key")]
        self.log = open(self.home / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        wait_for(lambda: (self.home / "ports").exists() or self.process.poll() is not None, "simulator ports", 15)
        lines = (self.home / "ports").read_text(encoding="utf-8").split("\n")
        self.ports = {name: int(port) for name, port in (line.split() for line in lines if line.strip())}

    def remove(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def control(self, command, **fields):
        body = json.dumps(fields).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['control']}/{command}", data=body,
                                         headers={"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"control {command} {fields}: {error.code} {error.read()[:500]!r}") from None

    def state(self, venue):
        request = f"http://127.0.0.1:{self.ports['control']}/state?venue={venue}"
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def get(self, what, venue):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['control']}/{what}?venue={venue}", timeout=30) as answer:
            return json.loads(answer.read())

    def urls(self, venue, tls=False):
        port = self.ports[f"{venue}_https" if tls else f"{venue}_http"]
        return (f"https://localhost:{port}", f"wss://localhost:{port}") if tls else (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")


def add_account(cluster, simulator, venue, name=None, mode="observe", tls=False, enable=True, database="postgres"):
    """Registers an account of the simulator and switches it on. Credentials of all accounts must be written by the caller."""
    name = name or f"{venue}_main"
    rest, stream = simulator.urls(venue, tls)
    cluster.rows("select monitoring.add_account(%s, %s, 'mainnet', %s, %s, %s, %s)", (name, venue, mode, rest, stream, stream), database)
    if enable:
        cluster.rows("select monitoring.enable_account(%s)", (name,), database)
    return name
