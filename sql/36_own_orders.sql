-- Orders that we send: their rows are committed before the first byte leaves, so that after a crash everybody knows what
-- may be at the exchange. worker_save_orders() completes the rows when the exchange reports.

create type monitoring.own_order_row as (
  id bigint, position_id bigint, purpose text, attempt int, symbol text, client_order_id text, kind text, side text,
  position_side text, type text, quantity numeric, price numeric, stop_price numeric, reduce_only boolean, status text,
  venue_status text, reject_reason text);
comment on type monitoring.own_order_row is
  'One order of ours on its way from the worker into orders, before it leaves and when we learn what became of it.';

-- Puts orders of ours on record, and what we conclude about them. While the exchange has said nothing, their status moves
-- along order_moves; afterwards only a refusal counts, or an answer to "unknown". A further attempt, under a new client
-- id, is possible as long as the exchange has not named the order. An order that is about to be sent and whose row would
-- not say so is an error: it must not leave.
create function monitoring.worker_save_own_orders(account_id int, rows monitoring.own_order_row[]) returns int
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  account_name text;
  venue text;
  saved int;
  ended json[];
  refused text;
begin
  -- One order on its way to its first attempt: somebody waits for it, and nothing is there yet. What is not written here meets
  -- the same conditions again below, and is told which.
  if cardinality(rows) = 1 and (rows[1]).attempt = 1 and (rows[1]).status = 'submitting' then
    insert into monitoring.orders
      (id, account, exchange, symbol, client_order_id, kind, purpose, side, type, status, price, stop_price, quantity, reduce_only,
       position_side, position_id, attempt, created_at, source)
    select r.id, a.name, a.exchange, r.symbol, r.client_order_id, r.kind, r.purpose, r.side, r.type, r.status, r.price, r.stop_price,
           r.quantity, r.reduce_only, r.position_side, r.position_id, r.attempt, clock_timestamp(), 'own'
    from unnest(rows) r,
      lateral (select a.name, a.exchange from monitoring.accounts a
               where a.id = account_id and not (a.halted and r.purpose = 'entry') for share) a
    on conflict on constraint orders_pkey do nothing;
    if found then
      return 1;
    end if;
  end if;

  select a.name, a.exchange into account_name, venue from monitoring.accounts a where a.id = account_id;
  if not found then
    raise exception 'account number % not found', account_id
      using errcode = 'TS002', detail = 'An order would leave without a row.', hint = 'The account was dropped; its worker ends.';
  end if;
  -- An entry goes on record before a halt or not at all: whoever halts at this moment waits for us, or we for him.
  if exists (select from unnest(rows) r where r.purpose = 'entry' and r.status = 'submitting') then
    perform from monitoring.accounts a where a.id = account_id and not a.halted for share;
    if not found then
      raise exception 'account % is halted', quote_ident(account_name)
        using errcode = 'TS015', detail = 'An entry order would go on record after the halt.',
              hint = 'The worker takes the opening back. Call monitoring.resume(account) to open positions again.';
    end if;
  end if;

  with written as (
    insert into monitoring.orders as o
      (id, account, exchange, symbol, client_order_id, kind, purpose, side, type, status, venue_status, price, stop_price,
       quantity, reduce_only, position_side, position_id, attempt, reject_reason, created_at, source)
    select r.id, account_name, venue, r.symbol, r.client_order_id, r.kind, r.purpose, r.side, r.type, r.status, r.venue_status,
           r.price, r.stop_price, r.quantity, r.reduce_only, r.position_side, r.position_id, r.attempt, r.reject_reason,
           clock_timestamp(), 'own'
    from unnest(rows) r
    order by r.id
    on conflict on constraint orders_pkey do update
    set status = excluded.status,
        venue_status = coalesce(excluded.venue_status, case when excluded.attempt = o.attempt then o.venue_status end),
        reject_reason = coalesce(excluded.reject_reason, case when excluded.attempt = o.attempt then o.reject_reason end),
        attempt = excluded.attempt,
        client_order_id = excluded.client_order_id,
        side = case when excluded.attempt > o.attempt then excluded.side else o.side end,
        position_side = case when excluded.attempt > o.attempt then excluded.position_side else o.position_side end,
        type = case when excluded.attempt > o.attempt then excluded.type else o.type end,
        quantity = case when excluded.attempt > o.attempt then excluded.quantity else o.quantity end,
        price = case when excluded.attempt > o.attempt then excluded.price else o.price end,
        stop_price = case when excluded.attempt > o.attempt then excluded.stop_price else o.stop_price end,
        reduce_only = case when excluded.attempt > o.attempt then excluded.reduce_only else o.reduce_only end,
        created_at = case when excluded.attempt > o.attempt then excluded.created_at else o.created_at end,
        updated_at = now()
    where o.account = excluded.account and o.kind = excluded.kind
      and case
        when excluded.attempt > o.attempt then o.order_id is null and o.status in ('rejected', 'unknown', 'submitting')
        when excluded.attempt < o.attempt or excluded.client_order_id is distinct from o.client_order_id then false
        else exists (select from monitoring.order_moves m where m.from_state = o.status and m.to_state = excluded.status)
             and (o.source = 'own' or o.status = 'unknown' or excluded.status = 'rejected')
      end
    returning o.id, o.symbol, o.order_id, o.status, o.is_open)
  select count(*), array_agg(json_build_object('id', w.id, 'symbol', w.symbol, 'order_id', w.order_id, 'status', w.status))
                     filter (where not w.is_open)
  into saved, ended from written w;

  -- What was not written is known already, or may not be sent.
  if saved < cardinality(rows) then
    select string_agg(format('%s (attempt %s)', r.id, r.attempt), ', ' order by r.id) into refused
    from unnest(rows) r
    left join monitoring.orders o on o.id = r.id
    where r.status = 'submitting'
      and (o.account, o.client_order_id, o.status) is distinct from (account_name, r.client_order_id, 'submitting');
    if refused is not null then
      raise exception 'order % cannot be sent again', refused
        using errcode = 'TS032', detail = 'Its row has ended, or the exchange has named it already.',
              hint = 'The worker loads its orders anew from the tables.';
    end if;
  end if;
  if ended is not null then
    perform monitoring.worker_notify('monitoring_order', account_name, 'orders', ended);
  end if;
  return saved;
end
$$;
comment on function monitoring.worker_save_own_orders(int, monitoring.own_order_row[]) is
  'Worker: orders of ours before they are sent, and what we conclude about them; never over what the exchange said. Returns the rows written.';

-- Orders of ours that are open or belong to an open position, with what their fills add up to. The child of a fired stop
-- is not one of them: its fills count for the stop.
create function monitoring.worker_load_own_orders(account_id int,
  out id bigint, out position_id bigint, out purpose text, out attempt int, out symbol text, out client_order_id text,
  out kind text, out side text, out position_side text, out type text, out quantity numeric, out price numeric,
  out stop_price numeric, out reduce_only boolean, out order_id text, out status text, out filled_quantity numeric,
  out traded_quantity numeric, out traded_value numeric, out created_at timestamptz) returns setof record
  language sql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
  with wanted as (
    select o.id from monitoring.accounts a join monitoring.orders o on o.account = a.name and o.is_open and o.purpose <> 'external'
    where a.id = account_id
    union
    select o.id
    from monitoring.accounts a
    join monitoring.positions p on p.account = a.name and p.is_open
    join monitoring.orders o on o.position_id = p.id and o.purpose <> 'external'
    where a.id = account_id)
  select o.id, o.position_id, o.purpose, o.attempt, o.symbol, o.client_order_id, o.kind, o.side, o.position_side, o.type,
         o.quantity, o.price, o.stop_price, o.reduce_only, o.order_id, o.status, o.filled_quantity,
         coalesce(t.quantity, 0), coalesce(t.value, 0), o.created_at
  from wanted w
  join monitoring.orders o on o.id = w.id
  left join lateral (
    select sum(f.quantity) as quantity, sum(f.price * f.quantity) as value
    from monitoring.trades f
    where f.account = o.account and f.symbol = o.symbol and f.executed_at >= o.created_at - interval '1 hour'
      and f.order_id = coalesce(o.child_order_id, o.order_id)
      and (o.kind = 'regular' or o.child_order_id is not null or o.status not in ('submitting', 'unknown', 'new'))) t on true
  where o.client_order_id is not null
    and not (o.kind = 'regular'
             and exists (select from monitoring.orders parent
                         where parent.account = o.account and parent.kind = 'conditional' and parent.purpose <> 'external'
                           and parent.client_order_id = o.client_order_id))
  order by o.id
$$;
comment on function monitoring.worker_load_own_orders(int) is
  'Worker: orders of ours that are open or whose position is open, with quantity and value of their fills.';

-- Row numbers for orders that the worker will send: a client id carries the number before the row exists. Unused ones are lost.
create function monitoring.worker_reserve_order_ids(account_id int, out id bigint) returns setof bigint
  language sql volatile set search_path = pg_catalog, pg_temp as $$
  select nextval('monitoring.orders_id_seq') from generate_series(1, 64)
$$;
comment on function monitoring.worker_reserve_order_ids(int) is 'Worker: 64 numbers for rows of orders.';

create view monitoring.order_latency as
  select o.account, o.purpose, count(*) as n,
         round(percentile_disc(0.5) within group (order by extract(epoch from o.acknowledged_at - o.created_at) * 1000), 3) as p50_ms,
         round(percentile_disc(0.99) within group (order by extract(epoch from o.acknowledged_at - o.created_at) * 1000), 3) as p99_ms
  from monitoring.orders o
  where o.purpose <> 'external' and o.acknowledged_at is not null
  group by o.account, o.purpose;
comment on view monitoring.order_latency is 'How long the exchange took to answer our orders, by account and purpose.';
comment on column monitoring.order_latency.n is 'Number of orders.';
comment on column monitoring.order_latency.p50_ms is 'Median time from the row of an order to its first report, in milliseconds.';
comment on column monitoring.order_latency.p99_ms is 'The same, exceeded by one order in a hundred.';
