"""What the demo plays on: a server with one database, both exchanges over TLS, an account on each, and how it tells what happens."""
import os
import subprocess
import textwrap
import time

from support.cluster import PG_BIN, ROOT, Cluster, Simulator, wait_for
from trading import Trader

DATABASE = "demo"
VENUES = ("binance", "bybit")
WIDTH = 100


class Server(Cluster):
    """A server whose one interesting database is DATABASE."""

    def connect(self, database=DATABASE, user="postgres"):
        return super().connect(database, user)

    def rows(self, sql, arguments=None, database=DATABASE, user="postgres"):
        return super().rows(sql, arguments, database, user)


class DemoAccount(Trader):
    """One account at the simulator and in the database. Fills from before its first connection are history, not read back."""

    def __init__(self, stage, venue):
        super().__init__(stage, venue, f"{venue}_demo", f"{venue}-demo-key-0001".ljust(20, "0"))
        self.secret, self.history = f"{venue}-demo-secret".ljust(36, "0"), set()
        self.simulator.control("account", venue=venue, key=self.key, secret=self.secret, wallet="10000")

    def remember_history(self):
        self.history = {fill["trade_id"] for fill in self.truth()["fills"]}

    def wait_for(self, condition, what, timeout=20):
        """Until there is such a row: a relation of monitoring, its conditions, :account."""
        return wait_for(lambda: self.rows(f"select 1 from monitoring.{condition}"), f"{what} of {self.name}", timeout, 0.01)

    def wait_state(self, is_live):
        self.wait_for(f"worker_status where account = :account and (state = 'live') = {is_live}", "live" if is_live else "not live")


class Stage:
    def __init__(self):
        self.began = time.monotonic()
        self.simulator = Simulator(seed=7, tls=True)
        self.cluster = Server({"tradesync.live_trading": "on", "tradesync.ca_file": f"'{self.simulator.ca_file}'"},
                              databases=DATABASE, name="tradesync-demo").start()
        self.cluster.psql(f"create database {DATABASE}")
        self.stopped = []
        self.accounts = [DemoAccount(self, venue) for venue in VENUES]
        self.cluster.write_credentials({account.name: (account.key, account.secret) for account in self.accounts})

    @property
    def conninfo(self):
        return f"host={self.cluster.home} port={self.cluster.port} user=postgres dbname={DATABASE}"

    def seconds(self):
        return time.monotonic() - self.began

    def value(self, statement):
        return self.cluster.value(statement, database=DATABASE)

    # ------------------------------------------------------------------ telling
    def chapter(self, title, text):
        print(f"\n=== {title} {'=' * (WIDTH - 5 - len(title))}\n")
        print(textwrap.fill(" ".join(text.split()), WIDTH), flush=True)

    def note(self, text):
        print(f"\n  … {text}", flush=True)

    def sql(self, statement):
        """Shows a statement as psql would and runs it with psql."""
        lines = textwrap.dedent(statement).strip().split("\n")
        print("\n" + "\n".join(("demo=# " if number == 0 else "demo-# ") + line for number, line in enumerate(lines)) + ";")
        done = subprocess.run([PG_BIN / "psql", "-X", "-d", self.conninfo, "-v", "ON_ERROR_STOP=1", "-P", "footer=off", "-P", "null=·",
                               "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stderr.strip())
        print("\n".join(line.rstrip() for line in done.stdout.rstrip().split("\n")), flush=True)

    def monitor(self):
        """One screen of `make monitor`."""
        done = subprocess.run([ROOT / "tools" / "monitor.sh", self.conninfo], env=dict(os.environ, ONCE="1"),
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"the monitor failed: {done.stderr.strip()}")
        print("\n" + textwrap.indent(done.stdout.rstrip(), "  "), flush=True)

    # ------------------------------------------------------------------ prices
    def move_price(self, account, symbol, factor, of="current_price"):
        """Moves mark and last price of the symbol to that factor of a column of its open position, on the tick."""
        price = account.rows(f"select trim_scale(round(p.{of} * {factor} / i.tick_size) * i.tick_size) from monitoring.positions p "
                             f"join monitoring.instruments i using (account, symbol) "
                             f"where p.account = :account and p.symbol = '{symbol}' and p.is_open")[0][0]
        account.mark(symbol, price)
        return price
