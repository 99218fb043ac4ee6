-- What a position earned: its fills, how much of each opened or closed it, and the settlement of closed rows from them.

-- The fills of a position in the order in which they happened. opening and closing say how much of each fill counts
-- for this position: what is sold beyond the whole size turned the position around and opens its successor, where it
-- appears again as the opening part.
create function monitoring.position_fills(position_id bigint,
  out trade_id text, out executed_at timestamptz, out opening numeric, out closing numeric, out price numeric,
  out quantity numeric, out fee numeric, out fee_currency text, out realized_pnl numeric) returns setof record
  language sql stable set search_path = pg_catalog, pg_temp as $$
  with fill as (
    select p.id as position, t.*, t.side = case p.side when 'long' then 'buy' else 'sell' end as enters, p.entered_quantity
    from monitoring.positions p
    join monitoring.trades t
      on t.account = p.account and t.symbol = p.symbol and t.executed_at >= p.opened_at - interval '5 seconds'
         and t.position_id = p.id
    where p.id = $1 or p.id = (select own.flipped_from from monitoring.positions own where own.id = $1)),
  sized as (
    select f.*,
           case when f.enters then f.quantity - coalesce(f.closed_quantity, 0)
                else coalesce(f.closed_quantity, f.quantity) end as size,
           greatest(f.entered_quantity,
                    sum(f.quantity - coalesce(f.closed_quantity, 0)) filter (where f.enters) over (partition by f.position)) as whole,
           sum(coalesce(f.closed_quantity, f.quantity)) filter (where not f.enters)
             over (partition by f.position order by f.executed_at, f.sequence, f.trade_id) as closed_so_far
    from fill f),
  used as (
    select s.*, case when s.enters then 0 else greatest(0, least(s.size, s.whole - (s.closed_so_far - s.size))) end as closes
    from sized s)
  select u.trade_id, u.executed_at,
         case when u.position <> $1 then u.quantity - u.closes when u.enters then u.size else 0 end,
         case when u.position <> $1 then 0 else u.closes end,
         u.price, u.quantity, u.fee, u.fee_currency, u.realized_pnl
  from used u
  where u.position = $1 or (not u.enters and u.quantity > u.closes)
  order by u.executed_at, u.sequence, u.trade_id
$$;
comment on function monitoring.position_fills(bigint) is
  'The fills of a position and how much of each opened or closed it.';

-- What closed a position, told by its largest closing order: a stop, a target, the venue's liquidation or its
-- auto-deleveraging. NULL when it was none of these. A stop that belongs to a position (Bybit) is known by its type.
create function monitoring.exit_reason_of(position_id bigint) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
  select case c.exec_type when 'bust_trade' then 'liquidation' when 'adl_trade' then 'adl'
         else (select case when o.purpose in ('stop_loss', 'take_profit') then o.purpose
                           when o.purpose = 'external' and o.reduce_only and o.type like 'stop%' then 'stop_loss'
                           when o.purpose = 'external' and o.reduce_only and o.type like 'take_profit%' then 'take_profit' end
               from monitoring.orders o
               where o.account = c.account and o.symbol = c.symbol and o.order_id = c.order_id and o.kind in ('regular', 'conditional')
               order by o.purpose = 'external', o.kind
               limit 1) end
  -- Materialized: no plan may work the fills out anew for each of them.
  from (with fills as materialized (select f.trade_id, f.closing from monitoring.position_fills($1) f where f.closing > 0)
        select t.account, t.symbol, t.order_id, t.exec_type
        from monitoring.positions p
        cross join fills f
        join monitoring.trades t on t.account = p.account and t.symbol = p.symbol and t.trade_id = f.trade_id
        where p.id = $1
        group by t.account, t.symbol, t.order_id, t.exec_type
        order by sum(f.closing) desc, max(t.executed_at) desc
        limit 1) c
$$;
comment on function monitoring.exit_reason_of(bigint) is
  'stop_loss, take_profit, liquidation or adl, read from the fills and orders that closed a position; NULL when they do not say.';

-- Calculates exit price, profit and loss and fees of closed positions from their fills. What cannot be known stays
-- NULL: exit price and gross result need all closing fills; the net result needs the entry fills as well, and fees in
-- the settle asset. Nor does anybody know at first why the exchange closed it: while that is all there is to say, the
-- closing orders are asked again. Harmless to repeat.
create function monitoring.settle_positions(ids bigint[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  with total as (
    select p.id, p.entered_quantity, p.max_quantity, p.entry_price, case p.side when 'long' then 1 else -1 end as direction,
           sum(f.opening) as opened, sum(f.opening * f.price) as opened_for,
           sum(f.closing) as closed, sum(f.closing * f.price) as closed_for,
           sum(f.realized_pnl) filter (where f.closing > 0) as reported,
           bool_and(f.realized_pnl is not null) filter (where f.closing > 0) as all_reported,
           -- A whole fill's fee as it is; a divided one only where a fill turned the position around.
           sum(case when f.opening + f.closing = f.quantity then f.fee
                    else f.fee * (f.opening + f.closing) / f.quantity end) as fees,
           coalesce(bool_and(f.fee = 0 or f.fee_currency = i.settle_asset
                             or (i.settle_asset is null and p.symbol like '%' || f.fee_currency)), false) as fees_in_settle_asset
    from monitoring.positions p
    left join monitoring.instruments i on i.account = p.account and i.symbol = p.symbol
    cross join lateral monitoring.position_fills(p.id) f
    where p.id = any (ids) and p.status in ('closed', 'rolled_back')
    group by p.id, i.settle_asset),
  result as (
    select t.*,
           t.closed = greatest(t.opened, t.entered_quantity) and t.closed > 0 as all_exits,
           t.opened = t.closed as all_entries
    from total t),
  gross as (
    select r.*,
           case when not r.all_exits then null
                when r.all_reported then r.reported
                when r.all_entries then r.direction * (r.closed_for - r.opened_for)
                -- Without entry fills the venue's entry price will do, unless a partial close came between two entries.
                when r.entered_quantity = r.max_quantity then r.direction * (r.closed_for - r.closed * r.entry_price)
           end as earned,
           case when r.fees_in_settle_asset then r.fees end as paid
    from result r)
  update monitoring.positions p
  set exit_price = case when g.all_exits then trim_scale(g.closed_for / g.closed) end,
      realized_pnl = trim_scale(g.earned),
      fees = trim_scale(g.paid),
      pnl = case when g.all_entries then trim_scale(g.earned - g.paid) end,
      pnl_percentage = case when g.all_entries and g.opened_for > 0 then round(100 * (g.earned - g.paid) / g.opened_for, 4) end,
      exit_reason = case when p.exit_reason in ('closed_on_exchange', 'closed on the exchange')
                         then coalesce(monitoring.exit_reason_of(p.id), p.exit_reason) else p.exit_reason end,
      updated_at = now()
  from gross g
  where p.id = g.id;
end
$$;
comment on function monitoring.settle_positions(bigint[]) is
  'Calculates exit price, result and, where the worker knew none, the reason of closed positions from their fills; repeated whenever a late fill arrives.';
