"""testkit.schedule_waves(): the supervisor generates waves by the clock, in the name of the table's owner."""
import pytest
from support.cluster import wait_for

TABLE = "public.test_scoring_history"


def rows(world, sql, *arguments, user="postgres"):
    return world.cluster.rows(sql, arguments, user=user)


def value(world, sql, *arguments, user="postgres"):
    found = rows(world, sql, *arguments, user=user)
    return found[0][0] if found else None


@pytest.fixture(autouse=True)
def table(world):
    value(world, "select testkit.create_signal_table()::text")
    yield
    value(world, "select testkit.stop_waves()")
    rows(world, f"drop table {TABLE}")


def waves(world, relation=TABLE):
    return rows(world, f"select wave_number, count(*), min(created_at) from {relation} group by 1 order by 1")


def ended(world):
    return not value(world, "select active from testkit.wave_schedule")


def test_waves_come_by_the_clock_and_end(world):
    value(world, "select testkit.schedule_waves('1s', 3, 10, 0.3, 5)::text")
    wait_for(lambda: waves(world), "the first wave comes at once", 5)
    wait_for(lambda: ended(world), "the last wave", 10)
    made = waves(world)
    assert [(number, count) for number, count, _ in made] == [(1, 10), (2, 10), (3, 10)]
    pauses = [(later[2] - earlier[2]).total_seconds() for earlier, later in zip(made, made[1:])]
    assert all(0.5 < pause < 4 for pause in pauses), pauses
    assert value(world, "select count(*) from monitoring.events where event_type = 'test_wave_generated'") == 3


def test_a_schedule_survives_a_restart_and_makes_up_for_one_wave(world):
    value(world, "select testkit.schedule_waves('1h', pairs => 4)::text")
    wait_for(lambda: len(waves(world)) == 1, "the first wave", 5)
    world.cluster.stop()
    world.cluster.start()
    rows(world, "update testkit.wave_schedule set next_at = next_at - interval '5 hours'")
    wait_for(lambda: len(waves(world)) == 2, "the missed wave", 10)
    assert value(world, "select next_at > now() from testkit.wave_schedule")
    assert value(world, "select testkit.stop_waves()") and ended(world)


def test_nothing_of_the_owner_runs_with_more_rights(world):
    """What hangs on the table may do what its owner may do, and cannot get back to the supervisor's role."""
    rows(world, "create role wave_owner login in role tradesync_trader")
    rows(world, "create schema hers authorization wave_owner")
    rows(world, "select testkit.create_signal_table('hers.signals')::text", user="wave_owner")
    rows(world, """
        create function hers.spy() returns trigger language plpgsql as $$
        begin
          new.signal_type := current_user;
          begin
            execute 'reset role';
            execute 'create role intruder superuser';
          exception when others then
            new.timeframe := sqlstate;
          end;
          return new;
        end $$""", user="wave_owner")
    rows(world, "create trigger spy before insert on hers.signals for each row execute function hers.spy()", user="wave_owner")
    rows(world, "select testkit.schedule_waves('1s', 1, 6, relation => 'hers.signals')::text", user="wave_owner")
    wait_for(lambda: ended(world), "the wave", 10)
    assert value(world, "select last_error from testkit.wave_schedule") is None
    assert rows(world, "select signal_type, count(*) from hers.signals group by 1") == [("wave_owner", 6)]
    assert value(world, "select count(*) from pg_roles where rolname = 'intruder'") == 0


def test_a_failing_wave_stops_neither_the_supervisor_nor_the_schedule(world):
    rows(world, """
        create function public.fail() returns trigger language plpgsql as $$ begin raise exception 'no signals today'; end $$""")
    rows(world, f"create trigger fail before insert on {TABLE} for each row execute function public.fail()")
    value(world, "select testkit.schedule_waves('1s', pairs => 4)::text")
    wait_for(lambda: value(world, "select last_error from testkit.wave_schedule") == "no signals today", "the failure", 5)
    # Accounts are looked after meanwhile.
    world.account("bybit")
    assert value(world, "select count(*) from monitoring.events where event_type = 'test_wave_failed'") == 1
    rows(world, f"drop trigger fail on {TABLE}")
    wait_for(lambda: waves(world), "waves again", 10)
    assert value(world, "select last_error from testkit.wave_schedule") is None


def test_a_locked_table_postpones_the_wave(world):
    session = world.cluster.connect()
    session.autocommit = False
    with session.cursor() as cursor:
        cursor.execute(f"lock table {TABLE} in access exclusive mode")
        value(world, "select testkit.schedule_waves('1h', pairs => 4)::text")
        world.account("binance")  # a round of the supervisor has passed
        assert value(world, "select generated from testkit.wave_schedule") == 0
        assert value(world, "select last_error from testkit.wave_schedule") is None
    session.rollback()
    wait_for(lambda: waves(world), "the wave", 5)


def test_dropping_the_extension_ends_waves_and_keeps_the_table(world):
    value(world, "select testkit.schedule_waves('1s', pairs => 4)::text")
    wait_for(lambda: waves(world), "the first wave", 5)
    rows(world, "drop extension pg_tradesync")
    try:
        assert waves(world), "the signals are the user's"
        assert value(world, "select count(*) from pg_namespace where nspname = 'testkit'") == 0
    finally:
        rows(world, "create extension pg_tradesync")
