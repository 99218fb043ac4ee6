-- What can be asked of an open position, and of the account besides: commands for the worker, valid for ten minutes.
-- Closing and protecting work while an account is halted or its worker is away.

-- An open managed position, or TS021.
create function monitoring.position_for_orders(position_id bigint) returns monitoring.positions
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  chosen monitoring.positions;
begin
  select p.* into chosen from monitoring.positions p where p.id = position_id;
  if not found then
    raise exception 'position % not found', coalesce(position_id::text, 'NULL')
      using errcode = 'TS021', detail = 'There is no such row in monitoring.positions.',
            hint = 'monitoring.open_positions lists what is open.';
  elsif not chosen.is_open then
    raise exception 'position % is %', position_id, chosen.status
      using errcode = 'TS021',
            detail = format('%s %s of account %s ended at %s: %s.', chosen.symbol, chosen.side, quote_ident(chosen.account),
                            chosen.closed_at, coalesce(chosen.exit_reason, chosen.status)),
            hint = 'monitoring.open_positions lists what is open.';
  elsif not chosen.managed then
    raise exception 'position % is not managed', position_id
      using errcode = 'TS021', detail = 'It was not opened by pg_tradesync, so it is mirrored only.',
            hint = 'Close or protect it where it was opened.';
  end if;
  return chosen;
end
$$;
comment on function monitoring.position_for_orders(bigint) is 'The position, if it is open and managed; TS021.';

-- Which size a close may have. What is not on the step is possible only as the whole position.
create function monitoring.check_close_size(p monitoring.positions, quantity numeric) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  step constant numeric := (select i.quantity_step from monitoring.instruments i where i.account = p.account and i.symbol = p.symbol);
  reason text;
begin
  reason := case
    when not monitoring.is_amount(quantity) or quantity = 0 then format('quantity %s is not a number above zero', quantity)
    when quantity > p.quantity then format('quantity %s is above the open size %s', quantity, p.quantity)
    when quantity < p.quantity and mod(quantity, step) <> 0 then format('quantity %s is not a multiple of quantity_step %s', quantity, step)
  end;
  if reason is not null then
    raise exception 'invalid size for closing position %', p.id
      using errcode = 'TS018', detail = reason || '.', hint = 'Give a part of the open size, or leave quantity out to close all of it.';
  end if;
end
$$;
comment on function monitoring.check_close_size(monitoring.positions, numeric) is 'TS018 when a position cannot be closed by this much.';

create function monitoring.close_position(position_id bigint, reason text default 'manual', quantity numeric default null) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.positions := monitoring.position_for_orders(position_id);
  owner constant monitoring.accounts := monitoring.account_for_orders(chosen.account, false);
begin
  if reason is null or length(reason) not between 1 and 100 or reason ~ '[[:cntrl:]]' or btrim(reason) = '' then
    raise exception 'invalid reason for closing position %', position_id
      using errcode = 'TS030', detail = 'A reason is 1 to 100 printable characters.',
            hint = 'It becomes positions.exit_reason; the default is manual.';
  end if;
  perform monitoring.check_close_size(chosen, quantity);
  return monitoring.queue_command(owner, 'close_position', chosen.id,
    jsonb_build_object('symbol', chosen.symbol, 'reason', reason, 'quantity', trim_scale(quantity)), interval '10 minutes');
end
$$;
comment on function monitoring.close_position(bigint, text, numeric) is
  'Closes a managed position at market, reduce-only; quantity = only so much of it. Returns the number of the command; the order leaves when this transaction commits.';

-- TS022 when a price cannot be the stop or the target of a position. Compared with the mark price, else with the entry.
create function monitoring.check_exit_price(p monitoring.positions, price numeric, is_stop boolean) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  tick constant numeric := (select i.tick_size from monitoring.instruments i where i.account = p.account and i.symbol = p.symbol);
  mark constant numeric := monitoring.fresh_mark(p.account, p.symbol);
  reference constant numeric := coalesce(mark, p.entry_price);
  below constant boolean := (p.side = 'long') = is_stop;
  what constant text := case when is_stop then 'stop' else 'take profit' end;
  reason text;
begin
  reason := case
    when price is null or not monitoring.is_amount(price) or price = 0
      then format('%s %s is not a price above zero', what, coalesce(price::text, 'NULL'))
    when mod(price, tick) <> 0 then format('%s %s is not a multiple of tick_size %s', what, price, tick)
    when scale(trim_scale(price)) > 18 or price > 1e18 then format('%s %s is out of range', what, price)
    when (below and price >= reference) or (not below and price <= reference)
      then format('The %s of a %s must be %s the %s %s, not %s', what, p.side, case when below then 'below' else 'above' end,
                  case when mark is null then 'entry price' else 'mark price' end, reference, price)
  end;
  if reason is not null then
    raise exception 'invalid % for position %', what, p.id
      using errcode = 'TS022', detail = reason || '.',
            hint = format('%s %s %s at %s.', p.symbol, p.side, p.quantity, coalesce(reference::text, 'a price that is not known yet'));
  end if;
end
$$;
comment on function monitoring.check_exit_price(monitoring.positions, numeric, boolean) is
  'TS022 when a price is on the wrong side, off the tick or no price at all.';

create function monitoring.set_stop_loss(position_id bigint, price numeric) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.positions := monitoring.position_for_orders(position_id);
  owner constant monitoring.accounts := monitoring.account_for_orders(chosen.account, false);
begin
  perform monitoring.check_exit_price(chosen, price, true);
  return monitoring.queue_command(owner, 'set_stop_loss', chosen.id,
    jsonb_build_object('symbol', chosen.symbol, 'price', trim_scale(price)), interval '10 minutes');
end
$$;
comment on function monitoring.set_stop_loss(bigint, numeric) is
  'Moves the stop of a managed position to a price, without a moment in which it has none. Returns the number of the command.';

create function monitoring.set_take_profit(position_id bigint, price numeric) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.positions := monitoring.position_for_orders(position_id);
  owner constant monitoring.accounts := monitoring.account_for_orders(chosen.account, false);
begin
  if price is distinct from 0 then
    perform monitoring.check_exit_price(chosen, price, false);
  end if;
  return monitoring.queue_command(owner, 'set_take_profit', chosen.id,
    jsonb_build_object('symbol', chosen.symbol, 'price', trim_scale(price)), interval '10 minutes');
end
$$;
comment on function monitoring.set_take_profit(bigint, numeric) is
  'Sets or moves the take profit of a managed position; 0 takes it away. Returns the number of the command.';

create function monitoring.set_leverage(account text, symbol text, leverage numeric) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_for_orders(account, false);
  instrument constant monitoring.instruments := monitoring.instrument_for_orders(chosen, symbol, false);
  most constant numeric := coalesce(instrument.max_leverage, 200);
begin
  if leverage is null or not (leverage >= 1 and leverage <= most) or scale(trim_scale(leverage)) > 2 then
    raise exception 'invalid leverage % for %', coalesce(leverage::text, 'NULL'), instrument.symbol
      using errcode = 'TS030', detail = format('%s takes a leverage from 1 to %s.', instrument.symbol, most),
            hint = 'monitoring.instruments has the highest leverage of each symbol.';
  end if;
  return monitoring.queue_command(chosen, 'set_leverage', null,
    jsonb_build_object('symbol', instrument.symbol, 'leverage', trim_scale(leverage)), interval '10 minutes');
end
$$;
comment on function monitoring.set_leverage(text, text, numeric) is
  'Sets the leverage of a symbol on the exchange. Returns the number of the command.';

create function monitoring.cancel_order(account text, client_order_id text) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_for_orders(account, false);
  found_symbol text;
begin
  select o.symbol into found_symbol from monitoring.orders o
  where o.account = cancel_order.account and o.is_open and o.client_order_id = cancel_order.client_order_id
  limit 1;
  if not found then
    raise exception 'no open order %', coalesce('"' || client_order_id || '"', 'NULL')
      using errcode = 'TS029', detail = format('Account %s has no open order of that client order id.', quote_ident(account)),
            hint = 'See client_order_id in monitoring.orders where is_open.';
  end if;
  return monitoring.queue_command(chosen, 'cancel_order', null,
    jsonb_build_object('symbol', found_symbol, 'client_order_id', client_order_id), interval '10 minutes');
end
$$;
comment on function monitoring.cancel_order(text, text) is
  'Cancels an open order, ours or not, by its client order id. Returns the number of the command.';
