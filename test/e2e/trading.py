"""An account that trades: people ask through SQL, the simulator's log says what left, its state what became of it."""
import contextlib
import itertools
import json
import urllib.parse
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import psycopg2
import psycopg2.extras
from compare import number
from conftest import Account
from support.cluster import wait_for

LIVE_TRADING = {"tradesync.live_trading": "on"}
ALWAYS = 1_000_000

# Where a venue takes orders, and where it is asked about one.
ENTRY = {"bybit": "/v5/order/create", "binance": "/fapi/v1/order"}
STOP = {"bybit": "/v5/position/trading-stop", "binance": "/fapi/v1/algoOrder"}
QUERY = {"bybit": ["/v5/order/realtime", "/v5/order/history"], "binance": ["/fapi/v1/order"]}
BY_CLIENT_ID = {"bybit": "orderLinkId=", "binance": "origClientOrderId="}
POSITIONS = {"bybit": "/v5/position/list", "binance": "/fapi/v3/positionRisk"}
NO_ORDER = {"bybit": {"name": "http_status", "status": 200,
                      "body": '{"retCode":0,"retMsg":"OK","result":{"category":"linear","nextPageCursor":"","list":[]},"time":1}'},
            "binance": {"name": "ret_code", "code": -2013, "status": 400, "message": "Order does not exist."}}

# (symbol, price, tick, step): ten instruments of the simulator with ticks from 0.1 to 0.0000001.
MARKETS = [("BTCUSDT", "63920.1", "0.1", "0.001"), ("ETHUSDT", "3485.2", "0.01", "0.01"), ("SOLUSDT", "178.43", "0.01", "0.1"),
           ("XRPUSDT", "2.2315", "0.0001", "0.1"), ("BNBUSDT", "655.2", "0.1", "0.01"), ("DOGEUSDT", "0.18342", "0.00001", "1"),
           ("AVAXUSDT", "27.815", "0.001", "0.1"), ("BCHUSDT", "388.65", "0.05", "0.01"), ("APTUSDT", "6.4415", "0.0005", "0.01"),
           ("1000PEPEUSDT", "0.0089213", "0.0000001", "100")]
SYMBOLS = [market[0] for market in MARKETS]
PRICE, TICK, STEP = ({m[0]: Decimal(m[i]) for m in MARKETS} for i in (1, 2, 3))
BASE32 = set("abcdefghijklmnopqrstuvwxyz234567")


def expected_stop(entry, percent, side, tick):
    """Entry ∓ percent, on the tick, rounded towards the entry."""
    raw = entry * (1 - Decimal(percent) / 100) if side == "long" else entry * (1 + Decimal(percent) / 100)
    return (raw / tick).to_integral_value(ROUND_CEILING if side == "long" else ROUND_FLOOR) * tick


def on_tick(price, tick):
    return (price / tick).to_integral_value() * tick


OPEN = ("select monitoring.open_position(%s, %s, %s, notional => %s::numeric, quantity => %s::numeric, "
        "stop_loss_percent => %s::numeric)")


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error.pgcode}: {error.diag.message_primary}")
        self.code, self.message = error.pgcode, error.diag.message_primary
        self.detail, self.hint = error.diag.message_detail or "", error.diag.message_hint or ""


class Trader(Account):
    """An account of which orders are asked, and whose orders are looked at."""

    def call(self, sql, *arguments):
        """The first value of the statement, or Refused."""
        try:
            with self.session().cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchone()[0] if cursor.description else None
        except psycopg2.Error as error:
            if error.pgcode is None:
                raise
            raise Refused(error) from None

    @contextlib.contextmanager
    def transaction(self):
        """A cursor in a transaction of its own; what happened in it is committed at the end."""
        connection = self.cluster.connect()
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
        finally:
            connection.close()

    def refused(self, sql, *arguments):
        """The refusal of a statement that must not succeed."""
        try:
            value = self.call(sql, *arguments)
        except Refused as refusal:
            assert refusal.code.startswith("TS"), refusal
            assert refusal.detail and refusal.hint, f"{refusal} lacks detail or hint"
            return refusal
        raise AssertionError(f"{sql} {arguments} was not refused: {value}")

    # ------------------------------------------------------------------ what people call
    def open(self, symbol, side="long", quantity=None, notional=None, stop=2, signal_id=None):
        return self.call(OPEN[:-1] + ", signal_id => %s)", self.name, symbol, side, notional, quantity, stop, signal_id)

    def not_opened(self, symbol, side="long", quantity=None, notional="200", stop=2):
        """The refusal of an opening."""
        return self.refused(OPEN, self.name, symbol, side, None if quantity else notional, quantity, stop)

    def opened(self, symbol, side="long", stop=2, timeout=10, **size):
        position = self.open(symbol, side, stop=stop, **(size or {"notional": "200"}))
        self.reach(position, "active", timeout=timeout)
        return position

    def close(self, position, reason="manual", quantity=None):
        return self.call("select monitoring.close_position(%s, %s, %s::numeric)", position, reason, quantity)

    def set_stop(self, position, price):
        return self.call("select monitoring.set_stop_loss(%s, %s::numeric)", position, price)

    def set_target(self, position, price):
        return self.call("select monitoring.set_take_profit(%s, %s::numeric)", position, price)

    def mark(self, symbol, price):
        self.control("price", symbol=symbol, mark=str(price), last=str(price))

    # ------------------------------------------------------------------ what the tables say
    def one(self, sql, *arguments):
        """One row as a dictionary."""
        with self.session().cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchone()

    def position(self, position):
        return self.one("select * from monitoring.positions where id = %s", position)

    def status(self, position):
        return self.call("select status from monitoring.positions where id = %s", position)

    def command(self, command):
        return self.one("select status, error from monitoring.commands where id = %s", command)

    def story(self, position):
        """Everything worth knowing when a test fails."""
        row = self.position(position)
        keys = ("symbol", "side", "status", "quantity", "entry_price", "stop_loss_price", "has_stop_loss", "exit_reason",
                "unprotected_since")
        orders = self.rows(f"select id, purpose, kind, status, venue_status, reject_reason, quantity, filled_quantity, stop_price, attempt "
                           f"from monitoring.orders where position_id = {position} order by id")
        events = self.rows(f"select event_type, severity, error_message from monitoring.events where account = :account and "
                           f"(position_id = {position} or severity in ('WARNING','ERROR','CRITICAL')) order by id desc limit 8")
        commands = self.rows(f"select id, kind, status, error from monitoring.commands where position_id = {position} order by id")
        shown = {key: row.get(key) for key in keys} if row else None
        return f"{shown}\norders {orders}\ncommands {commands}\nevents {events}\nworker {self.rows(WORKER)}"

    def reach(self, position, *statuses, timeout=10):
        """Waits until the position has one of these statuses; a final one that is not wanted ends the waiting."""
        final = {"closed", "failed", "rolled_back", "canceled"} - set(statuses)
        seen = wait_or_tell(lambda: (lambda now: now if now in statuses or now in final else None)(self.status(position)),
                            f"position {position} {' or '.join(statuses)}", timeout, lambda: self.story(position))
        assert seen in statuses, f"position {position} is {seen} instead of {statuses}: {self.story(position)}"
        return seen

    def done(self, command, status="done", timeout=10):
        seen = wait_or_tell(lambda: (lambda row: row if row["status"] not in ("queued", "running") else None)(self.command(command)),
                            f"command {command} ends", timeout, lambda: str(self.rows(WORKER)))
        assert seen["status"] == status, seen
        return seen

    def count(self, relation, where="true"):
        return self.value(f"select count(*) from monitoring.{relation} where account = :account and {where}")

    # ------------------------------------------------------------------ what the exchange says
    def held(self, symbol, position_side=None, truth=None):
        """The position at the exchange, None when flat."""
        found = [p for p in (truth or self.truth())["positions"]
                 if p["symbol"] == symbol and position_side in (None, p["position_side"]) and number(p["quantity"]) != 0]
        assert len(found) <= 1, found
        return found[0] if found else None

    def resting(self, symbol, kind="stop_loss", position_side=None, truth=None):
        """Live stop or take profit orders of the symbol at the exchange."""
        return [o for o in (truth or self.truth())["orders"] if o["symbol"] == symbol and o["is_open"] and o["stop_kind"] == kind
                and position_side in (None, o["position_side"])]

    def orders_of(self, symbol, truth=None):
        """Regular orders of the symbol that are ours, oldest first, children of triggered ones aside."""
        return [o for o in (truth or self.truth())["orders"] if o["symbol"] == symbol and o["kind"] == "regular"
                and client_id_of_ours(o["client_order_id"]) and not o["parent_id"]]

    def entries(self, symbol, truth=None):
        return [o for o in self.orders_of(symbol, truth) if not is_closing(o)]

    # ------------------------------------------------------------------ what left for it
    def log_mark(self):
        return max((r["number"] for r in self.simulator.get("requests", self.venue)["requests"]), default=0)

    def writes(self, since=0):
        """Requests that ask the venue to do something, oldest first."""
        found = []
        for method in ("POST", "DELETE", "PUT"):
            found += self.simulator.control("requests", venue=self.venue, since=since, method=method)["requests"]
        return sorted((Write(r) for r in found if r["key"] == self.key and "listenKey" not in r["path"]), key=lambda write: write.number)

    def wait_write(self, path, since, method="POST", symbol=None, times=1, timeout=10):
        def seen():
            found = [w for w in self.writes(since) if w.path == path and w.method == method and symbol in (None, w.symbol)]
            return found if len(found) >= times else None
        return wait_for(seen, f"{method} {path} of {symbol} seen {times} times", timeout, every=0.01)


WORKER = "select state, halted, last_error from monitoring.worker_status where account = :account"


def wait_or_tell(condition, what, timeout, story):
    try:
        return wait_for(condition, what, timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{story()}") from None


class Write:
    """One request of the simulator's log; parameters from query, form or JSON."""

    def __init__(self, request):
        self.number, self.method, self.path, self.status = (request[k] for k in ("number", "method", "path", "status"))
        self.time_us = request["time_us"]
        self.fields = dict(urllib.parse.parse_qsl(request["query"]))
        if request["body"].startswith("{"):
            self.fields.update(json.loads(request["body"]))
        else:
            self.fields.update(urllib.parse.parse_qsl(request["body"]))
        self.symbol = self.fields.get("symbol")
        names = ("newClientOrderId", "clientAlgoId", "orderLinkId")
        self.client_id = next((self.fields[name] for name in names if self.fields.get(name)), "")

    @property
    def places(self):
        return self.method == "POST" and self.path in PLACES

    def __repr__(self):
        return f"{self.number} {self.method} {self.path} {self.symbol} {self.client_id} -> {self.status}"


PLACES = {"/fapi/v1/order", "/fapi/v1/algoOrder", "/v5/order/create"}


def client_id_of_ours(text):
    """(row, attempt) of t<epoch>-<row>-<attempt>, or None."""
    part = text.split("-")
    if len(part) != 3 or len(part[0]) != 9 or part[0][0] != "t" or not set(part[0][1:]) <= BASE32:
        return None
    return int(part[1], 36), int(part[2], 36)


def is_closing(order):
    """Reduce-only, or against its side in hedge mode."""
    return order["reduce_only"] or (order["position_side"], order["side"]) in (("long", "sell"), ("short", "buy"))


def trader(world, venue, mode="live", **more):
    return world.account(venue, mode=mode, handle=Trader, **more)


def wait_dropped(account, stream="private", how="reset"):
    """Cuts the connections of that stream at a moment at which there is one."""
    drop = lambda: account.simulator.control("drop", venue=account.venue, stream=stream, how=how)  # noqa: E731
    wait_for(lambda: drop()["sockets"] > 0, "a connection to cut", 10)


# ---------------------------------------------------------------------- what must hold

def check_protected(account, position, percent=None, truth=None):
    """Active, sized and priced from its fills, and one live stop at the exchange: right side, right tick, right size."""
    truth = truth or account.truth()
    row = account.position(position)
    story = account.story(position)
    symbol, side = row["symbol"], row["side"]
    assert row["status"] == "active" and row["has_stop_loss"] and row["protected_at"] and row["unprotected_since"] is None, story
    held = account.held(symbol, row["position_side"], truth)
    assert held and held["side"] == side and number(held["quantity"]) == row["quantity"], (held, story)
    entry = [o for o in account.entries(symbol, truth)
             if (o["position_side"], o["side"]) == (row["position_side"], "buy" if side == "long" else "sell")][-1]
    fills = [f for f in truth["fills"] if f["order_id"] == entry["order_id"]]
    bought = sum(number(f["quantity"]) for f in fills)
    average = sum(number(f["quantity"]) * number(f["price"]) for f in fills) / bought
    assert abs(row["entry_price"] - average) < Decimal("1e-9") * average, (row["entry_price"], average, story)
    stops = account.resting(symbol, "stop_loss", row["position_side"], truth)
    assert len(stops) == 1, (stops, story)
    stop, tick = stops[0], TICK[symbol]
    price, mark = number(stop["trigger_price"]), number(held["mark_price"])
    assert price == row["stop_loss_price"] and price % tick == 0, (stop, story)
    assert price < mark if side == "long" else price > mark, (price, mark, story)
    assert stop["side"] == ("sell" if side == "long" else "buy") and stop["trigger_by"] == "mark", stop
    assert stop["is_position_stop"] or number(stop["quantity"]) == row["quantity"], (stop, story)
    if percent is not None:
        assert price == expected_stop(average, percent, side, tick), (price, average, story)
    return row


def check_sent_once(account):
    """No client id left twice, and every order that left has its committed row."""
    placed = [w for w in account.writes() if w.places]
    ids = [w.client_id for w in placed]
    assert all(client_id_of_ours(i) for i in ids), ids
    twice = {i for i in ids if ids.count(i) > 1}
    assert not twice, f"sent twice: {[w for w in placed if w.client_id in twice]}"
    known = dict(account.rows("select id, attempt from monitoring.orders where account = :account and purpose <> 'external'"))
    for row, attempt in map(client_id_of_ours, ids):
        assert row in known and attempt <= known[row], f"row {row} attempt {attempt} is not in orders"
    return placed


def disagreement(account, truth):
    """What the tables say about our orders and stops, and the simulator denies; None when they agree."""
    bad = []
    resting = {o["order_id"]: o for o in truth["orders"] if o["is_open"]}
    ours = account.rows("select order_id, purpose, kind, client_order_id, position_id from monitoring.orders where account = :account "
                        "and purpose <> 'external' and is_open")
    for order_id, purpose, kind, client_id, position in ours:
        theirs = resting.get(order_id)
        if theirs is None:
            bad.append(f"our open {purpose} {client_id} ({order_id}) is not at the exchange")
        elif kind == "conditional" and theirs["stop_kind"] != purpose:
            bad.append(f"our {purpose} {client_id} is a {theirs['stop_kind']} at the exchange")
        elif position is None:
            bad.append(f"our {purpose} {client_id} belongs to no position")
    known = {row[0] for row in ours}
    for order in resting.values():
        if client_id_of_ours(order["client_order_id"]) and order["order_id"] not in known:
            bad.append(f"{order['client_order_id']} of ours rests at the exchange, not in the tables")
    rows = account.rows("select id, symbol, position_side, status, stop_loss_price, quantity, has_stop_loss, take_profit_price from "
                        "monitoring.positions where account = :account and managed and is_open")
    for position, symbol, position_side, status, stop_price, quantity, has_stop, target in rows:
        stops = {number(o["trigger_price"]) for o in account.resting(symbol, "stop_loss", position_side, truth)}
        targets = {number(o["trigger_price"]) for o in account.resting(symbol, "take_profit", position_side, truth)}
        if status != "active" or not has_stop or stops != {stop_price}:
            bad.append(f"position {position} {symbol} is {status}, its stop {stop_price}, at the exchange {stops}")
        if targets != ({target} if target else set()):
            bad.append(f"position {position} {symbol} wants target {target}, at the exchange {targets}")
    for order in resting.values():
        is_orphan = order["kind"] == "conditional" and not account.held(order["symbol"], order["position_side"], truth)
        if is_orphan and (client_id_of_ours(order["client_order_id"]) or order["is_position_stop"]):
            bad.append(f"orphaned {order['stop_kind']} {order['order_id']} of {order['symbol']}")
    return bad or None


def equal_to_exchange(account, timeout=20):
    """Fills, positions and orders equal the simulator's; so do the purposes of our orders and the stops of our positions."""
    from compare import wait_equal
    truth = wait_equal(account, timeout)
    seen = []

    def agree():
        nonlocal truth
        truth = account.truth()
        seen[:] = [disagreement(account, truth)]
        return seen[0] is None
    try:
        wait_for(agree, "our orders and stops agree with the exchange", timeout, every=0.1)
    except AssertionError:
        raise AssertionError(f"orders and stops disagree with the exchange: {seen[0]}") from None
    check_sent_once(account)
    return truth


def check_confirmed(account, position, silent=()):
    """verify_position() asks three sources; each was asked and agrees, but those that were silent since the opening."""
    held = account.position(position)["quantity"]
    rows = []

    def agree():
        with account.session().cursor() as cursor:
            cursor.execute("select source, checked, confirmed, quantity from monitoring.verify_position(%s)", (position,))
            rows[:] = cursor.fetchall()
        return {row[0] for row in rows} == {"order_status", "stream", "rest_position"} and all(row[1:3] == (True, True) for row in rows
                                                                                              if row[0] not in silent)
    wait_or_tell(agree, f"three sources confirm position {position}", 5, lambda: rows)
    assert all(quantity in (None, held) for _, _, _, quantity in rows), rows
    assert not any(row[2] for row in rows if row[0] in silent), f"a source that said nothing confirms: {rows}"
    return rows


counter = itertools.count(1)


def signal():
    return f"signal-{next(counter)}"
