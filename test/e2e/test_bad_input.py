"""Bad words are refused with an error that names them, and a secret is nowhere but in the credentials file."""
import os
import pathlib
import subprocess

import psycopg2
import pytest
from compare import wait_equal
from support.cluster import PG_BIN, wait_for


def refusal(world, sql, *arguments):
    with pytest.raises(psycopg2.Error) as caught:
        world.cluster.rows(sql, arguments)
    return caught.value.pgcode, caught.value.diag.message_primary, caught.value.diag.message_hint or ""


@pytest.mark.parametrize("arguments,state,words", [
    (("x", "kraken"), "TS004", "invalid exchange"),
    (("x", "Bybit"), "TS004", "invalid exchange"),
    (("x", None), "TS004", "invalid exchange"),
    (("x", "bybit", "moon"), "TS005", "invalid environment"),
    (("x", "bybit", "mainnet", "yolo"), "TS006", "invalid mode"),
    (("x", "bybit", "mainnet", "live"), "TS007", "live"),
    (("x", "bybit", "mainnet", "observe", "ftp://127.0.0.1"), "TS008", "invalid rest_url"),
    (("x", "bybit", "mainnet", "observe", "ws://127.0.0.1"), "TS008", "invalid rest_url"),
    (("x", "bybit", "mainnet", "observe", "http://example.org"), "TS008", "invalid rest_url"),
    (("x", "bybit", "mainnet", "observe", "http://127.0.0.1.example.org"), "TS008", "invalid rest_url"),
    (("x", "bybit", "mainnet", "observe", "https://user:secret@example.org"), "TS008", "invalid rest_url"),
    (("x", "bybit", "mainnet", "observe", "https://example.org/path"), "TS008", "invalid rest_url"),
    (("x", "bybit", "mainnet", "observe", None, "http://127.0.0.1"), "TS008", "invalid ws_public_url"),
    (("x", "bybit", "mainnet", "observe", None, "ws://10.0.0.1:9"), "TS008", "invalid ws_public_url"),
    (("x", "bybit", "mainnet", "observe", None, None, "wss://host:99999"), "TS008", "invalid ws_private_url"),
])
def test_an_account_with_a_wrong_word_is_refused(world, arguments, state, words):
    places = ", ".join(["%s"] * len(arguments))
    code, message, hint = refusal(world, f"select monitoring.add_account({places})", *arguments)
    assert code == state and words in message and hint
    assert world.cluster.value("select count(*) from monitoring.accounts where name = 'x'") == 0


@pytest.mark.parametrize("call", ["enable_account('nobody')", "disable_account('nobody')", "drop_account('nobody')", "resume('nobody')",
                                  "halt('nobody')", "configure_account('nobody', '{}')", "wake('nobody')", "enable_account(null)"])
def test_an_unknown_account_is_refused_by_name(world, call):
    code, message, hint = refusal(world, f"select monitoring.{call}")
    assert code == "TS002" and ("nobody" in message or "NULL" in message) and "add_account" in hint


def test_sync_positions_of_an_unknown_account_is_refused(world):
    assert refusal(world, "select * from monitoring.sync_positions('nobody')")[0] == "TS002"


def test_an_exchange_that_cannot_be_reached_is_told_and_waited_for(world, venue):
    cluster = world.cluster
    name = f"{venue}_nowhere"
    world.keys[name] = (f"key-of-{name}", f"secret-of-{name}")
    cluster.write_credentials(world.keys)
    for url in ("127.0.0.1:1", "no-such-host.invalid"):
        scheme = "s" if "invalid" in url else ""
        cluster.rows("select monitoring.add_account(%s, %s, 'mainnet', 'observe', %s, %s, %s)",
                     (name, venue, f"http{scheme}://{url}", f"ws{scheme}://{url}", f"ws{scheme}://{url}"))
        cluster.rows("select monitoring.enable_account(%s)", (name,))
        shown = lambda: cluster.rows("select ok, detail from monitoring.health() where check_name = %s", (f"worker {name}",))[0]  # noqa: E731
        wait_for(lambda: shown()[0] is False and (shown()[1] or "").strip(), f"health() names the trouble with {url}", 10)
        cluster.rows("select monitoring.disable_account(%s)", (name,))
        wait_for(lambda: not cluster.value("select pid from monitoring.worker_status where account = %s", (name,)), "the worker leaves", 5)
        cluster.rows("select monitoring.drop_account(%s)", (name,))


def test_wrong_kinds_of_server_behind_the_url_end_nothing(world):
    """A plain port asked for TLS, and the other venue's server."""
    cluster, name = world.cluster, "bybit_mixed_up"
    world.keys[name] = ("some-key", "some-secret-of-mixed-up")
    cluster.write_credentials(world.keys)
    plain = world.simulator.ports["bybit_http"]
    other = world.simulator.ports["binance_http"]
    for rest, stream in ((f"https://127.0.0.1:{plain}", f"wss://127.0.0.1:{plain}"), (f"http://127.0.0.1:{other}", f"ws://127.0.0.1:{other}")):
        cluster.rows("select monitoring.add_account(%s, 'bybit', 'mainnet', 'observe', %s, %s, %s)", (name, rest, stream, stream))
        cluster.rows("select monitoring.enable_account(%s)", (name,))
        told = "select ok, detail from monitoring.health() where check_name = %s"
        wait_for(lambda: cluster.rows(told, (f"worker {name}",)) and (cluster.rows(told, (f"worker {name}",))[0][1] or "").strip(), "it is told", 10)
        assert cluster.worker_state(name) != "live"
        cluster.rows("select monitoring.disable_account(%s)", (name,))
        wait_for(lambda: not cluster.value("select pid from monitoring.worker_status where account = %s", (name,)), "the worker leaves", 5)
        cluster.rows("select monitoring.drop_account(%s)", (name,))


def proc(pid, name):
    return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()


def test_secrets_are_nowhere(world, venue):
    account = world.account(venue, count=2)
    # Keys as long as real ones.
    length = (18, 36) if venue == "bybit" else (64, 64)
    key, secret = "Key4u".ljust(length[0], "k"), "Secret4u".ljust(length[1], "s")
    world.simulator.control("account", venue=venue, key=key, secret=secret, wallet="4321")
    world.keys[account.name], account.key = (key, secret), key
    world.cluster.write_credentials(world.keys)
    world.cluster.reload()
    account.wait_value("select wallet_balance from monitoring.balances where account = :account and asset = 'USDT'", 4321)
    account.wait_live()
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
    wait_equal(account)
    account.fault("malformed", stream="private")
    # Whatever a venue echoes in an error must not be kept either.
    account.fault("ret_code", path="/", code=10004 if venue == "bybit" else -1022, times=2, status=200 if venue == "bybit" else 400,
                  message=f"error sign! origin_string[1700000000000{key}5000]")
    account.simulator.control("drop", venue=venue, stream="all", how="reset")
    wait_for(lambda: account.value("select count(*) from monitoring.events where account = :account and event_type = 'exchange_error'"), "it failed", 10)
    dump = subprocess.run([PG_BIN / "pg_dumpall", "-h", world.cluster.home, "-p", str(world.cluster.port), "-U", "postgres"],
                          capture_output=True, check=True, timeout=60).stdout
    assert account.name.encode() in dump
    pids = [account.pid()] + [row[0] for row in world.cluster.rows("select pid from pg_stat_activity where pid is not null")]
    places = {"dump": dump, "log": world.cluster.log_text().encode(),
              "activity": str(world.cluster.rows("select * from pg_stat_activity")).encode(),
              "status": str(world.cluster.rows("select * from monitoring.worker_status")).encode() +
                        str(world.cluster.rows("select * from monitoring.health()")).encode()}
    for pid in pids:
        if os.path.exists(f"/proc/{pid}"):
            places[f"cmdline of {pid}"] = proc(pid, "cmdline")
            places[f"environ of {pid}"] = proc(pid, "environ")
    for place, content in places.items():
        assert secret.encode() not in content, place
        assert key.encode() not in content, place
