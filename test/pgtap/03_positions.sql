-- Positions: what the venue reports, the rows that follow it, prices.
begin;
set search_path = public, pg_catalog;
select no_plan();

select lives_ok($$ select monitoring.add_account('bee', 'bybit', 'testnet') $$, 'an account to work with');
create function pg_temp.bee() returns int language sql as $$ select id from monitoring.accounts where name = 'bee' $$;
create function pg_temp.at(seconds numeric) returns timestamptz language sql as $$ select timestamptz '2026-01-01 00:00:00+00' + seconds * interval '1 second' $$;
create function pg_temp.report(symbol text, quantity numeric, seconds numeric, entry numeric default 100, leverage numeric default null,
    stop numeric default null, source text default 'stream', opened timestamptz default null, position_side text default 'both') returns int language sql as $$
  select monitoring.worker_save_positions(pg_temp.bee(), array[row(symbol, position_side, quantity, entry, null, null, leverage, null, stop, null, opened,
    0, (seconds * 1000)::bigint, pg_temp.at(seconds), source)::monitoring.position_row])
$$;
create function pg_temp.rows(of_symbol text) returns text language sql as $$
  select string_agg(format('%s %s %s', side, quantity, status), ', ' order by id) from monitoring.positions where account = 'bee' and symbol = of_symbol
$$;

select is(pg_temp.report('BTCUSDT', 2, 10, leverage => 5, stop => 90), 1, 'a position that nobody knows');
select is((select (origin, managed, side, quantity, status, leverage, has_stop_loss, stop_loss_price, signal_id)::text from monitoring.positions where symbol = 'BTCUSDT'),
          '(external,f,long,2,active,5,t,90,)', 'becomes a row of origin external that is not managed');
select is((select opened_at from monitoring.positions where symbol = 'BTCUSDT'), pg_temp.at(10), 'opened when it was reported');
select is(pg_temp.report('BTCUSDT', 5, 9), 0, 'an older report changes nothing');
select is(pg_temp.report('BTCUSDT', 2, 10, source => 'rest'), 0, 'the same version by rest changes nothing');
select is(pg_temp.rows('BTCUSDT'), 'long 2 active', 'so it is as before');
select is(pg_temp.report('BTCUSDT', 3, 11, 101), 1, 'a newer report updates it');
select is((select (quantity, entry_price, leverage, stop_loss_price, max_quantity, entered_quantity)::text from monitoring.positions where symbol = 'BTCUSDT'),
          '(3,101,5,90,3,3)', 'and what it does not say stays');
select is((select (quantity, side, leverage, stop_loss)::text from monitoring.venue_positions where symbol = 'BTCUSDT'), '(3,long,5,90)', 'venue_positions shows it');
select is(pg_temp.report('BTCUSDT', 1, 12, stop => 0), 1, 'a partial close without a stop');
select is((select (quantity, max_quantity, entered_quantity, has_stop_loss, stop_loss_price)::text from monitoring.positions where symbol = 'BTCUSDT'),
          '(1,3,3,f,)', 'is smaller, remembers its size and has no stop');

select is(pg_temp.report('BTCUSDT', 0, 13), 1, 'flat');
select is(pg_temp.rows('BTCUSDT'), 'long 1 closing', 'does not close the row: the worker decides');
select is_empty($$ select * from monitoring.venue_positions where symbol = 'BTCUSDT' $$, 'venue_positions shows nothing');
select is((select (quantity, version_time)::text from monitoring.venue_position_state where symbol = 'BTCUSDT'), '(0,13000)', 'but the version of the flat report is kept');
select is(pg_temp.report('BTCUSDT', 5, 12.5, source => 'rest'), 0, 'so an older snapshot cannot bring it back');
create function pg_temp.close(symbol text, side text, seconds numeric, reason text default 'take_profit') returns int language sql as $$
  select monitoring.worker_close_positions(pg_temp.bee(), array[row(symbol, 'both', side, pg_temp.at(seconds), reason)::monitoring.close_row]) $$;
select is(pg_temp.close('BTCUSDT', 'short', 13), 0, 'closing the other side closes nothing');
select is(pg_temp.close('BTCUSDT', 'long', 13), 1, 'the worker closes it');
select is(pg_temp.close('BTCUSDT', 'long', 13), 0, 'once');
select is((select (status, quantity, exit_reason, closed_at, exit_price, pnl, realized_pnl, unrealized_pnl)::text from monitoring.positions where symbol = 'BTCUSDT'),
          format('(closed,3,take_profit,%s,,,,)', '"' || pg_temp.at(13)::text || '"'), 'it keeps its largest size, and without fills no price is invented');

select is(pg_temp.report('BTCUSDT', 1, 20), 1, 'opened again');
select is((select opened_at from monitoring.positions where symbol = 'BTCUSDT' and is_open), pg_temp.at(20), 'is another position');
select is(pg_temp.close('BTCUSDT', 'long', 13), 0, 'which a late closing of the first does not touch');
select is(pg_temp.rows('BTCUSDT'), 'long 3 closed, long 1 active', 'both have their row');

-- Flips and reopenings.
select is(pg_temp.report('BTCUSDT', -4, 21), 1, 'turned around');
select is(pg_temp.rows('BTCUSDT'), 'long 3 closed, long 1 closed, short 4 active', 'closes one row and opens another');
select is((select (exit_reason, closed_at = pg_temp.at(21))::text from monitoring.positions where id = (select flipped_from from monitoring.positions where symbol = 'BTCUSDT' and is_open)),
          '(flipped,t)', 'and the new one knows where it came from');
select pg_temp.report('ETHUSDT', 1, 1); select pg_temp.report('ETHUSDT', 0, 2);
select is(pg_temp.report('ETHUSDT', 2, 3), 1, 'flat and open again before its end was decided');
select is(pg_temp.rows('ETHUSDT'), 'long 1 closed, long 2 active', 'are two positions');
select pg_temp.report('XRPUSDT', 1, 1, opened => pg_temp.at(-100)); select pg_temp.report('XRPUSDT', 0, 2); select pg_temp.close('XRPUSDT', null, 2);
select pg_temp.report('XRPUSDT', 1, 5, opened => pg_temp.at(-100));
select is((select opened_at from monitoring.positions where symbol = 'XRPUSDT' and is_open), pg_temp.at(2), 'opened_at is never before the end of the previous one');

-- Hedge mode and uniqueness.
select pg_temp.report('SOLUSDT', 1, 1, position_side => 'long'), pg_temp.report('SOLUSDT', -2, 1, position_side => 'short');
select is(pg_temp.rows('SOLUSDT'), 'long 1 active, short 2 active', 'a hedge pair is two rows');
select throws_ok($$ insert into monitoring.positions (account, symbol, exchange, side, quantity, status, origin, managed, opened_at)
                    values ('bee', 'ETHUSDT', 'bybit', 'short', 1, 'pending_entry', 'manual', true, now()) $$,
                 '23505', null, 'a second open row of a key is refused, whatever its state');
select throws_ok($$ update monitoring.positions set signal_id = 'unknown' $$, '23514', null, 'signal_id is NULL when absent, never a made-up word');

select is(monitoring.worker_save_positions(pg_temp.bee(), array(select row('M' || i, 'both', 1, 10, null, null, null, null, null, null, null, 0, 1000, pg_temp.at(1), 'rest')::monitoring.position_row
            from generate_series(1, 1000) i)), 1000, 'a thousand positions in one call');
select is((select count(*)::int from monitoring.worker_load_positions(pg_temp.bee()) where open), 1005, 'are all loaded again');
select is((select (quantity, open, side)::text from monitoring.worker_load_positions(pg_temp.bee()) where symbol = 'BTCUSDT'), '(-4,t,short)', 'with signed size and the side of the open row');

-- Prices.
create function pg_temp.price(symbol text, mark numeric, last numeric, seconds numeric) returns int language sql as $$
  select monitoring.worker_save_prices(pg_temp.bee(), array[row(symbol, mark, last, pg_temp.at(seconds))::monitoring.price_row]) $$;
select is(pg_temp.price('BTCUSDT', 90, null, 30), 1, 'a mark price');
select is((select (current_price, unrealized_pnl)::text from monitoring.positions where symbol = 'BTCUSDT' and is_open), '(90,40)', 'moves the open position: (90 − 100) × −4');
select is(pg_temp.price('BTCUSDT', null, 91, 31), 1, 'a last price');
select is((select (mark_price, last_price, stale)::text from monitoring.prices where symbol = 'BTCUSDT'), '(90,91,f)', 'leaves the mark price alone');
select is(pg_temp.price('BTCUSDT', 50, 50, 29), 0, 'an older price changes nothing');
select is((select current_price from monitoring.positions where symbol = 'BTCUSDT' and is_open), 90::numeric, 'also not the position');
select is((select count(*)::int from monitoring.positions where symbol = 'BTCUSDT' and not is_open and current_price is not null), 0, 'closed positions do not move');
select is(monitoring.worker_mark_stale(pg_temp.bee(), array[row('BTCUSDT')::monitoring.stale_row]), 1, 'a price that stops coming is stale');
select is((select price_stale from monitoring.open_positions where symbol = 'BTCUSDT'), true, 'and open_positions shows it');
select pg_temp.price('BTCUSDT', 91, null, 32);
select is((select stale from monitoring.prices where symbol = 'BTCUSDT'), false, 'until it comes again');
select is((select (side, quantity, unrealized_pnl, unrealized_pnl_percentage)::text from monitoring.open_positions where symbol = 'BTCUSDT'),
          '(short,4,36,9.0000)', 'open_positions shows profit in percent of the entry');

-- Leverage, balances, instruments.
select is(monitoring.worker_save_leverages(pg_temp.bee(), array[row('BTCUSDT', 7)::monitoring.leverage_row]), 1, 'leverage that comes apart');
select is((select (v.leverage, p.leverage)::text from monitoring.venue_positions v join monitoring.open_positions p using (symbol) where symbol = 'BTCUSDT'), '(7,7)', 'reaches both');
create function pg_temp.balance(wallet numeric, available numeric, seconds numeric) returns int language sql as $$
  select monitoring.worker_save_balances(pg_temp.bee(), array[row('USDT', wallet, available, null, pg_temp.at(seconds))::monitoring.balance_row]) $$;
select is(pg_temp.balance(10, 9, 1), 1, 'a balance');
select is(pg_temp.balance(11, null, 1), 1, 'of the same moment');
select is(pg_temp.balance(5, 5, 0), 0, 'an older one');
select is((select (wallet_balance, available_balance)::text from monitoring.balances where asset = 'USDT'), '(11,9)', 'shows the newest of what was said');
create function pg_temp.instrument(tick numeric) returns int language sql as $$
  select monitoring.worker_save_instruments(pg_temp.bee(), array[row('BTCUSDT', 'trading', 'perpetual', 'BTC', 'USDT', 'USDT', tick, 0.001, 0.001, 100, 50, 5, 100)::monitoring.instrument_row]) $$;
select is(array[pg_temp.instrument(0.1), pg_temp.instrument(0.10), pg_temp.instrument(0.01)], '{1,0,1}', 'only changed instruments are written');

-- Notifications, with a writer that remembers.
create table public.heard (channel text, account text, kind text, items json[]);
create or replace function monitoring.worker_notify(channel text, account text, kind text, items json[]) returns void
  language sql as $$ insert into public.heard values (channel, account, kind, items) $$;
select pg_temp.price('BTCUSDT', 92, 92, 40);
select is_empty('select * from public.heard', 'prices are not announced');
select pg_temp.report('BTCUSDT', 4, 41);
select is((select array_agg(format('%s %s', channel, (select string_agg(format('%s %s', i ->> 'side', i ->> 'status'), ', ' order by (i ->> 'id')::int) from unnest(items) i))) from public.heard),
          '{"monitoring_position short closed, long active"}', 'a flip is announced once, with both rows');

select * from finish();
rollback;
