"""make demo: two exchange accounts come to life in a throw-away PostgreSQL, lose their connections, and end up exactly right.

The exchanges are the simulator of this repository; everything else is what a user would run. KEEP=1 (or --keep) leaves
server and simulator running until Ctrl-C and prints the psql command. Exit code 0 only when every comparison holds.
"""
import os
import signal
import subprocess
import sys
import textwrap
import time

from e2e import compare
from support.cluster import Cluster, PG_BIN, Simulator, wait_for

DATABASE = "demo"
VENUES = ("binance", "bybit")


class Account:
    """One account at the simulator and in the database, in the shape that e2e.compare looks at."""

    def __init__(self, demo, venue):
        self.demo, self.venue, self.name = demo, venue, f"{venue}_demo"
        self.key, self.secret = f"{venue}-demo-key-0001".ljust(20, "0"), f"{venue}-demo-secret".ljust(36, "0")
        demo.simulator.control("account", venue=venue, key=self.key, secret=self.secret, wallet="10000")
        self.history = set()

    def at_exchange(self, command, **fields):
        return self.demo.simulator.control(command, venue=self.venue, account=self.key, **fields)

    def rows(self, statement):
        return self.demo.cluster.rows(statement.replace(":account", f"'{self.name}'"), database=DATABASE)

    def truth(self):
        return next(account for account in self.demo.simulator.state(self.venue)["accounts"] if account["key"] == self.key)

    def both_books(self):
        """(what, in our tables, at the exchange). Fills from before the first connect are history that is not read back."""
        truth, late = self.truth(), lambda fills: {key: fill for key, fill in fills.items() if key[1] not in self.history}
        wallets = dict(self.rows("select asset, wallet_balance from monitoring.balances where account = :account"))
        return (
            ("fills", late(compare.trades_of(self)), late(compare.fills_of(truth))),
            ("positions", compare.positions_of(self), compare.held_by(truth)),
            ("open rows of monitoring.positions", compare.open_rows_of(self), compare.held_by(truth)),
            ("resting orders", compare.open_orders_of(self), compare.resting_in(truth)),
            ("wallet balances", wallets, {held["asset"]: compare.number(held["wallet_balance"]) for held in truth["balances"]}),
        )

    def wait_row(self, condition, what):
        return wait_for(lambda: self.rows(f"select 1 from {condition}"), f"{what} of {self.name}", every=0.001)


class Demo:
    def __init__(self):
        self.began = time.monotonic()
        self.simulator = Simulator(seed=7)
        self.cluster = Cluster(databases=DATABASE, name="tradesync-demo").start()
        self.cluster.psql(f"create database {DATABASE}")
        self.accounts = [Account(self, venue) for venue in VENUES]
        self.cluster.write_credentials({account.name: (account.key, account.secret) for account in self.accounts})

    # ------------------------------------------------------------------ telling
    def chapter(self, title, text):
        print(f"\n=== {title} {'=' * (95 - len(title))}\n")
        print(textwrap.fill(" ".join(text.split()), 100), flush=True)

    def sql(self, statement):
        """Shows a statement as psql would and runs it with psql."""
        lines = textwrap.dedent(statement).strip().split("\n")
        print("\n" + "\n".join(("demo=# " if number == 0 else "demo-# ") + line for number, line in enumerate(lines)) + ";")
        done = subprocess.run([PG_BIN / "psql", "-X", "-h", self.cluster.home, "-p", str(self.cluster.port), "-U", "postgres", "-d", DATABASE,
                               "-v", "ON_ERROR_STOP=1", "-P", "footer=off", "-P", "null=·", "-c", "\n".join(lines)],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stderr.strip())
        print(done.stdout.rstrip(), flush=True)

    def happens(self, what, act, condition):
        """Something happens at the exchanges; tells how long the table took to show it."""
        for account in self.accounts:
            began = time.monotonic()
            act(account)
            account.wait_row(condition.replace(":account", f"'{account.name}'"), what)
            print(f"  {account.venue:8} {what}: in the table {1000 * (time.monotonic() - began):.0f} ms after the exchange was asked", flush=True)

    def all_accounts(self, command, **fields):
        for account in self.accounts:
            account.at_exchange(command, **fields)

    # ------------------------------------------------------------------ the story
    def connect(self):
        self.chapter("1. Connect", """Both accounts already hold a BTCUSDT position and a resting order, opened elsewhere before we existed.
            Their keys stand in the credentials file, never in the database. Mode observe: nothing is ever sent to the exchange.""")
        self.all_accounts("trade", symbol="BTCUSDT", side="buy", quantity="0.1")
        self.all_accounts("order", symbol="BTCUSDT", side="buy", type="limit", price="50000", quantity="0.02")
        for account in self.accounts:
            account.history = {fill["trade_id"] for fill in account.truth()["fills"]}
        self.sql("create extension pg_tradesync")
        for account in self.accounts:
            rest, stream = self.simulator.urls(account.venue)
            self.sql(f"""\
                select monitoring.add_account('{account.name}', '{account.venue}', mode => 'observe',
                         rest_url => '{rest}',
                         ws_public_url => '{stream}', ws_private_url => '{stream}')""")
        self.sql("select name, monitoring.enable_account(name) from monitoring.accounts")
        for account in self.accounts:
            self.cluster.wait_live(account.name, database=DATABASE)
            account.wait_row(f"monitoring.open_positions where account = '{account.name}' and current_price is not null", "a priced position")
        self.sql("select account, state, halted from monitoring.worker_status order by account")
        self.sql("""\
            select account, symbol, side, quantity, entry_price, current_price, origin, managed
            from monitoring.open_positions order by account""")
        self.sql("select account, symbol, side, type, price, quantity, status from monitoring.orders")

    def follow(self):
        self.chapter("2. Somebody trades", "Another client of the same accounts opens, adds, rests an order and places a stop. We only listen.")
        print()
        self.happens("short of 2 ETHUSDT", lambda account: account.at_exchange("trade", symbol="ETHUSDT", side="sell", quantity="2"),
                     "monitoring.open_positions where account = :account and symbol = 'ETHUSDT' and quantity = 2")
        self.happens("1 ETHUSDT more", lambda account: account.at_exchange("trade", symbol="ETHUSDT", side="sell", quantity="1"),
                     "monitoring.open_positions where account = :account and symbol = 'ETHUSDT' and quantity = 3")
        self.happens("stop on 0.1 BTCUSDT", lambda account: account.at_exchange(
            "order", symbol="BTCUSDT", side="sell", type="market", trigger_price="62000", quantity="0.1", reduce_only=True),
            "monitoring.orders where account = :account and kind = 'conditional' and status = 'new'")
        self.sql("""\
            select account, symbol, side, price, quantity, round(fee, 4) as fee, is_maker,
                   to_char(executed_at, 'HH24:MI:SS.MS') as executed_at
            from monitoring.trades t order by t.executed_at""")
        self.sql("""\
            select account, kind, type, side, price, stop_price, quantity, status
            from monitoring.orders where is_open order by account, kind""")

    def prices(self):
        self.chapter("3. Prices move", "Mark prices drive unrealized_pnl of every open row, as hot updates: indexes are not touched.")
        for btc, eth in (("64500", "3350"), ("63500", "3250")):
            self.all_accounts("price", symbol="BTCUSDT", mark=btc, last=btc)
            self.all_accounts("price", symbol="ETHUSDT", mark=eth, last=eth)
            for account in self.accounts:
                for symbol, price in (("BTCUSDT", btc), ("ETHUSDT", eth)):
                    account.wait_row(f"monitoring.open_positions where account = '{account.name}' and symbol = '{symbol}' "
                                     f"and current_price = {price}", f"price of {symbol}")
            self.sql("""\
                select account, symbol, side, quantity, entry_price, current_price,
                       round(unrealized_pnl, 2) as pnl, round(unrealized_pnl_percentage, 2) as percent
                from monitoring.open_positions order by account, symbol""")

    def stop_fires(self):
        self.chapter("4. The stop fires", """BTCUSDT falls through the stop. The exchange closes the position; exit price and result come from its fills.
            pnl (net of all fees) stays empty while the opening fills, older than our acquaintance, are unknown: nothing is guessed.""")
        self.all_accounts("price", symbol="BTCUSDT", mark="61900", last="61900")
        for account in self.accounts:
            account.wait_row(f"monitoring.positions where account = '{account.name}' and status = 'closed' and exit_price is not null", "a settled position")
        self.sql("""\
            select account, symbol, side, quantity, entry_price, exit_price, realized_pnl, pnl
            from monitoring.positions where status = 'closed' order by account""")

    def cut(self):
        self.chapter("5. The lines are cut", """Every connection is reset, and the exchanges refuse new ones for two seconds. Meanwhile the ETHUSDT short
            is closed, SOLUSDT is opened, and the resting BTCUSDT order fills in part. Nobody tells us.""")
        for account in self.accounts:
            account.at_exchange("fault", name="refuse", ms=2000)
            account.at_exchange("drop", stream="all", how="reset")
        self.all_accounts("trade", symbol="ETHUSDT", side="buy", quantity="3")
        self.all_accounts("trade", symbol="SOLUSDT", side="buy", quantity="10")
        for account in self.accounts:
            resting = account.rows("select order_id from monitoring.orders where account = :account and is_open and type = 'limit'")[0][0]
            account.at_exchange("fill", order_id=resting, quantity="0.005", price="50000")
        for account in self.accounts:
            wait_for(lambda: self.cluster.worker_state(account.name, DATABASE) != "live", f"{account.name} notices")
        self.sql("select account, state, last_error from monitoring.worker_status order by account")
        began = time.monotonic()
        for account in self.accounts:
            self.cluster.wait_live(account.name, timeout=20, database=DATABASE)
        print(f"\n  … {time.monotonic() - began:.1f} s later both are live again.")
        for account in self.accounts:
            account.wait_row(f"monitoring.positions where account = '{account.name}' and symbol = 'ETHUSDT' and pnl is not null", "the closed short")
            account.wait_row(f"monitoring.open_positions where account = '{account.name}' and symbol = 'SOLUSDT' and current_price is not null", "SOLUSDT")
        self.sql("""\
            select account, reason, complete, findings, finished_at - started_at as took
            from monitoring.sync_runs order by id""")
        self.sql("""\
            select account, symbol, side, status, quantity, entry_price, exit_price, round(pnl, 4) as pnl
            from monitoring.positions order by account, id""")

    def ask(self):
        self.chapter("6. Ask", "What is subscribed, what happened, is all well?")
        self.all_accounts("price_walk", every_ms=200)
        wait_for(lambda: not self.cluster.rows("select 1 from monitoring.subscriptions where state <> 'subscribed'", database=DATABASE),
                 "all subscriptions")
        self.sql("select * from monitoring.sync_positions() order by account, symbol")
        self.sql("""\
            select to_char(created_at, 'HH24:MI:SS') as at, account, severity, event_type,
                   left(error_message, 32) as message
            from monitoring.events where event_type ~ '^(websocket|synchronization)' order by id""")
        print("\n  … within a minute the supervisor makes the first partitions of events; then all is well:", flush=True)
        wait_for(lambda: not self.cluster.rows("select 1 from monitoring.health() where not ok", database=DATABASE), "health() is well", 70, 0.5)
        self.sql("select check_name, ok, value from monitoring.health()")

    # ------------------------------------------------------------------ the proof
    def compare(self):
        self.chapter("7. Compare", "The tables against the simulator's own books, to the last digit.")
        try:
            wait_for(lambda: all(ours == theirs for account in self.accounts for _, ours, theirs in account.both_books()), "equal books")
        except AssertionError:
            pass  # what differs is shown below
        print(f"\n  {'account':14} {'what':34} {'tables':>8} {'exchange':>9}")
        differences = []
        for account in self.accounts:
            for what, ours, theirs in account.both_books():
                differences.append(compare.difference(ours, theirs))
                print(f"  {account.name:14} {what:34} {len(ours):8} {len(theirs):9}  {differences[-1] or 'equal'}")
        return not any(differences)

    def keep(self):
        print(f"\nServer and simulator go on, prices walk. Look around from another terminal:\n\n"
              f"  {PG_BIN}/psql -h {self.cluster.home} -p {self.cluster.port} -U postgres {DATABASE}\n\n"
              f"To trade as another client of an account (test/simulator/README.md has every command):\n\n"
              f"  curl -d '{{\"venue\":\"bybit\",\"account\":\"{self.accounts[1].key}\",\"symbol\":\"XRPUSDT\",\"side\":\"buy\",\"quantity\":\"100\"}}' "
              f"http://127.0.0.1:{self.simulator.ports['control']}/trade\n\nCtrl-C ends and removes everything.", flush=True)
        signal.pause()


def main():
    demo = Demo()
    print(f"pg_tradesync demo: PostgreSQL and both exchanges are up after {time.monotonic() - demo.began:.1f} s")
    for act in (demo.connect, demo.follow, demo.prices, demo.stop_fires, demo.cut, demo.ask):
        act()
    if not demo.compare():
        print("\nDEMO FAILED - the tables differ from the exchange")
        return 1
    print(f"\n{time.monotonic() - demo.began:.0f} s\nDEMO COMPLETED - all checks passed", flush=True)
    if "--keep" in sys.argv or os.environ.get("KEEP"):
        demo.keep()
    return 0


try:
    sys.exit(main())
except KeyboardInterrupt:
    print("\ninterrupted; server and simulator are removed")
    sys.exit(130)
except AssertionError as failure:
    print(f"\nDEMO FAILED - {failure}")
    sys.exit(1)
