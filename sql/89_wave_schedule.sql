-- Waves of test signals by the clock. The supervisor generates them, in the name of the table's owner: whatever hangs on
-- that table, a trigger or an index of its owner, runs with the owner's rights.

create table testkit.wave_schedule (
  only_one        boolean constraint wave_schedule_pkey primary key default true constraint there_is_one_schedule check (only_one),
  relation        regclass not null,
  every           interval not null,
  waves           int,
  pairs           int not null,
  duplicate_ratio numeric not null,
  seed            int,
  active          boolean not null default true,
  next_at         timestamptz not null default now(),
  generated       int not null default 0,
  last_at         timestamptz,
  last_error      text,
  scheduled_by    text not null default session_user,
  scheduled_at    timestamptz not null default now()
);
comment on table testkit.wave_schedule is
  'The schedule of test waves, at most one. Not part of a dump: a restored database generates nothing.';
comment on column testkit.wave_schedule.only_one is 'Always true: there is one schedule.';
comment on column testkit.wave_schedule.relation is 'The table of test signals.';
comment on column testkit.wave_schedule.every is 'Time from wave to wave.';
comment on column testkit.wave_schedule.waves is 'How many waves; NULL = until stop_waves().';
comment on column testkit.wave_schedule.pairs is 'Signals of a wave.';
comment on column testkit.wave_schedule.duplicate_ratio is 'Part of them that repeats others.';
comment on column testkit.wave_schedule.seed is 'Seed of the waves; NULL = each wave draws its own.';
comment on column testkit.wave_schedule.active is 'False after the last wave and after stop_waves().';
comment on column testkit.wave_schedule.next_at is 'When the next wave is due.';
comment on column testkit.wave_schedule.generated is 'Waves generated so far.';
comment on column testkit.wave_schedule.last_at is 'When the supervisor last tried.';
comment on column testkit.wave_schedule.last_error is 'Why the last try failed; NULL when it did not.';
comment on column testkit.wave_schedule.scheduled_by is 'Who called schedule_waves().';
comment on column testkit.wave_schedule.scheduled_at is 'When.';

-- The number after the highest one that the table has.
create function testkit.generate_next_wave(pairs int, duplicate_ratio numeric, seed int, relation regclass) returns int
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant regclass := testkit.signal_table(relation);
  wave int;
begin
  execute format('select coalesce(max(t.wave_number), 0) + 1 from %s t', chosen) into wave;
  return testkit.generate_wave(wave, pairs, duplicate_ratio, seed, chosen);
end
$$;
comment on function testkit.generate_next_wave(int, numeric, int, regclass) is
  'generate_wave() with the number after the highest one of the table.';

-- May the session have waves generated in this table's owner's name, and may that owner generate them?
create function testkit.check_owner_of(relation regclass) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  owner constant regrole := (select c.relowner from pg_class c where c.oid = relation);
begin
  if not pg_has_role(session_user, owner, 'MEMBER') then
    perform testkit.refuse(format('%s is not yours', relation),
      format('Its owner is %s; scheduled waves are written in the owner''s name.', owner),
      'Schedule waves for a table of your own: select testkit.create_signal_table(''schema.name'').');
  elsif not (has_schema_privilege(owner, 'testkit', 'usage')
             and has_function_privilege(owner, 'testkit.generate_next_wave(int, numeric, int, regclass)', 'execute')) then
    perform testkit.refuse(format('%s may not generate waves', owner),
      format('It owns %s, and scheduled waves are written in the owner''s name.', relation),
      format('grant tradesync_trader to %s;', owner));
  end if;
end
$$;
comment on function testkit.check_owner_of(regclass) is 'TS044 when waves cannot be scheduled for a table by this session.';

-- Starts at once and replaces the schedule that there was.
create function testkit.schedule_waves(every interval default '15 minutes', waves int default null, pairs int default 60,
                                       duplicate_ratio numeric default 0.3, seed int default null, relation regclass default null)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant regclass := testkit.signal_table(relation);
begin
  if every is null or extract(epoch from every) not between 1 and 86400 then
    perform testkit.refuse(format('invalid time %s between waves', coalesce(every::text, 'NULL')),
                           'It is from one second to one day.', 'Give an interval such as ''15 minutes''.');
  elsif waves < 1 then
    perform testkit.refuse(format('invalid number of waves %s', waves), 'At least one, or NULL for no end.',
                           'testkit.stop_waves() ends the schedule.');
  end if;
  perform testkit.check_wave(1, pairs, duplicate_ratio), testkit.check_owner_of(chosen);
  -- Months and days would have different lengths at different times.
  insert into testkit.wave_schedule as s (relation, every, waves, pairs, duplicate_ratio, seed)
  values (chosen, make_interval(secs => extract(epoch from every)), waves, pairs, duplicate_ratio, seed)
  on conflict on constraint wave_schedule_pkey do update
  set relation = excluded.relation, every = excluded.every, waves = excluded.waves, pairs = excluded.pairs,
      duplicate_ratio = excluded.duplicate_ratio, seed = excluded.seed, active = true, next_at = now(), generated = 0,
      last_at = null, last_error = null, scheduled_by = session_user, scheduled_at = now();
  perform monitoring.worker_wake(0);
end
$$;
comment on function testkit.schedule_waves(interval, int, int, numeric, int, regclass) is
  'Lets the supervisor generate a wave at once and then one every so often, until that many are there. Replaces an earlier schedule.';

create function testkit.stop_waves() returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update testkit.wave_schedule s set active = false where s.active;
  return found;
end
$$;
comment on function testkit.stop_waves() is 'Ends the schedule of test waves; false when none was running.';

-- A failure that goes on is told when it begins, not with every wave.
create function testkit.note_failed_wave(s testkit.wave_schedule, message text, is_final boolean) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update testkit.wave_schedule w
  set active = not is_final, next_at = date_bin(s.every, now(), s.next_at) + s.every, last_at = now(), last_error = message;
  if s.last_error is distinct from message then
    perform monitoring.record_act(null, 'test_wave_failed', 'ERROR',
                                  jsonb_build_object('relation', s.relation::text, 'error', message, 'active', not is_final));
    perform monitoring.worker_notify('monitoring_alert', null, 'alerts', array[json_build_object(
      'event_type', 'test_wave_failed', 'severity', 'ERROR', 'message', left(s.relation::text || ': ' || message, 200))]);
  end if;
end
$$;
comment on function testkit.note_failed_wave(testkit.wave_schedule, text, boolean) is
  'Records that a scheduled wave could not be generated.';

-- Generates the wave that is due, if one is. After a pause of the server only one is made up for. A lock that somebody
-- holds, on the schedule or on the table, postpones it to the next round.
create function testkit.worker_run_due_waves() returns void
  language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  s testkit.wave_schedule;
  owner oid;
begin
  select w.* into s from testkit.wave_schedule w where w.active and w.next_at <= now() for update skip locked;
  if not found then
    return;
  end if;
  select c.relowner into owner from pg_class c where c.oid = s.relation;
  if not found then
    perform testkit.note_failed_wave(s, 'the table does not exist any more', true);
    return;
  end if;
  perform monitoring.run_as(owner, format('select testkit.generate_next_wave(%s, %s, %s, %s::regclass)', s.pairs, s.duplicate_ratio,
                                          coalesce(s.seed::text, 'null'), s.relation::oid), '{}');
  update testkit.wave_schedule w
  set generated = s.generated + 1, active = s.waves is null or s.generated + 1 < s.waves,
      next_at = date_bin(s.every, now(), s.next_at) + s.every, last_at = now(), last_error = null;
  perform monitoring.record_act(null, 'test_wave_generated', 'INFO',
                                jsonb_build_object('relation', s.relation::text, 'generated', s.generated + 1, 'waves', s.waves));
exception
  when lock_not_available or deadlock_detected or serialization_failure then
    null;
  -- A wave that takes too long is cancelled; it must not take the rest of the round with it.
  when query_canceled or others then
    perform testkit.note_failed_wave(s, sqlerrm, false);
end
$$;
comment on function testkit.worker_run_due_waves() is 'Supervisor: generates the next scheduled wave of test signals when it is due.';
