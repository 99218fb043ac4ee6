"""No conclusion from a failed source: whatever a REST answer lacks, nothing is closed or emptied, and in the end all is equal."""
import pytest
from compare import wait_equal
from support.cluster import wait_for

SETTINGS = {"tradesync.request_timeout": 400}

POSITIONS = {"bybit": "/v5/position/list", "binance": "/fapi/v3/positionRisk"}
SOURCES = {"bybit": ["/v5/position/list", "/v5/order/realtime", "/v5/account/wallet-balance"],
           "binance": ["/fapi/v3/positionRisk", "/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders", "/fapi/v3/balance"]}
HISTORY = {"bybit": "/v5/execution/list", "binance": "/fapi/v1/userTrades"}
# What an account with nothing at all would answer.
EMPTY = {"bybit": '{"retCode":0,"retMsg":"OK","result":{"category":"linear","nextPageCursor":"","list":[]},"time":1}', "binance": "[]"}
ALWAYS = 1_000_000


def on_both(**fields):
    return {"bybit": fields, "binance": fields}


FAULTS = {
    "status_500_with_an_empty_list": {v: {"name": "http_status", "status": 500, "body": EMPTY[v]} for v in EMPTY},
    "status_503": on_both(name="http_status", status=503, body="<html>Service Unavailable</html>"),
    "no_answer_in_time": on_both(name="http_delay", ms=900),
    "body_cut": on_both(name="http_cut", bytes=30),
    "foreign_page": on_both(name="http_status", status=200, body="<html>maintenance</html>"),
    "answer_without_a_list": {"bybit": {"name": "http_status", "status": 200, "body": '{"retCode":0,"retMsg":"OK","result":{},"time":1}'},
                              "binance": {"name": "http_status", "status": 200, "body": "{}"}},
    "error_of_the_venue": {"bybit": {"name": "ret_code", "code": 10016},
                           "binance": {"name": "ret_code", "code": -1001, "status": 400, "message": "Internal error"}},
    "refusal_of_the_venue": {"bybit": {"name": "ret_code", "code": 10001, "message": "params error"},
                             "binance": {"name": "ret_code", "code": -1100, "status": 400, "message": "Illegal characters"}},
    "too_many_requests": on_both(name="http_status", status=429, retry_after="1", body="{}"),
    "banned": {"bybit": {"name": "http_status", "status": 403, "retry_after": "1", "body": "access too frequent"},
               "binance": {"name": "http_status", "status": 418, "retry_after": "1", "body": "{}"}},
}


@pytest.fixture(autouse=True)
def no_other_limits(world):
    """All accounts of a run share one address; its weight must not decide how long a test takes."""
    for name in EMPTY:
        world.simulator.control("fault", venue=name, name="no_rate_limits")


def heal(account):
    account.control("faults_clear")
    account.fault("no_rate_limits")


def holdings(account):
    """What must not shrink while the exchange does not answer."""
    return {
        "rows": account.rows("select id, symbol, side, quantity, status from monitoring.positions where account = :account order by id"),
        "positions": account.rows("select symbol, position_side, quantity from monitoring.venue_positions where account = :account order by 1, 2"),
        "orders": account.rows("select order_id, status, filled_quantity from monitoring.orders where account = :account "
                               "and status in ('new','partially_filled') order by 1"),
        "balances": account.rows("select asset, wallet_balance from monitoring.balances where account = :account order by 1"),
    }


def requests_so_far(account):
    return max((request["number"] for request in account.simulator.get("requests", account.venue)["requests"]), default=0)


def wait_asked(account, path, since, times=2, timeout=15):
    """Until the path was asked so often after that request number: at least times - 1 answers were dealt with."""
    def asked():
        found = account.simulator.control("requests", venue=account.venue, since=since)["requests"]
        return sum(request["path"].startswith(path) for request in found) >= times
    wait_for(asked, f"{path} asked {times} times", timeout)


def make_holdings(account, venue):
    for symbol, side, quantity in (("BTCUSDT", "buy", "0.02"), ("ETHUSDT", "sell", "0.3"), ("SOLUSDT", "buy", "4")):
        account.control("trade", symbol=symbol, side=side, quantity=quantity)
    account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="40000", quantity="0.010")
    account.control("order", symbol="BTCUSDT", side="sell", type="market", trigger_price="39000", quantity="0.01", reduce_only=True)


def cut_off(account):
    account.simulator.control("drop", venue=account.venue, stream="private", how="reset")
    wait_for(lambda: account.cluster.worker_state(account.name) != "live", "the cut is noticed", 5)


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_concluded_until_the_answer_is_whole(world, venue, fault):
    path = POSITIONS[venue]
    broken = {"path": path, "times": ALWAYS, **FAULTS[fault][venue]}

    # At the first start: not live before the answer is there.
    world.simulator.control("fault", venue=venue, **broken)
    account = world.account(venue, live=False, count=2)
    wait_asked(account, path, 0, times=2)
    assert world.cluster.worker_state(account.name) != "live"
    assert account.value("select count(*) from monitoring.sync_runs where account = :account and complete") == 0
    heal(account)
    account.wait_live()
    make_holdings(account, venue)
    wait_equal(account)
    before = holdings(account)

    # Later: all stays as it was, although the account is trading on.
    since = requests_so_far(account)
    account.fault(**broken)
    cut_off(account)
    wait_asked(account, path, since, times=2)
    assert holdings(account) == before
    assert world.cluster.worker_state(account.name) != "live"
    account.control("trade", symbol="SOLUSDT", side="sell", quantity="4")
    account.control("trade", symbol="XRPUSDT", side="buy", quantity="50")
    heal(account)
    account.wait_live()
    wait_equal(account)
    statuses = account.rows("select symbol, status from monitoring.positions where account = :account and symbol in "
                            "('BTCUSDT','ETHUSDT','SOLUSDT','XRPUSDT') order by 1")
    assert statuses == [("BTCUSDT", "active"), ("ETHUSDT", "active"), ("SOLUSDT", "closed"), ("XRPUSDT", "active")]


def test_each_source_alone_can_fail(world, venue):
    account = world.account(venue, count=2)
    make_holdings(account, venue)
    wait_equal(account)
    before = holdings(account)
    for path in SOURCES[venue]:
        since = requests_so_far(account)
        account.fault("http_status", path=path, status=500, body=EMPTY[venue], times=2)
        cut_off(account)
        wait_asked(account, path, since, times=2)
        assert holdings(account) == before, path
        account.wait_live()
        wait_equal(account)
        assert holdings(account) == before, path


def test_fills_of_an_outage_are_there_although_their_list_failed_first(world, venue):
    account = world.account(venue)
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.5")
    wait_equal(account)
    since = requests_so_far(account)
    account.fault("http_status", path=HISTORY[venue], status=500, body=EMPTY[venue], times=3)
    account.fault("http_cut", path=HISTORY[venue], bytes=60, times=2)
    account.simulator.control("fault", venue=venue, name="refuse", ms=300)
    cut_off(account)
    account.control("trade", symbol="ETHUSDT", side="sell", quantity="0.2")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.01")
    wait_asked(account, HISTORY[venue], since, times=3)
    wait_equal(account, timeout=30)


@pytest.mark.parametrize("how", ["status", "cut", "refused"])
def test_a_second_page_that_fails_closes_nothing(world, how):
    path = POSITIONS["bybit"]
    broken = {"status": {"name": "page_fail", "path": path, "page": 2, "status": 500, "body": EMPTY["bybit"], "times": ALWAYS},
              "cut": {"name": "page_fail", "path": path, "page": 2, "status": 200, "body": EMPTY["bybit"][:40], "times": ALWAYS},
              "refused": {"name": "page_fail", "path": path, "page": 2, "status": 200, "times": ALWAYS,
                          "body": '{"retCode":10001,"retMsg":"cursor expired","result":{"list":[]},"time":1}'}}[how]
    account = world.account("bybit", wallet="100000000", count=250)
    wait_equal(account)
    before = holdings(account)
    assert len(before["positions"]) == 250
    since = requests_so_far(account)
    account.fault(**broken)
    cut_off(account)
    wait_asked(account, path, since, times=4)
    assert holdings(account) == before
    heal(account)
    account.wait_live()
    wait_equal(account)
    assert holdings(account)["rows"] == before["rows"]


def test_an_address_that_is_banned_waits_and_comes_back(world):
    account = world.account("binance", count=3)
    wait_equal(account)
    before = holdings(account)
    since = requests_so_far(account)
    account.fault("ban", ms=1500)
    cut_off(account)
    wait_asked(account, "/", since, times=1)
    assert holdings(account) == before
    account.wait_live()
    # Nobody hammers on a door that says when it opens.
    refused = [r for r in account.simulator.control("requests", venue="binance", since=since)["requests"] if r["status"] == 418]
    assert 1 <= len(refused) <= 10
    wait_equal(account)


def test_a_failure_is_told_once_when_it_begins_and_once_when_it_ends(world, venue):
    account = world.account(venue, count=1)
    since = requests_so_far(account)
    account.fault("http_status", path=POSITIONS[venue], status=500, body="{}", times=4)
    cut_off(account)
    wait_asked(account, POSITIONS[venue], since, times=3)
    account.wait_live()
    told = account.rows("select severity from monitoring.events where account = :account and event_type = 'exchange_error' order by id")
    assert [severity for severity, in told] == ["WARNING", "INFO"]
