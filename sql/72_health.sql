-- health(): everything an operator or a monitoring system should look at, one row per check.

create function monitoring.health(out check_name text, out ok boolean, out value text, out detail text) returns setof record
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  with status as materialized (select * from monitoring.cluster_status()),
  worker as materialized (
    select a.name, a.id, w.pid, w.state, w.last_error, w.clock_offset_ms, w.pending_rows
    from monitoring.accounts a left join monitoring.worker_slots() w on w.account_id = a.id
    where a.enabled),
  message as (select s.account_id, max(s.last_message_at) as last_at from monitoring.worker_streams() s group by s.account_id),
  -- An old snapshot keeps vacuum and HOT from reusing dead rows everywhere in the cluster.
  snapshot as (
    select now() - a.xact_start as age, format('process %s of %s', a.pid, coalesce(a.usename, a.backend_type)) as holder
    from pg_stat_activity a where a.backend_xmin is not null and a.pid <> pg_backend_pid()
    union all
    select now() - p.prepared, format('prepared transaction %s', p.gid) from pg_prepared_xacts p
    order by age desc nulls last
    limit 1)

  select 'preloaded', s.value = 'on', s.value,
         case when s.value <> 'on' then 'add pg_tradesync to shared_preload_libraries and restart the server' end
  from status s where s.item = 'preloaded'
  union all
  select 'library_version', s.value = e.extversion, s.value,
         case when s.value <> e.extversion then format('the extension is %s: alter extension pg_tradesync update, or restart the server', e.extversion) end
  from status s, pg_extension e where s.item = 'library_version' and e.extname = 'pg_tradesync'
  union all
  select 'restart_needed', coalesce(max(s.value), 'off') = 'off', coalesce(max(s.value), 'off'),
         case when max(s.value) = 'on' then 'the installed library differs from the one the server has loaded: restart the server' end
  from status s where s.item = 'restart_needed'
  union all
  select 'launcher', max(s.value) is not null, max(s.value),
         case when max(s.value) is null then 'no launcher runs: look for tradesync in the server log' end
  from status s where s.item = 'launcher_pid'
  union all
  select 'supervisor', max(s.value) is not null, max(s.value),
         case when max(s.value) is null then format('no supervisor for database %s: is it in tradesync.databases?', current_database()) end
  from status s where s.item = 'supervisor_pid'
  union all
  select 'credentials', max(s.value) = 'ok', max(s.value),
         (select f.value from status f where f.item = 'credentials_file')
  from status s where s.item = 'credentials_status'
  union all
  select 'worker ' || w.name, coalesce(w.state = 'live' and w.pid is not null, false), coalesce(w.state, 'backoff'),
         concat_ws('; ', 'last message ' || date_trunc('milliseconds', now() - m.last_at) || ' ago', nullif(w.last_error, ''))
  from worker w left join message m on m.account_id = w.id
  union all
  select 'clock ' || w.name, abs(w.clock_offset_ms) < 1000, w.clock_offset_ms || ' ms',
         'venue clock minus local clock'
  from worker w where w.pid is not null
  union all
  select 'identity ' || w.name, monitoring.identity_doubt(w.id) is null, null,
         monitoring.identity_doubt(w.id) || '; call monitoring.resume() when it is right'
  from worker w
  union all
  select 'pending_rows', coalesce(sum(w.pending_rows), 0) = 0, coalesce(sum(w.pending_rows), 0)::text,
         case when sum(w.pending_rows) > 0 then 'rows wait for a lock that somebody holds: see pg_locks' end
  from worker w
  union all
  select 'dead_letters', count(*) = 0, count(*)::text,
         case when count(*) > 0 then 'unresolved rows of monitoring.dead_letters, latest: ' || (array_agg(d.error order by d.id desc))[1] end
  from monitoring.dead_letters d where d.resolved_at is null
  union all
  select 'stale_prices', count(*) = 0, count(*)::text,
         case when count(*) > 0 then left(string_agg(p.account || ' ' || p.symbol, ', ' order by p.account, p.symbol), 200) end
  from monitoring.prices p join worker w on w.name = p.account where p.stale
  union all
  select 'oldest_snapshot', coalesce(max(s.age) < interval '5 minutes', true), coalesce(date_trunc('seconds', max(s.age))::text, 'none'),
         case when max(s.age) >= interval '5 minutes' then max(s.holder) || ' keeps dead rows of the hot tables from being reused' end
  from snapshot s
  union all
  select 'worker_processes', coalesce(max(s.value)::bigint, 0) = 0, format('%s failed starts', coalesce(max(s.value), '0')),
         case when max(s.value)::bigint > 0 then
           format('max_worker_processes is %s; needed besides other extensions: 1 + databases + enabled accounts',
                  current_setting('max_worker_processes')) end
  from status s where s.item = 'worker_start_failures'
  union all
  select 'event_partitions', not monitoring.partitions_are_ours() or count(*) = 2, count(*) || ' of today and tomorrow',
         case when not monitoring.partitions_are_ours() then 'events go to events_default until an account is enabled and its identity confirmed'
              when count(*) < 2 then 'the supervisor makes them once a minute: see the server log if this lasts' end
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'monitoring.events'::regclass
    and c.relname in (select 'events_' || to_char((now() at time zone 'UTC')::date + d, 'YYYYMMDD') from generate_series(0, 1) d)
$$;
comment on function monitoring.health() is
  'One row per check: is it well, what was measured, what to do. ok is NULL when it cannot be told.';
