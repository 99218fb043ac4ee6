-- The record of what happened (events, partitioned by day), what is kept how long, and health().

create sequence monitoring.events_id_seq;
comment on sequence monitoring.events_id_seq is 'Numbers of events.';

-- The parent carries no index and no constraint, so that a dump can attach its partitions to the one that CREATE
-- EXTENSION makes; make_partition() builds them on each partition.
create table monitoring.events (
  id             bigint not null default nextval('monitoring.events_id_seq'),
  account        text,
  event_type     text not null,
  severity       text not null default 'INFO',
  symbol         text,
  position_id    bigint,
  order_id       text,
  correlation_id text,
  event_data     jsonb,
  error_message  text,
  created_at     timestamptz not null default now()
) partition by range (created_at);
alter sequence monitoring.events_id_seq owned by monitoring.events.id;
comment on table monitoring.events is 'What happened, newest partition last: one partition per UTC day, dropped after event_retention.';
comment on column monitoring.events.id is 'Number of the event.';
comment on column monitoring.events.account is 'The account; NULL = about the whole database.';
comment on column monitoring.events.event_type is 'What happened: position_created, order_filled, websocket_disconnected …';
comment on column monitoring.events.severity is 'DEBUG, INFO, WARNING, ERROR or CRITICAL. From WARNING on, NOTIFY monitoring_alert is sent.';
comment on column monitoring.events.symbol is 'Canonical symbol, where it is about one.';
comment on column monitoring.events.position_id is 'positions.id, where it is about one.';
comment on column monitoring.events.order_id is 'orders.order_id, where it is about one.';
comment on column monitoring.events.correlation_id is 'Common to all events of one undertaking.';
comment on column monitoring.events.event_data is 'Particulars; symbol and exchange are always among them where known.';
comment on column monitoring.events.error_message is 'The error, where it is one.';
comment on column monitoring.events.created_at is 'When it happened.';

-- Gives a partition of events its key, its rules and its indexes.
create function monitoring.index_event_partition(partition regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s add primary key (id), add constraint severity_is_known '
                 'check (monitoring.is_severity(severity))', partition);
  execute format('create index on %s (created_at)', partition);
  execute format('create index on %s (account, event_type, created_at)', partition);
end
$$;
comment on function monitoring.index_event_partition(regclass) is 'Key, severity rule and indexes of one partition of events.';

create table monitoring.events_default partition of monitoring.events default;
comment on table monitoring.events_default is
  'Events of days without a partition of their own: after a restore until resume(), and while no account is enabled. make_partition() moves them to their day.';
select monitoring.index_event_partition('monitoring.events_default');

-- Makes the partition of a UTC day and moves into it what the default partition holds of that day. Returns false when it
-- exists already. Nobody may write an event meanwhile: a row on its way into the default partition would find, once the new
-- partition is there, that it does not belong there any longer, and fail.
create function monitoring.make_partition(day date) returns boolean
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  partition constant text := 'events_' || to_char(day, 'YYYYMMDD');
  first constant timestamptz := day::timestamp at time zone 'UTC';
  next constant timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
  if to_regclass('monitoring.' || partition) is not null then
    return false;
  end if;
  lock table monitoring.events in share row exclusive mode;
  lock table monitoring.events_default in access exclusive mode;
  execute format('create table monitoring.%I (like monitoring.events including defaults including comments)', partition);
  execute format('comment on table monitoring.%I is %L', partition, 'Events of ' || day || ' (UTC).');
  execute format('with moved as (delete from monitoring.events_default where created_at >= %L and created_at < %L returning *)'
                 'insert into monitoring.%I select * from moved', first, next, partition);
  perform monitoring.index_event_partition(('monitoring.' || partition)::regclass);
  execute format('alter table monitoring.events attach partition monitoring.%I for values from (%L) to (%L)',
                 partition, first, next);
  return true;
end
$$;
comment on function monitoring.make_partition(date) is 'Makes the partition of events for one UTC day; false when it exists.';

-- How long rows of a kind are kept: set for this database, else asked for by the server's configuration (events), else shipped.
create function monitoring.retention_of(key text) returns interval
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(
    (select (s.value #>> '{}')::interval from monitoring.settings s
     where s.key = $1 and s.account is null and not s.builtin),
    case when $1 = 'event_retention' then
      -- A bare number would read as seconds.
      regexp_replace(nullif(current_setting('tradesync.event_retention', true), ''), '^\s*(\d+)\s*$', '\1 days')::interval end,
    (select (s.value #>> '{}')::interval from monitoring.settings s where s.key = $1 and s.builtin),
    interval '30 days')
$$;
comment on function monitoring.retention_of(text) is 'How long rows are kept; key is event_retention, order_retention …';

-- Partitions may be made and dropped only where this database is known to be the one that the accounts belong to:
-- during a restore the dump brings its own.
create function monitoring.partitions_are_ours() returns boolean
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(bool_and(monitoring.identity_doubt(a.id) is null), false)
  from monitoring.accounts a
  where a.enabled
$$;
comment on function monitoring.partitions_are_ours() is 'True when at least one account is enabled and the identity of all enabled ones is confirmed.';

-- Makes the partitions of today and tomorrow and drops those that are too old.
create function monitoring.maintain_event_partitions() returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  today constant date := (now() at time zone 'UTC')::date;
  oldest constant date := ((now() - monitoring.retention_of('event_retention')) at time zone 'UTC')::date;
  partition name;
begin
  perform monitoring.make_partition(today), monitoring.make_partition(today + 1);
  for partition in
    select c.relname
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'monitoring.events'::regclass
      and c.relname ~ '^events_\d{8}$' and substr(c.relname, 8) < to_char(oldest, 'YYYYMMDD')
    order by c.relname
  loop
    execute format('drop table monitoring.%I', partition);
  end loop;
end
$$;
comment on function monitoring.maintain_event_partitions() is 'Makes the partitions of today and tomorrow, drops those older than event_retention.';

-- Everything that has an end: called by the supervisor every minute, safe at any time, bounded per call. Tables are read
-- from their oldest rows, 5000 at a time. A lock held by somebody only postpones the work.
create function monitoring.worker_retention() returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if monitoring.partitions_are_ours() then
    begin
      perform monitoring.maintain_event_partitions();
    exception when lock_not_available or deadlock_detected then
      null;  -- the next minute will do
    end;
  end if;
  delete from monitoring.events_default e where e.created_at < now() - monitoring.retention_of('event_retention');

  -- The worker of a position needs all of its orders for as long as it is open.
  delete from monitoring.orders o
  using (select e.id from monitoring.orders e order by e.id limit 5000) oldest
  where o.id = oldest.id and not o.is_open
    and coalesce(o.venue_updated_at, o.updated_at) < now() - monitoring.retention_of('order_retention')
    and (o.purpose = 'external' or not exists (select from monitoring.positions p where p.id = o.position_id and p.is_open));
  delete from monitoring.commands c
  using (select e.id from monitoring.commands e order by e.id limit 5000) oldest
  where c.id = oldest.id and c.finished_at < now() - monitoring.retention_of('command_retention');
  delete from monitoring.sync_runs r
  using (select e.id from monitoring.sync_runs e order by e.id limit 5000) oldest
  where r.id = oldest.id and r.started_at < now() - monitoring.retention_of('sync_run_retention');
  delete from monitoring.sync_findings f
  using (select e.id from monitoring.sync_findings e order by e.id limit 5000) oldest
  where f.id = oldest.id and f.created_at < now() - monitoring.retention_of('sync_finding_retention');
  delete from monitoring.dead_letters d
  using (select e.id from monitoring.dead_letters e order by e.id limit 5000) oldest
  where d.id = oldest.id and d.created_at < now() - monitoring.retention_of('dead_letter_retention')
    and (d.resolved_at is not null or d.kind <> 'trade');
  -- A signal that its source still shows would be decided anew without its decision.
  delete from monitoring.signal_decisions d
  using (select e.source_id, e.signal_key from monitoring.signal_decisions e
         where e.decided_at < now() - monitoring.retention_of('signal_decision_retention')
           and not exists (select from monitoring.signal_sources s
                           where s.id = e.source_id and e.decided_at > now() - s.age_window - interval '1 hour')
         order by e.decided_at limit 5000) oldest
  where d.source_id = oldest.source_id and d.signal_key = oldest.signal_key;
end
$$;
comment on function monitoring.worker_retention() is
  'Supervisor: partitions of events, and retention of events, terminal orders, finished commands, sync_runs, sync_findings, dead_letters and signal_decisions. Fills and funding are kept.';

create type monitoring.event_row as (
  event_type text, severity text, symbol text, order_id text, event_data text, error_message text, created_at timestamptz,
  position_id bigint);
comment on type monitoring.event_row is 'One event on its way from the worker; event_data is JSON text.';

-- Appends events; from severity WARNING on listeners of monitoring_alert hear of them.
create function monitoring.worker_save_events(account_id int, rows monitoring.event_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  account_name text;
  venue text;
begin
  select a.name, a.exchange into account_name, venue from monitoring.accounts a where a.id = account_id;
  if not found then
    return 0;
  end if;

  insert into monitoring.events (account, event_type, severity, symbol, order_id, event_data, error_message, created_at, position_id)
  select account_name, r.event_type, r.severity, nullif(r.symbol, ''), nullif(r.order_id, ''),
         jsonb_strip_nulls(jsonb_build_object('exchange', venue, 'symbol', nullif(r.symbol, '')))
           || coalesce(nullif(r.event_data, '')::jsonb, '{}'),
         nullif(r.error_message, ''), coalesce(r.created_at, now()), r.position_id
  from unnest(rows) r;

  perform monitoring.worker_notify('monitoring_alert', account_name, 'alerts', array(
    select json_build_object('event_type', r.event_type, 'severity', r.severity, 'symbol', nullif(r.symbol, ''),
                             'position_id', r.position_id, 'message', left(r.error_message, 200))
    from unnest(rows) r
    where r.severity in ('WARNING', 'ERROR', 'CRITICAL')));
  return cardinality(rows);
end
$$;
comment on function monitoring.worker_save_events(int, monitoring.event_row[]) is
  'Worker: appends events, with NOTIFY monitoring_alert from severity WARNING on; returns the rows added.';

create view monitoring.failures_24h as
  select e.account, e.event_type, count(*) as count, max(e.created_at) as latest,
         (array_agg(e.error_message order by e.created_at desc, e.id desc))[1] as latest_message
  from monitoring.events e
  where e.severity in ('ERROR', 'CRITICAL') and e.created_at > now() - interval '24 hours'
  group by e.account, e.event_type;
comment on view monitoring.failures_24h is
  'What went wrong in the last 24 hours: events of severity ERROR and CRITICAL by account and type.';
comment on column monitoring.failures_24h.count is 'How often.';
comment on column monitoring.failures_24h.latest is 'When it happened last.';
comment on column monitoring.failures_24h.latest_message is 'error_message of the latest one.';
