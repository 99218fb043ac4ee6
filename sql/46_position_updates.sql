-- The managed life of a position: what the worker says about it, and what it must know to go on after a restart.

create type monitoring.position_update_row as (
  id bigint, status text, position_side text, quantity numeric, entry_price numeric, stop_loss_price numeric,
  take_profit_price numeric, wanted_stop_price numeric, wanted_take_profit numeric, has_stop_loss boolean, exit_reason text,
  exchange_order_id text, opened_at timestamptz, unprotected_since timestamptz, clear_unprotected boolean);
comment on type monitoring.position_update_row is
  'What the worker says about one managed position: NULL leaves a column as it is, a price of 0 means none.';

-- Can a position get from one status to the other along position_moves? A turn of the worker may make several moves and
-- write the last one only.
create function monitoring.may_move_position(from_status text, to_status text) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
begin
  return exists (select from monitoring.position_moves m where m.from_state = from_status and m.to_state = to_status)
      or exists (
        with recursive reached as (
          select m.to_state from monitoring.position_moves m where m.from_state = from_status
          union
          select m.to_state from reached r join monitoring.position_moves m on m.from_state = r.to_state)
        select from reached r where r.to_state = to_status);
end
$$;
comment on function monitoring.may_move_position(text, text) is
  'True when position_moves lead from one status to the other, directly or by several moves.';

-- TS031 when an update is about no position of the account, or moves one where it cannot go.
create function monitoring.check_position_updates(account text, rows monitoring.position_update_row[]) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  bad record;
begin
  select r.id, p.status as from_status, r.status as to_status into bad
  from unnest(rows) r
  left join monitoring.positions p on p.id = r.id and p.account = $1
  where p.id is null or (r.status <> p.status and not monitoring.may_move_position(p.status, r.status))
  limit 1;
  if found then
    raise exception 'position % cannot become %', bad.id, coalesce(bad.to_status, 'another one')
      using errcode = 'TS031',
            detail = coalesce('It is ' || bad.from_status || '.', 'There is no such position of this account.'),
            hint = 'The worker loads its positions anew from the tables; allowed moves are in monitoring.position_moves.';
  end if;
end
$$;
comment on function monitoring.check_position_updates(text, monitoring.position_update_row[]) is
  'Refuses updates that no position can follow (TS031).';

-- What the worker says about managed positions. The size is the worker's until the exchange has reported one. A position
-- that ends has no stop, no price to follow and a time of its end; one that held something is settled.
create function monitoring.worker_save_position_updates(account_id int, rows monitoring.position_update_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  account_name text;
  saved int;
  ended bigint[];
  told bigint[];
begin
  select a.name into account_name from monitoring.accounts a where a.id = account_id;
  perform monitoring.check_position_updates(account_name, rows);

  with written as (
    update monitoring.positions p
    set status = coalesce(r.status, p.status),
        position_side = coalesce(r.position_side, p.position_side),
        quantity = case when r.ends then greatest(p.max_quantity, r.said_quantity) else coalesce(r.said_quantity, p.quantity) end,
        max_quantity = greatest(p.max_quantity, r.said_quantity),
        entered_quantity = greatest(p.entered_quantity, r.said_quantity),
        entry_price = coalesce(r.entry_price, p.entry_price),
        stop_loss_price = case when r.stop_loss_price is null then p.stop_loss_price else nullif(r.stop_loss_price, 0) end,
        take_profit_price = case when r.take_profit_price is null then p.take_profit_price else nullif(r.take_profit_price, 0) end,
        wanted_stop_price = case when r.wanted_stop_price is null then p.wanted_stop_price else nullif(r.wanted_stop_price, 0) end,
        wanted_take_profit = case when r.wanted_take_profit is null then p.wanted_take_profit else nullif(r.wanted_take_profit, 0) end,
        has_stop_loss = coalesce(r.has_stop_loss, p.has_stop_loss) and r.stays_open,
        protected_at = case when r.has_stop_loss and r.stays_open then coalesce(p.protected_at, now()) else p.protected_at end,
        unprotected_since = case when not r.stays_open or r.clear_unprotected then null
                                 else coalesce(r.unprotected_since, p.unprotected_since) end,
        unrealized_pnl = case when r.stays_open then p.unrealized_pnl end,
        exit_reason = coalesce(r.exit_reason, p.exit_reason, case when r.ends and r.status = 'closed' then 'closed' end),
        exchange_order_id = coalesce(r.exchange_order_id, p.exchange_order_id),
        opened_at = coalesce(r.opened_at, p.opened_at),
        closed_at = case when r.ends then coalesce(p.closed_at, now()) else p.closed_at end,
        updated_at = now()
    from (select u.*, c.is_open and not s.open as ends, c.is_open and s.open as stays_open,
                 case when c.is_open and c.venue_updated_at is null then u.quantity end as said_quantity
          from unnest(rows) u
          join monitoring.positions c on c.id = u.id
          join monitoring.position_states s on s.name = coalesce(u.status, c.status)
          order by u.id) r
    where p.id = r.id
    returning p.id, r.ends and p.max_quantity > 0 as was_held, r.status is not null or r.has_stop_loss is not null as is_news)
  select count(*), array_agg(w.id) filter (where w.was_held), array_agg(w.id) filter (where w.is_news)
  into saved, ended, told from written w;

  if ended is not null then
    perform monitoring.settle_positions(ended);
  end if;
  if told is not null then
    perform monitoring.notify_positions(account_name, told);
  end if;
  return saved;
end
$$;
comment on function monitoring.worker_save_position_updates(int, monitoring.position_update_row[]) is
  'Worker: what it says about managed positions, status only along position_moves (TS031); returns the rows written.';

-- A managed position as the worker wants to know it.
create type monitoring.trade_state as (
  id bigint, symbol text, position_side text, is_long boolean, status text, wanted_quantity numeric, wanted_notional numeric,
  leverage numeric, stop_loss_percent numeric, wanted_stop_price numeric, wanted_take_profit numeric, entry_price numeric,
  quantity numeric, exit_reason text, unprotected_since timestamptz, is_open boolean, max_notional numeric);
comment on type monitoring.trade_state is 'One managed position on its way to the worker.';

-- Managed positions that are open, and those that are over while an order of theirs is not.
create function monitoring.worker_load_trades(account_id int) returns setof monitoring.trade_state
  language plpgsql stable set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  return query
    with wanted as (
      select p.id from monitoring.accounts a join monitoring.positions p on p.account = a.name and p.is_open and p.managed
      where a.id = account_id
      union
      select o.position_id
      from monitoring.accounts a join monitoring.orders o on o.account = a.name and o.is_open and o.purpose <> 'external'
      where a.id = account_id)
    select p.id, p.symbol, p.position_side, p.side = 'long', p.status, p.wanted_quantity, p.wanted_notional, p.wanted_leverage,
           p.stop_loss_percent, p.wanted_stop_price, p.wanted_take_profit, p.entry_price, p.quantity, p.exit_reason,
           p.unprotected_since, p.is_open, p.max_notional
    from wanted w
    join monitoring.positions p on p.id = w.id and p.managed
    order by p.id;
end
$$;
comment on function monitoring.worker_load_trades(int) is
  'Worker: managed positions of an account that are open, or that still have an open order of ours.';

create function monitoring.worker_load_epoch(account_id int, out epoch text) returns setof text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select e.epoch
  from monitoring.accounts a
  join monitoring.account_epochs e on e.account = a.name
  where a.id = account_id
  order by e.created_at desc, e.epoch
  limit 1
$$;
comment on function monitoring.worker_load_epoch(int) is
  'Worker: the epoch of the client order ids of an account; no row = it was never enabled.';

create function monitoring.worker_load_settings(account_id int, out key text, out value text) returns setof record
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.key, s.value
  from monitoring.accounts a
  cross join lateral jsonb_each_text(monitoring.effective_settings(a.name)) s
  where a.id = account_id
  order by s.key
$$;
comment on function monitoring.worker_load_settings(int) is 'Worker: the settings in force for an account, intervals in milliseconds.';

create function monitoring.worker_load_leverages(account_id int, out symbol text, out leverage numeric) returns setof record
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.symbol, max(s.leverage)
  from monitoring.accounts a
  join monitoring.venue_position_state s on s.account = a.name and s.leverage is not null
  where a.id = account_id
  group by s.symbol
  having min(s.leverage) = max(s.leverage)
  order by s.symbol
$$;
comment on function monitoring.worker_load_leverages(int) is
  'Worker: the leverage of symbols as last reported; not where the sides of a hedge differ.';

create function monitoring.worker_load_balances(account_id int,
  out asset text, out wallet_balance numeric, out available_balance numeric, out equity numeric, out updated_at timestamptz)
  returns setof record
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select b.asset, b.wallet_balance, b.available_balance, b.equity, b.updated_at
  from monitoring.accounts a
  join monitoring.balances b on b.account = a.name
  where a.id = account_id
  order by b.asset
$$;
comment on function monitoring.worker_load_balances(int) is 'Worker: the balances of an account as last reported.';

-- Fills that the exchange may tell again: of the last hour, and of open managed positions. The symbols are found by
-- leaping through the index, because it has the time behind the symbol.
create function monitoring.worker_load_recent_fills(account_id int, out symbol text, out trade_id text) returns setof record
  language plpgsql stable set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  account_name constant text := (select a.name from monitoring.accounts a where a.id = account_id);
begin
  return query
    with recursive known as (
      (select t.symbol as name from monitoring.trades t where t.account = account_name order by t.symbol limit 1)
      union all
      select (select t.symbol from monitoring.trades t where t.account = account_name and t.symbol > k.name order by t.symbol limit 1)
      from known k
      where k.name is not null),
    fill as (
      select t.symbol, t.trade_id, t.executed_at
      from known k
      join monitoring.trades t on t.account = account_name and t.symbol = k.name and t.executed_at > now() - interval '1 hour'
      union
      select t.symbol, t.trade_id, t.executed_at
      from monitoring.positions p
      join monitoring.trades t
        on t.account = p.account and t.symbol = p.symbol and t.executed_at >= p.opened_at - interval '5 seconds' and t.position_id = p.id
      where p.account = account_name and p.is_open and p.managed)
    select newest.symbol, newest.trade_id
    from (select f.* from fill f order by f.executed_at desc limit 5000) newest
    order by newest.executed_at, newest.symbol, newest.trade_id;
end
$$;
comment on function monitoring.worker_load_recent_fills(int) is
  'Worker: fills of the last hour and of open managed positions, the newest 5000, oldest first.';
