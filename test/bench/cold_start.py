"""1000 open positions: from enable_account() until every row is there and every symbol subscribed and priced."""
import time

from figure import Figure
from support.cluster import wait_for

POSITIONS = 1000
LEGACY_S_PER_POSITION = 0.1        # the bot that this replaces subscribes one symbol each 0.1 s

READY = """
select (select count(*) from monitoring.subscriptions where account = :account and state = 'subscribed' and last_price_at is not null),
       (select count(*) from monitoring.open_positions p join monitoring.prices using (account, symbol)
        where p.account = :account and prices.mark_price is not null)"""


def measure(bed):
    rows = []
    for venue in ("bybit", "binance"):
        account = bed.account(venue, positions=POSITIONS)
        began = time.monotonic()
        bed.enable(account)
        wait_for(lambda: account.rows(READY)[0] == (POSITIONS, POSITIONS), f"{POSITIONS} positions subscribed and priced", 60)
        took = time.monotonic() - began
        bed.disable(account)
        rows.append(Figure(f"cold start, {POSITIONS} positions, {venue.capitalize()}", took, "s", "legacy bot (documented)",
                           POSITIONS * LEGACY_S_PER_POSITION, "<= 3 s", took <= 3, False))
    return rows
