"""A lock, a trigger or a full disk concerns the rows that it concerns: the others are written, and nothing is lost."""
from decimal import Decimal

import pytest
from compare import wait_equal
from support.cluster import wait_for


def refuse_rows(world, table, condition, errcode="P0001", name="refusal"):
    world.cluster.rows(f"""
        create or replace function public.{name}() returns trigger language plpgsql as $$
        begin
          if {condition} then
            raise exception 'not this row' using errcode = '{errcode}';
          end if;
          return new;
        end $$;
        create trigger {name} before insert or update on monitoring.{table} for each row execute function public.{name}()""")


@pytest.fixture(autouse=True)
def no_refusal_left(world):
    yield
    world.cluster.rows("drop function if exists public.refusal() cascade")


def pending(world):
    return int(world.cluster.value("select value from monitoring.health() where check_name = 'pending_rows'"))


def test_a_trigger_that_raises_costs_its_row_and_no_other(world, venue):
    account = world.account(venue)
    refuse_rows(world, "orders", f"new.account = '{account.name}' and new.symbol = 'SOLUSDT'")
    account.control("order", symbol="SOLUSDT", side="buy", type="limit", price="20", quantity="2")
    account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="40000", quantity="0.01")
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.1")
    letter = "select kind, symbol, error, sqlstate from monitoring.dead_letters where account = :account and resolved_at is null"
    wait_for(lambda: account.rows(letter), "the dead letter", 10)
    assert account.rows(letter)[0] == ("order", "SOLUSDT", "not this row", "P0001")
    assert account.value("select severity from monitoring.events where account = :account and event_type = 'database_error'") == "ERROR"
    wait_for(lambda: account.rows("select symbol from monitoring.orders where account = :account and status = 'new'") == [("BTCUSDT",)], "the other", 5)
    wait_for(lambda: account.value("select count(*) from monitoring.trades where account = :account") == 1, "the fill", 5)
    assert account.value("select ok from monitoring.health() where check_name = 'dead_letters'") is False
    # Once the cause is gone a reconnect brings the row, and the person closes the letter.
    world.cluster.rows("drop function public.refusal() cascade")
    account.simulator.control("drop", venue=venue, stream="private", how="reset")
    wait_equal(account)
    account.rows("update monitoring.dead_letters set resolved_at = now() where account = :account")
    assert account.value("select ok from monitoring.health() where check_name = 'dead_letters'") is True


def test_a_fill_that_was_refused_is_read_again_and_resolved(world, venue):
    account = world.account(venue)
    refuse_rows(world, "trades", f"new.account = '{account.name}' and new.symbol = 'SOLUSDT'")
    account.control("trade", symbol="SOLUSDT", side="buy", quantity="2")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    unresolved = "select count(*) from monitoring.dead_letters where account = :account and kind = 'trade' and resolved_at is null"
    wait_for(lambda: account.value(unresolved) == 1, "the dead letter", 10)
    wait_for(lambda: account.value("select count(*) from monitoring.trades where account = :account and symbol = 'BTCUSDT'") == 1, "the other fill", 5)
    world.cluster.rows("drop function public.refusal() cascade")
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.1")
    # The cursor waited for it: a reconnect reads it again.
    account.simulator.control("drop", venue=venue, stream="private", how="reset")
    wait_equal(account)
    wait_for(lambda: account.value(unresolved) == 0, "the letter is closed by the row itself", 5)


@pytest.mark.parametrize("seconds", [3])
def test_a_person_who_holds_a_row_delays_that_row_only(world, venue, seconds):
    account = world.account(venue)
    for symbol, quantity in (("BTCUSDT", "0.01"), ("ETHUSDT", "0.1")):
        account.control("trade", symbol=symbol, side="buy", quantity=quantity)
    wait_equal(account)
    pid = account.pid()
    person = world.cluster.connect()
    person.autocommit = False
    with person.cursor() as cursor:
        cursor.execute("update monitoring.positions set signal_id = 'mine' where account = %s and symbol = 'BTCUSDT'", (account.name,))
        account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
        account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.2")
        account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="40000", quantity="0.01")
        account.wait_value("select quantity from monitoring.open_positions where account = :account and symbol = 'ETHUSDT'", Decimal("0.3"), 5)
        wait_for(lambda: account.value("select count(*) from monitoring.orders where account = :account and status = 'new'") == 1, "the order", 5)
        wait_for(lambda: pending(world) > 0, "health() shows what waits", 5)
        # Held through several retries, while the account goes on.
        for n in range(1, seconds + 1):
            account.control("trade", symbol="SOLUSDT", side="buy", quantity="1")
            account.wait_value("select quantity from monitoring.open_positions where account = :account and symbol = 'SOLUSDT'", Decimal(n), 5)
            wait_for(lambda: account.value("select count(*) from monitoring.trades where account = :account and symbol = 'SOLUSDT'") == n, "fill", 5)
            cursor.execute("select pg_sleep(0.7)")
        assert account.value("select quantity from monitoring.positions where account = :account and symbol = 'BTCUSDT'") == Decimal("0.01")
    person.commit()
    wait_equal(account)
    assert account.rows("select signal_id, quantity from monitoring.positions where account = :account and symbol = 'BTCUSDT'") == [("mine", Decimal("0.03"))]
    wait_for(lambda: pending(world) == 0, "nothing waits", 5)
    assert account.pid() == pid
    assert account.value("select count(*) from monitoring.dead_letters where account = :account") == 0


def test_a_person_who_holds_an_order_delays_that_order_only(world, venue):
    account = world.account(venue)
    held = account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="40000", quantity="0.02")["order_id"]
    free = account.control("order", symbol="ETHUSDT", side="buy", type="limit", price="1000", quantity="0.2")["order_id"]
    wait_equal(account)
    person = world.cluster.connect()
    person.autocommit = False
    with person.cursor() as cursor:
        cursor.execute("select 1 from monitoring.orders where account = %s and order_id = %s for update", (account.name, held))
        account.control("fill", order_id=held, quantity="0.01", price="40000")
        account.control("cancel", order_id=held)
        account.control("cancel", order_id=free)
        account.wait_value(f"select status from monitoring.orders where account = :account and order_id = '{free}'", "canceled", 5)
        assert account.value(f"select status from monitoring.orders where account = :account and order_id = '{held}'") == "new"
        wait_for(lambda: account.value("select count(*) from monitoring.trades where account = :account") == 1, "its fill is there", 5)
        wait_for(lambda: pending(world) > 0, "health() shows what waits", 5)
    person.rollback()
    wait_equal(account)
    row = account.rows(f"select status, filled_quantity from monitoring.orders where account = :account and order_id = '{held}'")
    assert row == [("canceled", Decimal("0.01"))]


@pytest.mark.parametrize("table", ["trades", "orders", "positions", "venue_position_state", "events"])
def test_a_full_disk_loses_nothing(world, venue, table):
    account = world.account(venue)
    resting = account.control("order", symbol="BTCUSDT", side="buy", type="limit", price="40000", quantity="0.02")["order_id"]
    wait_equal(account)
    refuse_rows(world, table, f"new.account = '{account.name}'", errcode="53100")
    account.control("fill", order_id=resting, quantity="0.01", price="40000")
    account.control("trade", symbol="ETHUSDT", side="buy", quantity="0.2")
    account.control("trade", symbol="SOLUSDT", side="buy", quantity="2")
    if table == "events":  # only a new connection writes one
        account.simulator.control("drop", venue=venue, stream="private", how="reset")
    wait_for(lambda: pending(world) > 0, "rows wait", 5)
    account.control("trade", symbol="SOLUSDT", side="sell", quantity="2")
    account.control("cancel", order_id=resting)
    world.cluster.rows("drop function public.refusal() cascade")
    wait_equal(account)
    wait_for(lambda: pending(world) == 0, "nothing waits", 5)
    assert account.value("select count(*) from monitoring.dead_letters where account = :account") == 0
    if table != "events":
        account.wait_value("select status from monitoring.positions where account = :account and symbol = 'SOLUSDT'", "closed")


def test_a_disk_that_is_full_for_everything_stops_nothing_for_good(world, venue):
    account = world.account(venue, count=1)
    wait_equal(account)
    tables = ["orders", "trades", "positions", "venue_position_state", "balances", "prices", "events", "cursors", "sync_runs", "dead_letters"]
    refuse_rows(world, tables[0], f"new.account = '{account.name}'", errcode="53100")
    for table in tables[1:]:
        world.cluster.rows(f"create trigger refusal before insert or update on monitoring.{table} for each row execute function public.refusal()")
    account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.01")
    wait_for(lambda: pending(world) > 0, "rows wait", 5)
    account.simulator.control("drop", venue=venue, stream="all", how="reset")
    account.control("trade", symbol="BTCUSDT", side="sell", quantity="0.01")
    account.control("trade", symbol="ETHUSDT", side="sell", quantity="0.2")
    account.wait_live()
    world.cluster.rows("drop function public.refusal() cascade")
    wait_equal(account)


def test_a_reader_with_an_old_snapshot_stops_nobody(world, venue):
    account = world.account(venue, count=2)
    wait_equal(account)
    reader = world.cluster.connect()
    reader.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    seen = "select count(*) from monitoring.trades where account = %s"
    with reader.cursor() as cursor:
        cursor.execute(seen, (account.name,))
        before = cursor.fetchone()
        account.control("fills", count=300, symbols=3, rate_per_s=0, seed=3)
        wait_for(lambda: account.control("fills_status")["done"], "fills made", 10)
        wait_equal(account)
        cursor.execute(seen, (account.name,))
        assert cursor.fetchone() == before
    reader.rollback()
