-- How the worker writes positions, balances and prices. Updates of existing rows come before inserts, because a position
-- that turned around closes one row and opens another under the same key.
--
-- Before the first ANALYZE, and while a table grows quickly, the planner would join a thousand array elements to a
-- thousand positions by comparing each with each (0.7 s instead of 20 ms). So the open row of each element is looked up
-- through its index in a lateral subquery, and the functions allow no other join than the one by id.

create type monitoring.position_row as (
  symbol text, position_side text, quantity numeric, entry_price numeric, mark_price numeric, unrealized_pnl numeric,
  leverage numeric, liquidation_price numeric, stop_loss numeric, take_profit numeric, opened_at timestamptz,
  version_order bigint, version_time bigint, venue_updated_at timestamptz, source text);
comment on type monitoring.position_row is 'One report of a position on its way from the worker into venue_position_state and positions; quantity is signed.';

create type monitoring.close_row as (
  symbol text, position_side text, side text, closed_at timestamptz, reason text);
comment on type monitoring.close_row is 'One position that the worker has found flat: side long or short, NULL = whichever is open.';

create type monitoring.balance_row as (
  asset text, wallet_balance numeric, available_balance numeric, equity numeric, updated_at timestamptz);
comment on type monitoring.balance_row is 'One balance on its way from the worker into balances.';

create type monitoring.price_row as (
  symbol text, mark_price numeric, last_price numeric, updated_at timestamptz);
comment on type monitoring.price_row is 'One price on its way from the worker into prices.';

create type monitoring.stale_row as (symbol text);
comment on type monitoring.stale_row is 'One symbol whose price has stopped coming.';

create type monitoring.leverage_row as (symbol text, leverage numeric);
comment on type monitoring.leverage_row is 'The leverage of one symbol.';

-- Tells listeners which positions changed, with their status after the change.
create function monitoring.notify_positions(account text, ids bigint[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform monitoring.worker_notify('monitoring_position', account, 'positions', array(
    select json_build_object('id', p.id, 'symbol', p.symbol, 'side', p.side, 'quantity', p.quantity, 'status', p.status)
    from monitoring.positions p
    where p.id = any (ids)
    order by p.id));
end
$$;
comment on function monitoring.notify_positions(text, bigint[]) is 'One NOTIFY monitoring_position about the given rows.';

-- Merges reports into venue_position_state and returns the rows that changed, as they are now, sorted by key.
create function monitoring.merge_venue_positions(account text, exchange text, rows monitoring.position_row[])
  returns monitoring.position_row[]
  language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  news monitoring.position_row[];
begin
  with saved as (
    insert into monitoring.venue_position_state as s
      (account, exchange, symbol, position_side, quantity, entry_price, mark_price, unrealized_pnl, leverage,
       liquidation_price, stop_loss, take_profit, opened_at, venue_updated_at, version_order, version_time, source)
    select $1, $2, r.symbol, r.position_side, r.quantity, r.entry_price, r.mark_price, r.unrealized_pnl, r.leverage,
           r.liquidation_price, r.stop_loss, r.take_profit, r.opened_at, r.venue_updated_at, r.version_order, r.version_time,
           r.source
    from unnest(rows) r
    order by r.symbol, r.position_side
    on conflict on constraint one_row_per_venue_position do update
    set quantity = excluded.quantity,
        entry_price = coalesce(excluded.entry_price, s.entry_price),
        mark_price = coalesce(excluded.mark_price, s.mark_price),
        unrealized_pnl = coalesce(excluded.unrealized_pnl, s.unrealized_pnl),
        leverage = coalesce(excluded.leverage, s.leverage),
        liquidation_price = coalesce(excluded.liquidation_price, s.liquidation_price),
        -- A stop and a time of opening belong to one position; the next one starts without.
        stop_loss = case when sign(s.quantity) = sign(excluded.quantity) then coalesce(excluded.stop_loss, s.stop_loss)
                         else excluded.stop_loss end,
        take_profit = case when sign(s.quantity) = sign(excluded.quantity) then coalesce(excluded.take_profit, s.take_profit)
                           else excluded.take_profit end,
        opened_at = case when sign(s.quantity) = sign(excluded.quantity) then coalesce(excluded.opened_at, s.opened_at)
                         else excluded.opened_at end,
        venue_updated_at = coalesce(excluded.venue_updated_at, s.venue_updated_at),
        version_order = greatest(s.version_order, excluded.version_order),
        version_time = greatest(s.version_time, excluded.version_time),
        source = excluded.source,
        updated_at = now()
    where monitoring.is_newer(excluded.version_order, excluded.version_time, excluded.source,
                              s.version_order, s.version_time, s.source)
       -- Two reports of one millisecond are equally new; what the stream says last counts.
       or (excluded.source = 'stream'
           and not monitoring.is_newer(s.version_order, s.version_time, s.source,
                                       excluded.version_order, excluded.version_time, excluded.source))
    returning s.*)
  select array_agg(row(v.symbol, v.position_side, v.quantity, v.entry_price, v.mark_price, v.unrealized_pnl, v.leverage,
                       v.liquidation_price, v.stop_loss, v.take_profit, v.opened_at, v.version_order, v.version_time,
                       v.venue_updated_at, v.source)::monitoring.position_row
                   order by v.symbol, v.position_side)
  into news from saved v;
  return news;
end
$$;
comment on function monitoring.merge_venue_positions(text, text, monitoring.position_row[]) is
  'Worker: newer reports into venue_position_state; fields that a report does not say keep their value. Returns the positions that changed, complete.';

-- Opens rows for reported positions that have none, and gives them the fills of their opening. opened_at is never
-- before the end of the position that was here before.
create function monitoring.insert_external_positions(account text, exchange text, news monitoring.position_row[], flipped bigint[])
  returns bigint[]
  language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  created bigint[];
  new_id bigint;
begin
  with inserted as (
    insert into monitoring.positions
      (account, exchange, symbol, position_side, side, quantity, max_quantity, entered_quantity, entry_price, current_price,
       unrealized_pnl, leverage, has_stop_loss, stop_loss_price, status, origin, managed, opened_at, venue_updated_at,
       flipped_from)
    select $1, $2, r.symbol, r.position_side, case when r.quantity > 0 then 'long' else 'short' end, abs(r.quantity),
           abs(r.quantity), abs(r.quantity), r.entry_price, r.mark_price, r.unrealized_pnl,
           r.leverage, coalesce(r.stop_loss > 0, false), nullif(r.stop_loss, 0), 'active', 'external',
           false, greatest(coalesce(r.opened_at, r.venue_updated_at, now()), before.closed_at), r.venue_updated_at,
           case when before.id = any (flipped) then before.id end
    from unnest(news) r
    left join lateral (
      select b.id, b.closed_at, b.is_open
      from monitoring.positions b
      where b.account = $1 and b.symbol = r.symbol and b.position_side = r.position_side
        and (b.is_open or b.status in ('closed', 'rolled_back'))
      order by b.is_open desc, b.opened_at desc, b.id desc
      limit 1) before on true
    where r.quantity <> 0 and before.is_open is not true
    order by r.symbol, r.position_side
    returning id)
  select array_agg(i.id) into created from inserted i;

  foreach new_id in array coalesce(created, '{}') loop
    with linked as (
      update monitoring.trades t
      set position_id = p.id
      from monitoring.positions p
      where p.id = new_id and t.account = p.account and t.symbol = p.symbol and t.position_id is null
        and coalesce(t.position_side, 'both') = p.position_side and t.executed_at >= p.opened_at - interval '5 seconds'
      returning t.symbol, t.order_id)
    update monitoring.orders o
    set position_id = new_id
    from linked l
    where o.account = $1 and o.kind in ('regular', 'conditional') and o.symbol = l.symbol and o.order_id = l.order_id
      and o.position_id is null;
  end loop;
  return created;
end
$$;
comment on function monitoring.insert_external_positions(text, text, monitoring.position_row[], bigint[]) is
  'Worker: rows of origin external for reported positions without an open row, linked to the fills that opened them.';

-- Merges reports of positions and lets the rows of positions follow: a changed size updates the open row, a changed
-- direction closes it and opens another, a position without a row gets one. Size zero only marks the row as closing:
-- the worker decides when the position is closed (worker_close_positions). Needs at most one row per key.
-- Of a managed row the worker keeps status, entry price and stop itself (worker_save_position_updates); while nothing of
-- it is filled, neither a flat report nor one of the other direction is about it.
create function monitoring.worker_save_positions(account_id int, rows monitoring.position_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set enable_material = off as $$
declare
  account_name text;
  venue text;
  news monitoring.position_row[];
  ended bigint[];
  followed bigint[];
  created bigint[];
begin
  select a.name, a.exchange into account_name, venue from monitoring.accounts a where a.id = account_id;
  if not found then
    return 0;
  end if;
  news := monitoring.merge_venue_positions(account_name, venue, rows);
  if news is null then
    return 0;
  end if;

  -- Turned around, or flat and open again before its end was decided: either way the old position is over.
  with over as (
    update monitoring.positions p
    set status = 'closed', closed_at = coalesce(r.venue_updated_at, now()), exit_reason = 'flipped',
        quantity = p.max_quantity, has_stop_loss = false, unrealized_pnl = null,
        venue_updated_at = coalesce(r.venue_updated_at, p.venue_updated_at), updated_at = now()
    from (select n.*, o.id
          from unnest(news) n
          cross join lateral (
            select c.id from monitoring.positions c
            where c.account = account_name and c.symbol = n.symbol and c.position_side = n.position_side and c.is_open
            limit 1) o) r
    where p.id = r.id and r.quantity <> 0
      and (p.side <> case when r.quantity > 0 then 'long' else 'short' end or (p.status = 'closing' and not p.managed))
      -- What was reported before our own fill was somebody else's, whom the fill has met.
      and (not p.managed or (p.max_quantity > 0 and coalesce(r.venue_updated_at, p.opened_at) >= p.opened_at))
    returning p.id)
  select array_agg(o.id) into ended from over o;

  with changed as (
    update monitoring.positions p
    set status = case when r.quantity = 0 and not p.managed then 'closing' else p.status end,
        quantity = case when r.quantity = 0 then p.quantity else abs(r.quantity) end,
        max_quantity = greatest(p.max_quantity, abs(r.quantity)),
        entered_quantity = p.entered_quantity + greatest(0, abs(r.quantity) - p.quantity),
        entry_price = case when r.quantity = 0 or (p.managed and p.entry_price is not null) then p.entry_price
                           else coalesce(r.entry_price, p.entry_price) end,
        leverage = coalesce(r.leverage, p.leverage),
        has_stop_loss = case when p.managed then p.has_stop_loss else coalesce(r.stop_loss > 0, p.has_stop_loss) end,
        stop_loss_price = case when p.managed or r.stop_loss is null or r.quantity = 0 then p.stop_loss_price
                               else nullif(r.stop_loss, 0) end,
        venue_updated_at = case when p.managed and p.max_quantity = 0 and r.quantity = 0 then p.venue_updated_at
                                else coalesce(r.venue_updated_at, p.venue_updated_at) end,
        updated_at = now()
    from (select n.*, o.id
          from unnest(news) n
          cross join lateral (
            select c.id from monitoring.positions c
            where c.account = account_name and c.symbol = n.symbol and c.position_side = n.position_side and c.is_open
            limit 1) o) r
    where p.id = r.id and (r.quantity = 0 or p.side = case when r.quantity > 0 then 'long' else 'short' end)
      -- Nothing of it has left yet: what the exchange reports is somebody else's.
      and p.status <> 'pending_entry'
    returning p.id)
  select array_agg(c.id) into followed from changed c;

  created := monitoring.insert_external_positions(account_name, venue, news, ended);
  perform monitoring.settle_positions(ended);
  perform monitoring.notify_positions(account_name, ended || followed || created);
  return cardinality(news);
end
$$;
comment on function monitoring.worker_save_positions(int, monitoring.position_row[]) is
  'Worker: merges reports of positions and lets positions follow; returns the reports that were news.';

-- What the fills up to a moment have opened of a position that the venue has never reported: it was filled and closed again
-- between two reports. NULL when there is no such fill.
create function monitoring.entered_by_fills(position_id bigint, until timestamptz) returns numeric
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select sum(t.quantity)
  from monitoring.positions p
  join monitoring.trades t
    on t.account = p.account and t.symbol = p.symbol and t.position_id = p.id
       and t.executed_at between p.opened_at - interval '5 seconds' and $2
       and t.side = case p.side when 'long' then 'buy' else 'sell' end
  where p.id = $1
$$;
comment on function monitoring.entered_by_fills(bigint, timestamptz) is
  'Sum of the entry fills of a position up to a moment; NULL when there are none.';

-- Ends the open rows of positions that the worker has found flat and settles them from their fills. A row that is closed
-- already is settled again. A position opened after closed_at is another one and stays; since opened_at of a managed one
-- may come from our clock, five seconds more are given while the venue has said nothing newer about it. A managed
-- position of which nothing was ever filled has no end to be found: its worker decides.
create function monitoring.worker_close_positions(account_id int, rows monitoring.close_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  account_name text;
  r monitoring.close_row;
  one bigint;
  ended bigint[] := '{}';
  again bigint[] := '{}';
begin
  select a.name into account_name from monitoring.accounts a where a.id = account_id;
  if not found then
    return 0;
  end if;

  for r in select u.* from unnest(rows) u order by u.symbol, u.position_side loop
    update monitoring.positions p
    set status = case when p.exit_reason = 'not_protected' then 'rolled_back' else 'closed' end, closed_at = r.closed_at,
        exit_reason = coalesce(p.exit_reason, r.reason, 'closed on the exchange'),
        quantity = greatest(p.max_quantity, f.entered), max_quantity = greatest(p.max_quantity, f.entered),
        entered_quantity = greatest(p.entered_quantity, f.entered),
        has_stop_loss = false, unprotected_since = null, unrealized_pnl = null, updated_at = now()
    from (select o.id, case when o.managed and o.max_quantity = 0 then monitoring.entered_by_fills(o.id, r.closed_at) end as entered
          from monitoring.positions o
          where o.account = account_name and o.symbol = r.symbol and o.position_side = r.position_side and o.is_open
            and o.side = coalesce(r.side, o.side)) f
    where p.id = f.id and (not p.managed or (p.status <> 'pending_entry' and (p.max_quantity > 0 or f.entered > 0)))
      and (p.opened_at <= r.closed_at
           or (p.managed and p.opened_at <= r.closed_at + interval '5 seconds'
               and coalesce(p.venue_updated_at, r.closed_at) <= r.closed_at))
    returning p.id into one;
    if found then
      ended := ended || one;
      continue;
    end if;
    select p.id into one from monitoring.positions p
    where p.account = account_name and p.symbol = r.symbol and p.position_side = r.position_side
      and p.status in ('closed', 'rolled_back') and p.side = coalesce(r.side, p.side) and p.opened_at <= r.closed_at
    order by p.opened_at desc, p.id desc
    limit 1;
    if found then
      again := again || one;
    end if;
  end loop;

  perform monitoring.settle_positions(ended || again);
  perform monitoring.notify_positions(account_name, ended);
  return cardinality(ended);
end
$$;
comment on function monitoring.worker_close_positions(int, monitoring.close_row[]) is
  'Worker: closes the rows of positions that are flat, with exit price and result from their fills; returns the rows closed.';

-- Balances that are not older than what is known; fields that a report does not say keep their value.
create function monitoring.worker_save_balances(account_id int, rows monitoring.balance_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  saved int;
begin
  insert into monitoring.balances as b (account, asset, wallet_balance, available_balance, available_at, equity, updated_at)
  select a.name, r.asset, r.wallet_balance, r.available_balance,
         -- The venue's time may be that of the last change; what it says is available is so now.
         case when r.available_balance is not null then greatest(r.updated_at, clock_timestamp()) end, r.equity, r.updated_at
  from monitoring.accounts a, unnest(rows) r
  where a.id = account_id
  order by r.asset
  on conflict on constraint one_row_per_asset do update
  set wallet_balance = coalesce(excluded.wallet_balance, b.wallet_balance),
      available_balance = coalesce(excluded.available_balance, b.available_balance),
      available_at = coalesce(excluded.available_at, b.available_at),
      equity = coalesce(excluded.equity, b.equity),
      updated_at = excluded.updated_at
  where excluded.updated_at >= b.updated_at;
  get diagnostics saved = row_count;
  return saved;
end
$$;
comment on function monitoring.worker_save_balances(int, monitoring.balance_row[]) is
  'Worker: balances that are not older than what is known; returns the rows written.';

-- Prices, and the price and unrealized result of the open positions that they belong to. A position locked by somebody
-- is left for the next price: a person's transaction never delays prices.
create function monitoring.worker_save_prices(account_id int, rows monitoring.price_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set enable_material = off as $$
declare
  account_name text;
  venue text;
  saved int;
begin
  select a.name, a.exchange into account_name, venue from monitoring.accounts a where a.id = account_id;
  if not found then
    return 0;
  end if;

  with fresh as (
    insert into monitoring.prices as p (account, exchange, symbol, mark_price, last_price, updated_at)
    select account_name, venue, r.symbol, r.mark_price, r.last_price, r.updated_at
    from unnest(rows) r
    order by r.symbol
    on conflict on constraint one_row_per_price do update
    set mark_price = coalesce(excluded.mark_price, p.mark_price),
        last_price = coalesce(excluded.last_price, p.last_price),
        updated_at = excluded.updated_at,
        stale = false
    where excluded.updated_at >= p.updated_at
    returning p.symbol, p.mark_price),
  followed as (
    update monitoring.positions p
    set current_price = r.mark_price,
        unrealized_pnl = (r.mark_price - p.entry_price) * case p.side when 'long' then p.quantity else -p.quantity end,
        updated_at = now()
    from (select f.mark_price, o.id
          from fresh f
          cross join lateral (
            select c.id from monitoring.positions c
            where c.account = account_name and c.symbol = f.symbol and c.is_open
              and f.mark_price is not null and c.current_price is distinct from f.mark_price
            for no key update skip locked) o) r
    where p.id = r.id)
  select count(*) into saved from fresh;
  return saved;
end
$$;
comment on function monitoring.worker_save_prices(int, monitoring.price_row[]) is
  'Worker: prices, and current_price and unrealized_pnl of open positions; returns the prices written.';

-- Marks the prices of symbols that have gone quiet.
create function monitoring.worker_mark_stale(account_id int, rows monitoring.stale_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  marked int;
begin
  update monitoring.prices p
  set stale = true
  from monitoring.accounts a
  where a.id = account_id and p.account = a.name and p.symbol = any (array(select r.symbol from unnest(rows) r)) and not p.stale;
  get diagnostics marked = row_count;
  return marked;
end
$$;
comment on function monitoring.worker_mark_stale(int, monitoring.stale_row[]) is
  'Worker: marks prices that have stopped coming; returns the rows marked.';

-- The leverage of symbols, for venues whose position reports do not carry it.
create function monitoring.worker_save_leverages(account_id int, rows monitoring.leverage_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  account_name text;
  r monitoring.leverage_row;
  one int;
  saved int := 0;
begin
  select a.name into account_name from monitoring.accounts a where a.id = account_id;
  for r in select u.* from unnest(rows) u order by u.symbol loop
    update monitoring.venue_position_state s set leverage = r.leverage, updated_at = now()
    where s.account = account_name and s.symbol = r.symbol and s.leverage is distinct from r.leverage;
    get diagnostics one = row_count;
    saved := saved + one;
    update monitoring.positions p set leverage = r.leverage, updated_at = now()
    where p.account = account_name and p.symbol = r.symbol and p.is_open and p.leverage is distinct from r.leverage;
  end loop;
  return saved;
end
$$;
comment on function monitoring.worker_save_leverages(int, monitoring.leverage_row[]) is
  'Worker: leverage into venue_position_state and the open rows of positions; returns the positions known to the venue that changed.';

-- What a worker must know of positions before it starts: what the venue holds, and what is open in our table.
create function monitoring.worker_load_positions(account_id int,
  out symbol text, out position_side text, out quantity numeric, out entry_price numeric, out version_order bigint,
  out version_time bigint, out open boolean, out side text) returns setof record
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select symbol, position_side, coalesce(s.quantity, 0), coalesce(s.entry_price, p.entry_price), coalesce(s.version_order, 0),
         coalesce(s.version_time, 0), p.id is not null, p.side
  from (select v.* from monitoring.venue_position_state v
        join monitoring.accounts a on a.name = v.account and a.id = account_id) s
  full join (select o.* from monitoring.positions o
             join monitoring.accounts a on a.name = o.account and a.id = account_id where o.is_open) p
    using (symbol, position_side)
  where s.quantity <> 0 or p.id is not null
  order by symbol, position_side
$$;
comment on function monitoring.worker_load_positions(int) is
  'Worker: every position that the venue holds or that is open in our table, with its version.';
