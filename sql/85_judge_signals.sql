-- What speaks against a signal, for a whole batch in one statement: time, exchange, duplicates, filter, side, scores, account,
-- instrument, in this order; the first that applies is the reason.

-- The number behind a text, or NULL where it is none: a bad score of one signal must not raise for all.
create function monitoring.finite_number(value text) returns numeric
  language sql immutable parallel safe
  return case when length(value) > 60 then null
              when translate(value, '0123456789', '') in ('', '.') and value not in ('', '.') then value::numeric  -- as nearly all are
              when value ~ '^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?\s*$' then value::numeric end;
comment on function monitoring.finite_number(text) is 'The finite number that a text says; NULL for anything else.';

-- By name in any case, or by the legacy number.
create function monitoring.canonical_exchange(value text) returns text
  language sql immutable parallel safe
  return case lower(btrim(value)) when 'binance' then 'binance' when '1' then 'binance' when 'bybit' then 'bybit' when '2' then 'bybit' end;
comment on function monitoring.canonical_exchange(text) is 'binance or bybit, by name or legacy number; NULL for anything else.';

-- NO_TRADE and everything unknown stay as they are, cut to what can be stored and read.
create function monitoring.canonical_side(value text) returns text
  language sql immutable parallel safe
  return case lower(btrim(value)) when 'buy' then 'long' when 'long' then 'long' when 'sell' then 'short' when 'short' then 'short'
              else left(btrim(value), 20) end;
comment on function monitoring.canonical_side(text) is 'long or short for BUY, LONG, SELL, SHORT in any case; otherwise the text itself.';

-- What speaks against a mapped score, as {reason, detail}; NULL = nothing. The threshold is inclusive. Stable, as format() is:
-- only so does the planner make it a part of the statement.
create function monitoring.score_verdict(name text, is_mapped boolean, given text, value numeric, minimum numeric) returns text[]
  language sql stable parallel safe
  return case when not is_mapped then null
              when given is null then array['no_score', name || ' is NULL']
              when value is null then array['invalid_score', format('%s is no finite number: "%s"', name, left(given, 40))]
              when value < minimum then array['low_score', format('%s %s is below min_%s %s', name, value, name, minimum)] end;
comment on function monitoring.score_verdict(text, boolean, text, numeric, numeric) is
  'Reason and detail against one score; NULL when it is not mapped or good enough.';

-- Does a decision with this reason make later signals of the same id, or of the same symbol and time, duplicates? Not when the
-- signal never got that far, nor when it was a duplicate itself: its original may still be waiting for its own decision.
create function monitoring.counts_as_seen(reason text) returns boolean
  language sql immutable parallel safe
  return reason not in ('no_timestamp', 'future_timestamp', 'too_old', 'unknown_exchange', 'invalid_signal_id',
                        'duplicate_signal_id', 'duplicate_symbol_time');
comment on function monitoring.counts_as_seen(text) is 'True when a decision of this reason makes its repeats duplicates.';

-- The account of a source for each exchange: of those named when it was attached, else the only enabled one that may trade.
create function monitoring.signal_targets(source monitoring.signal_sources) returns monitoring.signal_target[]
  language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
begin
  return (select array_agg(row(e.exchange, c.name,
    case when c.how_many <> 1 then 'no_account' when c.obstacle is not null then 'account_not_trading' end,
    case when c.how_many = 0
           then case when source.accounts is null then format('no account of %s is enabled in mode dry_run or live', e.exchange)
                     else format('none of its accounts %s is of %s', source.accounts, e.exchange) end
         when c.how_many > 1 then format('%s accounts of %s: %s; name one in attach_signal_source()', c.how_many, e.exchange, c.names)
         else c.obstacle end,
    c.is_live)::monitoring.signal_target)
  from unnest('{binance,bybit}'::text[]) e (exchange)
  cross join lateral (
    select count(*) as how_many, string_agg(a.name, ', ' order by a.name) as names,
           case when count(*) = 1 then min(a.name) end as name,
           min(case when a.mode = 'observe' then 'its mode is observe'
                    when not a.enabled then 'it is disabled'
                    when a.halted then 'it is halted: ' || a.halt_reason
                    when a.mode = 'live' and not monitoring.server_switch('tradesync.live_trading') then 'live trading is switched off'
                    else 'it is halted: ' || monitoring.identity_doubt(a.id) end) as obstacle,
           bool_and(monitoring.worker_state(a.id) is not distinct from 'live') as is_live
    from monitoring.accounts a
    where a.exchange = e.exchange
      and case when source.accounts is null then a.enabled and a.mode <> 'observe' else a.name = any (source.accounts) end) c);
end
$$;
comment on function monitoring.signal_targets(monitoring.signal_sources) is
  'Per exchange the account that takes the signals of a source, or the reason why there is none.';

-- Judges a batch. Signals whose account is enabled and only not live yet are left out: they are judged again later.
--
-- The plan is made once and must be right for one signal and for 100,000, while the table of decisions grows from nothing:
-- each signal is looked up by index. "source_id + 0" keeps the planner from the index of the key, in which it would read all
-- decisions of the source for each signal. Rows of the batch are joined by hash, never by loop.
create function monitoring.judge_signals(source monitoring.signal_sources, rows monitoring.signal_row[]) returns monitoring.judged_signal[]
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off
  set jit = off set work_mem = '32MB' as $$
declare
  moment constant timestamptz := clock_timestamp();
  latest constant timestamptz := moment + interval '1 minute';
  oldest constant timestamptz := moment - source.max_age;
  targets constant monitoring.signal_target[] := monitoring.signal_targets(source);
  has_score constant boolean := source.mapping ? 'score';
  has_week constant boolean := source.mapping ? 'score_week';
  has_month constant boolean := source.mapping ? 'score_month';
  judged monitoring.judged_signal[];
begin
  with parsed as materialized (
    select r.signal_key, nullif(nullif(r.signal_id, ''), 'unknown') as signal_id,
           coalesce(monitoring.canonical_exchange(r.exchange), left(r.exchange, 50)) as exchange,
           left(nullif(monitoring.canonical_symbol(btrim(r.symbol)), ''), 100) as symbol,
           monitoring.canonical_side(r.side) as side, r.score as given, r.score_week as given_week, r.score_month as given_month,
           monitoring.finite_number(r.score) as score, monitoring.finite_number(r.score_week) as score_week,
           monitoring.finite_number(r.score_month) as score_month, r.signal_at,
           case when r.signal_at is null then array['no_timestamp', null]
                when r.signal_at > latest then array['future_timestamp', format('%s is after %s', r.signal_at, moment)]
                when r.signal_at < oldest then array['too_old', format('%s was more than max_age %s ago', r.signal_at, source.max_age)]
                when monitoring.canonical_exchange(r.exchange) is null
                  then array['unknown_exchange', coalesce('"' || left(r.exchange, 50) || '"', 'NULL')]
                when length(r.signal_id) > 100
                  then array['invalid_signal_id', format('signal_id has %s characters; at most 100 are taken', length(r.signal_id))]
           end as early_verdict
    from unnest(rows) r),
  unseen as materialized (
    select p.*,
           coalesce(p.early_verdict,
             (select array['duplicate_signal_id', 'decided as signal ' || d.signal_key]
              from monitoring.signal_decisions d
              where d.source_id + 0 = source.id and d.signal_id = p.signal_id and length(d.signal_id) <= 100
                and monitoring.counts_as_seen(d.reason)
              limit 1),
             (select array['duplicate_symbol_time', 'decided as signal ' || d.signal_key]
              from monitoring.signal_decisions d
              where d.source_id + 0 = source.id and d.exchange = p.exchange and d.symbol = p.symbol and d.signal_at = p.signal_at
                and monitoring.counts_as_seen(d.reason)
              limit 1)) as verdict
    from parsed p),
  -- Of duplicates inside the batch the best scored one stays.
  one_per_id as (
    select u.*, case when u.verdict is null and u.signal_id is not null and row_number() over same_id > 1
                     then array['duplicate_signal_id', 'as signal ' || first_value(u.signal_key) over same_id] end as repeats
    from unseen u
    window same_id as (partition by u.signal_id, u.verdict is null
                       order by u.score_week desc nulls last, u.score_month desc nulls last, u.score desc nulls last, u.signal_at,
                                u.signal_key collate "C")),
  distinct_ones as materialized (
    select o.*, coalesce(o.verdict, o.repeats,
                         case when o.symbol is not null and row_number() over same_time > 1
                              then array['duplicate_symbol_time', 'as signal ' || first_value(o.signal_key) over same_time] end) as found
    from one_per_id o
    window same_time as (partition by o.signal_at, o.symbol, o.exchange, coalesce(o.verdict, o.repeats) is null
                         order by o.score_week desc nulls last, o.score_month desc nulls last, o.score desc nulls last,
                                  o.signal_key collate "C")),
  filtered as materialized (
    select jsonb_object_agg(f.exchange || ':' || f.symbol, f.rule) as rules
    from (select s.exchange, s.symbol, monitoring.refusing_filter(s.exchange, s.symbol, monitoring.base_of_symbol(s.symbol)) as rule
          from (select distinct d.exchange, d.symbol from distinct_ones d where d.found is null and d.symbol is not null) s offset 0) f
    where f.rule is not null),
  final as materialized (
    select u.signal_key, u.signal_id, u.exchange, u.symbol, u.side, t.account, u.score, u.score_week, u.score_month, u.signal_at, t.is_live,
           coalesce(u.found,
             (select array['duplicate_position', format('position %s is %s', p.id, p.status)]
              from monitoring.positions p where p.account = t.account and p.symbol = u.symbol and p.is_open limit 1),
             (select array['symbol_filter', f.rules ->> (u.exchange || ':' || u.symbol)]
              from filtered f where f.rules ? (u.exchange || ':' || u.symbol)),
             case when upper(u.side) = 'NO_TRADE' then array['no_trade', null]
                  when u.side is null or u.side not in ('long', 'short')
                    then array['invalid_side', coalesce('"' || u.side || '"', 'NULL')] end,
             monitoring.score_verdict('score_week', has_week, u.given_week, u.score_week, source.min_score_week),
             monitoring.score_verdict('score_month', has_month, u.given_month, u.score_month, source.min_score_month),
             monitoring.score_verdict('score', has_score, u.given, u.score, source.min_score),
             case when t.reason is not null then array[t.reason, t.detail] end,
             case when t.is_live then
               coalesce((select case when i.status = 'trading' then '{NULL,NULL}'::text[]
                                     else array['not_tradable', 'its status is ' || i.status] end
                         from monitoring.instruments i where i.account = t.account and i.symbol = u.symbol),
                        array['unknown_symbol', format('%s of account %s does not list it', u.exchange, t.account)]) end) as verdict
    from distinct_ones u
    left join unnest(targets) t on t.exchange = u.exchange)
  select array_agg(row(f.signal_key, f.signal_id, f.exchange, f.symbol, f.side, f.account, f.score, f.score_week, f.score_month,
                       f.signal_at,
                       case when isfinite(f.signal_at)
                            then date_bin(source.wave_length, f.signal_at, timestamptz '2000-01-01 00:00:00+00') end,
                       f.verdict[1], f.verdict[2])::monitoring.judged_signal)
  into judged
  from final f
  where f.verdict[1] is not null or f.is_live;
  return judged;
end
$$;
comment on function monitoring.judge_signals(monitoring.signal_sources, monitoring.signal_row[]) is
  'What speaks against each signal of a batch, first reason first; those without a reason are candidates. Signals whose account is not live yet are left out.';
