-- Orders and fills: monotone merge, sticky terminal states, every fill once.
begin;
set search_path = public, pg_catalog;
select no_plan();

select lives_ok($$ select monitoring.add_account('bee', 'bybit', 'testnet') $$, 'an account to work with');
create function pg_temp.bee() returns int language sql as $$ select id from monitoring.accounts where name = 'bee' $$;
create function pg_temp.save(order_id text, status text, filled numeric, version_order bigint, version_time bigint, source text default 'stream',
    client text default null, kind text default 'regular', price numeric default 100) returns int language sql as $$
  select monitoring.worker_save_orders(pg_temp.bee(), array[row('BTCUSDT', order_id, client, kind, 'buy', 'both', 'limit', status, status,
    price, null, 2, filled, case when filled > 0 then 100 end, false, null, null, null, to_timestamp(version_time / 1000.0),
    version_order, version_time, source, 'external', null)::monitoring.order_row])
$$;
create function pg_temp.seen(order_id text) returns text language sql as $$
  select status || ' ' || filled_quantity from monitoring.orders o where o.account = 'bee' and o.order_id = seen.order_id
$$;

select is(pg_temp.save('a', 'new', 0, 10, 1000), 1, 'a new order is one row');
select is((select (exchange, purpose, kind, is_open, created_at)::text from monitoring.orders where order_id = 'a'),
          (select ('bybit', 'external', 'regular', true, to_timestamp(1))::text), 'it knows its exchange, is external and open, and was created when first heard of');
select is(pg_temp.save('a', 'new', 0, 10, 1000), 0, 'the same report again changes nothing');
select is(pg_temp.save('a', 'partially_filled', 1, 12, 1002), 1, 'a newer report is applied');
select is(pg_temp.save('a', 'new', 0, 11, 1003), 0, 'where both carry the venue''s order it decides, not the time');
select is(pg_temp.seen('a'), 'partially_filled 1', 'an older report changed nothing');
select is(pg_temp.save('a', 'new', 0, 0, 1001, 'rest'), 0, 'without an order on both sides the time decides');
select is(pg_temp.save('a', 'filled', 2, 13, 1003), 1, 'it is filled');
select is(pg_temp.save('a', 'new', 0, 99, 9999), 0, 'a terminal state is sticky, however new the report');
select is(pg_temp.seen('a'), 'filled 2', 'and stays');
select is((select is_open from monitoring.orders where order_id = 'a'), false, 'a filled order is not open');

select pg_temp.save('b', 'canceled', 0, 10, 1000);
select is(pg_temp.save('b', 'partially_filled', 1, 9, 999), 1, 'a terminal order takes a larger filled quantity over, also from an older report');
select is(pg_temp.seen('b'), 'canceled 1', 'and stays terminal');
select is(pg_temp.save('b', 'partially_filled', 0.5, 20, 2000), 0, 'a smaller one it does not take');
select is(pg_temp.save('b', 'filled', 2, 11, 1001), 1, 'filled completely after all');
select is(pg_temp.seen('b'), 'filled 2', 'shows filled');

select pg_temp.save('c', 'new', 0, 5, 500, 'rest');
select is(pg_temp.save('c', 'new', 0, 5, 500, 'stream', price => 101), 1, 'equal version: a stream row beats a rest row');
select is(pg_temp.save('c', 'new', 0, 5, 500, 'rest', price => 102), 0, 'and a rest row does not beat a stream row');
select is((select price from monitoring.orders where order_id = 'c'), 101::numeric, 'so the price is the stream''s');
select is(pg_temp.save('c', 'filled', 2, 5, 500), 1, 'equal version and source: the state further in life wins');
select is(pg_temp.save('d', 'filled', 2, 5, 500), 1, 'an order may be terminal when first heard of');
select is(pg_temp.save('d', 'new', 0, 5, 500), 0, 'and its acknowledgement coming late changes nothing');

select is(pg_temp.save('e', 'new', 0, 1, 1, client => 'mine'), 1, 'an order with a client id');
select is(pg_temp.save('e', 'partially_filled', 1, 2, 2), 1, 'and a report of it without one');
select is((select client_order_id from monitoring.orders where order_id = 'e'), 'mine', 'keeps its client id');
select is(pg_temp.save('e', 'new', 0, 1, 1, kind => 'conditional'), 1, 'a conditional order may have the same id as a regular one');
select is(monitoring.worker_save_orders(-1, array[]::monitoring.order_row[]), 0, 'a dropped account has nothing to save');
select throws_ok($$ select pg_temp.save('f', 'opened', 0, 1, 1) $$, '23514', null, 'a status that nobody knows is refused');
select throws_ok($$ select pg_temp.save('f', 'new', 'NaN', 1, 1) $$, '23514', null, 'NaN is not an amount');
select throws_ok($$ select pg_temp.save('f', 'new', -1, 1, 1) $$, '23514', null, 'a negative fill is not an amount');
select is((select quantity from monitoring.orders where order_id = 'e' and kind = 'regular'), 2::numeric, 'the table is unharmed');
select set_eq($$ select order_id, kind, status from monitoring.worker_load_orders(pg_temp.bee()) $$,
              $$ values ('e', 'regular', 'partially_filled'), ('e', 'conditional', 'new') $$, 'exactly the orders that can change are loaded');
select is(monitoring.worker_save_orders(pg_temp.bee(), array(
    select row('X' || i, 'big', null, 'regular', 'sell', 'both', 'limit', 'new', 'New', 0.00000000000000000000000000000000000012345678901234, null,
               1234567890123456789012345678901234567890.12345678901234567890, 0, null, false, null, null, null, now(), 1, 1, 'rest', null, null)::monitoring.order_row
    from generate_series(1, 100) i)), 100, 'a hundred orders in one call');
select is((select quantity from monitoring.orders where symbol = 'X7'), 1234567890123456789012345678901234567890.12345678901234567890,
          'exact to the last digit');

-- Fills.
create function pg_temp.fill(trade_id text, order_id text, client text default null, position_side text default null, pnl numeric default null,
    closed numeric default null) returns int language sql as $$
  select monitoring.worker_save_trades(pg_temp.bee(), array[row('BTCUSDT', trade_id, order_id, client, 'buy', position_side, 100.5, 1, 0.01, 'USDT',
    pnl, closed, false, 'trade', '2026-01-01 00:00:00+00', 7)::monitoring.trade_row])
$$;
select is(pg_temp.fill('1', 'e'), 1, 'a fill is one row');
select is((select position_side from monitoring.trades where trade_id = '1'), 'both', 'that takes its position side from its order');
select is(pg_temp.fill('1', 'e'), 0, 'the same fill again changes nothing');
select is(pg_temp.fill('1', 'e', 'mine', null, 0.5, 1), 1, 'a fill that says more fills the gaps');
select is(pg_temp.fill('1', 'e', 'other', 'long', 9, 9), 0, 'and never changes what is known');
select is((select (client_order_id, realized_pnl, closed_quantity, position_side)::text from monitoring.trades where trade_id = '1'),
          '(mine,0.5,1,both)', 'so it shows what it first said');
select is(pg_temp.fill('2', 'nobody'), 1, 'a fill of an order that nobody knows is kept');
select is((select position_side from monitoring.trades where trade_id = '2'), null, 'without a position side');
select is(monitoring.worker_save_trades(pg_temp.bee(), array_fill(row('BTCUSDT', '3', 'e', null, 'buy', null, 1, 1, 0, 'USDT', null, null, true,
            'trade', now(), 8)::monitoring.trade_row, array[2])), 1, 'the same fill twice in one call is one row');

select is(monitoring.worker_save_funding(pg_temp.bee(), array_fill(row('BTCUSDT', 'f1', -0.25, 0.0001, 'USDT', now())::monitoring.funding_row, array[1])), 1, 'a funding payment is one row');
select is(monitoring.worker_save_funding(pg_temp.bee(), array_fill(row('BTCUSDT', 'f1', -0.25, 0.0001, 'USDT', now())::monitoring.funding_row, array[1])), 0, 'once');

-- Notifications: the writer is replaced by one that remembers, for this transaction.
create table public.heard (channel text, account text, kind text, items json[]);
create or replace function monitoring.worker_notify(channel text, account text, kind text, items json[]) returns void
  language sql as $$ insert into public.heard values (channel, account, kind, items) $$;
select pg_temp.save('g' || i, 'new', 0, 1, 1) from generate_series(1, 1) i;
select is((select array_agg((channel, account, kind, cardinality(items), items[1] ->> 'status', items[1] ->> 'order_id')::text) from public.heard),
          '{"(monitoring_order,bee,orders,1,new,g1)"}', 'orders are announced once per call, with id and status');
select is(monitoring.notification_payload('bee', 'orders', array[json_build_object('id', 1)])::jsonb,
          '{"account": "bee", "orders": [{"id": 1}]}', 'a notification is small JSON');
select is((p -> 'more')::int, 950, 'of a thousand rows fifty are named and the rest is counted')
from (select monitoring.notification_payload('bee', 'orders', array(select json_build_object('id', i) from generate_series(1, 1000) i))::jsonb p) n;
select cmp_ok(octet_length(monitoring.notification_payload('bee', 'orders',
         array(select json_build_object('id', repeat('x', 3000)) from generate_series(1, 60)))), '<', 7900, 'it never exceeds what NOTIFY can carry');

select * from finish();
rollback;
