"""Is what stands in the tables what the simulator holds, to the last digit?"""
from decimal import Decimal

from support.cluster import wait_for


def number(text):
    return Decimal(text) if text not in (None, "") else Decimal(0)


def trades_of(account):
    rows = account.rows("select symbol, trade_id, order_id, side, price, quantity, fee from monitoring.trades where account = :account")
    return {(r[0], r[1]): (r[2], r[3], r[4], r[5], r[6]) for r in rows}


def fills_of(truth):
    return {(f["symbol"], f["trade_id"]): (f["order_id"], f["side"], number(f["price"]), number(f["quantity"]), number(f["fee"]))
            for f in truth["fills"]}


def positions_of(account):
    rows = account.rows("select symbol, position_side, side, quantity, entry_price from monitoring.venue_positions where account = :account")
    return {(r[0], r[1]): (r[2], r[3]) for r in rows}


def open_rows_of(account):
    rows = account.rows("select symbol, position_side, side, quantity from monitoring.open_positions where account = :account")
    return {(r[0], r[1]): (r[2], r[3]) for r in rows}


def held_by(truth):
    return {(p["symbol"], p["position_side"]): (p["side"], number(p["quantity"])) for p in truth["positions"] if number(p["quantity"]) != 0}


OPEN = ("new", "partially_filled", "triggered")


def open_orders_of(account):
    rows = account.rows("select symbol, order_id, quantity, filled_quantity from monitoring.orders where account = :account "
                        "and status in ('new','partially_filled','triggered')")
    return {(r[0], r[1]): (r[2], r[3]) for r in rows}


OPEN_WORDS = {"new", "partiallyfilled", "partially_filled", "untriggered", "triggered", "triggering"}


def resting_in(truth):
    return {(o["symbol"], o["order_id"]): (number(o["quantity"]), number(o["filled_quantity"]))
            for o in truth["orders"] if o["status"].lower() in OPEN_WORDS}


def filled_orders_of(account):
    rows = account.rows("select symbol, order_id, filled_quantity from monitoring.orders where account = :account and filled_quantity > 0")
    return {(r[0], r[1]): r[2] for r in rows}


def difference(ours, theirs):
    if ours == theirs:
        return None
    missing = {key: theirs[key] for key in list(theirs)[:10000] if key not in ours}
    extra = {key: ours[key] for key in ours if key not in theirs}
    other = {key: (ours[key], theirs[key]) for key in ours if key in theirs and ours[key] != theirs[key]}
    some = lambda found: (len(found), dict(list(found.items())[:3]))  # noqa: E731
    return f"missing {some(missing)}, extra {some(extra)}, different {some(other)}"


def wait_equal(account, timeout=20):
    """Waits until fills, positions, open rows and resting orders of the account equal the simulator's, then returns its truth."""
    seen = {}

    def look():
        truth = account.truth()
        seen["fills"] = difference(trades_of(account), fills_of(truth))
        seen["positions"] = difference({k: v for k, v in positions_of(account).items()}, held_by(truth))
        seen["open rows"] = difference(open_rows_of(account), held_by(truth))
        seen["orders"] = difference(open_orders_of(account), resting_in(truth))
        return truth if not any(seen.values()) else None
    try:
        return wait_for(look, "tables equal the exchange", timeout, every=0.2)
    except AssertionError:
        raise AssertionError(f"tables differ from the exchange: { {k: v for k, v in seen.items() if v} }") from None
