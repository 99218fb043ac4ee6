"""API keys come from the credentials file alone, and a reload of the configuration is enough to change them."""
import os
import re

import pytest
from compare import wait_equal
from support.cluster import add_account, wait_for


def state(world, name):
    return world.cluster.rows("select state, coalesce(last_error, '') from monitoring.worker_status where account = %s", (name,))[0]


def refused(world, name, words):
    def look():
        now = state(world, name)
        return now if now[0] == "disabled" and words in now[1] else None
    return wait_for(look, f"refused because of: {words}", 10)


def health_of(world, check):
    return world.cluster.rows("select ok, value, detail from monitoring.health() where check_name = %s", (check,))[0]


def warnings(world, name):
    return len(re.findall(rf"WARNING: .*account {name}: credentials file", world.cluster.log_text()))


def reload(world):
    world.cluster.reload()


def test_an_account_without_a_line_goes_live_when_it_gets_one(world, venue):
    account = world.account(venue, count=2)
    line = world.keys.pop(account.name)
    world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
    world.cluster.write_credentials(world.keys)
    world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
    refused(world, account.name, "has no line for account")
    ok, value, detail = health_of(world, f"worker {account.name}")
    assert (ok, value) == (False, "disabled") and "has no line for account" in detail
    assert f"account {account.name}: credentials file" in world.cluster.log_text()

    world.keys[account.name] = line
    world.cluster.write_credentials(world.keys)
    reload(world)
    account.wait_live()
    wait_equal(account)


def test_a_changed_key_is_used_after_a_reload(world, venue):
    account = world.account(venue, count=1)
    wait_equal(account)
    new = (f"fresh{account.key}"[:18], f"another-secret-{account.key}".ljust(36, "z"))
    world.simulator.control("account", venue=venue, key=new[0], secret=new[1], wallet="777")
    world.keys[account.name] = new
    world.cluster.write_credentials(world.keys)
    reload(world)
    account.wait_value("select wallet_balance from monitoring.balances where account = :account and asset = 'USDT'", 777)
    account.wait_live()
    account.key = new[0]
    wait_equal(account, 20)  # what was reported seconds ago and is missing in a list is believed gone after 10 s only


def test_a_reload_without_a_change_keeps_the_connection(world, venue):
    account = world.account(venue, count=1)
    pid = account.pid()
    for _ in range(3):
        reload(world)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
    wait_equal(account)
    assert account.pid() == pid
    assert account.value("select sum(reconnects) from monitoring.stream_status where account = :account") == 0


def test_a_wrong_secret_is_refused_by_the_venue_and_says_so(world, venue):
    account = world.account(venue, live=False)
    world.cluster.rows("select monitoring.disable_account(%s)", (account.name,))
    key, secret = world.keys[account.name]
    world.keys[account.name] = (key, "wrong" + secret)
    world.cluster.write_credentials(world.keys)
    world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
    wait_for(lambda: state(world, account.name)[1] != "" and state(world, account.name)[0] != "live", "the refusal is shown", 10)
    ok, _, detail = health_of(world, f"worker {account.name}")
    assert ok is False and detail
    wait_for(lambda: account.value("select count(*) from monitoring.events where account = :account and severity = 'WARNING'"), "an alert", 5)
    world.keys[account.name] = (key, secret)
    world.cluster.write_credentials(world.keys)
    reload(world)
    account.wait_live()


@pytest.fixture
def file_put_back(world):
    yield
    world.cluster.configure({"tradesync.credentials_file": f"'{world.cluster.credentials}'"})
    world.cluster.write_credentials(world.keys)
    reload(world)


def by_mode(world):
    os.chmod(world.cluster.credentials, 0o644)
    return "group or others may access it"


def by_group(world):
    os.chmod(world.cluster.credentials, 0o640)
    return "group or others may access it"


def by_absence(world):
    world.cluster.configure({"tradesync.credentials_file": "'/nowhere/credentials'"})
    return "No such file"


def by_folder(world):
    world.cluster.configure({"tradesync.credentials_file": f"'{world.cluster.home}'"})
    return "not a regular file"


def by_data_directory(world):
    inside = world.cluster.data / "credentials"
    inside.write_bytes(world.cluster.credentials.read_bytes())
    os.chmod(inside, 0o600)
    owner = world.cluster.data.stat()
    os.chown(inside, owner.st_uid, owner.st_gid)
    world.cluster.configure({"tradesync.credentials_file": f"'{inside}'"})
    return "inside the data directory"


def by_link_into_data_directory(world):
    words = by_data_directory(world)
    link = world.cluster.home / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(world.cluster.data / "credentials")
    world.cluster.configure({"tradesync.credentials_file": f"'{link}'"})
    return words


def by_half_a_line(world):
    text = world.cluster.credentials.read_text(encoding="utf-8")
    world.cluster.credentials.write_text("\n".join(" ".join(line.split()[:2]) for line in text.splitlines()), encoding="utf-8")
    return "needs a key and a secret"


def by_size(world):
    with open(world.cluster.credentials, "a", encoding="utf-8") as file:
        file.write("# padding\n" * 10_000)
    return "larger than 64 kB"


@pytest.mark.parametrize("spoil", [by_mode, by_group, by_absence, by_folder, by_data_directory, by_link_into_data_directory, by_half_a_line, by_size])
def test_a_file_that_is_not_safe_or_not_readable_is_refused(world, file_put_back, spoil):
    account = world.account("bybit", count=1)
    wait_equal(account)
    before = account.rows("select id, status, quantity from monitoring.positions where account = :account")
    logged = warnings(world, account.name)
    words = spoil(world)
    reload(world)
    refused(world, account.name, words)
    assert words in health_of(world, f"worker {account.name}")[2]
    assert warnings(world, account.name) > logged
    assert account.rows("select id, status, quantity from monitoring.positions where account = :account") == before


def test_two_accounts_do_not_share_a_key(world, venue):
    first = world.account(venue, count=1)
    second = f"{first.name}_twin"
    world.keys[second] = world.keys[first.name]
    world.cluster.write_credentials(world.keys)
    add_account(world.cluster, world.simulator, venue, second)
    refused(world, second, "already uses this API key")
    assert world.cluster.worker_state(first.name) == "live"


def test_an_account_in_dry_run_opens_no_private_connection(world, venue):
    account = world.account(venue, live=False, mode="dry_run", count=1)
    wait_for(lambda: account.pid(), "a worker", 5)
    wait_for(lambda: any(r["path"].endswith(("/time", "/exchangeInfo", "/instruments-info")) for r in world.simulator.get("requests", venue)["requests"]),
             "public data is asked for", 5)
    sessions = world.simulator.get("connections", venue)["connections"]
    assert [s for s in sessions if s["account"] == account.key] == []
    assert account.value("select count(*) from monitoring.positions where account = :account") == 0
