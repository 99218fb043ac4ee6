-- What is checked before anything is asked of the exchange. Each check has its own SQLSTATE and names the numbers. An opening
-- asks all of them while a signal waits: plpgsql keeps the plans that an SQL function would make anew each time.

-- The account, if it may be asked to send something. A database whose identity is in doubt sends nothing at all; after
-- halt() positions may still be closed and protected. An opening also needs a worker that knows the account.
create function monitoring.account_for_orders(account text, opening boolean) returns monitoring.accounts
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(account);
  state constant text := monitoring.worker_state(chosen.id);
  doubt text;
begin
  if chosen.mode = 'observe' then
    raise exception 'account % only observes', quote_ident(account)
      using errcode = 'TS014', detail = 'Its mode is observe: it mirrors the exchange and never sends anything.',
            hint = 'Use an account of mode dry_run or live.';
  end if;
  perform monitoring.require_live_trading(chosen.mode);
  if opening and (not chosen.enabled or state is distinct from 'live') then
    raise exception 'account % is not synchronized', quote_ident(account)
      using errcode = 'TS013',
            detail = case when not chosen.enabled then 'It is disabled.'
                          else format('The state of its worker is %s.', coalesce(state, 'backoff: no worker runs')) end,
            hint = case when not chosen.enabled then 'Call monitoring.enable_account(name).'
                        else 'Wait until monitoring.worker_status says live; monitoring.health() tells what is in the way.' end;
  end if;
  doubt := monitoring.identity_doubt(chosen.id);
  if (opening and chosen.halted) or (chosen.enabled and doubt is not null) then
    raise exception 'account % is halted', quote_ident(account)
      using errcode = 'TS015', detail = format('Reason: %s.', case when chosen.halted then chosen.halt_reason else doubt end),
            hint = 'Call monitoring.resume(account) when it may trade again.';
  end if;
  return chosen;
end
$$;
comment on function monitoring.account_for_orders(text, boolean) is
  'The account, if it may be asked to send something (opening: a new position); TS002, TS014, TS007, TS013, TS015.';

-- The instrument, or TS016. Only an opening needs it to be open for trading.
create function monitoring.instrument_for_orders(account monitoring.accounts, symbol text, opening boolean) returns monitoring.instruments
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  canonical constant text := monitoring.canonical_symbol(symbol);
  chosen monitoring.instruments;
  elsewhere text;
begin
  select i.* into chosen from monitoring.instruments i where i.account = (instrument_for_orders.account).name and i.symbol = canonical;
  if not found then
    select string_agg(distinct i.exchange, ', ') into elsewhere
    from monitoring.instruments i where i.symbol = canonical and i.exchange <> (instrument_for_orders.account).exchange;
    raise exception 'unknown symbol %', coalesce('"' || symbol || '"', 'NULL')
      using errcode = 'TS016',
            detail = format('%s of account %s lists no %s%s.', account.exchange, quote_ident(account.name),
                            coalesce(canonical, 'symbol NULL'), coalesce('; ' || elsewhere || ' does', '')),
            hint = 'monitoring.instruments has the symbols of each account, written as BTCUSDT.';
  elsif opening and chosen.status <> 'trading' then
    raise exception 'symbol % is not open for trading', canonical
      using errcode = 'TS016', detail = format('Its status on %s is %s.', account.exchange, chosen.status),
            hint = 'monitoring.instruments shows the status of each symbol.';
  end if;
  return chosen;
end
$$;
comment on function monitoring.instrument_for_orders(monitoring.accounts, text, boolean) is
  'The instrument of an account by any spelling of its symbol; TS016.';

-- The mark price, if it is young enough to judge an order by. NULL: nobody is subscribed to it, or it is stale.
create function monitoring.fresh_mark(account text, symbol text) returns numeric
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (select c.mark_price from monitoring.prices c
          where c.account = $1 and c.symbol = $2 and not c.stale and c.updated_at > clock_timestamp() - interval '10 seconds');
end
$$;
comment on function monitoring.fresh_mark(text, text) is 'The mark price of a symbol if it is at most ten seconds old, else NULL.';

create function monitoring.refuse_size(reason text, i monitoring.instruments) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'invalid size for %', i.symbol
    using errcode = 'TS018', detail = reason || '.',
          hint = format('%s takes quantities in steps of %s from %s to %s, worth at least %s %s.', i.symbol, i.quantity_step,
                        i.min_quantity, coalesce(nullif(i.max_market_quantity, 0), nullif(i.max_quantity, 0))::text,
                        i.min_notional, i.quote_asset);
end
$$;
comment on function monitoring.refuse_size(text, monitoring.instruments) is 'Raises TS018 with the filters of the instrument.';

-- The core asks the same again with the price of the moment; here the obvious is refused before anything is queued.
-- mark NULL: not known, so only what holds at any price is checked.
create function monitoring.check_entry_size(i monitoring.instruments, notional numeric, quantity numeric, mark numeric) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  most constant numeric := coalesce(nullif(i.max_market_quantity, 0), nullif(i.max_quantity, 0));
  reason text;
  least_quantity numeric;
begin
  reason := case
    when notional is not null and quantity is not null then 'Both notional and quantity are given'
    when notional is null and quantity is null then 'Neither notional nor quantity is given, and the account has no position_size'
    when not monitoring.is_amount(coalesce(quantity, notional)) or coalesce(quantity, notional) = 0
      then format('%s %s is not a number above zero', case when quantity is null then 'notional' else 'quantity' end,
                  coalesce(quantity, notional))
    when quantity < i.min_quantity then format('quantity %s is below min_quantity %s', quantity, i.min_quantity)
    when quantity > most then format('quantity %s is above max_market_quantity %s', quantity, most)
    when mod(quantity, i.quantity_step) <> 0 then format('quantity %s is not a multiple of quantity_step %s', quantity, i.quantity_step)
    when quantity * mark < i.min_notional
      then format('quantity %s at mark price %s is worth %s, below min_notional %s', quantity, mark, trim_scale(quantity * mark),
                  i.min_notional)
    when notional > 1e12 or scale(trim_scale(notional)) > 18 then format('notional %s is out of range', notional)
    when notional * 1.1 < i.min_notional then format('notional %s is below min_notional %s', notional, i.min_notional)
    when notional > most * mark
      then format('notional %s at mark price %s is more than max_market_quantity %s', notional, mark, most)
  end;
  if reason is null and notional is not null and mark > 0 then
    -- What a notional buys is cut down to the step; where that is too little the least will do if it costs 10 % more at most.
    least_quantity := i.quantity_step * greatest(ceil(i.min_quantity / i.quantity_step),
                                                 ceil(i.min_notional / (mark * i.quantity_step)), 1);
    if least_quantity * mark > notional * 1.1 then
      reason := format('notional %s at mark price %s is below the least possible: '
                       'min_quantity %s, min_notional %s and quantity_step %s make %s, worth %s',
                       notional, mark, i.min_quantity, i.min_notional, i.quantity_step, trim_scale(least_quantity),
                       trim_scale(least_quantity * mark));
    end if;
  end if;
  if reason is not null then
    perform monitoring.refuse_size(reason, i);
  end if;
end
$$;
comment on function monitoring.check_entry_size(monitoring.instruments, numeric, numeric, numeric) is
  'TS018, naming the filter and the numbers, when an entry of this size cannot be.';

-- The venue's limit of open conditional orders per account; NULL where it is counted otherwise.
create function monitoring.conditional_order_limit(exchange text) returns int
  language sql immutable parallel safe
  return case exchange when 'binance' then 200 end;
comment on function monitoring.conditional_order_limit(text) is
  'How many open conditional orders an account may have; NULL = no such limit.';

-- Every position needs a stop: no opening where the exchange could refuse it. Ten places are kept for replacing stops.
create function monitoring.check_conditional_orders(account monitoring.accounts) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  at_most constant int := monitoring.conditional_order_limit(account.exchange);
  resting int;
  reserved int;
begin
  if at_most is null then
    return;
  end if;
  select count(*) into resting from monitoring.orders o
  where o.account = (check_conditional_orders.account).name and o.is_open and o.kind = 'conditional';
  select count(*) + 1 into reserved from monitoring.positions p
  where p.account = (check_conditional_orders.account).name and p.is_open and p.managed
    and p.status in ('pending_entry', 'entry_placed', 'pending_sl');
  if resting + reserved + 10 > at_most then
    raise exception 'account % has too many conditional orders for another position', quote_ident(account.name)
      using errcode = 'TS027',
            detail = format('%s open conditional orders + %s positions being opened, this one included, + 10 in reserve '
                            'exceed the limit of %s: %s.', resting, reserved, account.exchange, at_most),
            hint = 'Close positions, or cancel conditional orders that nobody needs.';
  end if;
end
$$;
comment on function monitoring.check_conditional_orders(monitoring.accounts) is
  'TS027 when the stop of a new position might find no place on the exchange.';

create type monitoring.opening_terms as (account monitoring.accounts, instrument monitoring.instruments, mark numeric, position_side text,
                                         settings jsonb, max_notional numeric);
comment on type monitoring.opening_terms is
  'What an opening depends on. mark: NULL = none that is fresh; settings: those in force, as stored; max_notional: NULL = no limit.';

-- All in one query, because a signal waits for it. position_side: both in one-way mode, otherwise the side; while nobody has read
-- the mode, both: the worker reads it before it sends.
create function monitoring.opening_terms(account text, symbol text, side text) returns monitoring.opening_terms
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (select row(
    (select a from monitoring.accounts a where a.name = $1),
    (select i from monitoring.instruments i where i.account = $1 and i.symbol = monitoring.canonical_symbol($2)),
    (select c.mark_price from monitoring.prices c
     where c.account = $1 and c.symbol = monitoring.canonical_symbol($2) and not c.stale
       and c.updated_at > clock_timestamp() - interval '10 seconds'),
    case when (select m.hedge from monitoring.position_modes m where m.account = $1 and m.symbol in (monitoring.canonical_symbol($2), '')
               order by m.symbol desc limit 1) then $3 else 'both' end,
    (select jsonb_object_agg(s.key, s.value order by s.account nulls first, not s.builtin) from monitoring.settings s
     where s.key = any ('{stop_loss_percent,leverage,entry_validity,position_sizing,position_size,position_balance_percent,'
                        'score_multiplier,score_multiplier_from}')
       and (s.account is null or s.account = $1)),
    (coalesce((select r from monitoring.risk_limits r where r.account = $1), monitoring.shipped_risk_limits())).max_position_notional
  )::monitoring.opening_terms);
end
$$;
comment on function monitoring.opening_terms(text, text, text) is
  'What an opening of a symbol (any spelling) on a side depends on, as it is now.';

-- TS019 when the place is taken: by a row, or by a position that the exchange reports and that has none.
create function monitoring.check_no_position(account text, symbol text, position_side text) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  what text;
begin
  what := coalesce(
    (select format('Position %s is %s: %s %s.', p.id, p.status, p.side, p.quantity)
     from monitoring.positions p
     where p.account = $1 and p.symbol = $2 and p.is_open and ($3 = 'both' or p.position_side in ($3, 'both'))
     limit 1),
    (select format('The exchange reports %s %s, which nobody here has opened.',
                   case when v.quantity > 0 then 'long' else 'short' end, abs(v.quantity))
     from monitoring.venue_position_state v
     where v.account = $1 and v.symbol = $2 and v.quantity <> 0 and ($3 = 'both' or v.position_side in ($3, 'both'))
     limit 1));
  if what is not null then
    raise exception 'account % has a position in % already', quote_ident(account), symbol
      using errcode = 'TS019', detail = what, hint = 'There is one position per account, symbol and position side; close it first.';
  end if;
end
$$;
comment on function monitoring.check_no_position(text, text, text) is
  'TS019 when a position of that account, symbol and position side exists.';

-- Queues a command and wakes the worker at commit.
create function monitoring.queue_command(account monitoring.accounts, kind text, position_id bigint, args jsonb, valid_for interval)
  returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  command bigint;
begin
  perform monitoring.worker_wake(account.id);
  insert into monitoring.commands (account, kind, position_id, args, valid_until)
  values (($1).name, $2, $3, jsonb_strip_nulls($4), clock_timestamp() + $5)
  returning id into command;
  return command;
end
$$;
comment on function monitoring.queue_command(monitoring.accounts, text, bigint, jsonb, interval) is
  'Inserts a command and wakes the worker of the account at commit; returns its number.';
