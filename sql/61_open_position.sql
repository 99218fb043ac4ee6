-- open_position(): checks, reserves the row, queues the opening. The order leaves when the caller's transaction has
-- committed, and never when it has not.

-- What people and signals have in common. The lock of the symbol comes first, because it is never waited for; then the
-- account's row of risk_state, which puts openings of one account in a queue (decision 13) for as long as lock_timeout says.
create function monitoring.reserve_opening(account_name text, symbol text, direction text, notional numeric, quantity numeric,
    stop_loss_percent numeric, signal_id text, origin text, score numeric default null) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  terms constant monitoring.opening_terms := monitoring.opening_terms(account_name, symbol, direction);
  account constant monitoring.accounts := terms.account;
  instrument monitoring.instruments := terms.instrument;
  leverage constant numeric := terms.settings ->> 'leverage';
  stop_percent constant numeric := trim_scale(coalesce(stop_loss_percent, (terms.settings ->> 'stop_loss_percent')::numeric));
  wanted_notional numeric := trim_scale(notional);
  room numeric;
  new_id bigint;
begin
  if instrument.status is distinct from 'trading' then
    instrument := monitoring.instrument_for_orders(account, symbol, true);
  end if;
  if notional is null and quantity is null then
    wanted_notional := monitoring.sized_by_settings(account.name, terms.settings, terms.max_notional, score, instrument.settle_asset);
  end if;
  perform monitoring.check_entry_size(instrument, wanted_notional, quantity, terms.mark);
  if stop_percent is null or not (stop_percent > 0 and stop_percent < 100) or scale(stop_percent) > 18 then
    raise exception 'invalid stop_loss_percent %', coalesce(stop_percent::text, 'NULL')
      using errcode = 'TS022', detail = 'A managed position is never without a stop; its distance is above 0 and below 100 percent of the entry price.',
            hint = 'Give stop_loss_percent, or set it for the account with monitoring.configure_account().';
  end if;

  -- The key that the legacy bot takes, too. First the lock, then the look: its previous holder has committed by now.
  if not pg_try_advisory_xact_lock(('x' || left(md5(instrument.symbol || ':' || account.exchange), 16))::bit(64)::bigint) then
    raise exception '% is being opened on % by another session', instrument.symbol, account.exchange
      using errcode = 'TS020', detail = 'The lock of the symbol is held by a transaction that has not ended.',
            hint = 'Look at monitoring.positions and try again if there is none.';
  end if;
  perform monitoring.check_no_position(account.name, instrument.symbol, terms.position_side);
  room := monitoring.claim_risk(account.name, instrument, coalesce(wanted_notional, quantity * terms.mark), leverage);
  perform monitoring.check_conditional_orders(account);

  insert into monitoring.positions
    (account, symbol, exchange, position_side, side, quantity, wanted_quantity, wanted_notional, wanted_leverage, max_notional,
     stop_loss_percent, status, signal_id, origin, managed, opened_at)
  values (account.name, instrument.symbol, account.exchange, terms.position_side, direction, 0, trim_scale(reserve_opening.quantity),
          wanted_notional, leverage,
          -- Prices move, and the venue's minimum may cost 10 % more than asked: where that matters the worker looks once more.
          case when coalesce(wanted_notional, reserve_opening.quantity * terms.mark) * 1.1 <= room then null else room end,
          stop_percent, 'pending_entry', reserve_opening.signal_id, reserve_opening.origin, true, clock_timestamp())
  returning id into new_id;
  perform monitoring.queue_command(account, 'open_position', new_id,
    jsonb_build_object('symbol', instrument.symbol, 'side', direction, 'quantity', trim_scale(quantity), 'notional', wanted_notional),
    (terms.settings ->> 'entry_validity')::interval);
  return new_id;
end
$$;
comment on function monitoring.reserve_opening(text, text, text, numeric, numeric, numeric, text, text, numeric) is
  'Checks an opening on an account that may be asked for one, inserts its row of positions and queues it; returns positions.id. Without '
  'notional and quantity it is sized by the settings of the account, and score.';

-- Opens a position with a market order. Exactly one of several simultaneous callers gets the symbol; the others are told
-- at once (TS019, TS020). Nothing waits longer than two seconds for a lock.
create function monitoring.open_position(account text, symbol text, side text, notional numeric default null, quantity numeric default null,
    stop_loss_percent numeric default null, signal_id text default null) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  chosen constant monitoring.accounts := monitoring.account_for_orders(account, true);
  direction constant text := case when lower(side) in ('long', 'buy') then 'long' when lower(side) in ('short', 'sell') then 'short' end;
begin
  if direction is null then
    raise exception 'invalid side %', coalesce('"' || side || '"', 'NULL')
      using errcode = 'TS017', detail = 'A position is long or short.', hint = 'Use long, buy, short or sell, in any case.';
  end if;
  if signal_id in ('', 'unknown') or length(signal_id) > 100 then
    raise exception 'invalid signal_id "%"', left(signal_id, 120)
      using errcode = 'TS030', detail = 'It is 1 to 100 characters long, and NULL when there is no signal.',
            hint = 'Give the id of the signal, or leave it out.';
  end if;
  return monitoring.reserve_opening(chosen.name, symbol, direction, notional, quantity, stop_loss_percent, signal_id,
                                    case when signal_id is null then 'manual' else 'signal' end);
exception
  when unique_violation then
    raise exception 'account % has a position in % already', quote_ident(account), symbol
      using errcode = 'TS019', detail = 'Another session has just written it.',
            hint = 'There is one position per account, symbol and position side; close it first.';
  when lock_not_available then
    raise exception '% is being opened on % by another session', symbol, chosen.exchange
      using errcode = 'TS020', detail = 'A lock was not granted within two seconds.',
            hint = 'Look at monitoring.positions and try again if there is none.';
end
$$;
comment on function monitoring.open_position(text, text, text, numeric, numeric, numeric, text) is
  'Opens a position at market: side long or short; size in quote currency (notional) or contracts (quantity), else position_size of the account; '
  'stop in percent of the entry price, else stop_loss_percent of the account. Returns positions.id; the order leaves when this transaction commits.';
