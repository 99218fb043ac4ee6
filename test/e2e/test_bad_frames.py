"""Frames that no exchange should send: an alert where something may be lost, the account equal afterwards, nobody else disturbed."""
import json

import pytest
from compare import wait_equal
from support.cluster import wait_for

FORTY_DIGITS = "1234567890123456789012345678901234567890"

UNREADABLE = ["malformed", "binary", "invalid_utf8", "nul"]


def raw_order(venue, quantity):
    """A frame as the venue writes it for a new order, quantity aside."""
    if venue == "bybit":
        row = {"category": "linear", "symbol": "BTCUSDT", "orderId": "raw-1", "orderLinkId": "", "side": "Buy", "orderType": "Limit", "price": "50000",
               "qty": quantity, "cumExecQty": "0", "avgPrice": "", "orderStatus": "New", "positionIdx": 0, "reduceOnly": False, "stopOrderType": "",
               "triggerPrice": "", "createdTime": "1700000000000", "updatedTime": "1700000000000"}
        return json.dumps({"topic": "order", "id": "1", "creationTime": 1700000000000, "data": [row]})
    row = {"s": "BTCUSDT", "c": "raw", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": quantity, "p": "50000", "ap": "0", "sp": "0", "x": "NEW", "X": "NEW",
           "i": 77, "l": "0", "z": "0", "L": "0", "T": 1700000000000, "t": 0, "m": False, "R": False, "ot": "LIMIT", "ps": "BOTH", "cp": False, "rp": "0"}
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": 1700000000001, "T": 1700000000000, "o": row})


def unknown_event(venue):
    return '{"topic":"greeks.of.tomorrow","data":[{"a":1}]}' if venue == "bybit" else '{"e":"SOMETHING_NEW","E":1700000000001,"T":1,"o":{"s":"BTCUSDT"}}'


def letters(account):
    return account.value("select count(*) from monitoring.dead_letters where account = :account")


class Undisturbed:
    """The account of the other venue keeps its connection and its process, and the server never restarts."""

    def __init__(self, world, venue):
        self.world, self.other = world, world.account("binance" if venue == "bybit" else "bybit", count=1)
        self.seen = self.look()

    def look(self):
        return (self.other.pid(), self.world.cluster.worker_state(self.other.name), self.world.cluster.value("select pg_postmaster_start_time()"),
                self.other.value("select sum(reconnects) from monitoring.stream_status where account = :account"))

    def check(self):
        assert self.look() == self.seen
        assert "terminating connection because of crash" not in self.world.cluster.log_text()
        self.other.control("trade", symbol="ETHUSDT", side="buy", quantity="0.01")
        wait_equal(self.other)


@pytest.fixture(autouse=True)
def no_other_limits(world):
    """All accounts of a run share one address; its weight must not decide how long a test takes."""
    for name in ("bybit", "binance"):
        world.simulator.control("fault", venue=name, name="no_rate_limits")


@pytest.fixture
def bystander(world, venue):
    seen = Undisturbed(world, venue)
    yield seen
    seen.check()


def trade_on(account):
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
    account.control("order", symbol="SOLUSDT", side="buy", type="limit", price="20", quantity="2")
    wait_equal(account)


def test_an_unreadable_frame_is_kept_and_alarmed_and_ends_nothing(world, venue, bystander):
    account = world.account(venue, count=1)
    for fault in UNREADABLE:
        before = letters(account)
        account.fault(fault, stream="private")
        wait_for(lambda: letters(account) > before or account.value("select count(*) from monitoring.events where account = :account "
                                                                    "and event_type = 'websocket_disconnected'"), f"{fault} is noticed", 5)
        account.wait_live()
    trade_on(account)
    alerts = account.value("select count(*) from monitoring.events where account = :account and severity in ('WARNING','ERROR')")
    assert alerts >= len(UNREADABLE)
    assert account.value("select bool_and(frame !~ '[^ -~]') from monitoring.dead_letters where account = :account")
    pid = account.pid()
    account.fault("malformed", stream="private")
    wait_for(lambda: account.pid() == pid and letters(account) > 1, "same process, one more letter", 5)


def test_an_unreadable_frame_that_stood_for_an_order_loses_no_order(world, venue):
    account = world.account(venue, count=1)
    wait_equal(account)
    account.fault("lose", probability="1")
    account.control("order", symbol="SOLUSDT", side="buy", type="limit", price="20", quantity="2")
    account.control("faults_clear")
    account.fault("malformed", stream="private")
    wait_equal(account, timeout=15)


def test_a_quantity_of_forty_digits_is_refused_not_rounded(world, venue, bystander):
    account = world.account(venue, count=1)
    for quantity in (FORTY_DIGITS, "0." + FORTY_DIGITS, "9" * 400, "1e999999999", "NaN", "0x10"):
        before = letters(account)
        account.fault("raw", stream="private", text=raw_order(venue, quantity))
        wait_for(lambda: letters(account) == before + 1, f"{quantity[:20]} is kept", 5)
    assert account.value("select count(*) from monitoring.orders where account = :account and (order_id in ('raw-1','77'))") == 0
    assert FORTY_DIGITS in account.value("select string_agg(frame, '') from monitoring.dead_letters where account = :account")
    trade_on(account)


def test_a_huge_frame_costs_the_connection_and_nothing_else(world, venue, bystander):
    account = world.account(venue, count=2)
    account.fault("huge", stream="private", bytes=5_000_000)
    disconnected = "select count(*) from monitoring.events where account = :account and event_type = 'websocket_disconnected'"
    wait_for(lambda: account.value(disconnected) == 1, "the connection is given up", 5)
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.02")
    account.wait_live()
    wait_equal(account)
    account.fault("huge", stream="public", bytes=5_000_000)
    reconnected = "select coalesce(sum(reconnects), 0) from monitoring.stream_status where account = :account and stream like 'public%'"
    wait_for(lambda: account.value(reconnected) >= 1, "prices come by a new connection", 10)
    trade_on(account)


def test_a_slow_frame_delays_only_itself(world, venue, bystander):
    account = world.account(venue, count=1)
    account.fault("slow", stream="private", bytes_per_s=700)
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
    account.control("price", symbol="SOLUSDT", mark="151", last="151")
    wait_equal(account, timeout=30)


def test_unknown_events_and_long_numbers_outside_of_rows_change_nothing(world, venue, bystander):
    account = world.account(venue, count=1)
    pid = account.pid()
    account.fault("long_number", stream="private")
    for stream in ("private", "public"):
        account.fault("raw", stream=stream, text=unknown_event(venue))
        for text in ("{}", "[]", "null", "1", '""', '{"e":null}', '{"topic":7,"data":{}}', '{"data":[]}', ""):
            account.fault("raw", stream=stream, text=text)
    trade_on(account)
    assert account.pid() == pid


def test_bad_frames_on_the_price_stream_stop_no_price(world, venue, bystander):
    account = world.account(venue)
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.1")
    wait_equal(account)
    for fault in UNREADABLE + ["long_number"]:
        account.fault(fault, stream="public")
    ticker = {"bybit": '{"topic":"tickers.ETHUSDT","type":"delta","ts":1,"data":{"symbol":"ETHUSDT","markPrice":"%s"}}',
              "binance": '{"e":"markPriceUpdate","E":1,"s":"ETHUSDT","p":"%s","T":1}'}[venue]
    for price in (FORTY_DIGITS, "-", "1e400", ""):
        account.fault("raw", stream="public", text=ticker % price)
    row = "select current_price from monitoring.open_positions where account = :account"
    account.control("price", symbol="ETHUSDT", mark="2222", last="2222")
    wait_for(lambda: account.value(row) == 2222, "the price goes on", 15)


def test_a_flood_of_unreadable_frames_is_survived(world, venue, bystander):
    account = world.account(venue, count=1)
    for _ in range(300):
        account.fault("malformed", stream="private")
    trade_on(account)
    assert account.value("select count(*) from monitoring.sync_runs where account = :account") < 20
