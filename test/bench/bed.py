"""What every row of the bench stands on: one cluster with default settings, one simulator over TLS, and accounts."""
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import subprocess

from e2e.conftest import Account
from support.cluster import Cluster, Simulator, add_account, wait_for

NODE = pathlib.Path(__file__).resolve().parent / "node"


class Bed:
    """The cluster's durability is PostgreSQL's default: fsync and synchronous_commit are on."""

    def __init__(self):
        self.simulator = Simulator(tls=True)
        settings = {"tradesync.ca_file": f"'{self.simulator.ca_file}'", "tradesync.live_trading": "on"}
        self.cluster = Cluster(settings, name="tradesync-bench").start()
        self.cluster.psql("create extension pg_tradesync; create schema bench")
        self.keys = {}
        self.numbers = itertools.count(1)
        self.control_line = http.client.HTTPConnection("127.0.0.1", self.simulator.ports["control"], timeout=60)

    def close(self):
        self.control_line.close()
        self.cluster.remove()
        self.simulator.remove()

    @contextlib.contextmanager
    def exchange_elsewhere(self):
        """An exchange is another machine. Here its reading would wait for a processor that ours use, where there are two by a whole
        time slice; what is timed is when the bytes were there. Without the right to set priorities the figures are worse."""
        self.simulator_policy(os.SCHED_FIFO, 1)
        try:
            yield
        finally:
            self.simulator_policy(os.SCHED_OTHER, 0)

    def simulator_policy(self, policy, priority):
        for thread in pathlib.Path(f"/proc/{self.simulator.process.pid}/task").iterdir():
            with contextlib.suppress(PermissionError):
                os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))

    def postmaster(self):
        return int((self.cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])

    def account(self, venue, positions=0, mode="observe"):
        """A new account, known to simulator and database, not enabled."""
        number = next(self.numbers)
        name, key, secret = f"{venue}_{number}", f"benchkey{number:010d}", f"benchsecret{number:025d}"
        self.simulator.control("account", venue=venue, key=key, secret=secret, wallet="100000000")
        if positions:
            self.simulator.control("positions", venue=venue, account=key, count=positions)
        self.keys[name] = (key, secret)
        self.cluster.write_credentials(self.keys)
        add_account(self.cluster, self.simulator, venue, name, mode, tls=True, enable=False)
        return Account(self, venue, name, key)

    def live_account(self, venue, positions=0, mode="observe"):
        account = self.account(venue, positions, mode)
        self.enable(account)
        account.wait_live(60)
        return account

    def enable(self, account):
        self.cluster.rows("select monitoring.enable_account(%s)", (account.name,))

    def disable(self, account):
        """Returns when the worker and its sockets are gone: a flood goes to every private socket of a venue."""
        self.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
        gone = lambda: not any(c["account"] == account.key for c in self.simulator.get("connections", account.venue)["connections"])  # noqa: E731
        wait_for(gone, f"{account.name} disconnected", 15)

    def ask(self, command, **fields):
        """A control command over one connection that stays open: no handshake in what is being timed."""
        self.control_line.request("POST", f"/{command}", json.dumps(fields))
        return json.loads(self.control_line.getresponse().read())

    def flood(self, account, count, timeout=300):
        """Sends `count` distinct order frames as fast as the socket takes them; returns the simulator's figures when all left."""
        answer = self.ask("flood", venue=account.venue, account=account.key, count=count)
        assert answer == {"ok": True}, answer
        status = lambda: self.ask("flood_status", venue=account.venue)  # noqa: E731
        wait_for(lambda: status()["done"], f"{count} frames sent", timeout, every=0.05)
        assert status()["sockets"] == 1, "the flood went to more than one socket"
        return status()

    def plain_bot(self, account, **task):
        """Starts the node client of test/bench/node as this account; returns it when it has subscribed."""
        install_node_packages()
        _, stream = self.simulator.urls(account.venue, tls=True)
        key, secret = self.keys[account.name]
        task.update(account=account.name, stream=stream, key=key, secret=secret, ca=str(self.simulator.ca_file),
                    database={"host": str(self.cluster.home), "port": self.cluster.port, "user": "postgres", "database": "postgres"})
        bot = subprocess.Popen(["node", str(NODE / "plain_bot.mjs"), json.dumps(task)], stdout=subprocess.PIPE, text=True)
        line = bot.stdout.readline().strip()
        assert line == "ready", f"the plain bot did not start: {line}"
        return bot


def install_node_packages():
    lock, mark = NODE / "package-lock.json", NODE / "node_modules" / ".installed-lock.json"
    if not mark.exists() or mark.read_text() != lock.read_text():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=NODE, check=True)
        mark.write_text(lock.read_text())
