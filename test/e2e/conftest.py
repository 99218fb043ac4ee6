"""One cluster and one simulator for a whole module; every test gets accounts of its own, so nothing leaks between tests."""
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from support.cluster import Cluster, Simulator, add_account, wait_for

SESSION_ENDED = "57P"  # the class of SQLSTATEs with which a server ends its sessions
VENUES = ["bybit", "binance"]
numbers = itertools.count(1)


class World:
    """A server with the extension, a simulator, and the accounts that the tests made."""

    def __init__(self, settings=None, tls=False):
        self.simulator = Simulator(tls=tls)
        self.tls = tls
        settings = dict(settings or {})
        settings.setdefault("tradesync.price_interval", 50)
        if tls:
            settings["tradesync.ca_file"] = f"'{self.simulator.ca_file}'"
        self.cluster = Cluster(settings).start()
        self.cluster.psql("create extension pg_tradesync")
        self.keys = {}
        self.handles = []

    def account(self, venue, live=True, wallet="100000", hedge=False, mode="observe", handle=None, settings=None, **positions):
        """A new account at the simulator and in the database; returns its handle, an Account unless another class is given."""
        number = next(numbers)
        name = f"{venue}_{number}"
        key, secret = f"key{number:04d}{venue}".ljust(18, "x"), f"secret{number:04d}{venue}".ljust(36, "y")
        self.simulator.control("account", venue=venue, key=key, secret=secret, wallet=wallet, hedge=hedge)
        self.keys[name] = (key, secret)
        self.cluster.write_credentials(self.keys)
        if positions:
            self.simulator.control("positions", venue=venue, account=key, **positions)
        add_account(self.cluster, self.simulator, venue, name, mode, self.tls, enable=False)
        if settings:
            self.cluster.rows("select monitoring.configure_account(%s, %s)", (name, json.dumps(settings)))
        self.cluster.rows("select monitoring.enable_account(%s)", (name,))
        account = (handle or Account)(self, venue, name, key)
        self.handles.append(account)
        if live:
            account.wait_live()
        return account

    def close(self):
        self.cluster.remove()
        self.simulator.remove()


class Account:
    """An account of the simulator and of the database; it asks over one session that it keeps, because tests ask all the time."""
    connection = None

    def __init__(self, world, venue, name, key):
        self.world, self.cluster, self.simulator = world, world.cluster, world.simulator
        self.venue, self.name, self.key = venue, name, key

    def control(self, command, **fields):
        return self.simulator.control(command, venue=self.venue, account=self.key, **fields)

    def fault(self, name, **fields):
        return self.simulator.control("fault", venue=self.venue, account=self.key, name=name, **fields)

    def truth(self):
        return self.control("state")["accounts"][0]

    def session(self):
        if self.connection is None or self.connection.closed:
            self.connection = self.cluster.connect()
        return self.connection

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()

    def rows(self, sql):
        sql = sql.replace(":account", f"'{self.name}'")
        try:
            return fetched(self.session(), sql)
        except psycopg2.Error as error:
            if error.pgcode is not None and not error.pgcode.startswith(SESSION_ENDED):
                raise
        # The server was restarted since the last question, which psycopg2 does not always notice.
        self.hang_up()
        return fetched(self.session(), sql)

    def value(self, sql):
        rows = self.rows(sql)
        return rows[0][0] if rows else None

    def wait_live(self, timeout=15):
        state = "select state from monitoring.worker_status where account = :account"
        return wait_for(lambda: self.value(state) == "live", f"{self.name} live", timeout)

    def wait_value(self, sql, wanted, timeout=10):
        seen = []

        def look():
            seen[:] = [self.value(sql)]
            return seen[0] == wanted
        try:
            wait_for(look, sql, timeout)
        except AssertionError:
            raise AssertionError(f"{sql}: wanted {wanted!r}, last seen {seen!r}") from None

    def pid(self):
        return self.value("select pid from monitoring.worker_status where account = :account")


def fetched(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def side_by_side(cases):
    """Runs cases that mostly wait at the same time; when all have ended, the first that failed is the failure.

    Each has an account of its own, made before: making one writes the credentials file, which a worker may be reading.
    """
    with ThreadPoolExecutor(len(cases)) as pool:
        ended = [pool.submit(case) for case in cases]
    for case in ended:
        case.result()


@pytest.fixture(scope="module")
def world(request):
    made = World(getattr(request.module, "SETTINGS", None), getattr(request.module, "TLS", False))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def clean_faults(request):
    yield
    if "world" in request.fixturenames:
        made = request.getfixturevalue("world")
        for venue in VENUES:
            made.simulator.control("faults_clear", venue=venue)
        made.cluster.rows("select monitoring.disable_account(name) from monitoring.accounts where enabled and name = any(%s)",
                          (list(made.keys),))
        for account in made.handles:
            account.hang_up()


@pytest.fixture(params=VENUES)
def venue(request):
    return request.param
