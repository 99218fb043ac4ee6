-- Signal sources: what may be one, how its columns are known, what is read from it and with whose rights.
begin;
set search_path = public, pg_catalog;
select no_plan();

-- "SQLSTATE message", and whether detail and hint are there; what the detail says.
create function pg_temp.complaint(statement text) returns text language plpgsql as $$
declare
  message text; detail text; hint text;
begin
  execute statement;
  return 'no error';
exception when others then
  get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
  return format('%s %s', sqlstate, message) || case when detail = '' or hint = '' then ' (no detail or hint)' else '' end;
end $$;
create function pg_temp.detail_of(statement text) returns text language plpgsql as $$
declare
  detail text;
begin
  execute statement;
  return 'no error';
exception when others then
  get stacked diagnostics detail = pg_exception_detail;
  return sqlstate || ' ' || detail;
end $$;
-- The keys that are read, in their order; the whole row of one.
create function pg_temp.keys_of(relation regclass, at_most int default 100, newest_only boolean default false) returns text language sql as $$
  select coalesce(string_agg(r.signal_key, ',' order by number), 'none')
  from monitoring.signal_sources s, unnest(monitoring.read_signals(s, at_most, newest_only)) with ordinality
    r (signal_key, signal_id, symbol, exchange, side, score, score_week, score_month, signal_at, number)
  where s.relation = keys_of.relation $$;
create function pg_temp.signal(relation regclass, key text) returns text language sql as $$
  select (r.signal_id, r.symbol, r.exchange, r.side, r.score, r.score_week, r.score_month)::text
  from monitoring.signal_sources s, unnest(monitoring.read_signals(s, 100)) r where s.relation = signal.relation and r.signal_key = key $$;
create function pg_temp.mapping_of(relation regclass) returns jsonb language sql as $$
  select mapping from monitoring.signal_sources s where s.relation = mapping_of.relation $$;
create function pg_temp.decide(relation regclass, key text, for_position bigint default null) returns void language sql as $$
  insert into monitoring.signal_decisions (source_id, source, signal_key, decision, reason, position_id)
  select s.id, s.name, key, case when for_position is null then 'rejected' else 'opened' end,
         case when for_position is null then 'low_score' else 'accepted' end, for_position
  from monitoring.signal_sources s where s.relation = decide.relation $$;

-- Known shapes.
select testkit.create_signal_table('public.test_scoring_history');
create schema fas;
create table fas.scoring_history (id serial primary key, trading_pair_id int, pair_symbol varchar(20), exchange_id int, exchange_name varchar(50),
  score_week float, score_month float, recommended_action varchar(10), created_at timestamp default (now() at time zone 'UTC'), is_active boolean default true, is_processed boolean);
create table fas.by_number (id bigint, "timestamp" timestamptz, pair_symbol text, exchange_id int, total_score numeric, score_week numeric, score_month numeric, recommended_action text, created_at timestamptz);
select isnt(monitoring.attach_signal_source('public.test_scoring_history'), null, 'attach returns a number');
select is(pg_temp.mapping_of('public.test_scoring_history'),
          '{"signal_key": "id", "signal_id": "signal_id", "symbol": "symbol", "exchange": "exchange", "side": "recommended_action", "score": "score",
            "score_week": "score_week", "score_month": "score_month", "timestamp": "timestamp", "is_active": "is_active"}', 'a table of the testkit is recognised');
select isnt(monitoring.attach_signal_source('fas.scoring_history'), monitoring.attach_signal_source('public.test_scoring_history'), 'two relations are two sources');
select is(pg_temp.mapping_of('fas.scoring_history'),
          '{"signal_key": "id", "signal_id": "id", "symbol": "pair_symbol", "exchange": "exchange_name", "side": "recommended_action",
            "score_week": "score_week", "score_month": "score_month", "timestamp": "created_at", "is_active": "is_active"}', 'the bot''s own table, without timestamp');
select monitoring.attach_signal_source('fas.by_number');
select is(pg_temp.mapping_of('fas.by_number'),
          '{"signal_key": "id", "signal_id": "id", "symbol": "pair_symbol", "exchange": "exchange_id", "side": "recommended_action",
            "score_week": "score_week", "score_month": "score_month", "timestamp": "timestamp"}', 'the upstream table, exchange by number');
select is((select name || ' ' || attached_by || ' ' || active from monitoring.signal_sources where relation = 'fas.by_number'::regclass), 'fas.by_number ' || session_user || ' true', 'name and who attached it');
create table fas.test_scoring_history (like fas.scoring_history);
select is(pg_temp.complaint($$select monitoring.attach_signal_source('fas.test_scoring_history')$$), 'TS040 the columns of fas.test_scoring_history are of no known shape', 'a production shape under a test name is neither');
create schema attic;
alter table fas.scoring_history set schema attic;
create table fas.scoring_history (like public.test_scoring_history);
select is(pg_temp.complaint($$select monitoring.attach_signal_source('fas.scoring_history')$$), 'TS040 the columns of fas.scoring_history are of no known shape', 'a test shape under the production name is neither');
create table public.legacy_test (id int, symbol text, exchange text, "timestamp" timestamp, wave_number int, score numeric, signal_type text);
select matches(pg_temp.detail_of($$select monitoring.attach_signal_source('public.legacy_test')$$), '^TS040 .*signal_type', 'an unknown shape: the detail lists the columns');

-- What may be a source.
create table public.plain (key int primary key, sym text, ex text, dir text, points numeric, at timestamptz default now());
create sequence public.some_sequence;
create temp table temporary (like public.plain);
create view public.seen as select * from public.plain;
create materialized view public.kept as select * from public.plain;
create table public.split (like public.plain) partition by range (at);
create table public.split_rest partition of public.split default;
create function pg_temp.attached(relation text, more text default '') returns text language sql as $$
  select pg_temp.complaint(format('select monitoring.attach_signal_source(%L, %L%s)', relation,
    '{"signal_key": "key", "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "at", "score": "points"}', more)) $$;
select is(pg_temp.attached(relation), outcome, relation || ': ' || outcome)
from (values
  ('public.plain', 'no error'), ('public.seen', 'no error'), ('public.kept', 'no error'), ('public.split', 'no error'), ('public.split_rest', 'no error'),
  ('public.some_sequence', 'TS039 public.some_sequence cannot be a signal source'), ('temporary', 'TS039 temporary cannot be a signal source'),
  ('pg_catalog.pg_class', 'TS039 pg_class cannot be a signal source'), ('monitoring.positions', 'TS039 monitoring.positions cannot be a signal source')) c (relation, outcome);
select is(pg_temp.complaint('select monitoring.attach_signal_source(null)'), 'TS039 NULL cannot be a signal source', 'no relation');
create role signal_owner;
create role signal_reader;
grant tradesync_admin to signal_owner, signal_reader;
grant create, usage on schema public to signal_owner;
set session authorization signal_reader;
select matches(pg_temp.detail_of($$select monitoring.attach_signal_source('public.plain')$$), '^TS039 Role signal_reader may not read it', 'who may not read it may not attach it');
reset session authorization;
grant select on public.plain, public.seen to signal_reader;
set session authorization signal_reader;
select matches(pg_temp.detail_of($$select monitoring.attach_signal_source('public.plain')$$), '^TS039 .*may not create a trigger', 'nor who may not put a trigger on it');
select is(pg_temp.attached('public.seen'), 'no error', 'a view needs none');
reset session authorization;
grant trigger on public.plain to signal_reader;
set session authorization signal_reader;
select is(pg_temp.attached('public.plain'), 'no error', 'SELECT and TRIGGER will do');
select is(pg_temp.attached('public.plain', $$, options => '{"mark_processed": true}'$$), 'TS039 public.plain cannot be a signal source', 'but to have it marked UPDATE is needed');
reset session authorization;

-- Mapping, options, accounts.
select is(pg_temp.complaint(format('select monitoring.attach_signal_source(''public.plain'', %L)', mapping)), complaint, complaint)
from (values
  ('[]', 'TS040 the mapping is not a JSON object'),
  ('{"signal_key": "key", "symbol": "sym", "exchange": "ex", "side": "dir", "when": "at"}', 'TS040 unknown key of a mapping: when'),
  ('{"signal_key": "key", "symbol": "sym", "exchange": null}', 'TS040 the mapping lacks exchange, side, timestamp'),
  ('{"signal_key": "key", "symbol": "symbol", "exchange": "ex", "side": "dir", "timestamp": "at"}', 'TS040 public.plain has no column "symbol" of key symbol'),
  ('{"signal_key": 1, "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "at"}', 'TS040 public.plain has no column 1 of key signal_key'),
  ('{"signal_key": "key", "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "sym"}', 'TS040 column "sym" of key timestamp is of type text'),
  ('{"signal_key": "key", "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "at", "is_active": "key"}', 'TS040 column "key" of key is_active is of type integer')) c (mapping, complaint);
select is(pg_temp.attached('public.plain', format(', options => %L', options)), complaint, complaint)
from (values
  ('[]', 'TS040 the options are not a JSON object'), ('{"max_agee": "1h"}', 'TS040 unknown option max_agee'),
  ('{"max_age": "soon"}', 'TS040 invalid value "soon" of option max_age'), ('{"max_age": "-1h"}', 'TS040 invalid value "-1h" of option max_age'),
  ('{"min_score": "NaN"}', 'TS040 invalid value "NaN" of option min_score'), ('{"min_score": true}', 'TS040 invalid value true of option min_score'),
  ('{"min_score_week": 50}', 'TS040 option min_score_week without a column'), ('{"time_zone": "Mars/Phobos"}', 'TS040 invalid value "Mars/Phobos" of option time_zone'),
  ('{"mark_processed": "yes"}', 'TS040 invalid value "yes" of option mark_processed'), ('{"wave_length": "2 days"}', 'TS040 invalid value "2 days" of option wave_length'),
  ('{"mark_processed": true}', 'TS040 option mark_processed without a column'), ('{"max_age": "3 hours"}', 'TS040 age_window 02:00:00 is shorter than max_age 03:00:00'), ('{"max_age": "3 hours", "age_window": "3 hours"}', 'no error')) c (options, complaint);
select is(pg_temp.attached('public.plain', $$, options => '{"min_score": 70.5, "max_age": "10 minutes", "age_window": "1 hour", "wave_length": "5 minutes", "time_zone": "Europe/Moscow"}'$$), 'no error', 'all options');
select is((select (min_score, max_age, age_window, wave_length, time_zone, mark_processed)::text from monitoring.signal_sources where relation = 'public.plain'::regclass),
          '(70.5,00:10:00,01:00:00,00:05:00,Europe/Moscow,f)', 'are kept');
select is((select (s.id = monitoring.attach_signal_source('public.plain', s.mapping - 'score'))::text from monitoring.signal_sources s where relation = 'public.plain'::regclass), 'true', 'attaching again keeps the number');
select is((select (min_score, max_age, age_window, wave_length, time_zone, mapping ? 'score')::text from monitoring.signal_sources where relation = 'public.plain'::regclass),
          '(,00:30:00,02:00:00,00:15:00,UTC,f)', 'and replaces mapping and options');
select monitoring.add_account('b1', 'bybit', 'testnet', 'dry_run'), monitoring.add_account('b2', 'bybit', 'testnet', 'dry_run'),
       monitoring.add_account('n1', 'binance', 'testnet', 'dry_run'), monitoring.add_account('watch', 'bybit', 'testnet');
select is(pg_temp.attached('public.plain', format(', %L', accounts)), complaint, complaint || ' for ' || accounts)
from (values ('{b1,n1}', 'no error'), ('{nobody}', 'TS002 account nobody not found'), ('{b1,b2}', 'TS043 several accounts of bybit for the signals'), ('{}', 'TS043 no account for the signals')) c (accounts, complaint);
select monitoring.enable_account('b1'), monitoring.enable_account('watch'), monitoring.enable_account('n1');
select is(pg_temp.attached('public.plain'), 'no error', 'one enabled account of each exchange that trades');
select monitoring.enable_account('b2');
select is(pg_temp.attached('public.plain'), 'TS043 several accounts of bybit for the signals', 'with several one must be named');

-- Triggers.
select is((select string_agg(tgrelid::regclass::text, ' ' order by tgrelid::regclass::text) from pg_trigger where tgname = 'tradesync_signal' and tgparentid = 0),
          'attic.scoring_history fas.by_number plain split split_rest test_scoring_history', 'tables have the trigger, views and materialized views none');
select is((select count(*)::int from pg_trigger t join pg_depend d on d.classid = 'pg_trigger'::regclass and d.objid = t.oid and d.deptype = 'x'
           where t.tgname = 'tradesync_signal'), 6, 'which goes with the extension');
select lives_ok($$insert into public.plain (key, sym) values (0, 'x')$$, 'the trigger lets rows in');
select monitoring.detach_signal_source('fas.by_number');
select is((select count(*)::int from pg_trigger where tgrelid = 'fas.by_number'::regclass), 0, 'detach takes the trigger away');
select is((select active from monitoring.signal_sources where relation = 'fas.by_number'::regclass), false, 'and keeps the source, inactive');
select is(pg_temp.complaint($$select monitoring.detach_signal_source('fas.by_number')$$), 'TS041 fas.by_number is not attached', 'detach needs an attached one');
select is(pg_temp.complaint('select monitoring.detach_signal_source(null)'), 'TS041 NULL is not attached', 'no relation');
create function public.other() returns trigger language plpgsql as 'begin return null; end';
create trigger tradesync_signal after insert on fas.by_number execute function public.other();
select is(pg_temp.complaint($$select monitoring.attach_signal_source('fas.by_number', accounts => '{b1}')$$), 'TS039 fas.by_number cannot be a signal source', 'a trigger of that name is not ours to replace');
drop trigger tradesync_signal on fas.by_number;
select monitoring.attach_signal_source('fas.by_number', accounts => '{b1}');
select is((select active from monitoring.signal_sources where relation = 'fas.by_number'::regclass), true, 'attached again it is active again');

-- What is read.
select monitoring.attach_signal_source('public.test_scoring_history', accounts => '{b1,n1}');
insert into public.test_scoring_history (id, signal_id, symbol, exchange, "timestamp", score, score_week, score_month, recommended_action, is_active) values
  (1, 'a', 'BTC/USDT:USDT', 'Binance', now() - interval '3 minutes', 71.50, 70, 'NaN', 'Buy', true),
  (2, null, 'ETHUSDT', 'bybit', now() - interval '2 minutes', null, null, null, null, true),
  (3, 'c', 'ETHUSDT', 'bybit', now() - interval '1 minutes', 1, 1, 1, 'SELL', false),
  (4, 'd', 'ETHUSDT', 'bybit', now() - interval '119 minutes', 1, 1, 1, 'SELL', true),
  (5, 'e', 'ETHUSDT', 'bybit', now() - interval '121 minutes', 1, 1, 1, 'SELL', true),
  (6, 'f', 'ETHUSDT', 'bybit', now() + interval '1 day', 1, 1, 1, 'SELL', true);
alter table public.test_scoring_history alter "timestamp" drop not null;
insert into public.test_scoring_history (id, symbol, exchange, "timestamp") values (7, 'XRPUSDT', 'bybit', null);
select is(pg_temp.keys_of('public.test_scoring_history'), '6,2,1,4,7', 'active rows of the age window and those without a time, newest first');
select is(pg_temp.keys_of('public.test_scoring_history', 2), '6,2', 'at most so many');
select is(pg_temp.keys_of('public.test_scoring_history', newest_only => true), '6,2,1,4', 'the newest rows have a time');
select is(pg_temp.signal('public.test_scoring_history', '1'), '(a,BTC/USDT:USDT,Binance,Buy,71.50,70,NaN)', 'columns come as they are');
select is(pg_temp.signal('public.test_scoring_history', '2'), '(,ETHUSDT,bybit,,,,)', 'NULL stays NULL');
select pg_temp.decide('public.test_scoring_history', key) from unnest('{2,6}'::text[]) key;
select is(pg_temp.keys_of('public.test_scoring_history'), '1,4,7', 'without those that have a decision');
select pg_temp.decide('fas.by_number', '1');
select is(pg_temp.keys_of('public.test_scoring_history'), '1,4,7', 'a decision of another source says nothing');
select monitoring.detach_signal_source('public.test_scoring_history');
select monitoring.attach_signal_source('public.test_scoring_history', accounts => '{b1,n1}');
select is(pg_temp.keys_of('public.test_scoring_history'), '1,4,7', 'decisions outlive a detachment');
-- Keys that are no key.
create table public.odd (key text, "Sym bol" text, ex int, dir text, at timestamp);
select monitoring.attach_signal_source('public.odd', '{"signal_key": "key", "symbol": "Sym bol", "exchange": "ex", "side": "dir", "timestamp": "at"}', '{b1,n1}', '{"time_zone": "Europe/Moscow"}');
insert into public.odd select k, 'BTCUSDT', 1, 'BUY', now() at time zone 'Europe/Moscow' - m * interval '1 minute'
  from (values ('twice', 2), ('twice', 1), (null, 3), (null, 3), (null, 4), (repeat('x', 600), 5), ('', 6), ('too old', 121), ('Ключ', 7)) v (k, m);
select is(regexp_replace(pg_temp.keys_of('public.odd'), '(row|md5):[0-9a-f]{32}', '\1', 'g'), 'twice,row,row,md5,,Ключ', 'the same key once, NULL and long keys by their hash; the time zone counts');
select is(regexp_replace(pg_temp.keys_of('public.odd', newest_only => true), '(row|md5):[0-9a-f]{32}', '\1', 'g'), 'twice,row,row,md5,,Ключ', 'so it does for the newest');
select is((select r.signal_at from monitoring.signal_sources s, unnest(monitoring.read_signals(s, 100)) r where s.relation = 'public.odd'::regclass and r.signal_key = 'twice'),
          now() - interval '1 minute', 'a naive time in the zone of the source, the newest of a key');
select is(pg_temp.signal('public.odd', 'twice'), '(,BTCUSDT,1,BUY,,,)', 'unmapped columns are NULL, numbers are text');
select pg_temp.decide('public.odd', r.signal_key) from monitoring.signal_sources s, unnest(monitoring.read_signals(s, 100)) r where s.relation = 'public.odd'::regclass;
select is(pg_temp.keys_of('public.odd'), 'none', 'each of them can be decided');
-- A unique key in the parent says nothing about the children.
create table public.child () inherits (public.plain);
insert into public.plain (key, sym, at) values (1, 'A', now() - interval '2 minutes');
insert into public.child (key, sym, at) values (1, 'B', now() - interval '1 minutes');
select is(pg_temp.keys_of('public.plain'), '0,1', 'rows of a child table are read, each key once');
insert into public.split (key, at) values (5, now());
select is(pg_temp.keys_of('public.split'), '5', 'a partitioned table');
refresh materialized view public.kept;
select is(pg_temp.keys_of('public.kept'), '0,1', 'a materialized view');
select is(pg_temp.keys_of('public.seen'), '0,1', 'a view');
-- The newest rows are enough where a known one is among them. Else it is a wave, and the best of all of it are wanted.
create table public.wave (key int, sym text, ex text, dir text, at timestamptz);
select monitoring.attach_signal_source('public.wave', '{"signal_key": "key", "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "at"}', '{b1,n1}');
insert into public.wave select n, 'BTCUSDT', 'bybit', 'BUY', now() - n * interval '1 minute' from generate_series(1, 40) n;
select is(pg_temp.keys_of('public.wave', newest_only => true), (select string_agg(n::text, ',' order by n) from generate_series(1, 40) n), 'a wave is read whole');
select pg_temp.decide('public.wave', n::text) from generate_series(1, 3) n;
select is(pg_temp.keys_of('public.wave', newest_only => true), (select string_agg(n::text, ',' order by n) from generate_series(4, 8) n), 'else of the newest 8 those without a decision');
select is(pg_temp.keys_of('public.wave'), (select string_agg(n::text, ',' order by n) from generate_series(4, 40) n), 'the others are read when all are');
-- The source changes under our feet.
alter table public.odd alter at type timestamptz;
select lives_ok($$select pg_temp.keys_of('public.odd')$$, 'a time may become one with time zone');
alter table public.odd drop at;
select is(pg_temp.complaint($$select pg_temp.keys_of('public.odd')$$), 'TS040 signal source public.odd has changed', 'a lost column is named');
drop table public.odd;
select is(pg_temp.complaint($$select monitoring.read_signals(s, 1) from monitoring.signal_sources s where s.name = 'public.odd'$$), 'TS040 signal source public.odd has changed', 'so is a lost table');
create table public.odd (key text, "Sym bol" text, ex int, dir text, at timestamp);
select isnt(monitoring.attach_signal_source('public.odd', '{"signal_key": "key", "symbol": "Sym bol", "exchange": "ex", "side": "dir", "timestamp": "at"}', '{b1,n1}'),
            (select min(id) from monitoring.signal_sources where name = 'public.odd'), 'a table made again is another source');

-- Whose rights. Whatever belongs to a relation counts here who it runs as: with the owner's rights and a safe path, or otherwise.
create sequence public.as_owner;
create sequence public.otherwise;
grant all on public.as_owner, public.otherwise to signal_owner;
set session authorization signal_owner;
create function public.note() returns boolean language plpgsql volatile as $$
begin
  perform nextval(case when current_user = 'signal_owner' and current_setting('search_path') = 'pg_catalog, pg_temp' then 'public.as_owner' else 'public.otherwise' end);
  return true;
end $$;
create function public.dig(what text) returns text language plpgsql immutable as $$
begin
  perform public.note();
  return what;
end $$;
create function public.on_update() returns trigger language plpgsql as $$
begin
  perform public.note();
  return new;
end $$;
create table public.theirs (key int, sym text, at timestamptz, is_on boolean default true, processed boolean, processed_at timestamp, position_opened boolean, position_id bigint);
create view public.seen_by_them as select t.*, 'bybit' as ex, 'BUY' as dir from public.theirs t where public.note();
create view public.climbing as select t.*, set_config('role', 'postgres', false) as ex, 'BUY' as dir from public.theirs t;
insert into public.theirs (key, sym, at) select i, 'BTCUSDT', now() from generate_series(1, 4) i;
create table public.guarded (like public.theirs);
insert into public.guarded select * from public.theirs;
create index on public.guarded ((public.dig('index')));
create policy only_noted on public.guarded using (public.note());
alter table public.guarded enable row level security, force row level security;
create trigger on_update before update on public.theirs for each row execute function public.on_update();
create function pg_temp.ran() returns text language plpgsql as $$
declare
  seen text;
begin
  select case when o.is_called then 'as owner' else '' end || case when e.is_called then 'otherwise' else '' end into seen from public.as_owner o, public.otherwise e;
  perform setval('public.as_owner', 1, false), setval('public.otherwise', 1, false);
  return seen;
end $$;
select is(pg_temp.ran(), 'otherwise', 'the count works: the owner itself has another path');
select is(pg_temp.complaint(format('select monitoring.attach_signal_source(''public.%s'', ''{"signal_key": "key", "symbol": "sym", "exchange": "%s", "side": "%s", "timestamp": "at"%s}'', ''{b1}'', %L)', relation, ex, dir, more, options)),
          complaint, relation || ': ' || complaint)
from (values ('seen_by_them', 'ex', 'dir', '', null, 'no error'), ('guarded', 'sym', 'sym', '', null, 'no error'),
             ('climbing', 'ex', 'dir', '', null, 'TS040 could not read signals from public.climbing'),
             ('theirs', 'sym', 'sym', ', "is_active": "is_on"', '{"mark_processed": true}', 'no error')) c (relation, ex, dir, more, options, complaint);
select matches(pg_temp.detail_of($$select monitoring.attach_signal_source('public.climbing', '{"signal_key": "key", "symbol": "sym", "exchange": "ex", "side": "dir", "timestamp": "at"}', '{b1}')$$),
               'cannot set parameter "role"', 'a view cannot take the rights back');
reset session authorization;
select is(pg_temp.ran(), 'as owner', 'attaching tries them as their owner');
select is(pg_temp.keys_of('public.seen_by_them'), '1,2,3,4', 'a view of somebody without rights is read');
select is(pg_temp.ran(), 'as owner', 'its functions run as its owner');
select is(pg_temp.keys_of('public.guarded'), '1,2,3,4', 'so is a table with an index on a function and a policy');
select is(pg_temp.ran(), 'as owner', 'whose functions run as its owner');
select pg_temp.decide('public.theirs', '1', 42), pg_temp.decide('public.theirs', '2');
select lives_ok($$select monitoring.mark_signals_processed(s, '{1,2}') from monitoring.signal_sources s where s.relation = 'public.theirs'::regclass$$, 'decided rows are marked');
select is(pg_temp.ran(), 'as owner', 'a trigger on them runs as the owner');
select results_eq('select key, is_on, processed, processed_at is not null, position_opened, position_id from public.theirs order by key',
  $$values (1, false, true, true, true, 42::bigint), (2, false, true, true, false, null), (3, true, null, false, null, null), (4, true, null, false, null, null)$$,
  'with what became of them; the others are not');
select is(pg_temp.keys_of('public.theirs'), '3,4', 'marked rows are not read again');
select pg_temp.ran();
select lives_ok($$select monitoring.mark_signals_processed(s, '{1,2,3,4}') from monitoring.signal_sources s where s.relation = 'public.guarded'::regclass$$, 'without mark_processed nothing happens');
select is(pg_temp.ran(), '', 'not even a trigger');
select is((select count(*)::int from public.guarded where processed), 0, 'and the source is as it was');
-- run_as itself.
select is(monitoring.run_as('signal_owner'::regrole, 'update public.theirs set sym = ''ETHUSDT'' where key::text = any ($1)', '{3,4,9}'), 2::bigint, 'run_as returns the rows processed');
select is(pg_temp.complaint($$select monitoring.run_as('signal_owner'::regrole, 'delete from monitoring.accounts', '{}')$$), '42501 permission denied for table accounts (no detail or hint)', 'it has the rights of the role and no more');
select matches(pg_temp.complaint($$select monitoring.run_as('signal_owner'::regrole, 'reset role', '{}')$$), '^42501', 'and cannot leave it');
select is(current_user::text || ' ' || current_setting('search_path'), session_user || ' public, pg_catalog', 'afterwards rights and path are what they were');
select matches(pg_temp.complaint($$select monitoring.read_as_owner('public.theirs', 'select 1', now())$$), '^42804', 'rows of another shape are refused');
select matches(pg_temp.complaint($$select monitoring.read_as_owner('public.theirs', 'with gone as (delete from public.theirs returning key) select key from gone', now())$$), '^0A000', 'reading cannot write');
select is((select count(*)::int from public.theirs), 4, 'nothing is gone');

-- Who may.
select is(has_function_privilege(role_name, f, 'execute'), allowed, format('%s %s execute %s', role_name, case when allowed then 'may' else 'may not' end, f))
from (values ('tradesync_trader', 'monitoring.attach_signal_source(regclass,jsonb,text[],jsonb)', false), ('tradesync_admin', 'monitoring.attach_signal_source(regclass,jsonb,text[],jsonb)', true),
             ('tradesync_admin', 'monitoring.detach_signal_source(regclass)', true), ('tradesync_admin', 'monitoring.read_signals(monitoring.signal_sources,int,boolean)', false),
             ('tradesync_admin', 'monitoring.run_as(oid,text,text[])', false), ('tradesync_admin', 'monitoring.read_as_owner(regclass,text,timestamptz)', false),
             ('tradesync_admin', 'monitoring.mark_signals_processed(monitoring.signal_sources,text[])', false)) p (role_name, f, allowed);

select * from finish();
rollback;
