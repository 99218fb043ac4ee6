"""The proof of the demo: tables against the simulator's own books, and signals against decisions, positions and stops."""
import compare
from compare import number
from support.cluster import wait_for
from trading import check_sent_once, disagreement


def stops_of(account):
    rows = account.rows("select symbol, stop_loss_price from monitoring.positions where account = :account and managed and is_open")
    return {(symbol, price): True for symbol, price in rows}


def stops_in(truth):
    return {(order["symbol"], number(order["trigger_price"])): True for order in truth["orders"]
            if order["is_open"] and order["stop_kind"] == "stop_loss"}


def both_books(account):
    """(what, in our tables, at the exchange)"""
    truth = account.truth()
    late = lambda fills: {key: fill for key, fill in fills.items() if key[1] not in account.history}  # noqa: E731
    wallets = dict(account.rows("select asset, wallet_balance from monitoring.balances where account = :account"))
    return (
        ("fills", late(compare.trades_of(account)), late(compare.fills_of(truth))),
        ("positions", compare.positions_of(account), compare.held_by(truth)),
        ("open rows of monitoring.positions", compare.open_rows_of(account), compare.held_by(truth)),
        ("open orders", compare.open_orders_of(account), compare.resting_in(truth)),
        ("stops of managed positions", stops_of(account), stops_in(truth)),
        ("wallet balances", wallets, {held["asset"]: number(held["wallet_balance"]) for held in truth["balances"]}),
    )


def is_equal(account):
    return all(ours == theirs for _, ours, theirs in both_books(account)) and not disagreement(account, account.truth())


# What a signal has to come to. It must be refused as a duplicate when its signal_id, or its pair at the same time, was there
# before, or when the pair is held at the moment of its decision; otherwise nothing may call it one.
JUDGED = """
  create temporary view judged as
  select t.id, t.repeat_of, d.decision, d.reason, d.position_id,
         exists (select from public.test_scoring_history e
                 where e.id < t.id and (e.signal_id = t.signal_id
                                        or (e.exchange, e.symbol, e.timestamp) = (t.exchange, t.symbol, t.timestamp)))
         or exists (select from monitoring.positions p
                    where p.exchange = t.exchange and p.symbol = t.symbol and p.id is distinct from d.position_id
                      and p.opened_at < d.decided_at and (p.closed_at is null or p.closed_at > d.decided_at)) as is_duplicate
  from public.test_scoring_history t
  left join monitoring.signal_decisions d on d.source = 'public.test_scoring_history' and d.signal_key = t.id::text"""

STOPPED = object()  # as many as prices were moved through

# (what, this many, as many as)
COUNTS = (
    ("signals, each with one decision", "select count(*) from public.test_scoring_history",
     "select count(*) from judged where decision is not null"),
    ("decisions, none without its signal", "select count(*) from monitoring.signal_decisions",
     "select count(*) from judged where decision is not null"),
    ("duplicates, rejected as such", "select count(*) from judged where is_duplicate",
     "select count(*) from judged where is_duplicate and decision = 'rejected' and reason like 'duplicate%'"),
    ("rejected as duplicates, all with cause", "select count(*) from judged where reason like 'duplicate%'",
     "select count(*) from judged where is_duplicate and reason like 'duplicate%'"),
    ("accepted signals, each with its position", "select count(*) from judged where decision = 'opened'",
     """select count(distinct p.id) from judged j join public.test_scoring_history t using (id) join monitoring.positions p
          on p.id = j.position_id and p.signal_id = t.signal_id and p.symbol = t.symbol and p.exchange = t.exchange
          and p.side = case t.recommended_action when 'BUY' then 'long' else 'short' end and p.entry_price is not null"""),
    ("positions from signals, all accepted", "select count(*) from monitoring.positions where origin = 'signal'",
     "select count(*) from judged where decision = 'opened'"),
    ("open positions, protected by a stop", "select count(*) from monitoring.open_positions where managed",
     "select count(*) from monitoring.open_positions where status = 'active' and has_stop_loss and managed"),
    ("stops hit, rows closed with a result", STOPPED,
     "select count(*) from monitoring.positions where exit_reason = 'stop_loss' and exit_price > 0 and pnl < 0"),
)


def show_counts(stage):
    """Signals, decisions, positions; returns what differs."""
    connection = stage.cluster.connect(stage.value("select current_database()"))
    with connection.cursor() as cursor:
        def count(statement):
            cursor.execute(statement)
            return cursor.fetchone()[0]
        cursor.execute(JUDGED)
        found = [(what, len(stage.stopped) if left is STOPPED else count(left), count(right)) for what, left, right in COUNTS]
    print()
    # Zero and zero are equal, too, and prove nothing.
    bad = [f"{what}: {left} and {right}" for what, left, right in found if left != right or left == 0]
    for what, left, right in found:
        print(f"  {what:42} {left:5} {right:5}  {'equal' if left == right else 'DIFFERENT'}")
    return bad


def show_books(stage):
    """Tables and exchange, once they had time to become equal; returns what differs."""
    try:
        wait_for(lambda: all(is_equal(account) for account in stage.accounts), "equal books", 10, 0.1)
    except AssertionError:
        pass  # what differs is shown below
    print(f"\n  {'account':14} {'what':34} {'tables':>8} {'exchange':>9}")
    differences = []
    for account in stage.accounts:
        for what, ours, theirs in both_books(account):
            found = compare.difference(ours, theirs)
            print(f"  {account.name:14} {what:34} {len(ours):8} {len(theirs):9}  {found or 'equal'}")
            differences += [f"{what} of {account.name}"] if found else []
        differences += disagreement(account, account.truth()) or []
        print(f"  {account.name:14} {'orders sent, each with its row':34} {len(check_sent_once(account)):8} {'':9}  none twice")
    return differences
