-- Exit price, profit and loss, fees: numbers calculated by hand, in every order of arrival.
begin;
set search_path = public, pg_catalog;
select no_plan();

select lives_ok($$ select monitoring.add_account('bee', 'binance', 'testnet') $$, 'an account to work with');
create function pg_temp.bee() returns int language sql as $$ select id from monitoring.accounts where name = 'bee' $$;
create function pg_temp.at(seconds numeric) returns timestamptz language sql as $$ select timestamptz '2026-01-01 00:00:00+00' + seconds * interval '1 second' $$;
create function pg_temp.report(symbol text, quantity numeric, seconds numeric, entry numeric default 100) returns void language sql as $$
  select monitoring.worker_save_positions(pg_temp.bee(), array[row(symbol, 'both', quantity, entry, null, null, null, null, null, null, null,
    0, (seconds * 1000)::bigint, pg_temp.at(seconds), 'stream')::monitoring.position_row]) $$;
create function pg_temp.fill(symbol text, trade_id text, side text, quantity numeric, price numeric, fee numeric, seconds numeric,
    closed numeric default null, pnl numeric default null, currency text default 'USDT') returns void language sql as $$
  select monitoring.worker_save_trades(pg_temp.bee(), array[row(symbol, trade_id, 'o' || trade_id, null, side, 'both', price, quantity, fee, currency,
    pnl, closed, false, 'trade', pg_temp.at(seconds), (seconds * 1000)::bigint)::monitoring.trade_row]) $$;
create function pg_temp.close(symbol text, seconds numeric) returns void language sql as $$
  select monitoring.worker_close_positions(pg_temp.bee(), array[row(symbol, 'both', null, pg_temp.at(seconds), 'stop_loss')::monitoring.close_row]) $$;
create function pg_temp.result(of_symbol text) returns text language sql as $$
  select string_agg(format('%s %s exit %s gross %s fees %s net %s (%s %%)', side, status, coalesce(exit_price::text, '?'), coalesce(realized_pnl::text, '?'),
                           coalesce(fees::text, '?'), coalesce(pnl::text, '?'), coalesce(pnl_percentage::text, '?')), '; ' order by id)
  from monitoring.positions where account = 'bee' and symbol = of_symbol $$;

-- Long 2 at 100, out at 110 and 120.
select pg_temp.report('AUSDT', 2, 10); select pg_temp.fill('AUSDT', '1', 'buy', 2, 100, 0.2, 10);
select pg_temp.fill('AUSDT', '2', 'sell', 1, 110, 0.11, 20), pg_temp.fill('AUSDT', '3', 'sell', 1, 120, 0.12, 21);
select pg_temp.report('AUSDT', 0, 21); select pg_temp.close('AUSDT', 21);
select is(pg_temp.result('AUSDT'), 'long closed exit 115 gross 30 fees 0.43 net 29.57 (14.7850 %)', 'a long: 1 × 110 + 1 × 120 − 2 × 100 = 30, less fees, of 200');
select is((select count(*)::int from monitoring.trades t join monitoring.positions p on p.id = t.position_id where t.symbol = 'AUSDT'), 3, 'and its fills know it');
select pg_temp.close('AUSDT', 21);
select is(pg_temp.result('AUSDT'), 'long closed exit 115 gross 30 fees 0.43 net 29.57 (14.7850 %)', 'settling again changes nothing');

-- Short, and every fill later than the position.
select pg_temp.report('BUSDT', -3, 10, 50); select pg_temp.report('BUSDT', 0, 20); select pg_temp.close('BUSDT', 20);
select is(pg_temp.result('BUSDT'), 'short closed exit ? gross ? fees ? net ? (? %)', 'without fills nothing is invented');
select pg_temp.fill('BUSDT', '2', 'buy', 2, 40, 0.08, 20);
select is(pg_temp.result('BUSDT'), 'short closed exit ? gross ? fees 0.08 net ? (? %)', 'nor with one of two');
select pg_temp.fill('BUSDT', '3', 'buy', 1, 43, 0.043, 20);
select is(pg_temp.result('BUSDT'), 'short closed exit 41 gross 27 fees 0.123 net ? (? %)', 'all exits: (50 − 41) × 3 from the venue''s entry price; the net result waits for the entry fee');
select pg_temp.fill('BUSDT', '1', 'sell', 3, 50, 0.15, 10);
select is(pg_temp.result('BUSDT'), 'short closed exit 41 gross 27 fees 0.273 net 26.727 (17.8180 %)', 'the late entry fill completes it');

-- Bought more after a partial close: 2 at 100, −1 at 110, +1 at 120, −2 at 130.
select pg_temp.report('CUSDT', 2, 10); select pg_temp.fill('CUSDT', '1', 'buy', 2, 100, 0, 10);
select pg_temp.report('CUSDT', 1, 11); select pg_temp.fill('CUSDT', '2', 'sell', 1, 110, 0, 11);
select pg_temp.report('CUSDT', 2, 12, 110); select pg_temp.fill('CUSDT', '3', 'buy', 1, 120, 0, 12);
select pg_temp.report('CUSDT', 0, 13); select pg_temp.fill('CUSDT', '4', 'sell', 2, 130, 0, 13); select pg_temp.close('CUSDT', 13);
select is(pg_temp.result('CUSDT'), 'long closed exit 123.3333333333333333 gross 50 fees 0 net 50 (15.6250 %)', '110 + 260 − 200 − 120 = 50, of 320');

-- The venue's own figure is taken where every closing fill has one.
select pg_temp.report('DUSDT', 1, 10); select pg_temp.fill('DUSDT', '1', 'buy', 1, 100, 0.1, 10);
select pg_temp.report('DUSDT', 0, 11); select pg_temp.fill('DUSDT', '2', 'sell', 1, 105, 0.1, 11, pnl => 4.99); select pg_temp.close('DUSDT', 11);
select is(pg_temp.result('DUSDT'), 'long closed exit 105 gross 4.99 fees 0.2 net 4.79 (4.7900 %)', 'the exchange is the truth about what it paid');

-- A fill that turns the position around, before and after the report, with and without the venue's word on its parts.
select pg_temp.report('EUSDT', 2, 10); select pg_temp.fill('EUSDT', '1', 'buy', 2, 100, 0.2, 10);
select pg_temp.fill('EUSDT', '2', 'sell', 3, 110, 0.33, 20); select pg_temp.report('EUSDT', -1, 20, 110);
select pg_temp.fill('EUSDT', '3', 'buy', 1, 100, 0.1, 30); select pg_temp.report('EUSDT', 0, 30); select pg_temp.close('EUSDT', 30);
select is(pg_temp.result('EUSDT'), 'long closed exit 110 gross 20 fees 0.42 net 19.58 (9.7900 %); short closed exit 100 gross 10 fees 0.21 net 9.79 (8.9000 %)',
          'a flip splits the fill and its fee: 2/3 for the old, 1/3 for the new');
select pg_temp.report('FUSDT', 2, 10); select pg_temp.fill('FUSDT', '1', 'buy', 2, 100, 0.2, 10, 0);
select pg_temp.report('FUSDT', -1, 20, 110); select pg_temp.fill('FUSDT', '2', 'sell', 3, 110, 0.33, 20, 2);
select pg_temp.report('FUSDT', 0, 30); select pg_temp.close('FUSDT', 30); select pg_temp.fill('FUSDT', '3', 'buy', 1, 100, 0.1, 30, 1);
select is(pg_temp.result('FUSDT'), 'long closed exit 110 gross 20 fees 0.42 net 19.58 (9.7900 %); short closed exit 100 gross 10 fees 0.21 net 9.79 (8.9000 %)',
          'the same when the flip''s fill and the last fill come after the reports');
select is((select string_agg(format('%s/%s', trim_scale(f.opening), trim_scale(f.closing)), ' ' order by f.trade_id) from monitoring.positions p, monitoring.position_fills(p.id) f where p.symbol = 'FUSDT' and p.side = 'short'),
          '1/0 0/1', 'position_fills shows how much of each fill opened and closed');

-- Fees in another asset.
select pg_temp.report('GUSDT', 1, 10); select pg_temp.fill('GUSDT', '1', 'buy', 1, 100, 0.001, 10, currency => 'BNB');
select pg_temp.report('GUSDT', 0, 11); select pg_temp.fill('GUSDT', '2', 'sell', 1, 105, 0.001, 11, currency => 'BNB'); select pg_temp.close('GUSDT', 11);
select is(pg_temp.result('GUSDT'), 'long closed exit 105 gross 5 fees ? net ? (? %)', 'fees in another asset are not subtracted');

-- A fill long before or after does not belong.
select pg_temp.fill('HUSDT', '1', 'sell', 1, 99, 0, 2); select pg_temp.report('HUSDT', 1, 10); select pg_temp.fill('HUSDT', '2', 'buy', 1, 100, 0, 9.9);
select pg_temp.report('HUSDT', 0, 20); select pg_temp.close('HUSDT', 20); select pg_temp.fill('HUSDT', '3', 'sell', 1, 101, 0, 19.9), pg_temp.fill('HUSDT', '4', 'sell', 1, 1, 0, 40);
select is((select array_agg(trade_id order by trade_id) from monitoring.trades where symbol = 'HUSDT' and position_id is not null), '{2,3}', 'only the fills of its life belong to a position');
select is(pg_temp.result('HUSDT'), 'long closed exit 101 gross 1 fees 0 net 1 (1.0000 %)', 'and count');

select * from finish();
rollback;
