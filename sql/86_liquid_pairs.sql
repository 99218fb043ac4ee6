-- The pairs that are traded most, from the 24 hour tickers of the exchange. The symbol filter reads their volume, the test
-- waves take their pairs from here.

create table monitoring.liquid_pairs (
  exchange     text not null constraint liquid_pair_exchange_is_known check (exchange in ('binance', 'bybit')),
  rank         int not null constraint rank_counts_from_one check (rank >= 1),
  symbol       text not null,
  volume_24h   numeric not null constraint volume_is_an_amount check (monitoring.is_amount(volume_24h)),
  last_price   numeric constraint last_price_is_an_amount check (monitoring.is_amount(last_price)),
  refreshed_at timestamptz not null default now(),
  constraint liquid_pairs_pkey primary key (exchange, symbol),
  constraint one_pair_per_rank unique (exchange, rank)
);
comment on table monitoring.liquid_pairs is
  'The perpetuals in USDT that an exchange trades most, as refresh_liquid_pairs() last found them. Only the best n are kept.';
comment on column monitoring.liquid_pairs.exchange is 'binance or bybit.';
comment on column monitoring.liquid_pairs.rank is '1 has the largest volume.';
comment on column monitoring.liquid_pairs.symbol is 'Canonical symbol: BTCUSDT.';
comment on column monitoring.liquid_pairs.volume_24h is 'What was traded in the last 24 hours, in quote currency.';
comment on column monitoring.liquid_pairs.last_price is 'Price of the last trade at that moment; NULL when the exchange did not say.';
comment on column monitoring.liquid_pairs.refreshed_at is 'When the exchange was asked.';

-- Asks one account's worker for the 24 hour tickers of its exchange; no row, no answer. A worker that has not finished its
-- synchronization answers, too: tickers are public.
create function monitoring.ask_tickers(account_id int, out symbol text, out volume_24h numeric, out last_price numeric) returns setof record
  language sql volatile set search_path = pg_catalog, pg_temp as $$
  select q.cells[1], q.cells[2]::numeric, nullif(q.cells[3], '')::numeric
  from monitoring.worker_ask(account_id, 'tickers', '', 10000) q
  where q.cells is not null
$$;
comment on function monitoring.ask_tickers(int) is
  'The 24 hour tickers of an exchange, asked through the worker of one account; none when it does not answer.';

create function monitoring.refuse_without_tickers(exchange text, asked text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'no tickers of %', exchange
    using errcode = 'TS045',
          detail = case when asked is null then format('No worker of a %s account is running.', exchange)
                        else format('No useful answer through %s.', array_to_string(asked, ', ')) end,
          hint = case when asked is null then 'Add an account of that exchange (mode observe will do) and enable it.'
                      else 'monitoring.health() and monitoring.worker_status tell what is in the way; what was known before is kept.' end;
end
$$;
comment on function monitoring.refuse_without_tickers(text, text[]) is 'Raises TS045.';

-- Any account with a running worker will do; mainnet first, because the volumes of a test network mean nothing. Only what
-- that account can trade counts. When nobody answers, the rows stay as they were.
create function monitoring.refresh_liquid_pairs(exchange text, n int default 30) returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked text[];
  account record;
  found_pairs monitoring.liquid_pairs[];
begin
  if exchange is null or exchange not in ('binance', 'bybit') then
    raise exception 'invalid exchange %', coalesce('"' || exchange || '"', 'NULL')
      using errcode = 'TS004', detail = 'Exchanges are written in lower case.',
            hint = 'Use binance (USDⓈ-M futures) or bybit (v5 linear).';
  elsif n is null or n not between 1 and 1000 then
    raise exception 'invalid number of pairs %', coalesce(n::text, 'NULL')
      using errcode = 'TS044', detail = 'From 1 to 1000 pairs are kept.', hint = 'The usual number is 30.';
  end if;
  for account in
    select a.id, a.name from monitoring.accounts a
    where a.exchange = refresh_liquid_pairs.exchange and monitoring.worker_state(a.id) is not null
    order by a.environment <> 'mainnet', a.name
  loop
    asked := asked || account.name;
    select array_agg(row(best.exchange, best.rank, best.symbol, best.volume_24h, best.last_price, now())::monitoring.liquid_pairs)
    into found_pairs
    from (select i.exchange, row_number() over (order by t.volume_24h desc, t.symbol collate "C")::int as rank,
                 t.symbol, t.volume_24h, t.last_price
          from monitoring.ask_tickers(account.id) t
          join monitoring.instruments i on i.account = account.name and i.symbol = t.symbol
          where i.status = 'trading' and i.contract_type = 'perpetual' and i.quote_asset = 'USDT') best
    where best.rank <= n;
    exit when found_pairs is not null;
  end loop;
  if found_pairs is null then
    perform monitoring.refuse_without_tickers(exchange, asked);
  end if;
  -- Two sessions that refresh at once follow each other.
  perform pg_advisory_xact_lock(hashtext('monitoring.liquid_pairs'), hashtext(exchange));
  delete from monitoring.liquid_pairs p where p.exchange = refresh_liquid_pairs.exchange;
  insert into monitoring.liquid_pairs (exchange, rank, symbol, volume_24h, last_price, refreshed_at)
  select f.exchange, f.rank, f.symbol, f.volume_24h, f.last_price, f.refreshed_at from unnest(found_pairs) f order by f.rank;
  return cardinality(found_pairs);
end
$$;
comment on function monitoring.refresh_liquid_pairs(text, int) is
  'Asks a running worker for the 24 hour tickers and keeps the n most traded perpetuals in USDT; returns how many. TS045: no answer.';
