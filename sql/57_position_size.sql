-- How large a new position of an account is when nobody says: the ways of the setting position_sizing.

-- What the exchange says can be used for new orders; NULL when it has not said. A paper account is its own exchange.
create function monitoring.free_balance(account text, asset text) returns numeric
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (select b.available_balance from monitoring.balances b where b.account = $1 and b.asset = $2);
end
$$;
comment on function monitoring.free_balance(text, text) is
  'The available balance of an account in an asset as last reported; NULL when it is not known.';

-- TS037: the balance does not allow a position, or nobody knows whether it does.
create function monitoring.refuse_balance(account text, asset text, reason text, known boolean) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the balance of account % is %', quote_ident(account), case when known then 'too small' else 'not known' end
    using errcode = 'TS037', detail = reason || '.',
          hint = case when known then 'Add funds, ask for less, close positions, or change min_free_balance (monitoring.set_risk_limits()).'
                      else format('monitoring.balances gets a row of %s when the exchange reports one; a notional and '
                                  'min_free_balance null (monitoring.set_risk_limits()) need no balance.', asset) end;
end
$$;
comment on function monitoring.refuse_balance(text, text, text, boolean) is 'Raises TS037 with the reason.';

-- 1 up to score_multiplier_from, score_multiplier at a score of 100, in between on the straight line. No score, or one
-- that is no number, buys what position_size says.
create function monitoring.score_multiplier(settings jsonb, score numeric) returns numeric
  language sql immutable parallel safe
  return (select case when score > lowest and score < 'Infinity'::numeric
                      then 1 + (highest - 1) * (least(score, 100) - lowest) / (100 - lowest) else 1 end
          from (values ((settings ->> 'score_multiplier_from')::numeric, (settings ->> 'score_multiplier')::numeric)) s (lowest, highest));
comment on function monitoring.score_multiplier(jsonb, numeric) is
  'By how much the score of a signal multiplies position_size in an account that sizes by score.';

-- The size of a new position in quote currency, by the settings position_sizing and position_size; never more than at_most (NULL
-- = no limit). TS018 where the settings say no size, TS037 where the size is a part of a balance that is empty or not known.
create function monitoring.sized_by_settings(account text, settings jsonb, at_most numeric, score numeric, asset text) returns numeric
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  sizing constant text := coalesce(settings ->> 'position_sizing', 'fixed');
  size numeric := settings ->> 'position_size';
  free numeric;
begin
  if sizing = 'balance' then
    free := monitoring.free_balance(account, asset);
    size := free * (settings ->> 'position_balance_percent')::numeric / 100;
    if size is null then
      perform monitoring.refuse_balance(account, asset,
        format('Positions are sized by the free balance, and the exchange has reported none in %s', asset), false);
    elsif size <= 0 then
      perform monitoring.refuse_balance(account, asset,
        format('Positions are sized by the free balance, which is %s %s', trim_scale(free), asset), true);
    end if;
  elsif size is null then
    raise exception 'account % has no size of positions', quote_ident(account)
      using errcode = 'TS018', detail = 'Neither notional nor quantity is given, and the account has no position_size.',
            hint = 'Give notional or quantity, or set position_size with monitoring.configure_account().';
  elsif sizing = 'score' then
    size := size * monitoring.score_multiplier(settings, score);
  end if;
  return trim_scale(round(least(size, at_most), 8));
end
$$;
comment on function monitoring.sized_by_settings(text, jsonb, numeric, numeric, text) is
  'Size of a new position of an account by its settings (position_sizing) and the score of a signal, at most so much. TS018, TS037.';
