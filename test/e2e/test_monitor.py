"""make monitor: what it shows stands in the tables, fits its 100 columns, and steers no terminal."""
import os
import pty
import re
import signal
import subprocess
from decimal import Decimal

import pytest
from support.cluster import ROOT, wait_for
from trading import LIVE_TRADING, trader

SETTINGS = LIVE_TRADING
WIDTH = 100


def conninfo(world, database="postgres", user="postgres"):
    return f"host={world.cluster.home} port={world.cluster.port} user={user} dbname={database}"


def monitor(target, check=True, **environment):
    """What one screen says; height is the terminal's, which there is none of here."""
    done = subprocess.run([ROOT / "tools/monitor.sh", target], env=dict(os.environ, **environment), capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL, start_new_session=True)
    assert not check or done.returncode == 0, done.stderr
    return done if not check else done.stdout


def part(screen, title):
    """The lines of one part, its heading first."""
    found = [block.split("\n") for block in screen.rstrip("\n").split("\n\n") if block.startswith(title)]
    assert len(found) == 1, f"{title} stands {len(found)} times in:\n{screen}"
    return found[0]


def decide(world, rows):
    """(key, symbol, decision, reason, detail) as decisions of today; an opened one names its position in detail."""
    for key, symbol, decision, reason, detail in rows:
        position = detail if decision == "opened" else None
        world.cluster.rows("insert into monitoring.signal_decisions (source_id, source, signal_key, exchange, symbol, side, score, "
                           "decision, reason, detail, position_id) values (0, 'public.s', %s, 'bybit', %s, 'long', 71.555, %s, %s, %s, %s)",
                           (key, symbol, decision, reason, None if position else detail, position))


@pytest.fixture(scope="module")
def traded(world):
    """An account that trades, one on paper, one that is switched off; decisions and an alert with texts from outside."""
    live = trader(world, "bybit", settings={"leverage": 5})
    paper = trader(world, "binance", mode="dry_run", settings={"leverage": 5})
    live.control("trade", symbol="AVAXUSDT", side="buy", quantity="10")
    opened = [live.opened("BTCUSDT", "long"), live.opened("1000PEPEUSDT", "short"), paper.opened("ETHUSDT", "long")]
    live.done(live.set_target(opened[0], "70000"))
    closed = live.opened("SOLUSDT")
    live.close(closed, "took profit")
    live.reach(closed, "closed")
    live.wait_value("select count(*) from monitoring.positions where account = :account and pnl is not null", 1)
    live.wait_value("select count(*) from monitoring.open_positions where account = :account", 3)
    decide(world, [("1", "BTCUSDT", "opened", "accepted", opened[0]), ("2", "BTCUSDT", "rejected", "duplicate_position", "held"),
                   ("3", "X" * 300, "rejected", "duplicate_position", "evil \x1b[2J\x07 detail\nof two lines " + "y" * 500)])
    world.cluster.rows("insert into monitoring.events (account, event_type, severity, symbol, error_message) "
                       "values (%s, 'exchange_error', 'ERROR', 'BTCUSDT', %s)", (live.name, "first line\nsecond \x1b[31mred\r" + "z" * 300))
    world.cluster.rows("select monitoring.add_account(%s, 'binance')", ("long-" + "n" * 58,))
    return live, paper, opened


@pytest.fixture
def busy(world, traded):
    """The same, connected: every test leaves its accounts switched off."""
    for account in traded[:2]:
        world.cluster.rows("select monitoring.enable_account(%s)", (account.name,))
    for account in traded[:2]:
        account.wait_live()
    return traded


def test_every_position_order_and_balance_is_shown_as_the_tables_have_it(world, busy):
    live, paper, opened = busy
    screen = monitor(conninfo(world))
    accounts = part(screen, "pg_tradesync")
    assert [line.split()[:4] for line in accounts if line.startswith(live.name)] == [[live.name, "bybit", "live", "live"]], accounts
    assert [line.split()[:4] for line in accounts if line.startswith(paper.name)] == [[paper.name, "binance", "dry_run", "live"]], accounts
    assert any(line.startswith("long-nnn") and "disabled" in line for line in accounts), accounts

    shown = part(screen, "POSITIONS")
    assert shown[0].startswith("POSITIONS  4 open, 1 without a stop, "), shown[0]
    assert re.search(r"closed in 24 h: 1 took profit,\s+pnl -\d", "\n".join(shown)), shown
    rows = world.cluster.rows("select account, symbol, side, quantity, entry_price, current_price, stop_loss_price, "
                              "case when managed then status else 'not managed' end from monitoring.open_positions")
    assert len(rows) == 4
    for account, symbol, side, quantity, entry, mark, stop, status in rows:
        line = next(text for text in shown if text.startswith(f"{account:12} {symbol:12} {side:5} "))
        numbers = [Decimal(word) for word in line.split()[3:] if re.fullmatch(r"-?[\d.]+", word)]
        for exact in filter(None, (quantity, entry, mark, stop)):
            assert any(abs(number - exact) <= Decimal("0.0001") * exact for number in numbers), (exact, line)
        assert line.endswith(status), line

    orders = part(screen, "OPEN ORDERS  3 stop_loss, 1 take_profit")
    target = next(line for line in orders[1:] if "take_profit" in line)
    assert target.split()[:4] == [live.name, "BTCUSDT", "take_profit", "sell"] and " 70000 " in target, target
    assert len(orders) == 2 + 4, orders
    wallet = live.value("select round(wallet_balance, 4) from monitoring.balances where account = :account")
    assert any(line.split()[:3] == [live.name, "USDT", str(wallet)] for line in part(screen, "BALANCES")), screen


def test_decisions_are_counted_by_reason_and_alerts_by_severity(world, busy):
    screen = monitor(conninfo(world))
    signals = part(screen, "SIGNALS of 24 h  2 duplicate_position, 1 accepted")
    assert any("BTCUSDT" in line and "71.56" in line and f"position {busy[2][0]}" in line for line in signals), signals
    alerts = part(screen, "ALERTS of 24 h  ")
    assert re.search(r"[1-9]\d* ERROR", alerts[0]), alerts
    assert any("exchange_error: first line second" in line for line in alerts), alerts


def test_no_line_is_wider_than_the_screen_and_none_steers_the_terminal(world, busy):
    screen = monitor(conninfo(world))
    assert max(map(len, screen.split("\n"))) == WIDTH, "the long texts must reach the edge, and end there"
    assert not re.search(r"[^\n -~]", screen), [line for line in screen.split("\n") if re.search(r"[^ -~]", line)]
    assert "evil  [2J  detail of t" in screen


def test_a_list_ends_where_the_screen_ends_and_tells_how_much_is_left(world, busy):
    live = busy[0]
    world.cluster.rows("insert into monitoring.signal_decisions (source_id, source, signal_key, symbol, decision, reason) "
                       "select 0, 'public.s', 'many-' || n, 'ETHUSDT', 'rejected', 'low_score' from generate_series(1, 200) n")
    total = world.cluster.value("select count(*) from monitoring.signal_decisions")
    lines = {}
    for height in (40, 70):
        done = subprocess.run(["psql", "-X", "-v", "once=1", "-v", f"height={height}", "-d", conninfo(world),
                               "-f", ROOT / "tools/monitor.sql"], capture_output=True, text=True, timeout=30, check=True)
        signals = part(done.stdout, "SIGNALS")
        more = re.fullmatch(r"and (\d+) more", signals[-1])
        assert more and int(more[1]) + len(signals) - 3 == total, (total, signals)
        lines[height] = len(done.stdout.rstrip("\n").split("\n"))
        assert lines[height] <= height, done.stdout
    assert lines[40] < lines[70] and live.count("open_positions") == 3


def test_a_long_heading_goes_on_in_the_next_line(world, busy):
    world.cluster.rows("insert into monitoring.signal_decisions (source_id, source, signal_key, decision, reason) "
                       "select 0, 'public.s', 'reason-' || n, 'rejected', 'a_quite_long_reason_' || n from generate_series(1, 20) n")
    screen = monitor(conninfo(world))
    assert all(f"1 a_quite_long_reason_{number}" in screen for number in range(1, 21)), screen
    assert max(map(len, screen.split("\n"))) <= WIDTH, screen


def test_a_reader_may_watch(world, busy):
    world.cluster.rows("create role watcher login in role tradesync_reader")
    assert "1000PEPEUSDT" in monitor(conninfo(world, user="watcher"))


def test_a_worker_in_trouble_shows_why(world, busy):
    live = busy[0]
    world.cluster.rows("select monitoring.halt(%s, 'lunch break')", (live.name,))
    try:
        accounts = part(monitor(conninfo(world)), "pg_tradesync")
        place = next(number for number, line in enumerate(accounts) if line.startswith(live.name))
        assert "halted" in accounts[place] and accounts[place + 1].strip() == "lunch break", accounts
    finally:
        world.cluster.rows("select monitoring.resume(%s)", (live.name,))


def test_a_database_without_accounts_shows_headings_only(world):
    world.cluster.rows("create database fresh")
    world.cluster.rows("create extension pg_tradesync", database="fresh")
    screen = monitor(conninfo(world, "fresh"))
    assert part(screen, "POSITIONS") == ["POSITIONS  0 open, 0 without a stop, unrealized 0, closed in 24 h: none"]
    assert [part(screen, title)[0] for title in ("OPEN ORDERS", "SIGNALS", "ALERTS")] == [
        "OPEN ORDERS  none", "SIGNALS of 24 h  none", "ALERTS of 24 h  none"]


def test_a_database_without_the_extension_says_so(world):
    done = monitor(conninfo(world, "template1"), check=False)
    assert done.returncode != 0 and "pg_tradesync is not created in database template1" in done.stderr and "make monitor DB=" in done.stderr


def test_make_monitor_takes_the_database_by_name_or_from_the_environment(world, busy):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "MAKE")) and name != "DB"}
    server = dict(clean, PGHOST=str(world.cluster.home), PGPORT=str(world.cluster.port), PGUSER="postgres")
    named = dict(server, PGDATABASE="postgres")
    for arguments, environment in ((["DB=" + conninfo(world)], clean), (["DB=postgres"], server), ([], named)):
        done = subprocess.run(["make", "-s", "-C", ROOT, "monitor", *arguments], env=environment, capture_output=True, text=True,
                              timeout=30)
        assert done.returncode == 0 and "database postgres " in done.stdout, (arguments, done.stderr)


def test_on_a_terminal_it_is_drawn_again_until_ctrl_c(world, busy):
    child, terminal = pty.fork()
    if child == 0:
        os.environ["EVERY"] = "0.2"
        os.execl(str(ROOT / "tools/monitor.sh"), "monitor.sh", conninfo(world))
    seen = b""

    def drawn():
        nonlocal seen
        seen += os.read(terminal, 65536)
        return seen.count(b"\x1b[Hpg_tradesync") >= 3
    try:
        wait_for(drawn, "three screens", 15)
        assert seen.count(b"\x1b[2J") == 1, "cleared once, then drawn over"
        os.write(terminal, b"\x03")
        wait_for(lambda: ended(child), "the end after Ctrl-C", 10)
        child = None
    finally:
        os.close(terminal)
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def ended(child):
    return os.waitpid(child, os.WNOHANG)[0] == child
