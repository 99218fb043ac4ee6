-- Signals in: reads a source, decides every new signal once, opens positions for the best of them. By hand with
-- ingest_signals(), and by the supervisor, which calls worker_take_signals() when it is woken and once a second.
--
-- Order of locks: all sources, by number; then the account's risk_state, accounts by name; the symbol is only tried
-- (reserve_opening). The supervisor waits 50 ms at most.

-- The word for a refusal of open_position(). NULL: nothing is decided, the signal is tried again.
create function monitoring.reason_of_refusal(code text) returns text
  language sql immutable parallel safe
  return case
    when code in ('TS013', 'TS020', 'TS038', '23505') or left(code, 2) in ('40', '53', '55', '57') then null
    else coalesce(
      case code when 'TS002' then 'no_account' when 'TS007' then 'account_not_trading' when 'TS014' then 'account_not_trading'
                when 'TS015' then 'account_not_trading' when 'TS016' then 'not_tradable' when 'TS017' then 'invalid_side'
                when 'TS018' then 'invalid_size' when 'TS019' then 'duplicate_position' when 'TS033' then 'max_open_positions'
                when 'TS034' then 'max_position_notional' when 'TS035' then 'max_symbol_notional'
                when 'TS036' then 'max_total_exposure' when 'TS037' then 'min_free_balance' end,
      case when left(code, 2) = 'TS' then 'refused' else 'error' end) end;
comment on function monitoring.reason_of_refusal(text) is
  'signal_decisions.reason for a SQLSTATE of open_position(); NULL = a lock, a serialization failure or an account that is not live: decided later.';

-- Opens the position of one signal and writes its decision, both or neither. Whether its account may be asked for one was judged
-- in this transaction. Neither: candidate.reason says why not, or is NULL where the signal is to be tried again.
create function monitoring.open_signal(source monitoring.signal_sources, inout candidate monitoring.judged_signal,
                                       out opened monitoring.signal_decisions)
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  position_id bigint;
  message text;
  more text;
begin
  position_id := monitoring.reserve_opening(candidate.account, candidate.symbol, candidate.side, null, null, null, candidate.signal_id,
    'signal', coalesce(candidate.score, candidate.score_week, candidate.score_month));
  insert into monitoring.signal_decisions as d
    (source_id, source, signal_key, signal_id, exchange, symbol, side, account, score, score_week, score_month, signal_at, wave,
     decision, reason, position_id)
  values (source.id, source.name, candidate.signal_key, candidate.signal_id, candidate.exchange, candidate.symbol, candidate.side,
          candidate.account, candidate.score, candidate.score_week, candidate.score_month, candidate.signal_at, candidate.wave,
          'opened', 'accepted', position_id)
  returning d.* into opened;
exception when others then
  get stacked diagnostics message = message_text, more = pg_exception_detail;
  opened := null;
  candidate.reason := monitoring.reason_of_refusal(sqlstate);
  candidate.detail := left(concat_ws(': ', message, nullif(more, '')), 500);
end
$$;
comment on function monitoring.open_signal(monitoring.signal_sources, monitoring.judged_signal) is
  'Opens the position of one signal together with its decision; otherwise candidate.reason says why not, NULL = later.';

-- How many more positions of a wave may be opened on an account.
create function monitoring.places_left(source_id int, account text, wave timestamptz) returns int
  language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (select (s.value #>> '{}')::int from monitoring.settings s
          where s.key = 'max_trades_per_wave' and (s.account is null or s.account = $2)
          order by s.account is null, s.builtin limit 1)
         - (select count(*) from monitoring.signal_decisions d
            where d.source_id + 0 = $1 and d.account = $2 and d.wave = $3 and d.decision = 'opened');
end
$$;
comment on function monitoring.places_left(int, text, timestamptz) is
  'max_trades_per_wave of an account less what was opened in the wave for signals of the source.';

-- Opens the best candidates, account by account and wave by wave: at most max_trades_per_wave, earlier openings of the wave
-- included; a refused one takes no place. After most_openings attempts the rest is left for the next transaction, so that
-- what is opened can leave.
create function monitoring.open_candidates(source monitoring.signal_sources, judged monitoring.judged_signal[], most_openings int,
    is_worker boolean, out opened monitoring.signal_decisions[], out rejected monitoring.judged_signal[], out is_unfinished boolean)
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  candidate monitoring.judged_signal;
  attempt record;
  began timestamptz;
  account text := '';
  is_busy boolean;
  wave timestamptz;
  places int;
  taken text[];
  attempts int := 0;
begin
  opened := '{}';
  rejected := '{}';
  is_unfinished := false;
  for candidate in
    select j.* from unnest(judged) j
    where j.reason is null
    order by j.account collate "C", j.wave, j.score_week desc nulls last, j.score_month desc nulls last, j.score desc nulls last, j.signal_at,
             j.signal_key collate "C"
  loop
    if candidate.account <> account then
      account := candidate.account;
      is_busy := false;
      wave := null;
      taken := '{}';
    end if;
    continue when is_busy;
    -- In hedge mode open_position() would take the other side; one position of a symbol is enough for signals.
    if candidate.symbol = any (taken) then
      candidate.reason := 'duplicate_position';
      candidate.detail := 'a better signal of this batch has opened one';
      rejected := rejected || candidate;
      continue;
    end if;
    if candidate.wave is distinct from wave then
      wave := candidate.wave;
      places := monitoring.places_left(source.id, account, wave);
    end if;
    if places <= 0 then
      candidate.reason := 'wave_limit';
      candidate.detail := format('%s positions were opened in the wave of %s', monitoring.setting_of(account, 'max_trades_per_wave'),
                                 candidate.wave);
      rejected := rejected || candidate;
      continue;
    end if;

    if attempts >= most_openings then
      is_unfinished := true;
      exit;
    end if;
    attempts := attempts + 1;
    began := clock_timestamp();
    attempt := monitoring.open_signal(source, candidate);
    if (attempt.opened).position_id is not null then
      opened := opened || attempt.opened;
      taken := taken || candidate.symbol;
      places := places - 1;
    elsif (attempt.candidate).reason is not null then
      rejected := rejected || attempt.candidate;
    elsif is_worker and clock_timestamp() - began > interval '20 ms' then
      is_busy := true;  -- a lock was waited for in vain; the others of this account are not made to wait for it again
    end if;
  end loop;
end
$$;
comment on function monitoring.open_candidates(monitoring.signal_sources, monitoring.judged_signal[], int, boolean) is
  'Opens the best candidates of a batch within max_trades_per_wave; returns decisions, rejections, and whether some were left.';

-- One batch of a source whose lock is held. is_unfinished: there is more to decide at once. received: for the event about it.
create function monitoring.ingest_batch(source monitoring.signal_sources, batch int, most_openings int, is_worker boolean,
    newest_only boolean, out decided monitoring.signal_decisions[], out is_unfinished boolean, out received jsonb)
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  rows monitoring.signal_row[];
  judged monitoring.judged_signal[];
  attempts record;
begin
  is_unfinished := false;
  rows := monitoring.read_signals(source, batch, newest_only);
  if rows is null then
    return;
  end if;
  judged := monitoring.judge_signals(source, rows);
  attempts := monitoring.open_candidates(source, judged, most_openings, is_worker);
  decided := attempts.opened;
  if cardinality(judged) > cardinality(decided) then
    decided := decided || monitoring.save_rejections(source, judged || attempts.rejected);
  end if;
  is_unfinished := attempts.is_unfinished or (cardinality(rows) >= batch and cardinality(decided) > 0);
  if cardinality(decided) > 0 then
    if source.mark_processed then
      perform monitoring.mark_signals_processed(source, array(select d.signal_key from unnest(decided) d));
    end if;
    received := jsonb_build_object('source', source.name, 'received', cardinality(rows), 'decided', cardinality(decided),
      'opened', cardinality(attempts.opened), 'reasons',
      (select jsonb_object_agg(c.reason, c.n) from (select d.reason, count(*) as n from unnest(decided) d group by d.reason) c));
  end if;
end
$$;
comment on function monitoring.ingest_batch(monitoring.signal_sources, int, int, boolean, boolean) is
  'Reads, judges and decides one batch of a source; returns the decisions, whether there is more, and what its event says (NULL = none).';

create function monitoring.note_received(received jsonb) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into monitoring.events (event_type, event_data)
  select 'signals_received', r from jsonb_array_elements(received) r;
end
$$;
comment on function monitoring.note_received(jsonb) is 'An event for each batch of signals that was decided; received: an array of their event_data.';

-- Everybody who decides signals of a source holds this until the end of his transaction.
create function monitoring.source_lock_class() returns int
  language sql immutable parallel safe
  return 1953715047;
comment on function monitoring.source_lock_class() is 'First key of the advisory lock on a signal source; the second is signal_sources.id.';

-- Waits at most two seconds.
create function monitoring.lock_source(source monitoring.signal_sources) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
  perform pg_advisory_xact_lock(monitoring.source_lock_class(), source.id);
exception when lock_not_available or deadlock_detected then
  raise exception 'signals of % are being taken in by another session', source.name
    using errcode = 'TS042', detail = case when sqlstate = '40P01' then 'That session waits for an account on which this transaction has opened a position.'
                        else 'The lock of the source was not granted within two seconds.' end,
          hint = 'Try again when that transaction has ended; pg_locks shows who holds the advisory lock.';
end
$$;
comment on function monitoring.lock_source(monitoring.signal_sources) is 'Takes the lock of a source; TS042 when another session keeps it for two seconds.';

-- Decides the new signals of one attached source, or of all: one batch each. Every row that has a time within the source's
-- age window and no decision yet gets one, except where its account is not live yet or a lock was not obtained.
create function monitoring.ingest_signals(source regclass default null, batch int default 1000)
  returns table (signal_key text, signal_id text, symbol text, decision text, reason text, position_id bigint)
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  chosen constant monitoring.signal_sources[] := array(
    select s from monitoring.signal_sources s
    where s.active and (ingest_signals.source is null or s.relation = ingest_signals.source)
    order by s.id);
  attached monitoring.signal_sources;
  taken record;
begin
  if batch is null or batch < 1 then
    raise exception 'invalid batch %', coalesce(batch::text, 'NULL')
      using errcode = 'TS030', detail = 'It is the number of signals to decide at most, per source.', hint = 'Give a number above zero.';
  end if;
  if source is not null and cardinality(chosen) = 0 then
    raise exception '% is not attached', source
      using errcode = 'TS041', detail = 'No active row of monitoring.signal_sources is about this relation.',
            hint = 'Call monitoring.attach_signal_source(relation) first.';
  end if;
  foreach attached in array chosen loop
    perform monitoring.lock_source(attached);
  end loop;
  foreach attached in array chosen loop
    taken := monitoring.ingest_batch(attached, batch, batch, false, false);
    if taken.received is not null then
      perform monitoring.note_received(jsonb_build_array(taken.received));
    end if;
    return query select d.signal_key, d.signal_id, d.symbol, d.decision, d.reason, d.position_id from unnest(taken.decided) d;
  end loop;
end
$$;
comment on function monitoring.ingest_signals(regclass, int) is
  'Decides the new signals of an attached source (NULL = of all), at most so many of each, and opens positions for the best; returns what was decided.';

-- Tells once that a source fails, once that it fails otherwise, and once that it works again (error NULL).
create function monitoring.note_source_failure(source_id int, source text, error text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  known text;
begin
  select f.error into known from monitoring.signal_source_failures f where f.source_id = note_source_failure.source_id;
  if known is not distinct from error then
    return;
  end if;
  if error is null then
    delete from monitoring.signal_source_failures f where f.source_id = note_source_failure.source_id;
  else
    insert into monitoring.signal_source_failures as f (source_id, error) values (source_id, error)
    on conflict on constraint signal_source_failures_pkey do update set error = excluded.error, since = now();
  end if;
  insert into monitoring.events (event_type, severity, event_data, error_message)
  values (case when error is null then 'signal_source_recovered' else 'signal_source_failed' end,
          case when error is null then 'INFO' else 'WARNING' end, jsonb_build_object('source', source), error);
  if error is not null then
    perform monitoring.worker_notify('monitoring_alert', null, 'alerts', array[
      json_build_object('event_type', 'signal_source_failed', 'severity', 'WARNING', 'message', left(source || ': ' || error, 200))]);
  end if;
end
$$;
comment on function monitoring.note_source_failure(int, text, text) is
  'Supervisor: an event when the error of a source changes; error NULL = it works.';

-- One batch of every active source, never waiting long for anybody. Each has its own subtransaction: what fails here fails
-- alone. A lock that somebody holds, on the source or on its table, only postpones. The commit need not reach the disk at
-- once: the worker's own commit in front of the order flushes it, and without that one nothing has happened yet. newest_only is
-- how it is called when it is woken: what costs grows with the window comes a few milliseconds later.
create function monitoring.worker_take_signals(newest_only boolean, out is_unfinished boolean, out received jsonb)
  language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '50ms'
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  source monitoring.signal_sources;
  failing constant int[] := array(select f.source_id from monitoring.signal_source_failures f);
  batch record;
begin
  perform set_config('synchronous_commit', 'off', true);
  is_unfinished := false;
  for source in select s.* from monitoring.signal_sources s where s.active order by s.id loop
    begin
      if pg_try_advisory_xact_lock(monitoring.source_lock_class(), source.id) then
        batch := monitoring.ingest_batch(source, 1000, 50, true, newest_only);
        is_unfinished := is_unfinished or batch.is_unfinished;
        if batch.received is not null then
          received := coalesce(received, '[]') || batch.received;
        end if;
        if source.id = any (failing) then
          perform monitoring.note_source_failure(source.id, source.name, null);
        end if;
      end if;
    exception
      when lock_not_available or transaction_rollback then
        null;  -- the next round will do
      when others then
        perform monitoring.note_source_failure(source.id, source.name, sqlerrm);
    end;
  end loop;
end
$$;
comment on function monitoring.worker_take_signals(boolean) is
  'Supervisor: decides one batch of every active source, newest_only: among its newest rows; is_unfinished: there is more, call again at once; received: '
  'for note_received(), after the orders.';
