"""make demo: signals become protected positions on both simulated exchanges, stops fire, lines break, and all books end equal.

The exchanges are the simulator of this repository, over TLS; everything else is what a user would run. KEEP=1 (or --keep)
leaves server and simulator running until Ctrl-C and prints how to look on. Exit code 0 only when every check holds.
"""
import os
import signal
import sys
import time

import books
from stage import PG_BIN, Stage, wait_for

PAIRS = 40
REACHED = "select count(*) from monitoring.signal_decisions"


def connect(stage):
    stage.chapter("1. Connect", """One account on each exchange, mode live, over TLS. Their keys stand in the credentials file, never in the
        database. Both hold a BTCUSDT position that somebody opened before we existed: it is mirrored and left alone.""")
    for account in stage.accounts:
        account.control("trade", symbol="BTCUSDT", side="buy", quantity="0.02")
        account.remember_history()
    stage.sql("create extension pg_tradesync")
    for account in stage.accounts:
        rest, stream = stage.simulator.urls(account.venue, tls=True)
        stage.sql(f"""\
            select monitoring.add_account('{account.name}', '{account.venue}', mode => 'live',
                     rest_url => '{rest}',
                     ws_public_url => '{stream}', ws_private_url => '{stream}')""")
    stage.sql("""\
        select name, monitoring.configure_account(name, '{"position_size": 250, "leverage": 5,
                 "stop_loss_percent": 2, "max_trades_per_wave": 18}'), monitoring.enable_account(name)
        from monitoring.accounts""")
    for account in stage.accounts:
        account.wait_state(is_live=True)
        account.wait_for("open_positions where account = :account and current_price is not null", "a priced position")
    stage.sql("select account, state, halted from monitoring.worker_status order by account")
    stage.sql("""\
        select account, symbol, side, quantity, entry_price, current_price, origin, managed
        from monitoring.open_positions order by account""")


def wave(stage, number):
    """One wave, and what the supervisor makes of it by itself."""
    before = stage.value(REACHED)
    stage.sql(f"select testkit.generate_wave({number}, pairs => {PAIRS}, duplicate_ratio => 0.3, seed => 7)")
    began = time.monotonic()
    wait_for(lambda: stage.value(REACHED) == before + PAIRS, f"decisions about wave {number}", 30)
    stage.note(f"{time.monotonic() - began:.1f} s later every signal has its decision:")
    stage.sql(f"""\
        select d.decision, d.reason, count(*), count(t.repeat_of) as repeats,
               left(min(concat_ws(' ', d.exchange, d.symbol, d.detail)), 44) as for_example
        from public.test_scoring_history t join monitoring.signal_decisions d on d.signal_key = t.id::text
        where t.wave_number = {number} group by d.decision, d.reason order by d.decision, count(*) desc""")
    for account in stage.accounts:
        wait_for(lambda: not account.rows("select 1 from monitoring.positions where account = :account and managed and is_open "
                                          "and status <> 'active'"), f"active positions of {account.name}", 30)
    stage.note(f"{time.monotonic() - began:.1f} s after the wave every accepted one is filled and has its stop.")


def signals(stage):
    stage.chapter("2. A wave of signals", f"""A table of signals is attached once. Then {PAIRS} rows arrive in it, among them repeats of
        one another. Nobody calls anything: the rows wake the supervisor, which decides about each exactly once.""")
    stage.sql("select testkit.create_signal_table()")
    stage.sql("select monitoring.attach_signal_source('test_scoring_history')")
    wave(stage, 1)
    stage.sql("""\
        select t.id, t.signal_id, t.exchange, t.symbol, t.recommended_action as action, t.score_week as score, t.repeat_of,
               d.decision, d.reason
        from test_scoring_history t join monitoring.signal_decisions d on d.signal_key = t.id::text
        order by d.score_week desc, t.id limit 8""")


def positions(stage):
    stage.chapter("3. Positions with stops", """Each is entered at market, seen by three sources, and protected on the exchange.
        Prices move a little: every open row follows.""")
    for account in stage.accounts:
        for symbol, number in account.rows("select symbol, id from monitoring.positions where account = :account and is_open"):
            price = stage.move_price(account, symbol, "1.004" if number % 2 else "0.997")
            account.wait_for(f"open_positions where account = :account and symbol = '{symbol}' and current_price = {price}",
                             f"price of {symbol}")
    stage.sql("""\
        select account, count(*), count(*) filter (where has_stop_loss) as with_stop,
               round(sum(quantity * entry_price), 2) as notional, round(sum(unrealized_pnl), 2) as pnl
        from monitoring.open_positions where managed group by account order by account""")
    stage.sql("""\
        select exchange, symbol, side, quantity, entry_price, current_price as mark, round(unrealized_pnl, 2) as pnl,
               stop_loss_price as stop, status
        from monitoring.open_positions where managed order by opened_at desc limit 8""")
    stage.sql("""\
        select p.exchange, p.symbol, v.source, v.checked, v.confirmed, v.quantity
        from (select distinct on (exchange) * from monitoring.open_positions where managed order by exchange, id) p,
             monitoring.verify_position(p.id) v""")


def through_the_stop(stage, account, how_many):
    """Moves the prices of so many managed positions through their stops; their numbers."""
    chosen = account.rows("select id, symbol, side from monitoring.positions where account = :account and managed "
                          f"and status = 'active' order by id limit {how_many}")
    for _, symbol, side in chosen:
        stage.move_price(account, symbol, "0.998" if side == "long" else "1.002", of="stop_loss_price")
    stage.stopped += (number for number, _, _ in chosen)
    return [number for number, _, _ in chosen]


def wait_stopped(account, numbers):
    for number in numbers:
        account.wait_for(f"positions where id = {number} and status = 'closed' and exit_reason = 'stop_loss' and pnl is not null",
                         f"the result of position {number}")


SHOW_CLOSED = """\
    select exchange, symbol, side, quantity, entry_price, exit_price, exit_reason, round(pnl, 4) as pnl,
           round(pnl_percentage, 2) as percent
    from monitoring.positions where managed and status = 'closed' order by closed_at desc, id limit {}"""


def stops_fire(stage):
    stage.chapter("4. Stops fire", """Three prices on each exchange run through their stops. The exchange closes; exit price, fees
        and result come from its fills.""")
    stopped = [(account, through_the_stop(stage, account, 3)) for account in stage.accounts]
    for account, numbers in stopped:
        wait_stopped(account, numbers)
    stage.sql(SHOW_CLOSED.format(6))


def cut(stage):
    stage.chapter("5. The lines are cut", """Every connection is reset, and the exchanges refuse new ones for two seconds. Meanwhile
        another stop fires on each, and somebody closes a position by hand. Nobody tells us.""")
    stopped = []
    for account in stage.accounts:
        account.fault("refuse", ms=2000)
        account.control("drop", stream="all", how="reset")
        stopped.append((account, through_the_stop(stage, account, 1)))
        symbol, side, quantity = account.rows("select symbol, side, quantity from monitoring.positions where account = :account "
                                              "and managed and status = 'active' order by id desc limit 1")[0]
        account.control("trade", symbol=symbol, side="sell" if side == "long" else "buy", quantity=str(quantity), reduce_only=True)
    for account in stage.accounts:
        account.wait_state(is_live=False)
    stage.sql("select account, state, last_error from monitoring.worker_status order by account")
    began = time.monotonic()
    for account in stage.accounts:
        account.wait_state(is_live=True)
    for account, numbers in stopped:
        wait_stopped(account, numbers)
        account.wait_for("positions where account = :account and exit_reason = 'closed_on_exchange' and pnl is not null",
                         "what was closed by hand")
    stage.note(f"{time.monotonic() - began:.1f} s later both are live again and nothing is missing:")
    stage.sql(SHOW_CLOSED.format(4))


def second_wave(stage):
    stage.chapter("6. The second wave", """Some of its signals repeat the first wave: delivered again with the same signal_id, or a new
        signal for a pair that is held. No position is opened twice; a pair whose position has ended is free again.""")
    wave(stage, 2)
    stage.sql("""\
        select t.signal_id, t.exchange, t.symbol, o.signal_id as repeats, od.decision as then, d.decision as now, d.reason
        from test_scoring_history t join test_scoring_history o on o.id = t.repeat_of
        join monitoring.signal_decisions d on d.signal_key = t.id::text
        join monitoring.signal_decisions od on od.signal_key = o.id::text
        where t.wave_number = 2 and o.wave_number = 1 order by t.id limit 8""")


def look(stage):
    stage.chapter("7. The monitor", "One screen of `make monitor`, which draws it again every two seconds.")
    stage.monitor()


def prove(stage):
    stage.chapter("8. Compare", """Signals, decisions, positions and stops with each other; the tables with the simulator's own
        books, to the last digit.""")
    return books.show_counts(stage) + books.show_books(stage)


def keep(stage):
    stage.cluster.rows("""select monitoring.configure_account(name, '{"max_trades_per_wave": 100}') from monitoring.accounts""")
    stage.cluster.rows("select testkit.schedule_waves(every => '1 minute', pairs => 10)")
    for account in stage.accounts:
        account.control("price_walk", every_ms=200)
    key = stage.accounts[1].key
    print(f"\nServer and simulator go on, prices walk, a small wave comes every minute. From another terminal:\n\n"
          f"  make monitor DB='{stage.conninfo}'\n  {PG_BIN}/psql '{stage.conninfo}'\n\n"
          f"To trade as another client of an account (test/simulator/README.md has every command):\n\n"
          f"  curl -d '{{\"venue\":\"bybit\",\"account\":\"{key}\",\"symbol\":\"XRPUSDT\",\"side\":\"buy\",\"quantity\":\"100\"}}' "
          f"http://127.0.0.1:{stage.simulator.ports['control']}/trade\n\nCtrl-C ends and removes everything.", flush=True)
    signal.pause()


def tell_what_is_there(stage):
    """For whoever has to find out why; what cannot be shown is left out, the failure itself comes after it."""
    try:
        stage.note("what the monitor shows now:")
        stage.monitor()
        print("\n".join(stage.cluster.log_text().split("\n")[-10:]))
    except Exception as obstacle:
        print(f"  {obstacle}")


def play(stage):
    """What differs in the end."""
    for act in (connect, signals, positions, stops_fire, cut, second_wave, look):
        act(stage)
    return prove(stage)


def main():
    stage = Stage()
    print(f"pg_tradesync demo: PostgreSQL and both exchanges are up after {stage.seconds():.1f} s")
    try:
        differences = play(stage)
    except Exception:
        tell_what_is_there(stage)
        raise
    if differences:
        print("\nTEST FAILED - " + "; ".join(differences))
        return 1
    print(f"\n{stage.seconds():.0f} s\nTEST COMPLETED - all checks passed", flush=True)
    if "--keep" in sys.argv or os.environ.get("KEEP"):
        keep(stage)
    return 0


try:
    sys.exit(main())
except KeyboardInterrupt:
    print("\ninterrupted; server and simulator are removed")
    sys.exit(130)
except Exception as failure:  # whatever it was, the last line says that the test failed
    print(f"\nTEST FAILED - {type(failure).__name__}: {failure}")
    sys.exit(1)
