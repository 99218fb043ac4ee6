-- The record: events and their partitions, cursors and dead letters, runs, retention, health, questions without a worker.
begin;
set search_path = public, pg_catalog;
select no_plan();

select lives_ok($$ select monitoring.add_account('bee', 'bybit', 'testnet') $$, 'an account to work with');
create function pg_temp.bee() returns int language sql as $$ select id from monitoring.accounts where name = 'bee' $$;

-- Events. They are heard through a writer that remembers.
create table public.heard (channel text, account text, kind text, items json[]);
create or replace function monitoring.worker_notify(channel text, account text, kind text, items json[]) returns void
  language sql as $$ insert into public.heard select $1, $2, $3, $4 where cardinality($4) > 0 $$;
create function pg_temp.event(type text, severity text, data text default null, at timestamptz default now()) returns int language sql as $$
  select monitoring.worker_save_events(pg_temp.bee(), array[row(type, severity, 'BTCUSDT', '', data, case when severity <> 'INFO' then 'boom' end, at, 7)::monitoring.event_row]) $$;
select is(pg_temp.event('order_filled', 'INFO', '{"a": 1}'), 1, 'an event');
select is((select (account, symbol, position_id, order_id, event_data, error_message)::text from monitoring.events where event_type = 'order_filled'),
          '(bee,BTCUSDT,7,,"{""a"": 1, ""symbol"": ""BTCUSDT"", ""exchange"": ""bybit""}",)', 'carries symbol and exchange in its data');
select is_empty('select * from public.heard', 'INFO alerts nobody');
select is(pg_temp.event('websocket_error', 'WARNING') + pg_temp.event('database_error', 'CRITICAL'), 2, 'warnings');
select is((select array_agg(channel || ' ' || (items[1] ->> 'event_type')) from public.heard), '{"monitoring_alert websocket_error","monitoring_alert database_error"}', 'are alerts');
select throws_ok($$ select pg_temp.event('x', 'FATAL') $$, '23514', null, 'a severity that nobody knows is refused');
select throws_ok($$ select pg_temp.event('x', 'INFO', 'no json') $$, '22P02', null, 'and so is data that is no JSON');

-- Partitions.
select is(monitoring.make_partition('2030-01-15'), true, 'a partition is made');
select is(monitoring.make_partition('2030-01-15'), false, 'once');
select is((select array_agg(i.n order by i.n) from (select (select string_agg(a.attname, ',' order by k.o) from unnest(x.indkey) with ordinality k (n, o) join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.n) n
            from pg_index x where x.indrelid = 'monitoring.events_20300115'::regclass) i),
          (select array_agg(i.n order by i.n) from (select (select string_agg(a.attname, ',' order by k.o) from unnest(x.indkey) with ordinality k (n, o) join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.n) n
            from pg_index x where x.indrelid = 'monitoring.events_default'::regclass) i), 'with the indexes of the default partition');
select pg_temp.event('later', 'INFO', null, '2030-01-15 23:59:59.999+00'), pg_temp.event('later', 'INFO', null, '2030-01-16 00:00:00+00');
select is((select array_agg(tableoid::regclass::text order by created_at) from monitoring.events where event_type = 'later'),
          '{monitoring.events_20300115,monitoring.events_default}', 'a UTC day, from midnight to midnight; other days wait in the default partition');
select is(monitoring.make_partition('2030-01-16'), true, 'until their partition is made');
select is((select array_agg(tableoid::regclass::text order by created_at) from monitoring.events where event_type = 'later'),
          '{monitoring.events_20300115,monitoring.events_20300116}', 'which moves them there');
select is((select count(*)::int from pg_depend d join pg_extension e on e.oid = d.refobjid and e.extname = 'pg_tradesync'
           where d.objid = 'monitoring.events_20300115'::regclass and d.deptype = 'e'), 0, 'a partition of a day is no part of the extension, so a dump carries it');

-- Retention.
update monitoring.accounts set enabled = false;
select monitoring.make_partition(((now() - interval '40 days') at time zone 'UTC')::date), monitoring.make_partition(((now() - interval '20 days') at time zone 'UTC')::date);
create function pg_temp.days() returns int[] language sql as $$
  select array_agg(d order by d) from unnest('{40,20,0,-1}'::int[]) d
  where to_regclass('monitoring.events_' || to_char((now() - d * interval '1 day') at time zone 'UTC', 'YYYYMMDD')) is not null $$;
create table public.days_before as select pg_temp.days() as days;
select monitoring.worker_retention();
select is(pg_temp.days(), (select days from public.days_before), 'while no account is enabled no partition is made or dropped');
select monitoring.enable_account('bee');
select monitoring.worker_retention();
select is(pg_temp.days(), '{-1,0,20}', 'afterwards today and tomorrow are made, and what is older than event_retention is dropped');
select monitoring.configure_database('{"event_retention": "10 days"}');
select is(monitoring.retention_of('event_retention'), interval '10 days', 'a setting of the database beats the server configuration');
select monitoring.worker_retention();
select is(pg_temp.days(), '{-1,0}', 'and is obeyed');
select throws_ok($$ select monitoring.configure_database('{"event_retention": "1 hour"}') $$, 'TS010', null, 'too short a retention is refused');
select monitoring.configure_database('{"event_retention": null}');

insert into monitoring.orders (account, exchange, symbol, order_id, kind, side, type, status, quantity, position_side, created_at, venue_updated_at, source)
select 'bee', 'bybit', 'BTCUSDT', status || age, 'regular', 'buy', 'limit', status, 1, 'both', now() - age * interval '1 day', now() - age * interval '1 day', 'rest'
from unnest('{filled,new}'::text[]) status, unnest('{100,10}'::int[]) age;
insert into monitoring.sync_runs (account, reason, started_at) values ('bee', 'start', now() - interval '40 days'), ('bee', 'start', now());
insert into monitoring.sync_findings (run_id, account, kind, created_at) values (1, 'bee', 'old', now() - interval '100 days'), (1, 'bee', 'young', now());
insert into monitoring.dead_letters (account, kind, error, created_at, resolved_at)
values ('bee', 'frame', 'old', now() - interval '100 days', null), ('bee', 'trade', 'kept', now() - interval '100 days', null),
       ('bee', 'trade', 'resolved', now() - interval '100 days', now()), ('bee', 'frame', 'young', now(), null);
insert into monitoring.positions (id, account, symbol, exchange, side, quantity, status, origin, managed) values (900, 'bee', 'KEPTUSDT', 'bybit', 'long', 1, 'active', 'manual', true);
insert into monitoring.orders (account, exchange, symbol, order_id, client_order_id, kind, purpose, side, type, status, quantity, position_side, position_id, created_at, venue_updated_at, source)
select 'bee', 'bybit', 'KEPTUSDT', 'entry' || p, 't' || p, 'regular', 'entry', 'buy', 'market', 'filled', 1, 'both', p, now() - interval '100 days', now() - interval '100 days', 'rest' from unnest('{900,901}'::int[]) p;
insert into monitoring.commands (account, kind, status, finished_at) values ('bee', 'set_leverage', 'done', now() - interval '40 days'), ('bee', 'set_leverage', 'done', now()), ('bee', 'set_leverage', 'queued', null);
update monitoring.commands set created_at = now() - interval '50 days';
insert into monitoring.trades (account, exchange, symbol, trade_id, side, price, quantity, exec_type, executed_at) values ('bee', 'bybit', 'BTCUSDT', 'old', 'buy', 1, 1, 'trade', '2001-01-01');
insert into monitoring.funding (account, exchange, symbol, funding_id, amount, asset, at) values ('bee', 'bybit', 'BTCUSDT', 'old', 1, 'USDT', '2001-01-01');
select monitoring.worker_retention();
select set_eq($$ select order_id from monitoring.orders where account = 'bee' $$, '{filled10,new100,new10,entry900}'::text[], 'old terminal orders go; open ones stay however old, and those of an open position');
select set_eq($$ select status || coalesce(finished_at > now() - interval '1 day', false) from monitoring.commands where account = 'bee' $$, '{donetrue,queuedfalse}'::text[],
              'commands go when they have been finished for long');
delete from monitoring.positions where id = 900;
select is((select count(*)::int from monitoring.sync_runs where account = 'bee'), 1, 'old runs go');
select is((select array_agg(kind) from monitoring.sync_findings where account = 'bee'), '{young}', 'old findings go');
select set_eq($$ select error from monitoring.dead_letters where account = 'bee' $$, '{kept,young}'::text[], 'old dead letters go, except fills that nobody resolved');
select is((select count(*)::int from monitoring.trades where trade_id = 'old') + (select count(*)::int from monitoring.funding where funding_id = 'old'), 2, 'fills and funding never go');
delete from monitoring.dead_letters;

-- Cursors and dead letters.
create function pg_temp.cursor(symbol text, place text) returns int language sql as $$
  select monitoring.worker_save_cursors(pg_temp.bee(), array[row('executions', symbol, place)::monitoring.cursor_row]) $$;
create function pg_temp.letter(kind text, symbol text) returns int language sql as $$
  select monitoring.worker_save_dead_letters(pg_temp.bee(), array[row(kind, symbol, '{}', 'violates', '23514', now())::monitoring.dead_letter_row]) $$;
select is(pg_temp.cursor('', '1') + pg_temp.cursor('BTCUSDT', '5'), 2, 'cursors of the account and of a symbol');
select is(pg_temp.letter('order', 'BTCUSDT'), 1, 'a dead-lettered order');
select is(pg_temp.cursor('', '2') + pg_temp.cursor('BTCUSDT', '6'), 2, 'holds nothing back');
truncate public.heard;
select is(pg_temp.letter('trade', 'BTCUSDT') + pg_temp.letter('frame', null), 2, 'a dead-lettered fill and a frame');
select is((select array_agg(event_type order by id) from monitoring.events where account = 'bee' and severity = 'ERROR'), '{database_error,database_error,exchange_error}', 'leave events');
select is((select count(*)::int from public.heard), 2, 'and alerts');
select is(pg_temp.cursor('', '3') + pg_temp.cursor('BTCUSDT', '7') + pg_temp.cursor('ETHUSDT', '9'), 1, 'and hold back the cursors of the account and the symbol, but not of others');
select set_eq($$ select symbol || ' ' || position from monitoring.worker_load_cursors(pg_temp.bee()) $$, '{" 2","BTCUSDT 6","ETHUSDT 9"}'::text[], 'so that the next session reads the fill again');
update monitoring.dead_letters set resolved_at = now() where kind = 'trade';
select is(pg_temp.cursor('', '3'), 1, 'until it is resolved');

-- Runs.
create function pg_temp.run(finished timestamptz, complete boolean, id bigint default null) returns int language sql as $$
  select monitoring.worker_save_sync_runs(pg_temp.bee(), array[row(id, 'reconnect', '2026-01-01 00:00:00+00', finished, complete, 2, 'x')::monitoring.sync_run_row]) $$;
select is(pg_temp.run(null, null) + pg_temp.run('2026-01-01 00:00:01+00', true), 2, 'a run begins and ends');
select is((select array_agg((complete, findings, finished_at is not null)::text) from monitoring.sync_runs where reason = 'reconnect'), '{"(t,2,t)"}', 'in one row');

-- Questions while no worker runs.
select is((select count(*)::int from monitoring.sync_positions('bee')), 0, 'with nothing open sync_positions returns no row and no error');
select monitoring.worker_save_positions(pg_temp.bee(), array(select row('S' || i, 'both', 1, 1, null, null, null, null, null, null, null, 0, 1, now(), 'rest')::monitoring.position_row from generate_series(1, 15) i));
select is((select array_agg(distinct outcome) from (select * from monitoring.sync_positions('bee')) s having count(*) = 15), '{requested}', 'without an answer it returns a row per position: requested');
select monitoring.disable_account('bee');
select is((select array_agg(distinct outcome) from monitoring.sync_positions('bee')), '{failed}', 'for a disabled account: failed');
select is((select count(*)::int from monitoring.sync_positions() where account = 'bee'), 0, 'which is not among all enabled ones');
select lives_ok('select * from monitoring.subscriptions', 'subscriptions works without a worker');

-- Health.
select monitoring.enable_account('bee');
select set_has($$ select check_name from monitoring.health() $$,
  $$ values ('preloaded'), ('library_version'), ('launcher'), ('supervisor'), ('credentials'), ('worker bee'), ('identity bee'), ('dead_letters'),
            ('pending_rows'), ('stale_prices'), ('oldest_snapshot'), ('worker_processes'), ('event_partitions') $$, 'health has one row per check');
select is((select (ok, value)::text from monitoring.health() where check_name = 'dead_letters'), '(f,2)', 'and counts unresolved dead letters');
select is((select ok from monitoring.health() where check_name = 'event_partitions'), true, 'the partitions of today and tomorrow are there');
update monitoring.account_identity set identity = 'elsewhere';
select is((select ok from monitoring.health() where check_name = 'identity bee'), false, 'a changed identity shows');

select is((select array_agg((event_type, count, latest_message)::text order by event_type) from monitoring.failures_24h where account = 'bee'),
          '{"(database_error,3,violates)","(exchange_error,1,violates)"}', 'failures_24h counts errors by type, and no warnings');

select * from finish();
rollback;
