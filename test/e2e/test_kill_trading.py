"""Killed at every step at once: each symbol waits for the answer to another step of opening, moving a stop or closing."""
import os
import signal
from decimal import Decimal

import psycopg2
import pytest
from compare import number
from support.cluster import wait_for
from trading import (ENTRY, LIVE_TRADING, MARKETS, STOP, Trader, check_protected, equal_to_exchange, is_closing, trader, wait_dropped,
                     wait_or_tell)

SETTINGS = {**LIVE_TRADING, "tradesync.request_timeout": 4000}

# symbol: (step, whether the venue carries out the request that is under way)
STEPS = {"BTCUSDT": ("entry", True), "ETHUSDT": ("entry", False), "SOLUSDT": ("stop", True), "XRPUSDT": ("stop", False),
         "BNBUSDT": ("move", True), "DOGEUSDT": ("move", False), "AVAXUSDT": ("close", True), "BCHUSDT": ("close", False)}
QUEUED = "APTUSDT"       # asked for while the worker stands still
BEFORE = {symbol for symbol, (step, _) in STEPS.items() if step in ("move", "close")}


def hang(account, symbol, path, executes):
    """The next write of the symbol on that path gets no answer for four seconds, and its effect only if it executes."""
    account.fault("http_delay", path=path, method="POST", contains=symbol, ms=4000)
    if not executes:
        account.fault("http_status", path=path, method="POST", contains=symbol, status=503, body="{}")


def is_up(cluster):
    try:
        return cluster.value("select 1") == 1
    except psycopg2.Error:
        return False


def kill_worker(account):
    """The postmaster restarts everything after a process of its was killed."""
    pid = account.pid()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}") and is_up(account.cluster), "the server is back", 20)
    account.connection = None


def restart_at_once(account):
    account.cluster.restart("immediate")


def cut_connections(account):
    wait_dropped(account, "all", "reset")


def bring_to_their_steps(account):
    """Every symbol ends in the middle of its step, seen in the simulator's log."""
    positions = {symbol: account.open(symbol, notional="300") for symbol in BEFORE}
    for position in positions.values():
        account.reach(position, "active")
    since = account.log_mark()
    for symbol, (step, executes) in STEPS.items():
        hang(account, symbol, STOP[account.venue] if step in ("stop", "move") else ENTRY[account.venue], executes)
    for symbol, (step, _) in STEPS.items():
        if step in ("entry", "stop"):
            positions[symbol] = account.open(symbol, notional="300")
        elif step == "move":
            row = account.position(positions[symbol])
            account.set_stop(positions[symbol], row["stop_loss_price"] + 5 * next(Decimal(m[2]) for m in MARKETS if m[0] == symbol))
        else:
            account.close(positions[symbol])
    for symbol, (step, _) in STEPS.items():
        path = STOP[account.venue] if step in ("stop", "move") else ENTRY[account.venue]
        wait_or_tell(lambda s=symbol, p=path: any(w.symbol == s and w.path == p for w in account.writes(since)),
                     f"{symbol} in the middle of its {step}", 10, lambda s=symbol: account.story(positions[s]))
    return positions


# The postmaster treats a killed worker like a crash of the server, so the restart is tried in the long run only.
@pytest.mark.parametrize("blow", [kill_worker, pytest.param(restart_at_once, marks=pytest.mark.long), cut_connections],
                         ids=lambda blow: blow.__name__)
def test_whatever_was_under_way_ends_well(world, venue, blow):
    account = trader(world, venue)
    account.fault("no_rate_limits")
    for symbol in STEPS:
        # Fills away from the mark, so that the stop that came with the entry has to move.
        account.control("book", symbol=symbol, parts=3, ticks_apart=9)
    positions = bring_to_their_steps(account)
    blow(account)
    account.wait_live(30)
    again = Trader(world, venue, account.name, account.key)
    for symbol, (step, executes) in STEPS.items():
        # An entry that never was is sent again or given up; a stop of unknown fate gets another one beside it.
        allowed = {"entry": ("active",) if executes else ("active", "failed"), "stop": ("active",), "move": ("active",),
                   "close": ("closed",)}[step]
        again.reach(positions[symbol], *allowed, timeout=30)
    # A move of unknown fate ends after its proof; until then tables and exchange agree on the old stop.
    wait_for(lambda: again.count("commands", "status in ('queued', 'running')") == 0, "every command has ended", 30)
    truth = equal_to_exchange(again, timeout=30)
    for symbol, position in positions.items():
        row = again.position(position)
        assert len(again.entries(symbol, truth)) == (0 if row["status"] == "failed" else 1), again.story(position)
        closed = sum(number(o["filled_quantity"]) for o in again.orders_of(symbol, truth) if is_closing(o))
        assert closed == (row["quantity"] if row["status"] in ("closed", "rolled_back") else 0), again.story(position)
        if row["status"] == "active":
            check_protected(again, position, truth=truth)
            check_nakedness(again, symbol, truth)


def check_nakedness(account, symbol, truth):
    """From the first fill to the first stop: the deadline, and the time that server and session need to come back."""
    filled = min(f["time_ms"] for f in truth["fills"] if f["symbol"] == symbol)
    first = min(o["created_ms"] for o in truth["orders"] if o["symbol"] == symbol and o["stop_kind"] == "stop_loss")
    assert first - filled < 10_000, f"{symbol} was naked for {first - filled} ms"


def test_what_was_queued_while_the_worker_died_is_done_once(world, venue):
    account = trader(world, venue)
    held = account.opened("SOLUSDT", notional="300")
    pid = account.pid()
    os.kill(pid, signal.SIGSTOP)
    position = account.open(QUEUED, notional="300")
    account.set_stop(held, "172")
    kill_worker(account)
    account.wait_live(30)
    again = Trader(world, venue, account.name, account.key)
    again.reach(position, "active", timeout=15)
    wait_for(lambda: again.position(held)["stop_loss_price"] == 172, "the stop has moved", 10)
    truth = equal_to_exchange(again)
    assert len(again.entries(QUEUED, truth)) == 1
    check_protected(again, position, 2, truth)
    check_protected(again, held, truth=truth)


def test_positions_opened_and_killed_in_a_row(world, venue):
    """The worker dies at whatever point it has reached, five times; every opening has one entry and one stop afterwards."""
    account = trader(world, venue)
    positions = []
    for turn, (symbol, *_) in enumerate(MARKETS[:5]):
        position = account.open(symbol, notional="300")
        positions.append(position)
        wait_for(lambda due=turn, p=position: due % 2 == 0 or account.status(p) != "pending_entry", "it has begun", 5, every=0.001)
        kill_worker(account)
        account.wait_live(30)
    again = Trader(world, venue, account.name, account.key)
    for position in positions:
        again.reach(position, "active", "failed", "rolled_back", timeout=30)
    truth = equal_to_exchange(again, timeout=30)
    for position in positions:
        row = again.position(position)
        assert len(again.entries(row["symbol"], truth)) == (row["status"] != "failed"), again.story(position)
        if row["status"] == "active":
            check_protected(again, position, 2, truth)
    assert {again.status(position) for position in positions} >= {"active"}


def test_a_worker_that_is_told_to_end_hands_everything_over(world, venue):
    account = trader(world, venue)
    position = account.open("ETHUSDT", notional="300")
    account.cluster.rows("select pg_terminate_backend(%s)", (account.pid(),))
    account.reach(position, "active", timeout=20)
    account.wait_live()
    truth = equal_to_exchange(account)
    check_protected(account, position, 2, truth)
    assert len(account.entries("ETHUSDT", truth)) == 1
