-- What became of every signal: one row each, whatever the reason. Written by ingest_signals() only.

create table monitoring.signal_decisions (
  source_id   int not null,
  source      text not null,
  signal_key  text collate "C" not null,
  signal_id   text,
  exchange    text,
  symbol      text,
  side        text,
  account     text,
  score       numeric,
  score_week  numeric,
  score_month numeric,
  signal_at   timestamptz,
  wave        timestamptz,
  decision    text not null constraint decision_is_known check (decision in ('opened', 'rejected')),
  reason      text not null,
  detail      text,
  position_id bigint,
  decided_at  timestamptz not null default clock_timestamp(),
  constraint one_decision_per_signal primary key (source_id, signal_key),
  constraint opened_signal_has_a_position check ((decision = 'opened') = (position_id is not null))
);
-- A signal_id that is too long to be taken is no duplicate of anything and would not fit into an index.
create index signal_decisions_by_signal_id on monitoring.signal_decisions (signal_id, source_id)
  where signal_id is not null and length(signal_id) <= 100;
create index signal_decisions_by_symbol_and_time on monitoring.signal_decisions (exchange, symbol, signal_at, source_id);
create index signal_decisions_opened on monitoring.signal_decisions (account, wave, source_id) where decision = 'opened';
create index signal_decisions_by_time on monitoring.signal_decisions (decided_at);
comment on table monitoring.signal_decisions is
  'One row per signal: opened, or rejected and why. Written by ingest_signals(); kept for signal_decision_retention and for as long as its source looks back.';
comment on column monitoring.signal_decisions.source_id is 'signal_sources.id.';
comment on column monitoring.signal_decisions.source is 'signal_sources.name: the relation the signal came from.';
comment on column monitoring.signal_decisions.signal_key is 'The row of the signal: its mapped key as text.';
comment on column monitoring.signal_decisions.signal_id is 'The signal''s own id; NULL when it has none.';
comment on column monitoring.signal_decisions.exchange is 'binance or bybit; what the signal said where it is neither.';
comment on column monitoring.signal_decisions.symbol is 'Canonical symbol: BTCUSDT.';
comment on column monitoring.signal_decisions.side is 'long or short; what the signal said where it is neither.';
comment on column monitoring.signal_decisions.account is 'The account of the source for that exchange; NULL when there is none, or several.';
comment on column monitoring.signal_decisions.score is 'The score; NULL when not mapped or not a finite number.';
comment on column monitoring.signal_decisions.score_week is 'The score of the week, likewise.';
comment on column monitoring.signal_decisions.score_month is 'The score of the month, likewise.';
comment on column monitoring.signal_decisions.signal_at is 'Time of the signal.';
comment on column monitoring.signal_decisions.wave is 'Begin of its wave: signal_at cut down to the wave length of the source.';
comment on column monitoring.signal_decisions.decision is 'opened or rejected.';
comment on column monitoring.signal_decisions.reason is
  'accepted, or why not, in one word: duplicate_signal_id, duplicate_position, symbol_filter, low_score, wave_limit …';
comment on column monitoring.signal_decisions.detail is 'The numbers and names behind the reason.';
comment on column monitoring.signal_decisions.position_id is 'positions.id of an opened one.';
comment on column monitoring.signal_decisions.decided_at is 'When it was decided.';

create table monitoring.signal_source_failures (
  source_id int constraint signal_source_failures_pkey primary key,
  error     text not null,
  since     timestamptz not null default now()
);
comment on table monitoring.signal_source_failures is
  'Sources that the supervisor cannot read at present, so that each failure is told once and not every second. Not part of a dump.';
comment on column monitoring.signal_source_failures.source_id is 'signal_sources.id.';
comment on column monitoring.signal_source_failures.error is 'The latest error.';
comment on column monitoring.signal_source_failures.since is 'Since when it is this one.';

-- A signal on its way to its decision. reason NULL: nothing speaks against it yet.
create type monitoring.judged_signal as (
  signal_key text, signal_id text, exchange text, symbol text, side text, account text, score numeric, score_week numeric,
  score_month numeric, signal_at timestamptz, wave timestamptz, reason text, detail text);
comment on type monitoring.judged_signal is 'One signal with its parsed columns and what speaks against it; reason NULL = a candidate.';

-- Where the signals of a source for one exchange go. account NULL: nowhere. reason: why that account takes none now.
create type monitoring.signal_target as (exchange text, account text, reason text, detail text, is_live boolean);
comment on type monitoring.signal_target is 'The account that takes the signals of a source for one exchange, or why none does.';

-- Writes rejections, all at once. Whoever holds the lock of the source meets no decision that is there already, except in a
-- transaction whose snapshot is older than the lock: there the first decision stays.
create function monitoring.save_rejections(source monitoring.signal_sources, rejected monitoring.judged_signal[])
  returns monitoring.signal_decisions[]
  language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  rows constant monitoring.signal_decisions[] := (
    select array_agg(row(source.id, source.name, j.signal_key, j.signal_id, j.exchange, j.symbol, j.side, j.account, j.score,
                         j.score_week, j.score_month, j.signal_at, j.wave, 'rejected', j.reason, j.detail, null,
                         clock_timestamp())::monitoring.signal_decisions)
    from unnest(rejected) j where j.reason is not null);
  saved monitoring.signal_decisions[];
begin
  if rows is null then
    return '{}';
  end if;
  begin
    with written as (insert into monitoring.signal_decisions select r.* from unnest(rows) r returning *)
    select array_agg(w::monitoring.signal_decisions) into saved from written w;
  exception when unique_violation then
    with written as (
      insert into monitoring.signal_decisions select r.* from unnest(rows) r
      on conflict on constraint one_decision_per_signal do nothing returning *)
    select array_agg(w::monitoring.signal_decisions) into saved from written w;
  end;
  return coalesce(saved, '{}');
end
$$;
comment on function monitoring.save_rejections(monitoring.signal_sources, monitoring.judged_signal[]) is
  'Writes the decisions of those with a reason against them; returns the rows written.';
