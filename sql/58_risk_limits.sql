-- How much an account may hold at once. open_position() takes the account's row of risk_state before it counts, so that no two
-- transactions count the same free place.

create table monitoring.risk_limits (
  account               text constraint risk_limits_pkey primary key
                        constraint risk_limits_of_account references monitoring.accounts (name) on delete cascade,
  max_open_positions    int constraint max_open_positions_is_a_count check (max_open_positions >= 0),
  max_position_notional numeric constraint max_position_notional_is_an_amount check (monitoring.is_amount(max_position_notional)),
  max_symbol_notional   numeric constraint max_symbol_notional_is_an_amount check (monitoring.is_amount(max_symbol_notional)),
  max_total_exposure    numeric constraint max_total_exposure_is_an_amount check (monitoring.is_amount(max_total_exposure)),
  min_free_balance      numeric constraint min_free_balance_is_an_amount check (monitoring.is_amount(min_free_balance))
);
comment on table monitoring.risk_limits is
  'How much an account may hold at once; NULL = no such limit. Checked by open_position(), for signals as for people. '
  'Change them with set_risk_limits().';
comment on column monitoring.risk_limits.account is 'The account.';
comment on column monitoring.risk_limits.max_open_positions is 'Positions that are open or being opened, whoever opened them (TS033).';
comment on column monitoring.risk_limits.max_position_notional is 'Value of one new position in quote currency (TS034).';
comment on column monitoring.risk_limits.max_symbol_notional is
  'Value of all positions of a symbol, both sides of a hedge together (TS035).';
comment on column monitoring.risk_limits.max_total_exposure is 'Value of all positions of the account, longs and shorts added (TS036).';
comment on column monitoring.risk_limits.min_free_balance is
  'What must be left of the available balance after the margin of a new position (TS037).';

create table monitoring.risk_state (
  account    text constraint risk_state_pkey primary key
             constraint risk_state_of_account references monitoring.accounts (name) on delete cascade,
  openings   bigint not null default 0,
  updated_at timestamptz not null default now()
) with (fillfactor = 50);
comment on table monitoring.risk_state is
  'One row per account that every opening updates before it counts. The update is the lock; a REPEATABLE READ transaction gets 40001 '
  'from it instead of an old count.';
comment on column monitoring.risk_state.account is 'The account.';
comment on column monitoring.risk_state.openings is 'Openings that were admitted so far.';
comment on column monitoring.risk_state.updated_at is 'When the last one was.';

-- The only place with the numbers of the limits that an account starts with.
create function monitoring.shipped_risk_limits() returns monitoring.risk_limits
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select row(null, 150, 10000, 10000, 99000, 10)::monitoring.risk_limits
$$;
comment on function monitoring.shipped_risk_limits() is 'The limits that a new account gets, and that hold for an account without a row.';

create function monitoring.risk_limits_of(account text) returns monitoring.risk_limits
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((select r from monitoring.risk_limits r where r.account = $1), monitoring.shipped_risk_limits());
end
$$;
comment on function monitoring.risk_limits_of(text) is 'The limits in force for an account.';

-- Everything that an account holds or has promised to hold. An entry that has not filled yet counts as large as it was asked
-- for; where no price has ever been seen, as large as it may become (max_notional). Margin is reserved until the available
-- balance shows it: some streams report fills and leave that balance to the next comparison.
-- Prices and the like are looked up row by row: a join would be planned while the tables are empty, and read all instruments of
-- the account for each of its positions until somebody analyzes them.
create view monitoring.risk_exposure as
  select w.account, w.symbol, w.position_side, w.position_id, greatest(w.held, w.wanted) as notional,
         (coalesce(greatest(w.wanted - coalesce(w.held, 0), 0), 0) + case when w.is_news then coalesce(w.held, 0) else 0 end)
           / coalesce(nullif(w.wanted_leverage, 0), 1) as reserved_margin
  from (select p.account, p.symbol, p.position_side, p.id as position_id, p.wanted_leverage,
               p.managed and p.opened_at > (
                 select b.available_at from monitoring.balances b
                 where b.account = p.account
                   and b.asset = (select i.settle_asset from monitoring.instruments i
                                  where i.account = p.account and i.symbol = p.symbol)) as is_news,
               p.quantity * coalesce(m.price, p.current_price, p.entry_price) as held,
               case when p.managed and p.status in ('pending_entry', 'entry_placed', 'pending_sl')
                    then coalesce(p.wanted_notional, p.wanted_quantity * m.price, p.max_notional) end as wanted
        from monitoring.positions p
        cross join lateral (select (select coalesce(c.mark_price, c.last_price) from monitoring.prices c
                                    where c.account = p.account and c.symbol = p.symbol) as price offset 0) m
        where p.is_open) w
  union all
  select v.account, v.symbol, v.position_side, null,
         abs(v.quantity) * coalesce((select coalesce(c.mark_price, c.last_price) from monitoring.prices c
                                     where c.account = v.account and c.symbol = v.symbol), v.mark_price, v.entry_price), null
  from monitoring.venue_position_state v
  where v.quantity <> 0
    and (select p.id from monitoring.positions p
         where p.account = v.account and p.symbol = v.symbol and p.is_open
           and (v.position_side = 'both' or p.position_side in (v.position_side, 'both')) limit 1) is null;
comment on view monitoring.risk_exposure is
  'What counts against the risk limits: open and reserved rows of positions, managed or not, and positions that the exchange reports '
  'and that have no row.';
comment on column monitoring.risk_exposure.position_id is 'positions.id; NULL = only the exchange knows it.';
comment on column monitoring.risk_exposure.notional is
  'Value in quote currency: size at the latest price, at least what is still to be filled; NULL when no price is known at all.';
comment on column monitoring.risk_exposure.reserved_margin is
  'Margin of what has not filled yet, or has filled since the exchange last reported the available balance.';

create view monitoring.risk_usage as
  select a.name as account, coalesce(e.open_positions, 0) as open_positions, coalesce(e.exposure, 0) as exposure,
         coalesce(e.reserved_margin, 0) as reserved_margin, b.available_balance - coalesce(e.reserved_margin, 0) as free_balance,
         l.max_open_positions, l.max_position_notional, l.max_symbol_notional, l.max_total_exposure, l.min_free_balance
  from monitoring.accounts a
  left join monitoring.risk_limits own on own.account = a.name
  cross join lateral (select (coalesce(own, monitoring.shipped_risk_limits())).*) l
  left join monitoring.balances b on b.account = a.name and b.asset = 'USDT'
  left join (select x.account, count(*)::int as open_positions, sum(x.notional) as exposure, sum(x.reserved_margin) as reserved_margin
             from monitoring.risk_exposure x group by x.account) e on e.account = a.name;
comment on view monitoring.risk_usage is 'How much of its risk limits each account uses.';
comment on column monitoring.risk_usage.open_positions is 'Positions open or being opened.';
comment on column monitoring.risk_usage.exposure is 'Their value in quote currency.';
comment on column monitoring.risk_usage.reserved_margin is 'Margin of openings that the available balance does not show yet.';
comment on column monitoring.risk_usage.free_balance is 'Available balance in USDT less reserved_margin; NULL when it is not known.';

create function monitoring.refuse_risk(code text, message text, limit_name text, at_most numeric, used numeric, asked numeric) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '%', message
    using errcode = code,
          detail = format('%s is %s, %s in use, %s asked for.', limit_name, trim_scale(at_most), trim_scale(round(used, 8)),
                          coalesce(trim_scale(round(asked, 8))::text, 'an amount that depends on a price not known yet is')),
          hint = 'monitoring.risk_usage shows what is in use. Ask for less, close positions, or change the limit with '
                 'monitoring.set_risk_limits().';
end
$$;
comment on function monitoring.refuse_risk(text, text, text, numeric, numeric, numeric) is
  'Raises the code of a limit, naming limit, present use and what was asked for.';

-- TS033 … TS037 unless the limits leave room for a position worth asked (NULL: nobody can say before there is a price).
-- Returns how much it may be worth at most; NULL = no limit. For an exact count the caller holds the row of risk_state.
create function monitoring.check_risk_limits(account text, i monitoring.instruments, asked numeric, leverage numeric) returns numeric
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  limits monitoring.risk_limits;
  free numeric;
  margin constant numeric := coalesce(asked, 0) / coalesce(nullif(leverage, 0), 1);
  whose constant text := 'account ' || quote_ident(account);
  used record;
begin
  select count(*) as positions, coalesce(sum(e.notional), 0) as exposure,
         coalesce(sum(e.notional) filter (where e.symbol = i.symbol), 0) as of_symbol, coalesce(sum(e.reserved_margin), 0) as reserved,
         (select b.available_balance from monitoring.balances b
          where b.account = check_risk_limits.account and b.asset = i.settle_asset) as free,
         (select r from monitoring.risk_limits r where r.account = check_risk_limits.account) as limits
  into used
  from monitoring.risk_exposure e where e.account = check_risk_limits.account;
  limits := coalesce(used.limits, monitoring.shipped_risk_limits());
  free := used.free;

  if used.positions >= limits.max_open_positions then
    perform monitoring.refuse_risk('TS033', whose || ' has as many positions as it may', 'max_open_positions', limits.max_open_positions,
                                   used.positions, 1);
  elsif asked > limits.max_position_notional or limits.max_position_notional = 0 then
    perform monitoring.refuse_risk('TS034', format('%s is too large a position for %s', i.symbol, whose), 'max_position_notional',
                                   limits.max_position_notional, 0, asked);
  elsif used.of_symbol + coalesce(asked, 0) > limits.max_symbol_notional or used.of_symbol = limits.max_symbol_notional then
    perform monitoring.refuse_risk('TS035', format('%s would have too much of %s', whose, i.symbol), 'max_symbol_notional',
                                   limits.max_symbol_notional, used.of_symbol, asked);
  elsif used.exposure + coalesce(asked, 0) > limits.max_total_exposure or used.exposure = limits.max_total_exposure then
    perform monitoring.refuse_risk('TS036', whose || ' would hold too much', 'max_total_exposure', limits.max_total_exposure,
                                   used.exposure, asked);
  elsif limits.min_free_balance is not null and free is null then
    perform monitoring.refuse_balance(account, i.settle_asset,
      format('min_free_balance is %s, and the exchange has reported no available balance in %s', limits.min_free_balance, i.settle_asset),
      false);
  elsif free - used.reserved - margin < limits.min_free_balance or free - used.reserved = limits.min_free_balance then
    perform monitoring.refuse_balance(account, i.settle_asset,
      format('min_free_balance is %s; %s %s are available, less %s for openings not shown in it and %s for %s at leverage %s',
             limits.min_free_balance, trim_scale(free), i.settle_asset, trim_scale(round(used.reserved, 8)), trim_scale(round(margin, 8)),
             coalesce(trim_scale(asked)::text, 'this one'), coalesce(leverage, 1)), true);
  end if;

  return trim_scale(trunc(least(limits.max_position_notional, limits.max_symbol_notional - used.of_symbol,
                                limits.max_total_exposure - used.exposure,
                                (free - used.reserved - limits.min_free_balance) * coalesce(nullif(leverage, 0), 1)), 8));
end
$$;
comment on function monitoring.check_risk_limits(text, monitoring.instruments, numeric, numeric) is
  'Refuses a position that the account''s limits have no room for (TS033 … TS037); returns what it may be worth at most, NULL = any.';

-- Room for a position: takes the account's row of risk_state until the transaction ends, then counts. A row that somebody else
-- holds is waited for as long as lock_timeout says; who has waited in vain hears whether there is room at all, before he is told
-- to try again. Two transactions that open on two accounts in opposite order would wait for each other: the server notices after
-- deadlock_timeout.
create function monitoring.claim_risk(account text, i monitoring.instruments, asked numeric, leverage numeric) returns numeric
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update monitoring.risk_state s set openings = s.openings + 1, updated_at = now()
  from (select r.account from monitoring.risk_state r where r.account = $1 for no key update skip locked) free
  where s.account = free.account;
  if not found then
    begin
      insert into monitoring.risk_state as s (account, openings) values ($1, 1)
      on conflict on constraint risk_state_pkey do update set openings = s.openings + 1, updated_at = now();
    exception
      when lock_not_available or deadlock_detected then
        perform monitoring.check_risk_limits(account, i, asked, leverage);
        raise exception 'account % is busy', quote_ident(account)
          using errcode = 'TS038',
                detail = format('Another transaction has opened a position on it and has not ended%s.',
                                case when sqlstate = '40P01' then '; it waits for an account that this transaction holds' else '' end),
                hint = 'Try again. A transaction that opens positions should commit at once, and open on accounts in one order.';
    end;
  end if;
  return monitoring.check_risk_limits(account, i, asked, leverage);
end
$$;
comment on function monitoring.claim_risk(text, monitoring.instruments, numeric, numeric) is
  'Locks the counting of an account''s positions until the transaction ends, then check_risk_limits(); TS038 when the lock takes '
  'longer than lock_timeout.';

-- One limit in the type of its column, or TS044. Null = no limit.
create function monitoring.checked_limit(key text, value jsonb) returns numeric
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  word constant text := value #>> '{}';
  whole constant boolean := key = 'max_open_positions';
  highest constant numeric := case when whole then 100000 else 1000000000000 end;
begin
  if jsonb_typeof(value) = 'null' then
    return null;
  elsif jsonb_typeof(value) in ('number', 'string') and word ~ '^\d{1,13}(\.\d{1,18})?$' then
    if word::numeric <= highest and (not whole or word::numeric = trunc(word::numeric)) then
      return trim_scale(word::numeric);
    end if;
  end if;
  raise exception 'invalid value % of limit %', value, key
    using errcode = 'TS044',
          detail = format('%s is %s, or null for no limit.', key, case when whole then 'a whole number' else 'an amount' end),
          hint = format('Give a number from 0 to %s.', highest);
end
$$;
comment on function monitoring.checked_limit(text, jsonb) is
  'The value of a limit, NULL = none; TS044 when it has the wrong type or is out of range.';

-- Changes the limits that are given, all or none. What is open stays open: limits are asked when something new is.
create function monitoring.set_risk_limits(account text, limits jsonb) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(account);
  changed monitoring.risk_limits := monitoring.risk_limits_of(account);
  given record;
begin
  if limits is null or jsonb_typeof(limits) <> 'object' then
    raise exception 'limits are not a JSON object'
      using errcode = 'TS044', detail = format('Given: %s.', coalesce(limits::text, 'NULL')),
            hint = 'Write limits as {"max_open_positions": 10, …}; null takes a limit away.';
  end if;
  changed.account := chosen.name;
  for given in select g.key, g.value from jsonb_each(limits) g order by g.key loop
    case given.key
      when 'max_open_positions' then changed.max_open_positions := monitoring.checked_limit(given.key, given.value);
      when 'max_position_notional' then changed.max_position_notional := monitoring.checked_limit(given.key, given.value);
      when 'max_symbol_notional' then changed.max_symbol_notional := monitoring.checked_limit(given.key, given.value);
      when 'max_total_exposure' then changed.max_total_exposure := monitoring.checked_limit(given.key, given.value);
      when 'min_free_balance' then changed.min_free_balance := monitoring.checked_limit(given.key, given.value);
      else
        raise exception 'unknown limit %', quote_ident(given.key)
          using errcode = 'TS044', detail = 'There is no such limit of an account.',
                hint = 'Known are max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure and min_free_balance.';
    end case;
  end loop;
  insert into monitoring.risk_limits select changed.*
  on conflict on constraint risk_limits_pkey do update
  set max_open_positions = excluded.max_open_positions, max_position_notional = excluded.max_position_notional,
      max_symbol_notional = excluded.max_symbol_notional, max_total_exposure = excluded.max_total_exposure,
      min_free_balance = excluded.min_free_balance;
  perform monitoring.record_act(chosen.name, 'risk_limits_changed', 'INFO', jsonb_build_object('limits', limits));
end
$$;
comment on function monitoring.set_risk_limits(text, jsonb) is
  'Changes risk limits of an account, {"max_open_positions": 10}: also max_position_notional, max_symbol_notional, max_total_exposure, '
  'min_free_balance; null = no limit. TS044 names what is wrong. Effective at commit.';
