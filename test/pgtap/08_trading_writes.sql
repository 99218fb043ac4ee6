-- What workers write about our own orders and managed positions: intent before the act, the exchange's word above ours.
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
select monitoring.add_account('bee', 'bybit', 'testnet', 'dry_run'), monitoring.add_account('other', 'bybit', 'testnet', 'dry_run');
create function pg_temp.bee() returns int language sql as $$ select id from monitoring.accounts where name = 'bee' $$;
create function pg_temp.at(seconds numeric) returns timestamptz language sql as $$ select date_trunc('hour', now()) + seconds * interval '1 second' $$;
create function pg_temp.ms(seconds numeric) returns bigint language sql as $$ select (extract(epoch from pg_temp.at(seconds)) * 1000)::bigint $$;

-- One order of ours, as the worker puts it on record; and a report about an order.
create function pg_temp.own(id bigint, status text, attempt int default 1, client text default null, purpose text default 'entry', position_id bigint default 500,
    kind text default 'regular', venue_status text default null, reason text default null, quantity numeric default 2, symbol text default 'BTCUSDT', side text default 'buy')
  returns int language sql as $$
  select monitoring.worker_save_own_orders(pg_temp.bee(), array[row(id, position_id, purpose, attempt, symbol, coalesce(client, format('tepoch-%s-%s', id, attempt)), kind, side, 'both',
    case kind when 'regular' then 'market' else 'stop_market' end, quantity, null, case kind when 'conditional' then 90 end, purpose <> 'entry', status, venue_status, reason)::monitoring.own_order_row]) $$;
create function pg_temp.report(order_id text, client text, status text, seconds numeric, filled numeric default 0, kind text default 'regular', source text default 'stream',
    purpose text default 'external', position_id bigint default null, child text default null, symbol text default 'BTCUSDT', side text default 'buy', type text default 'market', reduce boolean default false)
  returns int language sql as $$
  select monitoring.worker_save_orders(pg_temp.bee(), array[row(symbol, order_id, client, kind, side, 'both', type, status, 'venue ' || status, null, null, 2, filled,
    case when filled > 0 then 100 end, reduce, child, null, pg_temp.at(seconds), pg_temp.at(seconds), 0, pg_temp.ms(seconds), source, purpose, position_id)::monitoring.order_row]) $$;
create function pg_temp.seen(of_id bigint) returns text language sql as $$
  select concat_ws(' ', status, 'try', attempt, client_order_id, coalesce(order_id, '-'), source, purpose, filled_quantity, venue_status, reject_reason) from monitoring.orders where id = of_id $$;

-- Before the exchange knows.
select is(pg_temp.own(101, 'submitting'), 1, 'an order of ours is put on record');
select is((select concat_ws(' ', account, exchange, symbol, client_order_id, order_id, kind, purpose, side, type, status, quantity, reduce_only, position_side, position_id, attempt, source, version_order, version_time, is_open)
           from monitoring.orders where id = 101), 'bee bybit BTCUSDT tepoch-101-1 regular entry buy market submitting 2 f both 500 1 own 0 0 t', 'before it leaves');
select cmp_ok((select created_at from monitoring.orders where id = 101), '>', now(), 'and says when, to the microsecond: later than its transaction began');
select is(pg_temp.own(101, 'submitting'), 0, 'the same again changes nothing');
select is(pg_temp.own(101, 'unknown'), 1, 'nobody answered: unknown');
select is(pg_temp.complaint($$select pg_temp.own(101, 'submitting')$$), 'TS032 order 101 (attempt 1) cannot be sent again', 'an unknown order is never sent again under its id');
select is(pg_temp.own(101, 'rejected', venue_status => 'NEVER_ACCEPTED', reason => 'proven'), 1, 'until it is proven that it was never accepted');
select is(pg_temp.seen(101), 'rejected try 1 tepoch-101-1 - own entry 0 NEVER_ACCEPTED proven', 'with the proof on record');
select is(pg_temp.own(101, 'new'), 0, 'an end is an end');
select is(pg_temp.own(101, 'submitting', 2, quantity => 3), 1, 'a further attempt begins anew');
select is(pg_temp.seen(101) || (select ' ' || quantity from monitoring.orders where id = 101), 'submitting try 2 tepoch-101-2 - own entry 0 3', 'under its own client id, with its own ticket');
select is(pg_temp.own(101, 'unknown', 1), 0, 'what belongs to the first attempt is late');
select is(pg_temp.own(101, 'new', 2), 1, 'accepted');
select is(pg_temp.complaint($$select pg_temp.own(101, 'submitting', 3)$$), 'TS032 order 101 (attempt 3) cannot be sent again', 'what rests at the exchange is not sent again');
select throws_ok($$ select pg_temp.own(102, 'submitting', client => 'tepoch-101-2') $$, '23505', null, 'a client id is used once');
select throws_ok($$ select pg_temp.own(103, 'submitting', quantity => 'NaN') $$, '23514', null, 'NaN is no quantity');
select throws_ok($$ select pg_temp.own(103, 'sent') $$, '23514', null, 'nor is that a status');
select is(pg_temp.complaint($$select monitoring.worker_save_own_orders(-1, array[]::monitoring.own_order_row[])$$), 'TS002 account number -1 not found', 'without an account there is no row, so no order may leave');

-- The first report completes the row.
select is(pg_temp.own(110, 'submitting'), 1, 'another order');
select is(pg_temp.report('v110', 'tepoch-110-1', 'new', 0, source => 'rest'), 1, 'the exchange names it');
select is(pg_temp.seen(110), 'new try 1 tepoch-110-1 v110 rest entry 0 venue new', 'the row has its id; purpose and client id are ours');
select is((select count(*)::int from monitoring.orders where client_order_id = 'tepoch-110-1'), 1, 'there is one row of it');
select isnt((select acknowledged_at from monitoring.orders where id = 110), null, 'and when that was');
select cmp_ok((select created_at from monitoring.orders where id = 110), '>', now(), 'created_at stays the time before which nothing was sent');
select is(pg_temp.own(110, 'unknown'), 0, 'what we conclude does not beat what the exchange said');
select is(pg_temp.own(110, 'canceled'), 0, 'not even an end');
select is(pg_temp.report('v110', 'tepoch-110-1', 'filled', 1, 2), 1, 'it is filled');
select is(pg_temp.own(110, 'rejected'), 0, 'and stays filled');
select is(pg_temp.seen(110), 'filled try 1 tepoch-110-1 v110 stream entry 2 venue filled', 'as reported');
select is(pg_temp.complaint($$select pg_temp.own(110, 'submitting', 2)$$), 'TS032 order 110 (attempt 2) cannot be sent again', 'what the exchange has named is not sent again');
select pg_temp.own(111, 'submitting'), pg_temp.own(111, 'new');
select is(pg_temp.report('v111', 'tepoch-111-1', 'new', 0, source => 'rest'), 1, 'an order that we took for accepted is completed, too');
select is(pg_temp.report('v111', null, 'canceled', 2), 1, 'a report without the client id');
select is(pg_temp.seen(111), 'canceled try 1 tepoch-111-1 v111 stream entry 0 venue canceled', 'finds it by the exchange''s id');
select pg_temp.own(112, 'submitting'), pg_temp.own(112, 'unknown'), pg_temp.own(112, 'rejected', venue_status => 'NEVER_ACCEPTED', reason => 'proven');
select is(pg_temp.report('v112', 'tepoch-112-1', 'new', 3), 1, 'should the exchange name an order that we had given up');
select is(pg_temp.seen(112), 'new try 1 tepoch-112-1 v112 stream entry 0 venue new', 'its word counts');
select pg_temp.own(113, 'submitting');
select is(monitoring.worker_save_orders(pg_temp.bee(), array(
    select row('BTCUSDT', 'm' || i, case i when 1 then 'tepoch-113-1' when 2 then 'tnobody' when 3 then 'web' end, 'regular', 'buy', 'both', 'limit', 'new', 'New', 1, null, 1, 0, null, false,
               null, null, now(), now(), 1, 1, 'rest', 'external', null)::monitoring.order_row from generate_series(1, 4) i)), 4, 'ours and others in one call');
select is((select array_agg(order_id || ' ' || purpose order by order_id) from monitoring.orders where order_id like 'm_'), '{"m1 entry","m2 external","m3 external","m4 external"}', 'only ours is ours');
select is(pg_temp.report('m2', 'tnobody', 'filled', 9, 2, purpose => 'close', position_id => 501), 1, 'what the core recognises later');
select is((select purpose || ' ' || position_id from monitoring.orders where order_id = 'm2'), 'close 501', 'gets its purpose and position');
select is(pg_temp.report('m2', 'tnobody', 'filled', 10, 2.5), 1, 'and a report that does not know');
select is((select purpose || ' ' || position_id from monitoring.orders where order_id = 'm2'), 'close 501', 'does not take them away');

-- A conditional order and the child that it becomes.
select pg_temp.own(120, 'submitting', purpose => 'stop_loss', kind => 'conditional', side => 'sell'), pg_temp.report('algo120', 'tepoch-120-1', 'new', 0, kind => 'conditional', side => 'sell');
select is(pg_temp.report('child120', 'tepoch-120-1', 'filled', 5, 2, side => 'sell'), 1, 'the child comes with the client id of its parent');
select is((select concat_ws(' ', purpose, position_id, kind, id <> 120) from monitoring.orders where order_id = 'child120'), 'stop_loss 500 regular t', 'and is a row of its own, for the same purpose and position');
select is(pg_temp.report('algo120', 'tepoch-120-1', 'filled', 6, 2, kind => 'conditional', child => 'child120', side => 'sell'), 1, 'the parent ends');
select is(pg_temp.report('child120', 'tepoch-120-1', 'filled', 7, 2, side => 'sell'), 0, 'and nothing mixes them up');

-- What is loaded of them.
insert into monitoring.positions (id, account, symbol, exchange, side, quantity, status, origin, managed) values (500, 'bee', 'BTCUSDT', 'bybit', 'long', 2, 'active', 'manual', true);
create function pg_temp.fill(trade_id text, order_id text, quantity numeric, price numeric, seconds numeric, side text default 'buy', symbol text default 'BTCUSDT', exec_type text default 'trade',
    fee numeric default 0) returns int language sql as $$
  select monitoring.worker_save_trades(pg_temp.bee(), array[row(symbol, trade_id, order_id, null, side, 'both', price, quantity, fee, 'USDT', null, null, false, exec_type,
    clock_timestamp() + seconds * interval '1 second', 1)::monitoring.trade_row]) $$;
select pg_temp.fill('1', 'v110', 0.5, 100, 0), pg_temp.fill('2', 'v110', 1.5, 104, 0), pg_temp.fill('3', 'child120', 2, 90, 0, 'sell'), pg_temp.fill('4', 'algo120', 7, 1, 0);
select set_eq($$ select id, purpose, attempt, client_order_id, kind, order_id, status, filled_quantity, traded_quantity, traded_value from monitoring.worker_load_own_orders(pg_temp.bee()) $$, $$ values
  (101::bigint, 'entry', 2, 'tepoch-101-2', 'regular', null, 'new', 0::numeric, 0::numeric, 0::numeric), (110, 'entry', 1, 'tepoch-110-1', 'regular', 'v110', 'filled', 2, 2.0, 206),
  (111, 'entry', 1, 'tepoch-111-1', 'regular', 'v111', 'canceled', 0, 0, 0), (112, 'entry', 1, 'tepoch-112-1', 'regular', 'v112', 'new', 0, 0, 0),
  (113, 'entry', 1, 'tepoch-113-1', 'regular', 'm1', 'new', 0, 0, 0), (120, 'stop_loss', 1, 'tepoch-120-1', 'conditional', 'algo120', 'filled', 2, 2, 180) $$,
  'our orders that are open or whose position is, each with its fills; a stop with those of its child');
select is((select position_id from monitoring.trades where trade_id = '3'), 500::bigint, 'a fill of our order belongs to its position');
update monitoring.positions set status = 'closed', closed_at = now(), exit_reason = 'x' where id = 500;
select set_eq($$ select id from monitoring.worker_load_own_orders(pg_temp.bee()) $$, '{101,112,113}'::bigint[], 'of a position that is over only open ones');
select set_eq($$ select id, is_open from monitoring.worker_load_trades(pg_temp.bee()) $$, $$ values (500::bigint, false) $$, 'and as long as one is open the position is loaded, too');
select set_eq($$ select order_id, purpose, position_id from monitoring.worker_load_orders(pg_temp.bee()) $$,
              $$ values ('v112', 'entry', 500::bigint), ('m1', 'entry', 500), ('m3', 'external', null), ('m4', 'external', null) $$, 'worker_load_orders has what the exchange has named');
select is((select array[count(distinct id) = 64, min(id) > (select coalesce(max(id), 0) from monitoring.orders where client_order_id is null)] from monitoring.worker_reserve_order_ids(pg_temp.bee())), '{t,t}', 'numbers for 64 orders');
select is((select (n, p50_ms >= 0, p99_ms >= p50_ms)::text from monitoring.order_latency where account = 'bee' and purpose = 'entry'), '(4,t,t)', 'order_latency counts the orders that were answered');

-- A managed position, from the wish to the end.
create function pg_temp.wanted(of_id bigint, symbol text, side text default 'long', position_side text default 'both') returns void language sql as $$
  insert into monitoring.positions (id, account, symbol, exchange, position_side, side, quantity, wanted_quantity, stop_loss_percent, status, origin, managed, opened_at)
  values (of_id, 'bee', symbol, 'bybit', position_side, side, 0, 2, 4, 'pending_entry', 'manual', true, pg_temp.at(0)) $$;
create function pg_temp.update(of_id bigint, status text default null, quantity numeric default null, entry numeric default null, stop numeric default null, has_stop boolean default null,
    reason text default null, unprotected numeric default null, clear boolean default false, wanted_stop numeric default null, target numeric default null, side text default null) returns int language sql as $$
  select monitoring.worker_save_position_updates(pg_temp.bee(), array[row(of_id, status, side, quantity, entry, stop, null, wanted_stop, target, has_stop, reason, null, null, pg_temp.at(unprotected), clear)::monitoring.position_update_row]) $$;
create function pg_temp.venue(symbol text, quantity numeric, seconds numeric, entry numeric default 100, stop numeric default null, position_side text default 'both') returns int language sql as $$
  select monitoring.worker_save_positions(pg_temp.bee(), array[row(symbol, position_side, quantity, entry, null, null, 5, null, stop, null, null, 0, pg_temp.ms(seconds), pg_temp.at(seconds), 'stream')::monitoring.position_row]) $$;
create function pg_temp.close(symbol text, seconds numeric, reason text default 'closed_on_exchange', side text default 'long') returns int language sql as $$
  select monitoring.worker_close_positions(pg_temp.bee(), array[row(symbol, 'both', side, pg_temp.at(seconds), reason)::monitoring.close_row]) $$;
create function pg_temp.place(of_id bigint) returns text language sql as $$
  select concat_ws(' ', status, side, quantity, 'max', max_quantity, 'at', entry_price, 'stop', stop_loss_price, has_stop_loss, exit_reason) from monitoring.positions where id = of_id $$;

select pg_temp.wanted(510, 'ETHUSDT');
select is(pg_temp.venue('ETHUSDT', 0, 1), 1, 'a flat report about a symbol that is being opened');
select is(pg_temp.place(510), 'pending_entry long 0 max 0 at stop f', 'says nothing about the opening');
select is(pg_temp.close('ETHUSDT', 2) + pg_temp.close('ETHUSDT', 2, side => null), 0, 'nor does the end of a position that was here before');
select is(pg_temp.update(510, 'entry_placed'), 1, 'the entry is on its way');
select is(pg_temp.close('ETHUSDT', 3), 0, 'nothing is filled, so nothing can be found flat');
select is(pg_temp.venue('ETHUSDT', -5, 4), 1, 'somebody else goes short');
select is(pg_temp.place(510), 'entry_placed long 0 max 0 at stop f', 'which turns no position around that does not exist yet');
select is((select count(*)::int from monitoring.positions where symbol = 'ETHUSDT'), 1, 'and gets no row while ours holds the place');
select pg_temp.venue('ETHUSDT', 0, 5);
select is(pg_temp.update(510, 'pending_sl', 1.5, 101, unprotected => 6), 1, 'the first fill');
select is(pg_temp.place(510), 'pending_sl long 1.5 max 1.5 at 101 stop f', 'gives it size and price');
select is((select (unprotected_since = pg_temp.at(6), managed, unprotected_for is not null)::text from monitoring.unprotected_positions where id = 510), '(t,t,t)', 'it is unprotected, and since when');
select is(pg_temp.venue('ETHUSDT', 2, 7, 102, 95), 1, 'the exchange reports it');
select is(pg_temp.place(510), 'pending_sl long 2 max 2 at 101 stop f', 'its size counts; price, status and stop stay the worker''s');
select is(pg_temp.update(510, quantity => 9), 1, 'from now on');
select is((select quantity from monitoring.positions where id = 510), 2::numeric, 'the exchange says how large it is');
select is(pg_temp.update(510, 'active', stop => 97, has_stop => true, clear => true, wanted_stop => 97, target => 120), 1, 'protected');
select is(pg_temp.place(510), 'active long 2 max 2 at 101 stop 97 t', 'with its stop');
select is((select (protected_at = now(), unprotected_since, wanted_stop_price, wanted_take_profit)::text from monitoring.positions where id = 510), '(t,,97,120)', 'since when, and what is wanted');
select is((select count(*)::int from monitoring.unprotected_positions where id = 510), 0, 'it is not unprotected any more');
select pg_temp.update(510, wanted_stop => 0, target => 0);
select is((select (wanted_stop_price, wanted_take_profit, stop_loss_price)::text from monitoring.positions where id = 510), '(,,97)', 'a price of 0 takes a wish back, what is not said stays');
select set_eq($$ select id, symbol, is_long, status, wanted_quantity, stop_loss_percent, entry_price, quantity, is_open from monitoring.worker_load_trades(pg_temp.bee()) where is_open $$,
              $$ values (510::bigint, 'ETHUSDT', true, 'active', 2::numeric, 4::numeric, 101::numeric, 2::numeric, true) $$, 'a restart finds it');
select is(pg_temp.venue('ETHUSDT', 2, 8, 103, 0), 1, 'a report without a stop');
select is(pg_temp.place(510), 'active long 2 max 2 at 101 stop 97 t', 'is the worker''s to judge');

-- Where it cannot go.
select is(pg_temp.complaint(format('select pg_temp.update(510, %L)', s)), 'TS031 position 510 cannot become ' || s, 'active does not become ' || s) from unnest('{pending_entry,entry_placed,pending_sl,failed,canceled}'::text[]) s;
select is(pg_temp.complaint('select pg_temp.update(-1, ''active'')'), 'TS031 position -1 cannot become active', 'nor anything that does not exist');
select is(pg_temp.complaint($$select monitoring.worker_save_position_updates((select id from monitoring.accounts where name = 'other'), array[row(510, 'closing', null, null, null, null, null, null, null, null, null, null, null, null, false)::monitoring.position_update_row])$$),
          'TS031 position 510 cannot become closing', 'nor by the worker of another account');
select is(array(select monitoring.may_move_position(a, b) from (values ('pending_entry', 'active'), ('entry_placed', 'active'), ('entry_placed', 'rolled_back'), ('active', 'pending_sl'), ('closed', 'active'), ('failed', 'entry_placed')) m (a, b)),
          '{t,t,t,f,f,f}', 'a turn may take several steps, but none back');

-- The end: who closed it, at what price.
select is(pg_temp.venue('ETHUSDT', 0, 20), 1, 'flat');
select is(pg_temp.place(510), 'active long 2 max 2 at 101 stop 97 t', 'the row waits until the worker knows the fills');
select is(pg_temp.close('ETHUSDT', 20), 1, 'closed');
select is(pg_temp.place(510), 'closed long 2 max 2 at 101 stop 97 f closed_on_exchange', 'nobody knows why yet');
select is(pg_temp.complaint($$select pg_temp.update(510, 'active')$$), 'TS031 position 510 cannot become active', 'an end is an end');
select is(pg_temp.update(510, quantity => 7, has_stop => true, unprotected => 5), 1, 'what comes late');
select is((select (quantity, has_stop_loss, unprotected_since)::text from monitoring.positions where id = 510), '(2,f,)', 'revives nothing');

-- One closed position each: a managed long of 2 at 100, closed by the given order.
create function pg_temp.ended(of_id bigint, symbol text, purpose text, exec_type text default 'trade', said text default null, type text default 'market') returns text language plpgsql as $$
begin
  perform pg_temp.wanted(of_id, symbol);
  perform pg_temp.own(of_id + 1000, 'submitting', position_id => of_id, symbol => symbol), pg_temp.report('e' || of_id, format('tepoch-%s-1', of_id + 1000), 'filled', 10, 2, symbol => symbol);
  update monitoring.positions p set opened_at = now() where p.id = of_id;
  perform pg_temp.fill('e' || of_id, 'e' || of_id, 2, 100, 0, symbol => symbol, fee => 0.1);
  perform pg_temp.update(of_id, 'pending_sl', 2, 100), pg_temp.update(of_id, 'active', stop => 90, has_stop => true);
  if said is not null then
    perform pg_temp.update(of_id, 'closing', reason => said);
  end if;
  if purpose = 'external' then
    perform pg_temp.report('x' || of_id, null, 'filled', 11, 2, symbol => symbol, side => 'sell', type => type, reduce => true, kind => case type when 'market' then 'regular' else 'conditional' end);
  else
    perform pg_temp.own(of_id + 2000, 'submitting', purpose => purpose, position_id => of_id, symbol => symbol, side => 'sell'),
            pg_temp.report('x' || of_id, format('tepoch-%s-1', of_id + 2000), 'filled', 11, 2, symbol => symbol, side => 'sell');
  end if;
  perform pg_temp.fill('x' || of_id, 'x' || of_id, 2, 90, 1, 'sell', symbol, exec_type, 0.1);
  perform monitoring.worker_close_positions(pg_temp.bee(), array[row(symbol, 'both', 'long', clock_timestamp() + interval '2 s', 'closed_on_exchange')::monitoring.close_row]);
  return (select concat_ws(' ', status, exit_reason, 'exit', exit_price, 'net', pnl) from monitoring.positions p where p.id = of_id);
end $$;
select is(pg_temp.ended(520, 'AUSDT', 'stop_loss'), 'closed stop_loss exit 90 net -20.2', 'closed by its stop');
select is(pg_temp.ended(521, 'BUSDT', 'take_profit'), 'closed take_profit exit 90 net -20.2', 'by its target');
select is(pg_temp.ended(522, 'CUSDT', 'close', said => 'enough'), 'closed enough exit 90 net -20.2', 'by us, for the reason that was given');
select is(pg_temp.ended(523, 'DUSDT', 'close', said => 'not_protected'), 'rolled_back not_protected exit 90 net -20.2', 'because it could not be protected: rolled back, settled all the same');
select is(pg_temp.ended(524, 'EUSDT', 'external', 'bust_trade'), 'closed liquidation exit 90 net -20.2', 'by liquidation');
select is(pg_temp.ended(525, 'FUSDT', 'external', 'adl_trade'), 'closed adl exit 90 net -20.2', 'by auto-deleveraging');
select is(pg_temp.ended(526, 'GUSDT', 'external'), 'closed closed_on_exchange exit 90 net -20.2', 'by somebody on the exchange');
select is(pg_temp.ended(527, 'HUSDT', 'external', type => 'stop_market'), 'closed stop_loss exit 90 net -20.2', 'by the stop that belongs to a position');
select is(pg_temp.ended(528, 'IUSDT', 'external', type => 'take_profit_market'), 'closed take_profit exit 90 net -20.2', 'or by its target');
select is(pg_temp.ended(529, 'JUSDT', 'stop_loss', said => 'manual'), 'closed manual exit 90 net -20.2', 'a reason that was given stays');

-- A fill that comes after the end tells why.
select pg_temp.wanted(540, 'KUSDT'); select pg_temp.own(1540, 'submitting', position_id => 540, symbol => 'KUSDT'), pg_temp.report('e540', 'tepoch-1540-1', 'filled', 10, 2, symbol => 'KUSDT');
select pg_temp.own(2540, 'submitting', purpose => 'stop_loss', position_id => 540, symbol => 'KUSDT', side => 'sell'), pg_temp.report('x540', 'tepoch-2540-1', 'filled', 11, 2, symbol => 'KUSDT', side => 'sell');
update monitoring.positions set opened_at = now() where id = 540;
select pg_temp.fill('e540', 'e540', 2, 100, 0, symbol => 'KUSDT'), pg_temp.update(540, 'active', 2, 100);
select monitoring.worker_close_positions(pg_temp.bee(), array[row('KUSDT', 'both', 'long', clock_timestamp() + interval '2 s', 'closed_on_exchange')::monitoring.close_row]);
select is((select exit_reason from monitoring.positions where id = 540), 'closed_on_exchange', 'without its fill nobody knows');
select pg_temp.fill('x540', 'x540', 2, 90, 1, 'sell', 'KUSDT');
select is((select (exit_reason, exit_price)::text from monitoring.positions where id = 540), '(stop_loss,90)', 'with it the reason is read again');

-- Filled and closed again between two reports.
select pg_temp.wanted(550, 'LUSDT'); select pg_temp.update(550, 'entry_placed');
select pg_temp.own(1550, 'submitting', position_id => 550, symbol => 'LUSDT'), pg_temp.report('e550', 'tepoch-1550-1', 'filled', 10, 2, symbol => 'LUSDT');
update monitoring.positions set opened_at = now() where id = 550;
select pg_temp.fill('e550', 'e550', 2, 100, 0, symbol => 'LUSDT'), pg_temp.fill('x550', 'x550', 2, 95, 1, 'sell', 'LUSDT');
select monitoring.worker_close_positions(pg_temp.bee(), array[row('LUSDT', 'both', 'long', clock_timestamp() + interval '2 s', 'closed_on_exchange')::monitoring.close_row]);
select is((select (status, quantity, max_quantity, exit_price)::text from monitoring.positions where id = 550), '(closed,2,2,95)', 'a position that no report has shown is closed by its fills');

-- Clocks differ: our clock may have opened it after the exchange says it ended, but not after the exchange said it was there.
select pg_temp.wanted(560, 'MUSDT'); select pg_temp.update(560, 'active', 2, 100); update monitoring.positions set opened_at = pg_temp.at(100) where id = 560;
select is(pg_temp.close('MUSDT', 94), 0, 'more than five seconds before');
select is(pg_temp.close('MUSDT', 96), 1, 'five seconds are given');
select pg_temp.wanted(561, 'NUSDT'); select pg_temp.update(561, 'active', 2, 100); update monitoring.positions set opened_at = pg_temp.at(100) where id = 561;
select pg_temp.venue('NUSDT', 2, 101);
select is(pg_temp.close('NUSDT', 98), 0, 'an end from before its own report is another position''s');
select is(pg_temp.close('NUSDT', 101), 1, 'its own closes it');

-- Turned around; ended without a fill; ended by the worker alone.
select pg_temp.wanted(570, 'OUSDT'); select pg_temp.update(570, 'active', 2, 100); select pg_temp.venue('OUSDT', 2, 30); select pg_temp.venue('OUSDT', -1, 31);
select is((select string_agg(format('%s %s %s %s', side, quantity, status, managed), ', ' order by side) from monitoring.positions where symbol = 'OUSDT'), 'long 2 closed t, short 1 active f', 'turned around by somebody else: ours is closed, what follows is not ours');
select pg_temp.wanted(571, 'PUSDT'); select pg_temp.update(571, 'failed', reason => 'refused');
select is((select (status, quantity, exit_reason, closed_at = now(), is_open)::text from monitoring.positions where id = 571), '(failed,0,refused,t,f)', 'an opening that failed says why and when');
select lives_ok($$ select pg_temp.wanted(572, 'PUSDT') $$, 'and leaves the place free');
select pg_temp.update(572, 'active', 2, 100);
select is(pg_temp.update(572, 'closed', reason => 'manual'), 1, 'the worker may close by itself');
select is((select (status, quantity, exit_reason, closed_at = now())::text from monitoring.positions where id = 572), '(closed,2,manual,t)', 'with time and reason');
select pg_temp.wanted(573, 'QUSDT'); select is(pg_temp.update(573, side => 'long'), 1, 'the position mode is learnt before the entry');
select is((select position_side from monitoring.positions where id = 573), 'long', 'and the row says so');

-- The rest of what a worker reads.
insert into monitoring.account_epochs (epoch, account, created_at) values ('aaaaaaaa', 'bee', now() - interval '1 day'), ('bbbbbbbb', 'bee', now()), ('cccccccc', 'other', now() + interval '1 day');
select is((select array_agg(epoch) from monitoring.worker_load_epoch(pg_temp.bee())), '{bbbbbbbb}', 'the newest epoch');
select is((select array_agg(key || '=' || value order by key) from monitoring.worker_load_settings(pg_temp.bee()) where key in ('protect_deadline', 'taker_fee_bps', 'foreign_orders')), '{foreign_orders=alert,protect_deadline=5000,taker_fee_bps=5}', 'settings as text, intervals in milliseconds');
select is(monitoring.worker_save_position_modes(pg_temp.bee(), array[row('', false)::monitoring.position_mode_row, row('XUSDT', true)::monitoring.position_mode_row]), 2, 'position modes');
select is(monitoring.worker_save_position_modes(pg_temp.bee(), array[row('', false)::monitoring.position_mode_row, row('XUSDT', false)::monitoring.position_mode_row]), 1, 'only changes are written');
select set_eq($$ select symbol, hedge from monitoring.worker_load_position_modes(pg_temp.bee()) $$, $$ values ('', false), ('XUSDT', false) $$, 'and loaded');
insert into monitoring.trades (account, exchange, symbol, trade_id, side, price, quantity, exec_type, executed_at, position_id)
select 'other', 'bybit', s, i::text, 'buy', 1, 1, 'trade', now() - i * interval '30 minutes', p
from (values ('A', 1, null), ('A', 3, null), ('B', 1, null), ('B', 5, 600), ('C', 9, null), ('D', 0, null)) t (s, i, p);
insert into monitoring.positions (id, account, symbol, exchange, side, quantity, status, origin, managed, opened_at) values (600, 'other', 'B', 'bybit', 'long', 1, 'active', 'manual', true, now() - interval '3 hours');
select is((select array_agg(symbol || trade_id) from monitoring.worker_load_recent_fills((select id from monitoring.accounts where name = 'other'))), '{B5,A1,B1,D0}',
          'fills of the last hour and of open managed positions, oldest first');
select is((select leverage from monitoring.worker_load_leverages(pg_temp.bee()) where symbol = 'ETHUSDT'), 5::numeric, 'leverages as reported');
select monitoring.worker_save_balances(pg_temp.bee(), array[row('USDT', 10, 9, 11, pg_temp.at(1))::monitoring.balance_row]);
select set_eq($$ select asset, wallet_balance, available_balance, equity from monitoring.worker_load_balances(pg_temp.bee()) $$, $$ values ('USDT', 10::numeric, 9::numeric, 11::numeric) $$, 'balances');
select is((select count(*)::int from monitoring.worker_load_trades(-1)) + (select count(*)::int from monitoring.worker_load_commands(-1)) + (select count(*)::int from monitoring.worker_load_own_orders(-1)), 0, 'a dropped account has nothing to load');

-- Somebody else on the same account: another mode, another position.
insert into monitoring.positions (id, account, symbol, exchange, side, quantity, status, origin, managed, opened_at) values
  (700, 'bee', 'MODEAUSDT', 'bybit', 'long', 0, 'pending_entry', 'manual', true, now()), (701, 'bee', 'MODEBUSDT', 'bybit', 'long', 1, 'active', 'manual', true, now());
select monitoring.worker_save_position_modes(pg_temp.bee(), array[row('MODEAUSDT', mode)::monitoring.position_mode_row]) from (values (false), (true)) m (mode);
select is((select halted from monitoring.accounts where name = 'bee'), false, 'a mode that changes before anything is filled halts nobody');
select monitoring.worker_save_position_modes(pg_temp.bee(), array[row('MODEBUSDT', true)::monitoring.position_mode_row]);
select is((select halted from monitoring.accounts where name = 'bee'), false, 'nor does a mode that is read for the first time');
select monitoring.worker_save_position_modes(pg_temp.bee(), array[row('MODEBUSDT', false)::monitoring.position_mode_row]);
select is((select concat_ws(' ', halted, halt_reason) from monitoring.accounts where name = 'bee'), 't position mode changed on the exchange', 'one that changes under an open managed position does');
update monitoring.accounts set halted = false, halt_reason = null where name = 'bee';
select monitoring.worker_save_positions(pg_temp.bee(), array[row('MODEAUSDT', 'both', 3, 10, 10, 0, null, null, null, null, now(), 0, pg_temp.ms(0), pg_temp.at(0), 'stream')::monitoring.position_row]);
select is((select concat_ws(' ', quantity, max_quantity, entry_price) from monitoring.positions where id = 700), '0 0', 'a position that the exchange reports before our entry has left is not the one that we open');
update monitoring.positions set status = 'failed' where id = 700;
select monitoring.worker_save_positions(pg_temp.bee(), array[row('MODEAUSDT', 'both', 3, 10, 10, 0, null, null, null, null, now(), 0, pg_temp.ms(0), pg_temp.at(0), 'stream')::monitoring.position_row]);
select is((select array_agg(concat_ws(' ', side, quantity, status, managed)) from monitoring.positions where account = 'bee' and symbol = 'MODEAUSDT' and is_open), '{"long 3 active f"}', 'told once more it is somebody else''s');
delete from monitoring.positions where account = 'bee' and symbol in ('MODEAUSDT', 'MODEBUSDT');

-- Notifications, with a writer that remembers.
create table public.heard (channel text, account text, kind text, items json[]);
create or replace function monitoring.worker_notify(channel text, account text, kind text, items json[]) returns void
  language sql as $$ insert into public.heard select $1, $2, $3, $4 where cardinality($4) > 0 $$;
select pg_temp.own(190, 'submitting', symbol => 'ZUSDT');
select is_empty('select * from public.heard', 'an order that is about to leave is not announced');
select pg_temp.own(190, 'rejected', symbol => 'ZUSDT', venue_status => '110007', reason => 'no money');
select pg_temp.update(573, 'entry_placed', side => 'long'); select pg_temp.update(573, wanted_stop => 5);
select is((select array_agg(format('%s %s %s', channel, items[1] ->> 'id', items[1] ->> 'status')) from public.heard), '{"monitoring_order 190 rejected","monitoring_position 573 entry_placed"}', 'its refusal is, and every step of a position');

select * from finish();
rollback;
