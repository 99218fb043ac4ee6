"""One cluster and one simulator for a whole module; every test gets accounts of its own, so nothing leaks between tests."""
import itertools
import json

import pytest

from support.cluster import Cluster, Simulator, add_account, wait_for

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
        if live:
            account.wait_live()
        return account

    def close(self):
        self.cluster.remove()
        self.simulator.remove()


class Account:
    def __init__(self, world, venue, name, key):
        self.world, self.cluster, self.simulator = world, world.cluster, world.simulator
        self.venue, self.name, self.key = venue, name, key

    def control(self, command, **fields):
        return self.simulator.control(command, venue=self.venue, account=self.key, **fields)

    def fault(self, name, **fields):
        return self.simulator.control("fault", venue=self.venue, account=self.key, name=name, **fields)

    def truth(self):
        state = self.simulator.state(self.venue)
        return next(account for account in state["accounts"] if account["key"] == self.key)

    def rows(self, sql):
        return self.cluster.rows(sql.replace(":account", f"'{self.name}'"))

    def value(self, sql):
        rows = self.rows(sql)
        return rows[0][0] if rows else None

    def wait_live(self, timeout=15):
        return self.cluster.wait_live(self.name, timeout)

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
        for venue in ("bybit", "binance"):
            made.simulator.control("faults_clear", venue=venue)
        for name in list(made.keys):
            made.cluster.rows("select monitoring.disable_account(name) from monitoring.accounts where enabled and name = %s", (name,))


@pytest.fixture(params=["bybit", "binance"])
def venue(request):
    return request.param
