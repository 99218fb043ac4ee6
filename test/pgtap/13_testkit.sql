-- Test signals are repeatable, half for each exchange, and say which signal they repeat; waves by the clock run in the
-- name of the table's owner; the most traded pairs come from a worker or not at all.
begin;
set search_path = public, pg_catalog;
select no_plan();

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
create role wave_maker in role tradesync_trader;
create role wave_watcher in role tradesync_reader;
create role stranger;
create schema waves authorization wave_maker;
grant usage on schema waves to public;

-- The table.
select is(pg_temp.complaint($$select testkit.generate_wave(1)$$), 'TS044 there is no table of test signals', 'no wave without a table');
select is(testkit.create_signal_table()::text, 'test_scoring_history', 'the table is made under its usual name');
select is(testkit.create_signal_table('Test_Scoring_History')::oid, 'public.test_scoring_history'::regclass::oid, 'making it again changes nothing');
select columns_are('public', 'test_scoring_history',
  '{id,signal_id,symbol,exchange,timeframe,timestamp,wave_number,score,score_week,score_month,recommended_action,signal_type,confidence,volume_24h,price_change_24h,wave_start,wave_end,processed,processed_at,position_opened,position_id,is_active,repeat_of,created_at}'::name[],
  'it has the columns of the legacy test table and those that a mapping needs');
select col_is_pk('public', 'test_scoring_history', 'id', 'its key is the id');
select is_empty($$select 1 from pg_depend where classid = 'pg_class'::regclass and objid = 'public.test_scoring_history'::regclass and deptype = 'e'$$,
                'it is no part of the extension');
set local role wave_maker;
select is(testkit.create_signal_table('waves."My signals"')::text, 'waves."My signals"', 'another name, spelled as SQL spells it');
select table_owner_is('waves', 'My signals', 'wave_maker', 'it belongs to whoever makes it');
select is(pg_temp.complaint($$select testkit.create_signal_table('pg_catalog.signals')$$), '42501 permission denied for schema pg_catalog (no detail or hint)',
          'a trader makes it where he may make tables');
reset role;
create table waves.other (id bigint primary key, symbol text);
create view waves.a_view as select * from public.test_scoring_history;
create table waves.same_names as select * from public.test_scoring_history;
alter table waves.same_names alter score type double precision;
alter table waves.same_names add needed int not null;
select is(pg_temp.complaint($$select testkit.create_signal_table('waves.other')$$), 'TS044 waves.other is not a table of test signals', 'a table with other columns is refused');
select matches(pg_temp.detail_of($$select testkit.create_signal_table('waves.other')$$), 'signal_id character varying\(100\)', 'naming what is missing');
select is(pg_temp.complaint($$select testkit.create_signal_table('waves.a_view')$$), 'TS044 waves.a_view is not a table of test signals', 'a view is refused');
select matches(pg_temp.detail_of($$select testkit.create_signal_table('waves.same_names')$$), 'score numeric\(10,2\), needed \(not expected',
               'a column of another type, and one that needs a value, are named');
select is(pg_temp.complaint(format('select testkit.create_signal_table(%L)', name)), format('TS044 invalid table name %s', coalesce('"' || name || '"', 'NULL')), 'name ' || coalesce(name, 'NULL'))
from unnest('{"",a.b.c,"a b",1st,NULL}'::text[]) name;

-- What a wave must be.
select is(pg_temp.complaint(call), 'TS044 ' || message, call)
from (values
  ('select testkit.generate_wave(0)', 'invalid wave number 0'), ('select testkit.generate_wave(null)', 'invalid wave number NULL'),
  ('select testkit.generate_wave(1, 0)', 'invalid number of pairs 0'), ('select testkit.generate_wave(1, -1)', 'invalid number of pairs -1'),
  ('select testkit.generate_wave(1, 100001)', 'invalid number of pairs 100001'), ('select testkit.generate_wave(1, null)', 'invalid number of pairs NULL'),
  ('select testkit.generate_wave(1, 60, 1.01)', 'invalid duplicate_ratio 1.01'), ('select testkit.generate_wave(1, 60, -0.1)', 'invalid duplicate_ratio -0.1'),
  ('select testkit.generate_wave(1, 60, ''NaN'')', 'invalid duplicate_ratio NaN'), ('select testkit.generate_wave(1, 60, null)', 'invalid duplicate_ratio NULL'),
  ('select testkit.generate_wave(1, relation => ''waves.other'')', 'waves.other is not a table of test signals'),
  ('select testkit.generate_wave(1, relation => 4294967295)', 'there is no table of test signals')) c (call, message);
select is_empty('select 1 from test_scoring_history', 'a refused wave leaves no row');

-- Waves. No account is known here, so the pairs come from the shipped list: thirty for each exchange.
create view pg_temp.signals as select * from public.test_scoring_history;
select is(testkit.generate_wave(w, seed => 7), 60, format('wave %s has sixty signals', w)) from generate_series(1, 6) w;
select set_eq($$select wave_number, exchange::text, count(*)::int as n, count(repeat_of)::int as repeats from pg_temp.signals group by 1, 2$$,
              $$select w, e, 30 as n, 9 as repeats from generate_series(1, 6) w, unnest('{binance,bybit}'::text[]) e$$, 'half for each exchange, thirty percent of them repeats');
select is_empty($$select id from pg_temp.signals where not (score between 70 and 95 and score_week between 70 and 95 and score_month between 70 and 95
  and confidence between 60 and 95 and recommended_action in ('BUY', 'SELL') and signal_type in ('MOMENTUM', 'BREAKOUT', 'TREND')
  and "timestamp" = now() and wave_start <= "timestamp" and "timestamp" < wave_end and not processed and is_active)$$, 'every value is in its range');
select is((select count(distinct recommended_action)::int from pg_temp.signals where repeat_of is null), 2, 'both directions occur');
select is_empty($$select r.id from pg_temp.signals r left join pg_temp.signals o on o.id = r.repeat_of
  where r.repeat_of is not null and (o.id is null or o.id >= r.id or o.repeat_of is not null or o.exchange <> r.exchange or o.symbol <> r.symbol
    or r.score >= o.score or r.score_week >= o.score_week or r.score_month >= o.score_month)$$,
  'a repeat is of an earlier new signal for the same pair, and scores less');
select is_empty($$select r.id from pg_temp.signals r join pg_temp.signals o on o.id = r.repeat_of where r.wave_number > 1 and o.wave_number = r.wave_number$$,
                'from the second wave on, earlier waves are repeated');
select is((select count(*)::int from pg_temp.signals r join pg_temp.signals o on o.id = r.repeat_of where r.signal_id = o.signal_id), 6 * 10,
          'by turns the same signal is delivered again …');
select is((select count(*)::int - count(distinct signal_id)::int from pg_temp.signals), 6 * 10, '… and another one for the same pair: no other signal_id occurs twice');
select is((select count(distinct (exchange, symbol))::int from pg_temp.signals where repeat_of is null and wave_number = 1), 42, 'the first wave takes 42 different pairs');
select is((select count(distinct (exchange, symbol))::int from pg_temp.signals where repeat_of is null and wave_number <= 2), 60, 'the second takes those that are left');
select is_empty($$select n.id from pg_temp.signals n where n.repeat_of is null and n.wave_number > 2
  and exists (select from pg_temp.signals u where u.exchange = n.exchange and u.wave_number < n.wave_number
              group by u.symbol having max(u.id) < (select max(b.id) from pg_temp.signals b where b.exchange = n.exchange and b.symbol = n.symbol and b.wave_number < n.wave_number)
                and not exists (select from pg_temp.signals s where s.wave_number = n.wave_number and s.repeat_of is null and s.exchange = n.exchange and s.symbol = u.symbol))$$,
  'when all have been used, those longest not used come first');

-- Repeatable.
select testkit.create_signal_table('waves.' || t) from unnest('{a,b,c,unseeded,unseeded_too}'::text[]) t;
create function pg_temp.content(relation regclass) returns setof text language plpgsql as $$
begin
  return query execute format('select (to_jsonb(t) - ''id'' - ''repeat_of'' || jsonb_build_object(''n'', row_number() over (order by id)))::text from %s t', relation);
end $$;
select testkit.generate_wave(w, 61, 0.4, s, relation) from (values (1, 7, 'waves.a'::regclass), (1, 7, 'waves.b'), (1, 8, 'waves.c'), (2, 7, 'waves.a'), (2, 7, 'waves.b'),
  (1, null, 'waves.unseeded'), (1, null, 'waves.unseeded_too')) v (w, s, relation);
select set_eq($$select pg_temp.content('waves.a')$$, $$select pg_temp.content('waves.b')$$, 'the same seed gives the same waves in the same order');
select isnt_empty($$select pg_temp.content('waves.a') except select pg_temp.content('waves.c')$$, 'another seed gives another wave');
select isnt_empty($$select pg_temp.content('waves.unseeded') except select pg_temp.content('waves.unseeded_too')$$, 'without a seed no two waves are alike');
select results_eq($$select exchange::text, count(*)::int, count(repeat_of)::int from waves.a where wave_number = 1 group by 1 order by 1$$,
                  $$values ('binance', 31, 12), ('bybit', 30, 12)$$, 'an odd pair goes to Binance; 40 percent of 61 are 24');
select testkit.generate_wave(2, 61, 0.4, 7, 'waves.a');
select is((select count(*)::int - count(distinct signal_id)::int from waves.a where repeat_of is null), 0, 'the same wave once more carries new signal ids');

-- The ends of the range.
select testkit.create_signal_table('waves.' || t) from unnest('{none,every_one,single}'::text[]) t;
select is(testkit.generate_wave(1, 200, 0, 1, 'waves.none'), 200, 'more signals than pairs');
select is((select count(*)::int from waves.none where repeat_of is not null), 0, 'a ratio of 0 repeats nothing on purpose');
select is((select array_agg(distinct n) from (select count(*)::int as n from waves.none group by exchange, symbol) c), '{3,4}', 'pairs are then used equally often');
select is(testkit.generate_wave(1, 10, 1, 1, 'waves.every_one'), 10, 'a ratio of 1 in an empty table');
select is((select count(*)::int from waves.every_one where repeat_of is null), 2, 'begins with one new signal for each exchange');
select testkit.generate_wave(2, 10, 1, 1, 'waves.every_one');
select is((select count(repeat_of)::int from waves.every_one where wave_number = 2), 10, 'and has nothing but repeats afterwards');
select is(testkit.generate_wave(1, 1, 1, 1, 'waves.single'), 1, 'a wave of one');
select is((select exchange::text from waves.single), 'binance', 'is for Binance');

-- Where pairs come from.
select monitoring.add_account('bin', 'binance', 'testnet', 'dry_run'), monitoring.add_account('off', 'binance', 'testnet', 'dry_run');
create function pg_temp.listed(account text, symbol text, status text default 'trading', quote text default 'USDT', contract text default 'perpetual') returns int language sql as $$
  select monitoring.worker_save_instruments((select id from monitoring.accounts a where a.name = account),
    array[row(symbol, status, contract, 'X', quote, quote, 0.1, 0.001, 0.001, 1000, 50, 5, 100)::monitoring.instrument_row]) $$;
select pg_temp.listed('bin', s) from unnest('{AAAUSDT,BBBUSDT,CCCUSDT,DDDUSDT}'::text[]) s;
select pg_temp.listed('bin', 'SHUTUSDT', 'closed'), pg_temp.listed('bin', 'AAAUSDC', quote => 'USDC'), pg_temp.listed('bin', 'AAAUSDT_261225', contract => 'delivery'),
       pg_temp.listed('off', 'OFFUSDT');
select is((select count(*)::int from testkit.known_pairs('binance')), 30, 'instruments of a disabled account do not count');
select monitoring.enable_account('bin');
select results_eq($$select symbol from testkit.known_pairs('binance') order by rank$$, '{AAAUSDT,BBBUSDT,CCCUSDT,DDDUSDT}'::text[], 'what an enabled account trades in USDT comes instead of the shipped list');
insert into monitoring.liquid_pairs (exchange, rank, symbol, volume_24h) values ('binance', 1, 'CCCUSDT', 900), ('binance', 2, 'AAAUSDT', 800);
select results_eq($$select symbol from testkit.known_pairs('binance') order by rank$$, '{CCCUSDT,AAAUSDT,BBBUSDT,DDDUSDT}'::text[], 'the most traded ones come first');
select is((select count(*)::int from testkit.known_pairs('bybit')), 30, 'the other exchange is not affected');
select testkit.create_signal_table('waves.liquid');
select testkit.generate_wave(1, 4, 0, 3, 'waves.liquid');
select set_eq($$select symbol, volume_24h from waves.liquid where exchange = 'binance'$$, $$values ('CCCUSDT', 900::numeric), ('AAAUSDT', 800)$$, 'a wave takes the most traded pairs, with their volume');

-- Waves by the clock. In one transaction now() stands still: time is moved by hand.
create function pg_temp.an_hour_later() returns void language sql as $$ update testkit.wave_schedule set next_at = next_at - interval '1 hour' $$;
create function pg_temp.waves_of(relation regclass) returns int language plpgsql as $$
declare
  waves int;
begin
  execute format('select count(distinct wave_number) from %s', relation) into waves;
  return waves;
end $$;
create function pg_temp.told(type text) returns int language sql as $$ select count(*)::int from monitoring.events where event_type = type $$;
select lives_ok('select testkit.worker_run_due_waves()', 'nothing is scheduled: nothing happens');
select is(pg_temp.complaint(call), 'TS044 ' || message, call)
from (values
  ('select testkit.schedule_waves(''0.5s'')', 'invalid time 00:00:00.5 between waves'), ('select testkit.schedule_waves(''25h'')', 'invalid time 25:00:00 between waves'),
  ('select testkit.schedule_waves(null)', 'invalid time NULL between waves'), ('select testkit.schedule_waves(waves => 0)', 'invalid number of waves 0'),
  ('select testkit.schedule_waves(pairs => 0)', 'invalid number of pairs 0'), ('select testkit.schedule_waves(duplicate_ratio => 2)', 'invalid duplicate_ratio 2'),
  ('select testkit.schedule_waves(relation => ''waves.other'')', 'waves.other is not a table of test signals')) c (call, message);
select testkit.create_signal_table('waves.clock');
select lives_ok($$select testkit.schedule_waves('15 minutes', 3, 10, 0.3, 5, 'waves.clock')$$, 'waves are scheduled');
select testkit.worker_run_due_waves();
select is(pg_temp.waves_of('waves.clock'), 1, 'the first comes at once');
select is((select last_error from testkit.wave_schedule), null, 'without an error');
select testkit.worker_run_due_waves();
select is(pg_temp.waves_of('waves.clock'), 1, 'the next one is not due yet');
select is((select next_at from testkit.wave_schedule), now() + interval '15 minutes', 'but in fifteen minutes');
select pg_temp.an_hour_later();
select testkit.worker_run_due_waves(), testkit.worker_run_due_waves();
select is(pg_temp.waves_of('waves.clock'), 2, 'after a pause one wave is made up for, not all');
select is((select next_at from testkit.wave_schedule), now() + interval '15 minutes', 'and the rhythm is kept');
select pg_temp.an_hour_later();
select testkit.worker_run_due_waves();
select is((select (active, generated)::text from testkit.wave_schedule), '(f,3)', 'it ends after the last wave');
select pg_temp.an_hour_later();
select testkit.worker_run_due_waves();
select is(pg_temp.waves_of('waves.clock'), 3, 'and stays ended');
select is(pg_temp.told('test_wave_generated'), 3, 'each wave is on record');
select testkit.generate_wave(1, 10, 0.3, 5, 'waves.single');
select testkit.create_signal_table('waves.by_hand');
select testkit.generate_wave(w, 10, 0.3, 5, 'waves.by_hand') from generate_series(1, 3) w;
select set_eq($$select pg_temp.content('waves.clock')$$, $$select pg_temp.content('waves.by_hand')$$, 'scheduled waves are those that generate_wave() makes of the same seed');
select is(testkit.stop_waves(), false, 'nothing to stop');
select testkit.schedule_waves('1s', relation => 'waves.clock');
select is(testkit.stop_waves(), true, 'a schedule is stopped');
select testkit.worker_run_due_waves();
select is(pg_temp.waves_of('waves.clock'), 3, 'and generates nothing any more');

-- Whose rights.
create function waves.spy() returns trigger language plpgsql as $$ begin new.signal_type := current_user; return new; end $$;
create trigger spy before insert on waves."My signals" for each row execute function waves.spy();
select testkit.schedule_waves('1s', 2, 10, relation => 'waves."My signals"');
select testkit.worker_run_due_waves();
select set_eq('select distinct signal_type from waves."My signals"', '{wave_maker}'::text[], 'a trigger on the table runs with the rights of the table''s owner');
create table waves.strangers (like waves.clock including all);
alter table waves.strangers owner to stranger;
select is(pg_temp.complaint($$select testkit.schedule_waves(relation => 'waves.strangers')$$), 'TS044 stranger may not generate waves', 'an owner who may not generate waves gets none by the clock');
set local session authorization wave_maker;
select is(pg_temp.complaint($$select testkit.schedule_waves(relation => 'waves.clock')$$), 'TS044 waves.clock is not yours', 'a trader has no waves written in another''s name');
select lives_ok($$select testkit.schedule_waves('1s', relation => 'waves."My signals"')$$, 'but in his own');
select lives_ok($$select testkit.generate_wave(77, 2, relation => 'waves."My signals"')$$, 'and by hand');
set local session authorization wave_watcher;
select is(pg_temp.complaint(call), '42501 permission denied for function ' || f || ' (no detail or hint)', 'a reader cannot call ' || f)
from (values ('generate_wave', 'select testkit.generate_wave(1)'), ('schedule_waves', 'select testkit.schedule_waves()'), ('stop_waves', 'select testkit.stop_waves()')) c (f, call);
select lives_ok('select * from testkit.wave_schedule', 'but look at the schedule');
set local session authorization stranger;
select is(pg_temp.complaint('select testkit.generate_wave(1)'), '42501 permission denied for schema testkit (no detail or hint)', 'nobody else sees anything');
reset session authorization;
select is_empty($$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'testkit'::regnamespace and has_function_privilege('public', p.oid, 'execute')$$, 'PUBLIC may execute nothing');
select ok(not has_function_privilege(r, f, 'execute'), r || ' may not call ' || f)
from unnest('{tradesync_trader,tradesync_admin}'::text[]) r, unnest('{testkit.worker_run_due_waves(),"testkit.note_failed_wave(testkit.wave_schedule,text,boolean)"}'::text[]) f;

-- Failure is told once and stops nothing.
create function waves.refuse() returns trigger language plpgsql as $$ begin raise exception 'no signals today'; end $$;
create trigger refuse before insert on waves.by_hand for each row execute function waves.refuse();
select testkit.schedule_waves('1s', relation => 'waves.by_hand');
select lives_ok('select testkit.worker_run_due_waves()', 'a wave that fails raises nothing');
select is((select (active, generated, last_error)::text from testkit.wave_schedule), '(t,0,"no signals today")', 'the schedule says why, and goes on');
select pg_temp.an_hour_later();
select testkit.worker_run_due_waves();
select is(pg_temp.told('test_wave_failed'), 1, 'the same failure is told once');
drop trigger refuse on waves.by_hand;
select pg_temp.an_hour_later();
select testkit.worker_run_due_waves();
select is((select (active, generated, last_error)::text from testkit.wave_schedule), '(t,1,)', 'when the reason is gone, waves come again');
drop table waves.by_hand;
select pg_temp.an_hour_later();
select testkit.worker_run_due_waves();
select is((select (active, last_error)::text from testkit.wave_schedule), '(f,"the table does not exist any more")', 'a dropped table ends the schedule');
select is_empty($$select 1 from pg_extension e, unnest(e.extconfig) t where e.extname = 'pg_tradesync' and t = 'testkit.wave_schedule'::regclass$$, 'a schedule is not in a dump');

-- The most traded pairs. Answers of workers come from tables here.
create table public.worker_states (id int, state text);
create or replace function monitoring.worker_state(account_id int) returns text language sql as $$ select state from public.worker_states where id = $1 $$;
create table public.answers (id int, cells text[]);
create or replace function monitoring.worker_ask(account_id int, kind text, argument text, timeout_ms int, out answered boolean, out cells text[]) returns setof record language sql as $$
  select true, null::text[] union all select true, a.cells from public.answers a where a.id = account_id and kind = 'tickers' $$;
select is(pg_temp.complaint($$select monitoring.refresh_liquid_pairs('kraken')$$), 'TS004 invalid exchange "kraken"', 'an unknown exchange');
select is(pg_temp.complaint($$select monitoring.refresh_liquid_pairs(null)$$), 'TS004 invalid exchange NULL', 'no exchange');
select is(pg_temp.complaint(format('select monitoring.refresh_liquid_pairs(%L, %s)', 'binance', coalesce(n::text, 'null'))), format('TS044 invalid number of pairs %s', coalesce(n::text, 'NULL')), 'number ' || coalesce(n::text, 'NULL'))
from unnest('{0,-1,1001,NULL}'::int[]) n;
select matches(pg_temp.detail_of($$select monitoring.refresh_liquid_pairs('binance')$$), '^TS045 No worker of a binance account is running', 'no worker runs');
insert into public.worker_states select id, 'restoring' from monitoring.accounts where name = 'bin';
select matches(pg_temp.detail_of($$select monitoring.refresh_liquid_pairs('binance')$$), '^TS045 No useful answer through bin', 'its worker does not answer');
insert into public.answers select id, c.cells from monitoring.accounts, (values ('{NOSUCHUSDT,999999,1}'::text[])) c (cells) where name = 'bin';
select matches(pg_temp.detail_of($$select monitoring.refresh_liquid_pairs('binance')$$), '^TS045 No useful answer', 'it names nothing that can be traded');
select results_eq($$select symbol from monitoring.liquid_pairs where exchange = 'binance' order by rank$$, '{CCCUSDT,AAAUSDT}'::text[], 'what was known is kept');
insert into monitoring.liquid_pairs (exchange, rank, symbol, volume_24h) values ('bybit', 1, 'BTCUSDT', 1);
insert into public.answers select id, c.cells from monitoring.accounts, (values ('{AAAUSDT,90071992547409.93,0.00000001}'::text[]), ('{BBBUSDT,90071992547409.94,""}'), ('{DDDUSDT,0,1}'),
  ('{SHUTUSDT,1e30,1}'), ('{AAAUSDC,1e30,1}'), ('{AAAUSDT_261225,1e30,1}')) c (cells) where name = 'bin';
select is(monitoring.refresh_liquid_pairs('binance', 2), 2, 'the two best are kept');
select results_eq($$select rank, symbol, volume_24h::text, last_price::text from monitoring.liquid_pairs where exchange = 'binance' order by rank$$,
  $$values (1, 'BBBUSDT', '90071992547409.94', null), (2, 'AAAUSDT', '90071992547409.93', '0.00000001')$$, 'by volume, with every digit; what is closed or not a perpetual in USDT does not count');
select is((select count(*)::int from monitoring.liquid_pairs where exchange = 'bybit'), 1, 'the other exchange is not touched');
select is(monitoring.refresh_liquid_pairs('binance'), 3, 'fewer than asked for where there are no more');
select monitoring.add_account('real', 'binance', 'mainnet', 'observe');
select pg_temp.listed('real', 'EEEUSDT');
insert into public.worker_states select id, 'live' from monitoring.accounts where name = 'real';
insert into public.answers select id, '{EEEUSDT,5,1}'::text[] from monitoring.accounts where name = 'real';
select monitoring.refresh_liquid_pairs('binance');
select results_eq($$select symbol from monitoring.liquid_pairs where exchange = 'binance'$$, '{EEEUSDT}'::text[], 'an account of the real exchange is asked before one of a test network');
delete from public.answers a using monitoring.accounts c where c.id = a.id and c.name = 'real';
select is(monitoring.refresh_liquid_pairs('binance'), 3, 'one that does not answer is passed over');
select ok(has_function_privilege('tradesync_trader', 'monitoring.refresh_liquid_pairs(text,int)', 'execute') and not has_function_privilege('tradesync_reader', 'monitoring.refresh_liquid_pairs(text,int)', 'execute'),
          'a trader may refresh them, a reader not');

select * from finish();
rollback;
