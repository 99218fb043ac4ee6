-- What a trader calls: every mistake has its own code, a detail and a hint; every wish is one row, and a rollback leaves none.
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
-- Switches of the server and states of workers come from tables here.
create table public.switches (name text, is_on boolean);
create or replace function monitoring.server_switch(name text) returns boolean language sql as $$
  select coalesce((select is_on from public.switches s where s.name = $1), false) $$;
create table public.worker_states (id int, state text);
create or replace function monitoring.worker_state(account_id int) returns text language sql as $$
  select state from public.worker_states where id = $1 $$;

select monitoring.add_account('bee', 'bybit', 'testnet', 'dry_run'), monitoring.add_account('bin', 'binance', 'testnet', 'dry_run'), monitoring.add_account('watch', 'bybit', 'testnet');
create function pg_temp.id_of(account text) returns int language sql as $$ select id from monitoring.accounts where name = account $$;
create function pg_temp.instrument(account text, symbol text, status text default 'trading', min_notional numeric default 5) returns int language sql as $$
  select monitoring.worker_save_instruments(pg_temp.id_of(account), array[row(symbol, status, 'perpetual', replace(symbol, 'USDT', ''), 'USDT', 'USDT',
    0.1, 0.001, 0.001, 1000, 50, min_notional, 100)::monitoring.instrument_row]) $$;
select pg_temp.instrument('bee', s) from unnest('{BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,ADAUSDT,LTCUSDT}'::text[]) s;
select pg_temp.instrument('bee', 'OLDUSDT', 'closed'), pg_temp.instrument('bin', 'BTCUSDT'), pg_temp.instrument('bin', 'BNBUSDT'), pg_temp.instrument('bee', 'BIGUSDT', min_notional => 100);
select monitoring.worker_save_prices(pg_temp.id_of('bee'), array[row('BTCUSDT', 50000, 50000, clock_timestamp())::monitoring.price_row, row('ETHUSDT', 3000, 3000, clock_timestamp() - interval '1 minute')::monitoring.price_row]);
select monitoring.worker_save_balances(a.id, array[row('USDT', 100000, 100000, 100000, clock_timestamp())::monitoring.balance_row]) from monitoring.accounts a;
create function pg_temp.opened(symbol text, side text default 'long', account text default 'bee') returns bigint language sql as $$
  select monitoring.open_position(account, symbol, side, 100) $$;

-- Which account may.
select is(pg_temp.complaint($$select monitoring.open_position('nobody', 'BTCUSDT', 'long', 100)$$), 'TS002 account nobody not found', 'an account that does not exist');
select is(pg_temp.complaint($$select monitoring.open_position(null, 'BTCUSDT', 'long', 100)$$), 'TS002 account NULL not found', 'no account');
select is(pg_temp.complaint($$select monitoring.open_position('watch', 'BTCUSDT', 'long', 100)$$), 'TS014 account watch only observes', 'an account that only observes');
select is(pg_temp.complaint($$select pg_temp.opened('BTCUSDT')$$), 'TS013 account bee is not synchronized', 'a disabled account');
select monitoring.enable_account('bee'), monitoring.enable_account('bin');
select matches(pg_temp.detail_of($$select pg_temp.opened('BTCUSDT')$$), '^TS013 .*no worker runs', 'an enabled one without a worker');
insert into public.worker_states select id, 'restoring' from monitoring.accounts;
select matches(pg_temp.detail_of($$select pg_temp.opened('BTCUSDT')$$), '^TS013 .*restoring', 'one that is not synchronized yet: the detail says its state');
update public.worker_states set state = 'live';
select monitoring.halt('bee', 'lunch');
select is(pg_temp.complaint($$select pg_temp.opened('BTCUSDT')$$), 'TS015 account bee is halted', 'a halted one');
select matches(pg_temp.detail_of($$select pg_temp.opened('BTCUSDT')$$), 'lunch', 'whose detail says why');
select monitoring.resume('bee');
update monitoring.account_identity set identity = 'elsewhere' where account_id = pg_temp.id_of('bee');
select matches(pg_temp.detail_of($$select pg_temp.opened('BTCUSDT')$$), '^TS015 .*identity changed', 'one in a copy of its database');
select monitoring.resume('bee');
update monitoring.accounts set mode = 'live' where name = 'bee';
select is(pg_temp.complaint($$select pg_temp.opened('BTCUSDT')$$), 'TS007 live trading is switched off', 'a live one while the server allows none');
update monitoring.accounts set mode = 'dry_run' where name = 'bee';

-- What may be asked.
select is(pg_temp.complaint(format('select monitoring.open_position(%L, %L, %L, 100)', 'bee', 'BTCUSDT', side)), 'TS017 invalid side "' || side || '"', 'side ' || side)
from unnest('{up,"",longer,"long ",flat}'::text[]) side;
select is(pg_temp.complaint($$select monitoring.open_position('bee', 'BTCUSDT', null, 100)$$), 'TS017 invalid side NULL', 'no side');
select is(pg_temp.complaint(format('select monitoring.open_position(%L, %L, %L, 100)', 'bee', symbol, 'long')), 'TS016 unknown symbol "' || symbol || '"', 'symbol ' || symbol)
from unnest('{NOSUCH,"",BTC,BTCUSD,BNBUSDT}'::text[]) symbol;
select is(pg_temp.complaint($$select monitoring.open_position('bee', null, 'long', 100)$$), 'TS016 unknown symbol NULL', 'no symbol');
select matches(pg_temp.detail_of($$select monitoring.open_position('bee', 'BNBUSDT', 'long', 100)$$), 'bybit of account bee lists no BNBUSDT; binance does', 'the detail names the exchange that has it');
select is(pg_temp.complaint($$select pg_temp.opened('OLDUSDT')$$), 'TS016 symbol OLDUSDT is not open for trading', 'a closed instrument');
select matches(pg_temp.detail_of($$select pg_temp.opened('OLDUSDT')$$), 'closed', 'whose detail says its status');

select is(pg_temp.detail_of(format('select monitoring.open_position(%L, %L, %L, %s)', 'bee', symbol, 'long', size)), 'TS018 ' || complaint, symbol || ' ' || size)
from (values
  ('BTCUSDT', '0', 'notional 0 is not a number above zero.'), ('BTCUSDT', '-5', 'notional -5 is not a number above zero.'),
  ('BTCUSDT', $$'NaN'$$, 'notional NaN is not a number above zero.'), ('BTCUSDT', $$'Infinity'$$, 'notional Infinity is not a number above zero.'),
  ('BTCUSDT', $$'-Infinity'$$, 'notional -Infinity is not a number above zero.'), ('BTCUSDT', '1e30', 'notional 1000000000000000000000000000000 is out of range.'),
  ('BTCUSDT', '0.0000000000000000001', 'notional 0.0000000000000000001 is out of range.'),
  ('BTCUSDT', '100, 1', 'Both notional and quantity are given.'),
  ('BTCUSDT', 'null, 0', 'quantity 0 is not a number above zero.'), ('BTCUSDT', 'null, -0.001', 'quantity -0.001 is not a number above zero.'),
  ('BTCUSDT', $$null, 'NaN'$$, 'quantity NaN is not a number above zero.'), ('BTCUSDT', $$null, 'Infinity'$$, 'quantity Infinity is not a number above zero.'),
  ('BTCUSDT', 'null, 1e30', 'quantity 1000000000000000000000000000000 is above max_market_quantity 50.'),
  ('BTCUSDT', 'null, 50.001', 'quantity 50.001 is above max_market_quantity 50.'),
  ('BTCUSDT', 'null, 0.0005', 'quantity 0.0005 is below min_quantity 0.001.'),
  ('BTCUSDT', 'null, 0.0015', 'quantity 0.0015 is not a multiple of quantity_step 0.001.'),
  ('BIGUSDT', '90', 'notional 90 is below min_notional 100.'),
  ('BTCUSDT', '40', 'notional 40 at mark price 50000 is below the least possible: min_quantity 0.001, min_notional 5 and quantity_step 0.001 make 0.001, worth 50.'),
  ('BTCUSDT', '2500001', 'notional 2500001 at mark price 50000 is more than max_market_quantity 50.')) b (symbol, size, complaint);
update monitoring.instruments set min_notional = 60 where account = 'bee' and symbol = 'BTCUSDT';
select is(pg_temp.detail_of($$select monitoring.open_position('bee', 'BTCUSDT', 'long', null, 0.001)$$), 'TS018 quantity 0.001 at mark price 50000 is worth 50, below min_notional 60.', 'a quantity that is worth too little');
update monitoring.instruments set min_notional = 5 where account = 'bee' and symbol = 'BTCUSDT';
delete from monitoring.settings where key = 'position_size';
select is(pg_temp.detail_of($$select monitoring.open_position('bee', 'BTCUSDT', 'long')$$), 'TS018 Neither notional nor quantity is given, and the account has no position_size.', 'no size at all');
insert into monitoring.settings (key, value, builtin) values ('position_size', '60', true);

select is(pg_temp.complaint(format('select monitoring.open_position(%L, %L, %L, 100, null, %s)', 'bee', 'BTCUSDT', 'long', percent)), 'TS022 invalid stop_loss_percent ' || replace(percent, '''', ''), 'stop_loss_percent ' || percent)
from unnest('{0,-1,100,101,''NaN'',''Infinity''}'::text[]) percent;
delete from monitoring.settings where key = 'stop_loss_percent';
select is(pg_temp.complaint($$select pg_temp.opened('BTCUSDT')$$), 'TS022 invalid stop_loss_percent NULL', 'no stop, not even in the settings');
insert into monitoring.settings (key, value, builtin) values ('stop_loss_percent', '4.0', true);
select is(pg_temp.complaint(format('select monitoring.open_position(%L, %L, %L, 100, signal_id => %L)', 'bee', 'BTCUSDT', 'long', signal)), 'TS030 invalid signal_id "' || signal || '"', 'signal ' || left(signal, 9))
from unnest(array['', 'unknown', repeat('x', 101)]) signal;
select is((select count(*)::int from monitoring.positions) + (select count(*)::int from monitoring.commands), 0, 'nothing of all that left a row');

-- What is reserved.
select monitoring.configure_account('bee', '{"leverage": 7, "entry_validity": "20s"}');
create function pg_temp.row_of(of_id bigint) returns text language sql as $$
  select concat_ws(' ', symbol, position_side, side, quantity, status, origin, managed, 'wants', wanted_quantity, wanted_notional, 'at', wanted_leverage, 'stop', stop_loss_percent, has_stop_loss, unprotected_since)
  from monitoring.positions where id = of_id $$;
select is(pg_temp.row_of(monitoring.open_position('bee', 'btc/usdt:USDT', 'LoNg', 100.50)), 'BTCUSDT both long 0 pending_entry manual t wants 100.5 at 7 stop 4 f', 'a position by notional, stop and leverage from the settings, symbol and side in any spelling');
select is((select concat_ws(' ', c.account, c.kind, c.status, c.args, c.requested_by, c.valid_until - c.created_at < interval '20.1 s', c.valid_until - c.created_at > interval '19.9 s', c.finished_at)
           from monitoring.commands c join monitoring.positions p on p.id = c.position_id where p.symbol = 'BTCUSDT'),
          format('bee open_position queued {"side": "long", "symbol": "BTCUSDT", "notional": 100.5} %s t t', session_user), 'and its command, valid for entry_validity');
select is(pg_temp.row_of(monitoring.open_position('bee', 'ETHUSDT', 'SELL', quantity => 0.0100, stop_loss_percent => 2.50, signal_id => 'sig-1')), 'ETHUSDT both short 0 pending_entry signal t wants 0.01 at 7 stop 2.5 f', 'one by quantity for a signal');
select is(pg_temp.row_of(monitoring.open_position('bee', 'SOLUSDT', 'Buy')), 'SOLUSDT both long 0 pending_entry manual t wants 60 at 7 stop 4 f', 'one of the account''s size');
select is(pg_temp.row_of(pg_temp.opened('XRPUSDT', 'short')), 'XRPUSDT both short 0 pending_entry manual t wants 100 at 7 stop 4 f', 'a short');
select is((select array_agg(symbol || ' ' || coalesce(signal_id, '-') order by id) from monitoring.positions where account = 'bee' and is_open), '{"BTCUSDT -","ETHUSDT sig-1","SOLUSDT -","XRPUSDT -"}', 'four rows');

-- One per symbol.
select is(pg_temp.complaint($$select pg_temp.opened('BTCUSDT', 'short')$$), 'TS019 account bee has a position in BTCUSDT already', 'a second position of the symbol is refused');
select matches(pg_temp.detail_of($$select pg_temp.opened('BTCUSDT')$$), '^TS019 Position \d+ is pending_entry: long 0\.$', 'naming the first');
select monitoring.worker_save_positions(pg_temp.id_of('bee'), array[row('ADAUSDT', 'both', -3, 1, null, null, null, null, null, null, null, 0, 1, now(), 'rest')::monitoring.position_row]);
select is(pg_temp.complaint($$select pg_temp.opened('ADAUSDT')$$), 'TS019 account bee has a position in ADAUSDT already', 'somebody else''s position counts');
update monitoring.positions set status = 'closed', closed_at = now(), exit_reason = 'test' where symbol = 'ADAUSDT';
select is(pg_temp.detail_of($$select pg_temp.opened('ADAUSDT')$$), 'TS019 The exchange reports short 3, which nobody here has opened.', 'and one without a row');
select lives_ok($$select pg_temp.opened('BTCUSDT', 'long', 'bin')$$, 'another account may have the symbol');

-- Hedge mode.
select monitoring.worker_save_position_modes(pg_temp.id_of('bee'), array[row('LTCUSDT', true)::monitoring.position_mode_row]);
select pg_temp.opened('LTCUSDT', 'long'), pg_temp.opened('LTCUSDT', 'short');
select is((select array_agg(position_side order by id) from monitoring.positions where symbol = 'LTCUSDT'), '{long,short}', 'in hedge mode long and short are two positions');
select is(pg_temp.complaint($$select pg_temp.opened('LTCUSDT')$$), 'TS019 account bee has a position in LTCUSDT already', 'but not long and long');
select is((monitoring.opening_terms('bin', 'BTCUSDT', 'long')).position_side, 'both', 'while nobody knows the mode');
select monitoring.worker_save_position_modes(pg_temp.id_of('bin'), array[row('', true)::monitoring.position_mode_row, row('BNBUSDT', false)::monitoring.position_mode_row]);
select is((monitoring.opening_terms('bin', s, 'long')).position_side, side, 'mode of ' || s) from (values ('BTCUSDT', 'long'), ('BNBUSDT', 'both')) m (s, side);

-- No opening whose stop might find no place.
insert into monitoring.orders (account, exchange, symbol, order_id, kind, side, type, status, quantity, position_side, created_at, source)
select 'bin', 'binance', 'BTCUSDT', i::text, 'conditional', 'sell', 'stop_market', 'new', 1, 'both', now(), 'rest' from generate_series(1, 189) i;
select is(pg_temp.detail_of($$select pg_temp.opened('BNBUSDT', 'long', 'bin')$$), 'TS027 189 open conditional orders + 2 positions being opened, this one included, + 10 in reserve exceed the limit of binance: 200.', 'too many conditional orders on Binance');
delete from monitoring.orders where account = 'bin' and order_id = '1';
select lives_ok($$select pg_temp.opened('BNBUSDT', 'long', 'bin')$$, 'one less and it is possible');

-- A rollback leaves nothing, not even a savepoint's.
savepoint before;
select pg_temp.opened('BIGUSDT');
rollback to before;
select is((select count(*)::int from monitoring.positions where symbol = 'BIGUSDT') + (select count(*)::int from monitoring.commands where args ->> 'symbol' = 'BIGUSDT'), 0, 'what is rolled back was never asked');

-- An open position to work with.
create table public.held as select pg_temp.opened('BIGUSDT') as id;
select monitoring.worker_save_position_updates(pg_temp.id_of('bee'), array[row(id, 'active', null, 2, 200, 190, null, null, null, true, null, 'x', now(), null, true)::monitoring.position_update_row]) from public.held;
create function pg_temp.about(template text) returns text language sql as $$ select replace(template, 'ID', id::text) from public.held $$;
create function pg_temp.command(of_id bigint) returns text language sql as $$
  select concat_ws(' ', kind, status, args, position_id = (select id from public.held), round(extract(epoch from valid_until - created_at))) from monitoring.commands where id = of_id $$;
create function pg_temp.asked(statement text) returns text language plpgsql as $$
declare
  command bigint;
begin
  execute pg_temp.about(statement) into command;
  return pg_temp.command(command);
end $$;

select is(pg_temp.asked('select monitoring.close_position(ID)'), 'close_position queued {"reason": "manual", "symbol": "BIGUSDT"} t 600', 'close all of it');
select is(pg_temp.asked($$select monitoring.close_position(ID, 'enough', 0.500)$$), 'close_position queued {"reason": "enough", "symbol": "BIGUSDT", "quantity": 0.5} t 600', 'close a part');
select is(pg_temp.asked('select monitoring.set_stop_loss(ID, 195.10)'), 'set_stop_loss queued {"price": 195.1, "symbol": "BIGUSDT"} t 600', 'move the stop');
select is(pg_temp.asked('select monitoring.set_take_profit(ID, 210)'), 'set_take_profit queued {"price": 210, "symbol": "BIGUSDT"} t 600', 'set a take profit');
select is(pg_temp.asked('select monitoring.set_take_profit(ID, 0)'), 'set_take_profit queued {"price": 0, "symbol": "BIGUSDT"} t 600', 'take it away');
select is(pg_temp.asked($$select monitoring.set_leverage('bee', 'btcusdt', 5.0)$$), 'set_leverage queued {"symbol": "BTCUSDT", "leverage": 5} 600', 'set leverage');
insert into monitoring.orders (account, exchange, symbol, client_order_id, kind, purpose, side, type, status, quantity, position_side, created_at, source)
values ('bee', 'bybit', 'BTCUSDT', 'tmine', 'conditional', 'stop_loss', 'sell', 'stop_market', 'submitting', 1, 'both', now(), 'own');
select is(pg_temp.asked($$select monitoring.cancel_order('bee', 'tmine')$$), 'cancel_order queued {"symbol": "BTCUSDT", "client_order_id": "tmine"} 600', 'cancel an order');

select is(pg_temp.complaint(pg_temp.about(statement)), complaint, statement)
from (values
  ('select monitoring.close_position(-1)', 'TS021 position -1 not found'), ('select monitoring.close_position(null)', 'TS021 position NULL not found'),
  ('select monitoring.set_stop_loss(-1, 5)', 'TS021 position -1 not found'), ('select monitoring.set_take_profit(-1, 5)', 'TS021 position -1 not found'),
  ($$select monitoring.set_leverage('bee', 'NOSUCH', 5)$$, 'TS016 unknown symbol "NOSUCH"'),
  ($$select monitoring.set_leverage('bee', 'BTCUSDT', 0)$$, 'TS030 invalid leverage 0 for BTCUSDT'), ($$select monitoring.set_leverage('bee', 'BTCUSDT', 101)$$, 'TS030 invalid leverage 101 for BTCUSDT'),
  ($$select monitoring.set_leverage('bee', 'BTCUSDT', 'NaN')$$, 'TS030 invalid leverage NaN for BTCUSDT'), ($$select monitoring.set_leverage('bee', 'BTCUSDT', null)$$, 'TS030 invalid leverage NULL for BTCUSDT'),
  ($$select monitoring.set_leverage('watch', 'BTCUSDT', 5)$$, 'TS014 account watch only observes'), ($$select monitoring.set_leverage('nobody', 'BTCUSDT', 5)$$, 'TS002 account nobody not found'),
  ($$select monitoring.cancel_order('bee', 'nothing')$$, 'TS029 no open order "nothing"'), ($$select monitoring.cancel_order('bee', null)$$, 'TS029 no open order NULL'),
  ($$select monitoring.cancel_order('bin', 'tmine')$$, 'TS029 no open order "tmine"'), ($$select monitoring.cancel_order('watch', 'x')$$, 'TS014 account watch only observes'),
  ($$select monitoring.close_position(ID, '')$$, 'TS030 invalid reason for closing position ID'), ($$select monitoring.close_position(ID, null)$$, 'TS030 invalid reason for closing position ID'),
  ($$select monitoring.close_position(ID, repeat('x', 101))$$, 'TS030 invalid reason for closing position ID'), ($$select monitoring.close_position(ID, e'a\nb')$$, 'TS030 invalid reason for closing position ID')
) b (statement, unnamed) cross join lateral pg_temp.about(unnamed) complaint;
select is(pg_temp.detail_of(pg_temp.about(statement)), complaint, statement)
from (values
  ($$select monitoring.close_position(ID, 'x', 0)$$, 'TS018 quantity 0 is not a number above zero.'), ($$select monitoring.close_position(ID, 'x', -1)$$, 'TS018 quantity -1 is not a number above zero.'),
  ($$select monitoring.close_position(ID, 'x', 'NaN')$$, 'TS018 quantity NaN is not a number above zero.'), ($$select monitoring.close_position(ID, 'x', 2.001)$$, 'TS018 quantity 2.001 is above the open size 2.'),
  ($$select monitoring.close_position(ID, 'x', 1e30)$$, 'TS018 quantity 1000000000000000000000000000000 is above the open size 2.'),
  ($$select monitoring.close_position(ID, 'x', 0.0001)$$, 'TS018 quantity 0.0001 is not a multiple of quantity_step 0.001.'),
  ('select monitoring.set_stop_loss(ID, 200)', 'TS022 The stop of a long must be below the entry price 200, not 200.'), ('select monitoring.set_stop_loss(ID, 0)', 'TS022 stop 0 is not a price above zero.'),
  ('select monitoring.set_stop_loss(ID, null)', 'TS022 stop NULL is not a price above zero.'), ($$select monitoring.set_stop_loss(ID, 'NaN')$$, 'TS022 stop NaN is not a price above zero.'),
  ($$select monitoring.set_stop_loss(ID, 'Infinity')$$, 'TS022 stop Infinity is not a price above zero.'), ('select monitoring.set_stop_loss(ID, -5)', 'TS022 stop -5 is not a price above zero.'),
  ('select monitoring.set_stop_loss(ID, 195.05)', 'TS022 stop 195.05 is not a multiple of tick_size 0.1.'), ('select monitoring.set_stop_loss(ID, 1e30)', 'TS022 stop 1000000000000000000000000000000 is out of range.'),
  ('select monitoring.set_take_profit(ID, 199.9)', 'TS022 The take profit of a long must be above the entry price 200, not 199.9.'),
  ('select monitoring.set_take_profit(ID, -1)', 'TS022 take profit -1 is not a price above zero.'), ('select monitoring.set_take_profit(ID, null)', 'TS022 take profit NULL is not a price above zero.')) b (statement, complaint);
select monitoring.worker_save_prices(pg_temp.id_of('bee'), array[row('BIGUSDT', 180, 180, clock_timestamp())::monitoring.price_row]);
select is(pg_temp.detail_of(pg_temp.about('select monitoring.set_stop_loss(ID, 185)')), 'TS022 The stop of a long must be below the mark price 180, not 185.', 'where a fresh mark price is known it decides');
select is(pg_temp.asked('select monitoring.set_take_profit(ID, 190)'), 'set_take_profit queued {"price": 190, "symbol": "BIGUSDT"} t 600', 'for the target, too');
update monitoring.positions set side = 'short' where id = (select id from public.held);
select is(pg_temp.detail_of(pg_temp.about('select monitoring.set_stop_loss(ID, 175)')), 'TS022 The stop of a short must be above the mark price 180, not 175.', 'a short''s stop is above');
select is(pg_temp.detail_of(pg_temp.about('select monitoring.set_take_profit(ID, 185)')), 'TS022 The take profit of a short must be below the mark price 180, not 185.', 'and its target below');
update monitoring.positions set side = 'long' where id = (select id from public.held);

-- Halted and away: closing and protecting go on; a copy of the database touches nothing.
select monitoring.halt('bee'); delete from public.worker_states;
select is(pg_temp.asked('select monitoring.close_position(ID)'), 'close_position queued {"reason": "manual", "symbol": "BIGUSDT"} t 600', 'a halted account without a worker takes a close');
select is(pg_temp.asked('select monitoring.set_stop_loss(ID, 150)'), 'set_stop_loss queued {"price": 150, "symbol": "BIGUSDT"} t 600', 'and a stop');
update monitoring.account_identity set identity = 'elsewhere' where account_id = pg_temp.id_of('bee');
select is(pg_temp.complaint(pg_temp.about('select monitoring.close_position(ID)')), 'TS015 account bee is halted', 'not in a copy of its database');
select monitoring.resume('bee');
insert into public.worker_states values (pg_temp.id_of('bee'), 'live');
update monitoring.accounts set mode = 'observe' where name = 'bee';
select is(pg_temp.complaint(pg_temp.about('select monitoring.close_position(ID)')), 'TS014 account bee only observes', 'nor when it only observes');
update monitoring.accounts set mode = 'dry_run' where name = 'bee';
update monitoring.positions set managed = false where id = (select id from public.held);
select is(pg_temp.complaint(pg_temp.about('select monitoring.close_position(ID)')), pg_temp.about('TS021 position ID is not managed'), 'what is not ours is not closed');
update monitoring.positions set managed = true, status = 'closed', closed_at = now(), exit_reason = 'manual' where id = (select id from public.held);
select is(pg_temp.complaint(pg_temp.about(format('select monitoring.%s', f))), pg_temp.about('TS021 position ID is closed'), f || ' of a closed position')
from unnest('{close_position(ID),"set_stop_loss(ID, 150)","set_take_profit(ID, 250)"}'::text[]) f;

-- What the worker reads of it.
create function pg_temp.loaded(account text, of_kind text) returns text language sql as $$
  select concat_ws(' ', running, position_id is not null, symbol, client_order_id, order_id, order_kind, reason, quantity, price, leverage, valid_until > now())
  from monitoring.worker_load_commands(pg_temp.id_of(account)) where kind = of_kind order by id desc limit 1 $$;
select is(pg_temp.loaded('bee', kind), row_text, kind || ' as the worker loads it')
from (values ('open_position', 'f t BIGUSDT t'), ('close_position', 'f t BIGUSDT manual t'), ('set_stop_loss', 'f t BIGUSDT 150 t'), ('set_take_profit', 'f t BIGUSDT 190 t'),
             ('set_leverage', 'f f BTCUSDT 5 t'), ('cancel_order', 'f f BTCUSDT tmine conditional t')) k (kind, row_text);
select is((select array_agg(id order by id) = array_agg(id) from monitoring.worker_load_commands(pg_temp.id_of('bee'))), true, 'oldest first');
select set_eq($$ select trade_symbol, position_side, is_long, trade_status, wanted_quantity, wanted_notional, wanted_leverage, stop_loss_percent from monitoring.worker_load_commands(pg_temp.id_of('bin')) where trade_id = position_id $$,
              $$ values ('BTCUSDT', 'both', true, 'pending_entry', null::numeric, 100::numeric, 1::numeric, 4::numeric), ('BNBUSDT', 'both', true, 'pending_entry', null, 100, 1, 4) $$, 'and the positions to be opened');
create function pg_temp.result(of_id bigint, status text, error text default null) returns int language sql as $$
  select monitoring.worker_save_commands(pg_temp.id_of('bin'), array[row(of_id, status, error)::monitoring.command_row]) $$;
create table public.openings as select id, position_id from monitoring.commands where account = 'bin' order by id;
select is((select pg_temp.result(min(id), 'running') from public.openings), 1, 'a command begins');
select is((select array_agg(trade_symbol) filter (where trade_id is not null) from monitoring.worker_load_commands(pg_temp.id_of('bin'))), '{BNBUSDT}', 'its position is new no longer');
select is((select distinct account_version from monitoring.worker_load_commands(pg_temp.id_of('bin'))), (select row_version from monitoring.worker_load_account(pg_temp.id_of('bin'))), 'commands come with the version of the account''s row');
select is((select running from monitoring.worker_load_commands(pg_temp.id_of('bin')) order by id limit 1), true, 'a restart finds it running');
select is((select pg_temp.result(min(id), 'failed', 'no money') from public.openings), 1, 'it fails');
select is((select (status, error, finished_at > created_at)::text from monitoring.commands where id = (select min(id) from public.openings)), '(failed,"no money",t)', 'with the reason and a time');
select is((select pg_temp.result(min(id), 'running') + pg_temp.result(min(id), 'done') from public.openings), 0, 'and stays so');
select is((select monitoring.worker_save_commands(pg_temp.id_of('bee'), array[row(max(id), 'done', null)::monitoring.command_row]) from public.openings), 0, 'another account''s worker has no say');

-- Waiting.
select is(monitoring.wait_for((select min(id) from public.openings)), 'failed', 'a command that has ended is not waited for');
select is(pg_temp.complaint((select format('select monitoring.wait_for(%s)', max(id)) from public.openings)), (select format('TS023 command %s was asked for by this very transaction', max(id)) from public.openings), 'one of this transaction would be waited for in vain');
savepoint deeper;
select is(pg_temp.complaint($q$do $x$ begin perform monitoring.wait_for(monitoring.set_leverage('bee', 'BTCUSDT', 3)); end $x$ $q$), 'TS023 command ' || (select last_value from monitoring.commands_id_seq) || ' was asked for by this very transaction', 'of a savepoint, too');
release deeper;
select is(pg_temp.complaint('select monitoring.wait_for(-1)'), 'TS025 command -1 not found', 'a command that nobody gave');
select is(pg_temp.complaint('select monitoring.wait_for(null)'), 'TS025 command NULL not found', 'no command');
select is(pg_temp.complaint('select monitoring.wait_for(1, null)'), 'TS030 invalid timeout NULL', 'no timeout');
select is(pg_temp.complaint($$select monitoring.wait_for_position(1, 'active', '-1s')$$), 'TS030 invalid timeout -00:00:01', 'a timeout in the past');
select is(pg_temp.complaint($$select monitoring.wait_for_position(1, 'happy')$$), 'TS030 unknown status "happy"', 'a status that no position has');
select is(pg_temp.complaint('select monitoring.wait_for_position(-1)'), 'TS021 position -1 not found', 'a position that nobody opened');
select is(monitoring.wait_for_position((select id from public.held), goal), 'closed', 'a position that is over is not waited for: ' || goal) from unnest('{active,closing,closed,failed}'::text[]) goal;
select is(monitoring.wait_for_position(p.id, goal), 'pending_entry', 'nor one that is there already') from (select max(position_id) as id from public.openings) p, unnest('{pending_entry}'::text[]) goal;
select is(pg_temp.complaint((select format('select monitoring.wait_for_position(%s)', max(position_id)) from public.openings)), (select format('TS023 position %s was asked for by this very transaction', max(position_id)) from public.openings), 'its opening is for after the commit');

-- Questions without a worker.
delete from public.worker_states;
select is((select array_agg((source, checked, confirmed, quantity, detail ->> 'reason')::text) from monitoring.verify_position((select id from public.held), '10 ms')),
          '{"(order_status,f,f,,\"no worker answered\")","(stream,f,f,,\"no worker answered\")","(rest_position,f,f,,\"no worker answered\")"}', 'verify_position says of three sources that none was asked');
select is((select count(*)::int from monitoring.verify_positions('bee')), 3 * (select count(*)::int from monitoring.positions where account = 'bee' and is_open), 'verify_positions three rows per open position');
select is(pg_temp.complaint('select * from monitoring.verify_position(-1)'), 'TS021 position -1 not found', 'of a position that exists');
select is(pg_temp.complaint($$select * from monitoring.verify_position(1, '0')$$), 'TS030 invalid timeout 00:00:00', 'with a timeout');
select is(pg_temp.complaint($$select * from monitoring.verify_positions('nobody')$$), 'TS002 account nobody not found', 'of an account that exists');
create or replace function monitoring.worker_ask(account_id int, kind text, argument text, timeout_ms int, out answered boolean, out cells text[]) returns setof record language sql as $$
  values (true, null), (true, array['stream', 't', 't', '1.5', '{"a": 1}', '12']), (true, array['order_status', 't', 'f', '', kind || ' ' || argument, '7.5']) $$;
select is((select array_agg((source, checked, confirmed, quantity, detail, took)::text) from monitoring.verify_position((select id from public.held)) where source <> 'rest_position'),
          array['(stream,t,t,1.5,"{""a"": 1}",00:00:00.012)', pg_temp.about('(order_status,t,f,,"""verify_position ID,BIGUSDT,both""",00:00:00.0075)')], 'what the worker answers comes through');
select is((select (checked, detail)::text from monitoring.verify_position((select id from public.held)) where source = 'rest_position'), '(f,"{""reason"": ""the worker has not asked this source""}")', 'and what it leaves out is said');

-- Who may.
insert into public.worker_states select id, 'live' from monitoring.accounts;
grant select on public.worker_states, public.switches to tradesync_trader;
select pg_temp.instrument('bee', 'TRDUSDT'), pg_temp.instrument('bee', 'RDRUSDT');
set local role tradesync_reader;
select is(pg_temp.complaint($$select monitoring.open_position('bee', 'RDRUSDT', 'long', 100)$$), '42501 permission denied for function open_position (no detail or hint)', 'a reader cannot open');
set local role tradesync_trader;
select isnt(monitoring.open_position('bee', 'TRDUSDT', 'long', 100), null, 'a trader can');
select is(pg_temp.complaint($$insert into monitoring.commands (account, kind) values ('bee', 'set_leverage')$$), '42501 permission denied for table commands (no detail or hint)', 'but only through the functions');
reset role;
select is((select requested_by from monitoring.commands where args ->> 'symbol' = 'TRDUSDT'), session_user::text, 'and the command says who it was');

select * from finish();
rollback;

-- What needs a transaction of its own.
begin isolation level repeatable read;
select no_plan();
select throws_ok('select monitoring.wait_for(1)', 'TS028', null, 'a snapshot that never changes cannot wait for a command');
select throws_ok('select monitoring.wait_for_position(1)', 'TS028', null, 'nor for a position');
select * from finish();
rollback;
insert into monitoring.commands (id, account, kind, position_id) values (-7, 'nobody', 'set_leverage', -7);
insert into monitoring.positions (id, account, symbol, exchange, side, quantity, status, origin, managed) values (-7, 'nobody', 'BTCUSDT', 'bybit', 'long', 0, 'entry_placed', 'manual', true);
begin;
select no_plan();
select throws_ok($$ select monitoring.wait_for(-7, '20 ms') $$, 'TS024', 'command -7 did not get there within 00:00:00.02', 'a command that nobody carries out');
select throws_ok($$ select monitoring.wait_for_position(-7, 'active', '20 ms') $$, 'TS024', 'position -7 did not get there within 00:00:00.02', 'a position that gets nowhere');
select is(monitoring.wait_for_position(-7, 'pending_entry', '0'), 'entry_placed', 'a later status will do');
select throws_ok('call monitoring.close_position_and_wait(-7)', 'TS002', null, 'a procedure says what the function says');
select * from finish();
rollback;
delete from monitoring.commands where id = -7;
delete from monitoring.positions where id = -7;
