"""A standby is silent; promoted, it mirrors at once and trades only after resume()."""
import itertools
import os
import pathlib
import tempfile

import pytest
from compare import wait_equal
from conftest import Account
from support.cluster import Cluster, free_port, wait_for

numbers = itertools.count(1)


class Standby(Cluster):
    """A physical copy of a running cluster, in recovery until promoted."""

    def __init__(self, primary, settings=None):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tradesync-standby-"))
        os.chmod(self.home, 0o755)
        self.user = primary.user
        self.data, self.log, self.credentials = self.home / "data", self.home / "server.log", self.home / "credentials"
        self.port = free_port()
        self.connections = []
        if self.user:
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        self.server("pg_basebackup", "-h", primary.home, "-p", primary.port, "-U", "postgres", "-D", self.data, "-R", "-c", "fast", "--no-sync")
        self.configure({"port": self.port, "unix_socket_directories": f"'{self.home}'", "tradesync.credentials_file": f"'{self.credentials}'",
                        **(settings or {})})

    def promote(self):
        self.server("pg_ctl", "-D", self.data, "-w", "promote")

    def in_recovery(self):
        return self.value("select pg_is_in_recovery()")


class StandbyAccount(Account):
    """The same account, seen through the standby."""

    def __init__(self, account, standby):
        super().__init__(account.world, account.venue, account.name, account.key)
        self.cluster = standby


@pytest.fixture
def standby(world, request):
    made = []

    def make(settings=None):
        made.append(Standby(world.cluster, settings))
        made[-1].write_credentials(world.keys)
        return made[-1].start()
    yield make
    for one in made:
        one.remove()
    if not (world.cluster.data / "postmaster.pid").exists():
        world.cluster.start()


def caught_up(account, copy):
    """The standby has replayed what the primary holds."""
    wait_for(lambda: account.value("select pg_current_wal_flush_lsn()") and
             copy.value(f"select pg_last_wal_replay_lsn() >= '{account.value('select pg_current_wal_flush_lsn()')}'"), "the standby follows", 10)


def test_a_standby_connects_nowhere_and_follows(world, venue, standby):
    account = world.account(venue, count=3)
    sessions = len(world.simulator.get("connections", venue)["connections"])
    copy = standby()
    assert copy.in_recovery()
    since = max(r["number"] for r in world.simulator.get("requests", venue)["requests"])
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    wait_equal(account)
    seen = StandbyAccount(account, copy)
    wait_for(lambda: len(seen.rows("select 1 from monitoring.open_positions where account = :account")) == 4, "the row is on the standby", 10)
    # Whoever asked meanwhile was the primary: its processes are the only ones, and sessions did not grow.
    assert copy.value("select count(*) from pg_stat_activity where backend_type in ('pg_tradesync supervisor', 'pg_tradesync worker')") == 0
    assert len(world.simulator.get("connections", venue)["connections"]) == sessions
    handshakes = [r for r in world.simulator.control("requests", venue=venue, since=since)["requests"] if r["status"] == 101]
    assert handshakes == []
    # What people ask on a standby is answered or refused, and never hangs.
    assert copy.rows("select check_name from monitoring.health()")
    assert copy.rows("select state from monitoring.worker_status") is not None


def test_a_promoted_standby_mirrors_halted_until_it_is_resumed(world, venue, standby):
    account = world.account(venue, count=2)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    wait_equal(account)
    copy = standby()
    caught_up(account, copy)
    world.cluster.stop("fast")
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.01")
    account.control("trade", symbol="ETHUSDT", side="sell", quantity="0.2")
    copy.promote()
    seen = StandbyAccount(account, copy)
    seen.wait_live()
    wait_equal(seen)
    halted = "select halted, halt_reason from monitoring.worker_status where account = :account"
    assert seen.rows(halted)[0][0] is True and "identity changed" in seen.rows(halted)[0][1]
    assert seen.value(f"select ok from monitoring.health() where check_name = 'identity {account.name}'") is False
    epoch = "select count(*) from monitoring.account_epochs where account = :account"
    epochs = seen.value(epoch)
    copy.rows("select monitoring.resume(%s)", (account.name,))
    wait_for(lambda: seen.rows(halted)[0] == (False, None) or seen.rows(halted)[0] == (False, ""), "resumed", 5)
    assert seen.value(epoch) == epochs + 1
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.2")
    wait_equal(seen)
    assert seen.rows("select symbol, status from monitoring.positions where account = :account and symbol in ('BTCUSDT','ETHUSDT') order by 1") == [
        ("BTCUSDT", "closed"), ("ETHUSDT", "closed")]


def test_a_planned_promotion_can_go_on_without_resume(world, standby):
    account = world.account("bybit", count=2)
    copy = standby({"tradesync.resume_after_promotion": "on"})
    caught_up(account, copy)
    world.cluster.stop("fast")
    copy.promote()
    seen = StandbyAccount(account, copy)
    seen.wait_live()
    wait_equal(seen)
    assert seen.value("select halted from monitoring.worker_status where account = :account") is False
