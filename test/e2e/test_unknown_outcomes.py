"""An order whose answer is lost, cut, late or senseless: never two orders, and the truth is asked for by client id."""
import functools

import pytest
from compare import number
from conftest import VENUES, side_by_side
from support.cluster import wait_for
from trading import ENTRY, LIVE_TRADING, MARKETS, STOP, check_protected, check_sent_once, equal_to_exchange, is_closing, trader

SETTINGS = {**LIVE_TRADING, "tradesync.request_timeout": 400}

UNKNOWN_503 = {"name": "http_status", "status": 503,
               "body": '{"code":-1000,"msg":"Unknown error, please check your request or try again later."}'}
OUTCOMES = {
    "unknown_503": {"bybit": UNKNOWN_503, "binance": UNKNOWN_503},
    "backend_timeout": {"bybit": {"name": "ret_code", "code": 10016, "message": "Server error."},
                        "binance": {"name": "ret_code", "code": -1007, "status": 408,
                                    "message": "Timeout waiting for response from backend server. "
                                               "Send status unknown; execution status unknown."}},
    "gateway_page": {venue: {"name": "http_status", "status": 502, "body": "<html>Bad Gateway</html>"} for venue in STOP},
    "senseless_answer": {venue: {"name": "http_status", "status": 200, "body": '{"hello":'} for venue in STOP},
    "empty_answer": {venue: {"name": "http_status", "status": 200, "body": "{}"} for venue in STOP},
}
EXECUTED_ONLY = {
    "no_answer_in_time": {"name": "http_delay", "ms": 1500},
    "connection_cut": {"name": "http_cut", "bytes": 0},
    "answer_cut": {"name": "http_cut", "bytes": 25},
}
# Symbol by symbol, so that all happen at once on one account.
SYMBOLS = [market[0] for market in MARKETS]
EXECUTED = [(name, {v: {**fault[v], "executes": True} for v in fault}) for name, fault in OUTCOMES.items()] + \
           [(name, {v: fault for v in STOP}) for name, fault in EXECUTED_ONLY.items()]


@pytest.fixture(autouse=True)
def market(world):
    for name in STOP:
        world.simulator.control("fault", venue=name, name="no_rate_limits")
        for symbol, price, _, _ in MARKETS:
            world.simulator.control("price", venue=name, symbol=symbol, mark=price, last=price)


def trouble(account, fault, path, symbol, times=1, **more):
    account.fault(path=path, method="POST", contains=symbol, times=times, **{**fault[account.venue], **more})


def test_entries_that_executed_are_found_and_never_repeated(world, venue):
    account = trader(world, venue)
    for symbol, (_, fault) in zip(SYMBOLS, EXECUTED):
        trouble(account, fault, ENTRY[venue], symbol)
    positions = {symbol: account.open(symbol, notional="300") for symbol, _ in zip(SYMBOLS, EXECUTED)}
    for symbol, position in positions.items():
        account.reach(position, "active", timeout=20)
        check_protected(account, position, 2)
        assert len(account.entries(symbol)) == 1
        assert len([w for w in account.writes() if w.path == ENTRY[venue] and w.symbol == symbol]) == 1
    equal_to_exchange(account)


def test_stops_that_were_placed_although_the_answer_failed(world, venue):
    account = trader(world, venue)
    for symbol, (_, fault) in zip(SYMBOLS, EXECUTED):
        trouble(account, fault, STOP[venue], symbol)
    positions = [account.open(symbol, notional="300") for symbol, _ in zip(SYMBOLS, EXECUTED)]
    for position in positions:
        account.reach(position, "active", timeout=20)
        check_protected(account, position, 2)
    equal_to_exchange(account)


def test_closings_that_executed_close_once(world, venue):
    account = trader(world, venue)
    pairs = list(zip(SYMBOLS, EXECUTED))
    positions = {symbol: account.open(symbol, notional="300") for symbol, _ in pairs}
    for position in positions.values():
        account.reach(position, "active")
    for symbol, (_, fault) in pairs:
        trouble(account, fault, ENTRY[venue], symbol)
    for position in positions.values():
        account.close(position)
    for symbol, position in positions.items():
        account.reach(position, "closed", timeout=20)
        assert account.held(symbol) is None
        closed = sum(number(o["filled_quantity"]) for o in account.orders_of(symbol) if is_closing(o))
        assert closed == account.position(position)["quantity"]
    equal_to_exchange(account)


# Symbols of their own, because a fault strikes whoever asks for its symbol.
LOST_ENTRIES = [("BTCUSDT", "unknown_503"), ("ETHUSDT", "backend_timeout"), ("SOLUSDT", "senseless_answer")]
LOST_STOPS = [("XRPUSDT", "unknown_503"), ("BNBUSDT", "backend_timeout"), ("DOGEUSDT", "senseless_answer")]
LOST_CLOSING = ("AVAXUSDT", "unknown_503")


def entries_that_never_arrived(account):
    """Unknown, not executed: nothing is sent again on a guess, only after the proof that the first attempt never was."""
    path = ENTRY[account.venue]
    for symbol, name in LOST_ENTRIES:
        trouble(account, OUTCOMES[name], path, symbol)
    positions = {symbol: account.open(symbol, notional="300") for symbol, _ in LOST_ENTRIES}
    for symbol in positions:
        account.wait_write(path, 0, symbol=symbol)
    undecided = "purpose = 'entry' and status in ('submitting', 'unknown')"
    wait_for(lambda: account.count("orders", undecided) == 3, "three entries of unknown fate", 5)
    for symbol, position in positions.items():
        account.reach(position, "active", timeout=30)
        check_protected(account, position, 2)
        assert len(account.entries(symbol)) == 1
        assert account.rows(f"select attempt from monitoring.orders where position_id = {position} and purpose = 'entry'") == [(2,)]
        first, second = [w for w in account.writes() if w.path == path and w.symbol == symbol]
        assert second.time_us - first.time_us > 5_000_000, "the receive window of the first has passed"
    equal_to_exchange(account)


def stops_that_never_arrived(account):
    """A position does not wait for the fate of its stop: another one protects it."""
    for symbol, name in LOST_STOPS:
        trouble(account, OUTCOMES[name], STOP[account.venue], symbol)
    positions = [account.open(symbol, notional="300") for symbol, _ in LOST_STOPS]
    for position in positions:
        account.reach(position, "active", timeout=20)
    equal_to_exchange(account)
    for position in positions:
        check_protected(account, position, 2)


def a_closing_that_never_arrived(account):
    """Closed all the same, and protected to the very end: the stop goes after the position."""
    symbol, name = LOST_CLOSING
    position = account.opened(symbol, notional="300")
    trouble(account, OUTCOMES[name], ENTRY[account.venue], symbol)
    account.close(position)
    account.reach(position, "closed", timeout=30)
    stops = [o for o in account.truth()["orders"] if o["stop_kind"] == "stop_loss" and o["symbol"] == symbol]
    closed = max(f["time_ms"] for f in account.truth()["fills"])
    assert max(o["updated_ms"] for o in stops) >= closed
    equal_to_exchange(account)


def test_what_never_arrived_is_proven_so_before_it_is_sent_again(world):
    """Each proof waits for a receive window to pass: all of them wait at the same time."""
    cases = [functools.partial(case, trader(world, venue)) for venue in VENUES
             for case in (entries_that_never_arrived, stops_that_never_arrived, a_closing_that_never_arrived)]
    side_by_side(cases)


def test_a_definite_no_for_now_is_tried_again_under_a_new_id(world, venue):
    """Throttled before it was looked at: the order does not exist, so another attempt may leave – with its own id."""
    fault = {"bybit": {"name": "ret_code", "code": 10006, "message": "Too many visits!"},
             "binance": {"name": "ret_code", "code": -1008, "status": 503,
                         "message": "Request throttled by system-level protection. "
                                    "Reduce-only/close-position orders are exempt. Please try again."}}
    account = trader(world, venue)
    trouble(account, fault, ENTRY[venue], "ETHUSDT", times=2)
    position = account.opened("ETHUSDT", notional="300", timeout=15)
    check_protected(account, position, 2)
    attempts = [w for w in check_sent_once(account) if w.path == ENTRY[venue]]
    assert len(attempts) == 3
    assert len(account.entries("ETHUSDT")) == 1
    assert account.value(f"select attempt from monitoring.orders where position_id = {position} and purpose = 'entry'") == 3
    equal_to_exchange(account)


def test_an_id_that_is_there_already_is_looked_up(world, venue):
    """The venue says duplicate, because the request came twice through a proxy: the order is the one that was wanted."""
    duplicate = {"bybit": {"name": "ret_code", "code": 110072, "message": "OrderLinkedID is duplicate"},
                 "binance": {"name": "ret_code", "code": -4116, "status": 400, "message": "ClientOrderId is duplicated."}}
    account = trader(world, venue)
    trouble(account, duplicate, ENTRY[venue], "ETHUSDT", executes=True)
    if venue == "binance":
        trouble(account, duplicate, STOP[venue], "ETHUSDT", executes=True)
    position = account.opened("ETHUSDT", notional="300")
    check_protected(account, position, 2)
    assert len(account.entries("ETHUSDT")) == 1
    equal_to_exchange(account)


def test_cancelling_an_order_that_fills_meanwhile(world):
    """The old stop fires while it is being replaced: nothing is left over."""
    account = trader(world, "binance")
    position = account.opened("ETHUSDT", quantity="0.5", stop=2)
    account.fault("http_delay", path=STOP["binance"], method="DELETE", ms=300)
    since = account.log_mark()
    account.set_stop(position, "3440")
    account.wait_write(STOP["binance"], since)
    account.mark("ETHUSDT", "3400")
    account.reach(position, "closed", timeout=15)
    assert account.held("ETHUSDT") is None
    equal_to_exchange(account)
