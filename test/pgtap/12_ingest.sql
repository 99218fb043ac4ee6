-- Every signal gets one decision with its reason: the first that applies, in a fixed order; the best are opened, within the wave
-- and the limits; one bad signal never stops the others; what only a lock or a late account prevents is decided later.
begin;
set search_path = public, pg_catalog;
select no_plan();

create or replace function monitoring.server_switch(name text) returns boolean language sql as 'select false';
create table public.worker_states (id int, state text);
create or replace function monitoring.worker_state(account_id int) returns text language sql as $$
  select state from public.worker_states where id = $1 $$;
create function pg_temp.account(name text, exchange text) returns void language sql as $$
  select monitoring.add_account(name, exchange, 'testnet', 'dry_run'), monitoring.enable_account(name);
  insert into public.worker_states select id, 'live' from monitoring.accounts a where a.name = $1;
  insert into monitoring.balances (account, asset, wallet_balance, available_balance, equity, updated_at) values (name, 'USDT', 100000, 100000, 100000, now());
  select monitoring.configure_account(name, '{"max_trades_per_wave": 1000, "position_size": 50}') $$;
select pg_temp.account('bee', 'bybit'), pg_temp.account('bin', 'binance');
create function pg_temp.instrument(account text, symbol text, status text default 'trading', min_notional numeric default 5) returns int language sql as $$
  select monitoring.worker_save_instruments((select id from monitoring.accounts where name = account), array[row(symbol, status, 'perpetual',
    replace(symbol, 'USDT', ''), 'USDT', 'USDT', 0.1, 0.001, 0.001, 1000, 50, min_notional, 100)::monitoring.instrument_row]) $$;
select pg_temp.instrument(a, s) from unnest('{bee,bin}'::text[]) a, unnest('{BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,ADAUSDT,LTCUSDT,1000PEPEUSDT}'::text[]) s;
select pg_temp.instrument('bee', 'OLDUSDT', 'closed'), pg_temp.instrument('bee', 'BIGUSDT', min_notional => 1000);

-- A source whose columns are all text: nothing that somebody may write there stops a batch.
create table public.news (id text, sid text, pair text, venue text, action text, s text, w text, m text, at timestamptz);
select monitoring.attach_signal_source('public.news', '{"signal_key": "id", "signal_id": "sid", "symbol": "pair", "exchange": "venue",
  "side": "action", "score": "s", "score_week": "w", "score_month": "m", "timestamp": "at"}', options => '{"min_score_week": 60}') as news_id \gset
create function pg_temp.signal(id text, pair text default 'BTCUSDT', venue text default 'bybit', action text default 'BUY', w text default '70', sid text default null,
  at timestamptz default now(), m text default '70', s text default '70') returns void language sql as $$ insert into public.news values (id, sid, pair, venue, action, s, w, m, at) $$;
create function pg_temp.decide() returns text language sql as $$
  select string_agg(i.signal_key || ' ' || i.reason, ', ' order by i.signal_key collate "C") from monitoring.ingest_signals('public.news') i $$;
create function pg_temp.detail(key text) returns text language sql as $$ select detail from monitoring.signal_decisions where signal_key = key order by decided_at desc limit 1 $$;
create function pg_temp.start_again() returns void language sql as $$
  delete from monitoring.signal_decisions; delete from monitoring.commands; delete from monitoring.positions; delete from public.news $$;

-- Reasons, in the order in which they are looked for.
select pg_temp.signal('a01', at => null), pg_temp.signal('a02', at => now() + '2 minutes'), pg_temp.signal('a03', at => now() - interval '31 minutes'), pg_temp.signal('a04', at => 'infinity'),
  pg_temp.signal('b01', venue => 'kraken'), pg_temp.signal('b02', venue => null), pg_temp.signal('b03', sid => repeat('x', 101)),
  pg_temp.signal('d01', 'USDC/USDT:USDT'), pg_temp.signal('d02', 'BTCDOMUSDT', action => 'NO_TRADE'),
  pg_temp.signal('e01', 'SOLUSDT', action => 'No_Trade'), pg_temp.signal('e02', 'XRPUSDT', action => 'hold'), pg_temp.signal('e03', 'ADAUSDT', action => null),
  pg_temp.signal('f01', 'SOLUSDT', w => 'NaN', at => now() - interval '1 s'), pg_temp.signal('f02', 'SOLUSDT', w => null, at => now() - interval '2 s'),
  pg_temp.signal('f03', 'SOLUSDT', w => '59.999', at => now() - interval '3 s'), pg_temp.signal('f04', 'SOLUSDT', m => 'Infinity', at => now() - interval '4 s'),
  pg_temp.signal('f05', 'SOLUSDT', s => 'high', at => now() - interval '5 s'), pg_temp.signal('f06', 'SOLUSDT', s => '', at => now() - interval '6 s'),
  pg_temp.signal('f07', 'SOLUSDT', s => repeat('9', 5000), at => now() - interval '7 s'), pg_temp.signal('f08', 'SOLUSDT', m => '1e', at => now() - interval '8 s'),
  pg_temp.signal('g01', 'NOSUCHUSDT'), pg_temp.signal('g02', null), pg_temp.signal('g03', ''), pg_temp.signal('g04', repeat('LONG', 5000)), pg_temp.signal('g05', 'OLDUSDT'),
  pg_temp.signal('h01', 'BIGUSDT'),
  pg_temp.signal('i01', 'BTC/USDT:USDT', '2', ' buy ', '60'), pg_temp.signal('i02', 'ethusdt', 'BYBIT', 'Long', ' 6.1E1 '), pg_temp.signal('i03', ' xrp/usdt ', 'Binance', 'SELL'), pg_temp.signal('i04', '1000PEPEUSDT', '1', 'short');
create temp table decided as select * from monitoring.ingest_signals('public.news');
select results_eq('select signal_key, reason from decided order by 1', $$values
  ('a01', 'no_timestamp'), ('a02', 'future_timestamp'), ('a03', 'too_old'), ('a04', 'future_timestamp'),
  ('b01', 'unknown_exchange'), ('b02', 'unknown_exchange'), ('b03', 'invalid_signal_id'), ('d01', 'symbol_filter'), ('d02', 'symbol_filter'),
  ('e01', 'no_trade'), ('e02', 'invalid_side'), ('e03', 'invalid_side'),
  ('f01', 'invalid_score'), ('f02', 'no_score'), ('f03', 'low_score'), ('f04', 'invalid_score'), ('f05', 'invalid_score'), ('f06', 'invalid_score'), ('f07', 'invalid_score'), ('f08', 'invalid_score'),
  ('g01', 'unknown_symbol'), ('g02', 'unknown_symbol'), ('g03', 'unknown_symbol'), ('g04', 'unknown_symbol'), ('g05', 'not_tradable'), ('h01', 'invalid_size'),
  ('i01', 'accepted'), ('i02', 'accepted'), ('i03', 'accepted'), ('i04', 'accepted')$$, 'every signal gets the first reason that applies to it');
select set_eq('select symbol::text, account, side, signal_id::text, origin, wanted_notional from monitoring.positions', $$values
  ('BTCUSDT', 'bee', 'long', null::text, 'signal', 50::numeric), ('ETHUSDT', 'bee', 'long', null, 'signal', 50), ('1000PEPEUSDT', 'bin', 'short', null, 'signal', 50), ('XRPUSDT', 'bin', 'short', null, 'signal', 50)$$,
  'spelling, side and exchange in every form become the same position; a signal without an id is a signal still');
select is(pg_temp.detail('f03'), 'score_week 59.999 is below min_score_week 60', 'the detail has the numbers of a threshold');
select is(pg_temp.detail('f05'), 'score is no finite number: "high"', 'and what stood in the place of a number');
select matches(pg_temp.detail('h01'), 'below min_notional 1000', 'what open_position() says of a size is kept');
select is(pg_temp.detail('g05'), 'its status is closed', 'the status of a closed instrument');
select isnt(pg_temp.detail('d01'), null, 'the rule that a symbol fell under');
select is((select count(*) from decided d join monitoring.positions p on p.id = d.position_id), 4::bigint, 'an accepted one names its position');
select is((select count(*) from monitoring.signal_decisions), 30::bigint, 'there is a decision for each of them');
select is_empty('select * from monitoring.ingest_signals()', 'and none is decided twice');
select is((select event_data - 'source' - 'reasons' from monitoring.events where event_type = 'signals_received' order by id desc limit 1), '{"received": 30, "decided": 30, "opened": 4}'::jsonb, 'one event counts the batch');
select is((select event_data -> 'reasons' ->> 'invalid_score' from monitoring.events where event_type = 'signals_received' order by id desc limit 1), '6', 'by reason');

-- Duplicates.
select pg_temp.start_again();
select pg_temp.signal('1', 'BTCUSDT', w => '80', sid => 'x'), pg_temp.signal('2', 'ETHUSDT', w => '90', sid => 'x'), pg_temp.signal('3', 'SOLUSDT', w => '70', sid => ''), pg_temp.signal('4', 'ADAUSDT', w => '70', sid => 'unknown'),
  pg_temp.signal('5', 'SOL/USDT', w => '75'), pg_temp.signal('6', 'SOLUSDT', w => '75'), pg_temp.signal('7', 'BTCUSDT', w => '70', sid => 'y');
select is(pg_temp.decide(), '1 duplicate_signal_id, 2 accepted, 3 duplicate_symbol_time, 4 accepted, 5 accepted, 6 duplicate_symbol_time, 7 accepted',
  'in a batch the best scored stays, by key among equals; empty and unknown ids are none; who fell to another is nobody''s original');
select is(pg_temp.detail('1') || ', ' || pg_temp.detail('6'), 'as signal 2, as signal 5', 'the detail names the original');
select pg_temp.signal('8', 'XRPUSDT', sid => 'x'), pg_temp.signal('9', 'SOLUSDT', sid => 'new'), pg_temp.signal('10', 'SOLUSDT', at => now() - interval '1 min', w => '50'), pg_temp.signal('11', 'XRPUSDT', w => '5', sid => 'z'), pg_temp.signal('12', 'LTCUSDT', 'binance', sid => 'x');
select is(pg_temp.decide(), '10 duplicate_position, 11 low_score, 12 duplicate_signal_id, 8 duplicate_signal_id, 9 duplicate_symbol_time', 'the same against what was decided before; an open position comes before scores');
select pg_temp.signal('13', 'LTCUSDT', sid => 'z'), pg_temp.signal('14', 'LTCUSDT', sid => 'late', at => now() - interval '40 min');
select is(pg_temp.decide(), '13 duplicate_signal_id, 14 too_old', 'the id of a rejected signal is taken, too');
select pg_temp.signal('15', 'LTCUSDT', sid => 'late');
select is(pg_temp.decide(), '15 accepted', 'but not that of one that never got so far');
select pg_temp.start_again();
select pg_temp.signal('1', 'BTCUSDT', w => '80'), pg_temp.signal('2', 'BTCUSDT', w => '90', at => now() - interval '1 s');
select is(pg_temp.decide(), '1 duplicate_position, 2 accepted', 'two signals for one symbol in a batch: the second meets the position of the first');

-- The wave.
select pg_temp.start_again();
select monitoring.configure_account('bee', '{"max_trades_per_wave": 2}');
create temp table waves as select date_bin('15 min', now(), '2000-01-01 00:00Z') as this;
select pg_temp.signal('1', 'BTCUSDT', w => '70'), pg_temp.signal('2', 'ETHUSDT', w => '90'), pg_temp.signal('3', 'BIGUSDT', w => '99'), pg_temp.signal('4', 'SOLUSDT', w => '80'), pg_temp.signal('5', 'SOLUSDT', 'binance', w => '70');
select is(pg_temp.decide(), '1 wave_limit, 2 accepted, 3 invalid_size, 4 accepted, 5 accepted', 'the best of a wave are opened, per account; one that is refused takes no place');
select pg_temp.signal('6', 'XRPUSDT', w => '100'), pg_temp.signal('7', 'ADAUSDT', w => '60', at => this - interval '1 s') from waves;
select is(pg_temp.decide(), '6 wave_limit, 7 accepted', 'what was opened in the wave before counts; another wave has places of its own');
select is((select wave from monitoring.signal_decisions where signal_key = '7'), (select this - interval '15 min' from waves), 'a wave is the time cut down to its length');
select monitoring.configure_account('bee', '{"max_trades_per_wave": 1000}');

-- What is decided later.
select pg_temp.start_again();
update public.worker_states set state = 'restoring' where id = (select id from monitoring.accounts where name = 'bee');
select pg_temp.signal('1', 'BTCUSDT'), pg_temp.signal('2', 'BTCUSDT', 'binance'), pg_temp.signal('3', 'ETHUSDT', w => '1'), pg_temp.signal('4', 'BTCUSDT', w => '65');
select is(pg_temp.decide(), '2 accepted, 3 low_score, 4 duplicate_symbol_time', 'a good signal waits for its account to be live; nothing else waits');
select is((monitoring.worker_take_signals(false)).is_unfinished, false, 'and nobody is told to come back at once for it');
update public.worker_states set state = 'live';
select is(pg_temp.decide(), '1 accepted', 'then it is decided, and is no duplicate of the one that fell to it');
create function public.boom() returns trigger language plpgsql as $$
begin
  raise exception 'boom' using errcode = case new.symbol when 'ETHUSDT' then current_setting('test.code') else 'TS099' end, detail = 'too hot';
end $$;
create trigger boom after insert on monitoring.positions for each row when (new.symbol in ('ETHUSDT', 'ADAUSDT')) execute function public.boom();
select pg_temp.start_again();
set local test.code = '22012';
select pg_temp.signal('1', 'BTCUSDT'), pg_temp.signal('2', 'ETHUSDT'), pg_temp.signal('3', 'SOLUSDT'), pg_temp.signal('4', 'ADAUSDT');
select is(pg_temp.decide(), '1 accepted, 2 error, 3 accepted, 4 refused', 'an error of one signal is its own');
select is(pg_temp.detail('2'), 'boom: too hot', 'with its text');
select is((select string_agg(symbol, ',' order by symbol) from monitoring.positions where is_open), 'BTCUSDT,SOLUSDT', 'and leaves no position behind');
create function pg_temp.outcome_of(code text) returns text language plpgsql as $$
begin
  perform pg_temp.start_again(), set_config('test.code', code, true), pg_temp.signal('1', 'ETHUSDT');
  return coalesce(pg_temp.decide(), 'later');
end $$;
select is(pg_temp.outcome_of(code), outcome, code || ' of open_position()') from (values
  ('TS013', 'later'), ('TS020', 'later'), ('TS038', 'later'), ('55P03', 'later'), ('40001', 'later'), ('40P01', 'later'), ('TS002', '1 no_account'), ('TS007', '1 account_not_trading'),
  ('TS015', '1 account_not_trading'), ('TS016', '1 not_tradable'), ('TS018', '1 invalid_size'), ('TS019', '1 duplicate_position'), ('TS033', '1 max_open_positions'), ('TS034', '1 max_position_notional'),
  ('TS035', '1 max_symbol_notional'), ('TS036', '1 max_total_exposure'), ('TS037', '1 min_free_balance'), ('TS027', '1 refused'), ('XX000', '1 error')) c (code, outcome);
drop trigger boom on monitoring.positions;
select pg_temp.start_again();
select monitoring.set_risk_limits('bee', '{"max_open_positions": 1}');
select pg_temp.signal('1', 'BTCUSDT', w => '70'), pg_temp.signal('2', 'ETHUSDT', w => '71');
select is(pg_temp.decide(), '1 max_open_positions, 2 accepted', 'the limits of the account hold for signals');
select monitoring.set_risk_limits('bee', '{"max_open_positions": 150}');

-- The account.
create function pg_temp.fate() returns text language plpgsql as $$
begin
  perform pg_temp.start_again(), pg_temp.signal('1', 'BTCUSDT');
  return coalesce(pg_temp.decide() || coalesce(': ' || pg_temp.detail('1'), ''), 'later');
end $$;
select monitoring.halt('bee', 'lunch');
select is(pg_temp.fate(), '1 account_not_trading: it is halted: lunch', 'a halted account');
select monitoring.resume('bee');
update monitoring.account_identity set identity = 'elsewhere' where account_id = (select id from monitoring.accounts where name = 'bee');
select matches(pg_temp.fate(), '^1 account_not_trading: it is halted: identity changed', 'one in a copy of its database');
select monitoring.resume('bee');
update monitoring.accounts set mode = 'live' where name = 'bee';
select is(pg_temp.fate(), '1 account_not_trading: live trading is switched off', 'a live one while the server allows none');
update monitoring.accounts set mode = 'observe' where name = 'bee';
select is(pg_temp.fate(), '1 no_account: no account of bybit is enabled in mode dry_run or live', 'one that only observes is not chosen');
update monitoring.signal_sources set accounts = '{bee,bin}';
select is(pg_temp.fate(), '1 account_not_trading: its mode is observe', 'nor does it trade when it is named');
update monitoring.accounts set mode = 'dry_run', enabled = false where name = 'bee';
select is(pg_temp.fate(), '1 account_not_trading: it is disabled', 'nor one that is disabled');
update monitoring.accounts set enabled = true where name = 'bee';
update monitoring.signal_sources set accounts = '{bin}';
select matches(pg_temp.fate(), '^1 no_account: none of its accounts \{bin\} is of bybit', 'no account of that exchange');
update monitoring.signal_sources set accounts = null;
select pg_temp.account('bee2', 'bybit');
select matches(pg_temp.fate(), '^1 no_account: 2 accounts of bybit: bee, bee2', 'several');
update monitoring.signal_sources set accounts = '{bee}';
select is(pg_temp.fate(), '1 accepted', 'the one that is named');
update monitoring.signal_sources set accounts = null;
update monitoring.accounts set enabled = false where name = 'bee2';
select monitoring.configure_account('bee', '{"position_sizing": "score", "score_multiplier": 3}');
select pg_temp.start_again();
select pg_temp.signal('1', 'BTCUSDT', s => '100'), pg_temp.signal('2', 'ETHUSDT', s => '60');
select is(pg_temp.decide(), '1 accepted, 2 accepted', 'an account that sizes by score');
select set_eq('select symbol::text, wanted_notional from monitoring.positions', $$values ('BTCUSDT', 150::numeric), ('ETHUSDT', 50)$$, 'pays more for a better one');
select monitoring.configure_account('bee', '{"position_sizing": null}');

-- Batches, sources, and who is asked for one that is not there.
select pg_temp.start_again();
select pg_temp.signal(i::text, 'BTCUSDT', w => '1', at => now() - i * interval '1 s') from generate_series(1, 25) i;
select is((select count(*) from monitoring.ingest_signals(batch => 10)), 10::bigint, 'a batch is no larger than asked for');
select is((select count(*) from monitoring.ingest_signals(batch => 10)), 10::bigint, 'the next takes the next ones');
select is((select count(*) from monitoring.ingest_signals(batch => 10)), 5::bigint, 'until all are decided');
select throws_ok($$select monitoring.ingest_signals(batch => 0)$$, 'TS030', 'invalid batch 0', 'no batch of nothing');
select throws_ok($$select monitoring.ingest_signals('public.worker_states')$$, 'TS041', 'public.worker_states is not attached', 'a relation that is not attached');
select testkit.create_signal_table('public.other_signals');
select monitoring.attach_signal_source('public.other_signals') as other_id \gset
select pg_temp.start_again();
select pg_temp.signal('1', 'BTCUSDT', sid => 'same');
insert into public.other_signals (signal_id, symbol, exchange, "timestamp", wave_number, score, score_week, score_month, recommended_action) values ('same', 'BTCUSDT', 'bybit', now(), 1, 80, 80, 80, 'BUY'), ('same', 'ETHUSDT', 'bybit', now(), 1, 70, 70, 70, 'BUY');
select set_eq('select signal_key, reason from monitoring.ingest_signals()', $$values ('1', 'accepted'), ('1', 'duplicate_position'), ('2', 'duplicate_signal_id')$$, 'sources do not know each other''s ids; the position they share');

-- The supervisor: a source that fails is told of once, and never stops another.
select pg_temp.start_again();
alter table public.other_signals rename column symbol to instrument;
select pg_temp.signal('1', 'BTCUSDT');
select is((monitoring.worker_take_signals(false)).is_unfinished, false, 'one source fails, the round does not');
select is((select reason from monitoring.signal_decisions), 'accepted', 'the other is decided');
select monitoring.worker_take_signals(false), monitoring.worker_take_signals(false);
create function pg_temp.told(what text) returns bigint language sql as $$
  select count(*) from monitoring.events where event_type = what and event_data ->> 'source' = 'public.other_signals' $$;
select is(pg_temp.told('signal_source_failed'), 1::bigint, 'that a source fails is told once');
select is((select severity from monitoring.events where event_type = 'signal_source_failed' and event_data ->> 'source' = 'public.other_signals'), 'WARNING', 'as a warning');
drop table public.other_signals;
select monitoring.worker_take_signals(false), monitoring.worker_take_signals(false);
select is(pg_temp.told('signal_source_failed'), 2::bigint, 'again when the reason is another one');
select monitoring.detach_signal_source('public.news');
select pg_temp.signal('2', 'ETHUSDT');
select monitoring.worker_take_signals(false);
select is((select count(*) from monitoring.signal_decisions), 1::bigint, 'a detached source is left alone');
select monitoring.attach_signal_source('public.news', '{"signal_key": "id", "signal_id": "sid", "symbol": "pair", "exchange": "venue", "side": "action", "score_week": "w", "timestamp": "at"}') = :news_id as again;
select pg_temp.signal('3', 'ETHUSDT', w => '1', s => 'unmapped', at => now() - interval '1 s');
select monitoring.worker_take_signals(false);
select set_eq('select signal_key, reason from monitoring.signal_decisions', $$values ('1', 'accepted'), ('2', 'accepted'), ('3', 'duplicate_position')$$, 'attached again it goes on where it was');
select pg_temp.start_again();
select monitoring.configure_account('bee', '{"max_trades_per_wave": 1000}');
select pg_temp.instrument('bee', 'S' || i || 'USDT') from generate_series(1, 60) i;
select pg_temp.signal(i::text, 'S' || i || 'USDT', w => (60 + i)::text) from generate_series(1, 60) i;
select is((monitoring.worker_take_signals(false)).is_unfinished, true, 'many openings at once are not one transaction: the rest follows at once');
select is((select min(score_week) from monitoring.signal_decisions where decision = 'opened'), 71::numeric, 'the best first');
select is((monitoring.worker_take_signals(false)).is_unfinished, false, 'until all are open');
select is((select count(*) from monitoring.positions where is_open), 60::bigint, 'each of them');

-- A decision that is there already takes the position back. Only a transaction with an old snapshot can come so far.
select pg_temp.start_again();
create or replace function monitoring.read_signals(source monitoring.signal_sources, at_most int, newest_only boolean default false) returns monitoring.signal_row[] language sql as $$
  select array[('1', null, 'BTCUSDT', 'bybit', 'BUY', '70', '70', '70', now()), ('2', null, 'ETHUSDT', 'bybit', 'BUY', '70', '1', '70', now()),
               ('3', null, 'SOLUSDT', 'bybit', 'BUY', '70', null, '70', now())]::monitoring.signal_row[] $$;
insert into monitoring.signal_decisions (source_id, source, signal_key, decision, reason) values (:news_id, 'public.news', '1', 'rejected', 'by somebody else'), (:news_id, 'public.news', '2', 'rejected', 'by somebody else');
select is(pg_temp.decide(), '3 no_score', 'who comes too late decides nothing');
select is_empty('select * from monitoring.positions where is_open', 'and opens nothing');

-- Retention.
insert into monitoring.signal_decisions (source_id, source, signal_key, decision, reason, decided_at)
select :news_id, 'public.news', 'old' || d, 'rejected', 'test', now() - d * interval '1 day' from unnest('{1,20,100}'::int[]) d;
select monitoring.worker_retention();
select set_eq($$select signal_key from monitoring.signal_decisions where reason = 'test'$$, '{old1,old20}'::text[], 'decisions are kept for 90 days');
select monitoring.configure_database('{"signal_decision_retention": "10 days"}');
update monitoring.signal_sources set age_window = '30 days' where id = :news_id;
select monitoring.worker_retention();
select set_eq($$select signal_key from monitoring.signal_decisions where reason = 'test'$$, '{old1,old20}'::text[], 'and as long as their source could show the signal again');
update monitoring.signal_sources set age_window = '2 hours' where id = :news_id;
select monitoring.worker_retention();
select set_eq($$select signal_key from monitoring.signal_decisions where reason = 'test'$$, '{old1}'::text[], 'or for as long as is set');

select * from finish();
rollback;
