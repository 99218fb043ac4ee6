-- Which symbols no signal may open: the filter of the legacy bot with all its rules and defaults, in its order.

create table monitoring.symbol_filters (
  kind       text not null constraint filter_kind_is_known
             check (kind in ('stop_list', 'white_list', 'pattern', 'contains', 'stable_pair', 'leveraged', 'delisted', 'min_volume')),
  value      text not null,
  exchange   text constraint filter_exchange_is_known check (exchange in ('binance', 'bybit')),
  active     boolean not null default true,
  builtin    boolean not null default false,
  like_text  text generated always as (case when kind = 'pattern' then
               translate(replace(replace(replace(value, '\', '\\'), '_', '\_'), '%', '\%'), '*?', '%_') end) stored,
  updated_at timestamptz not null default now(),
  constraint one_row_per_filter unique nulls not distinct (kind, value, exchange, builtin),
  constraint builtin_filter_is_for_all check (not builtin or (exchange is null and active))
);
comment on table monitoring.symbol_filters is
  'Rules by which signals are refused for their symbol, applied in the order stop_list, white_list, pattern, contains, stable_pair, '
  'leveraged, delisted, '
  'min_volume. Change them with set_symbol_filter() and remove_symbol_filter(), try them with symbol_allowed().';
comment on column monitoring.symbol_filters.kind is
  'stop_list, delisted: this symbol. white_list: only these symbols, once there is a row. pattern: symbol, or symbol without its quote '
  'asset, from end to end; '
  '* any characters, ? one; * and a leveraged suffix (*UP) means leveraged tokens only, so BTCUPUSDT and not JUPUSDT. contains: the '
  'base asset ends so: BTCDOM. '
  'stable_pair: base and quote both among these assets. leveraged: a base asset that is known, then this suffix. min_volume: less '
  'traded in 24 hours than this.';
comment on column monitoring.symbol_filters.value is 'Symbol, pattern, asset, suffix, or amount in quote currency; letters in upper case.';
comment on column monitoring.symbol_filters.exchange is 'binance or bybit; NULL = both.';
comment on column monitoring.symbol_filters.active is 'False: takes back the builtin rule of the same kind and value.';
comment on column monitoring.symbol_filters.builtin is 'True for shipped rules, which are not part of a dump.';
comment on column monitoring.symbol_filters.like_text is 'A pattern as LIKE wants it.';
comment on column monitoring.symbol_filters.updated_at is 'Last change.';

insert into monitoring.symbol_filters (kind, value, builtin)
select r.kind, v.value, true
from (values
  ('stop_list', '{BTCDOMUSDT,USDCUSDT,BUSDUSDT,EURBUSD,GBPBUSD}'::text[]),
  ('pattern', '{*UP,*DOWN,*BEAR,*BULL,*3S,*3L,*2S,*2L}'),
  ('contains', '{DOM,INDEX}'),
  ('stable_pair', '{USDT,USDC,BUSD,TUSD,DAI,USDP,GUSD}'),
  ('leveraged', '{UP,DOWN,BULL,BEAR,2L,3L,2S,3S}'),
  ('delisted', '{LUNAUSDT,USTUSDT,FTMUSDT}'),
  ('min_volume', '{0}')) r (kind, list), unnest(r.list) v (value);

-- The symbol without its quote asset; at least one character stays: BTC of BTCUSDT, T of TUSDT.
create function monitoring.base_of_symbol(symbol text) returns text
  language sql immutable parallel safe
  return regexp_replace(symbol, '(?<=.)(USDT|USDC|FDUSD|BUSD|TUSD|USDP|GUSD|DAI|USD|EUR|BTC|ETH|BNB)$', '');
comment on function monitoring.base_of_symbol(text) is 'A canonical symbol without the quote asset at its end.';

-- Is this base asset a leveraged token of that suffix? What stands before the suffix must be an asset that somebody trades,
-- else JUP, SUP and SYRUP would be tokens of J, S and SYR. Assets of one letter have no such tokens.
create function monitoring.is_leveraged_token(base text, suffix text) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  asset text;
begin
  if right(base, length(suffix)) <> suffix then
    return false;
  end if;
  asset := left(base, length(base) - length(suffix));
  return case when asset = '' then suffix in ('BULL', 'BEAR')
              when length(asset) = 1 then false
              when asset in ('BTC', 'ETH', 'BNB', 'XRP', 'ADA', 'SOL', 'DOT', 'LINK', 'LTC', 'BCH', 'TRX', 'EOS', 'XTZ', 'UNI',
                             'SUSHI', 'AAVE', 'FIL', 'SXP', 'YFI', '1INCH', 'XLM', 'DOGE', 'AVAX', 'MATIC', 'SHIB', 'ATOM', 'NEAR', 'APE',
                             'GMT', 'SAND') then true
              else exists (select from monitoring.instruments i where i.base_asset = asset) end;
end
$$;
comment on function monitoring.is_leveraged_token(text, text) is
  'True for BTCUP and UP: the base asset of an instrument, or one of the assets known for such tokens, and the suffix.';

-- The first rule that refuses the symbol, as "kind value"; NULL when none does. A pair whose volume nobody knows passes. The
-- cheap comparison of a rule comes first: a wave calls this for each of its pairs while its orders wait.
create function monitoring.refusing_filter(exchange text, symbol text, base text) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
  select concat_ws(' ', f.kind, case when f.kind <> 'white_list' then f.value end)
  from monitoring.symbol_filters f
  where f.active and (f.exchange is null or f.exchange = refusing_filter.exchange)
    and case f.kind
      when 'stop_list' then f.value = refusing_filter.symbol
      when 'delisted' then f.value = refusing_filter.symbol
      when 'white_list' then not exists (select from monitoring.symbol_filters w
                                         where w.kind = 'white_list' and w.active and w.value = refusing_filter.symbol
                                           and (w.exchange is null or w.exchange = refusing_filter.exchange))
      when 'pattern' then (base like f.like_text or refusing_filter.symbol like f.like_text)
                          and (substr(f.value, 2) not in ('UP', 'DOWN', 'BULL', 'BEAR', '2L', '3L', '2S', '3S')
                               or monitoring.is_leveraged_token(base, substr(f.value, 2))
                               or monitoring.is_leveraged_token(refusing_filter.symbol, substr(f.value, 2)))
      when 'contains' then right(base, length(f.value)) = f.value
      when 'stable_pair' then base = f.value and exists (select from monitoring.symbol_filters q
                                         where q.kind = 'stable_pair' and q.active
                                           and q.value = substr(refusing_filter.symbol, length(base) + 1))
      when 'leveraged' then right(base, length(f.value)) = f.value and monitoring.is_leveraged_token(base, f.value)
      -- Of several amounts the one for this exchange counts, then the one for both, then the shipped one.
      when 'min_volume' then (select l.volume_24h from monitoring.liquid_pairs l
                              where l.exchange = refusing_filter.exchange and l.symbol = refusing_filter.symbol) < f.value::numeric
                             and not exists (select from monitoring.symbol_filters m
                                             where m.kind = 'min_volume' and m.active
                                               and (m.exchange is null or m.exchange = refusing_filter.exchange)
                                               and (m.exchange is null, m.builtin) < (f.exchange is null, f.builtin))
      else false end
    and (not f.builtin or not exists (select from monitoring.symbol_filters o
                                      where o.kind = f.kind and o.value = f.value and not o.active
                                        and (o.exchange is null or o.exchange = refusing_filter.exchange)))
  order by array_position('{stop_list,white_list,pattern,contains,stable_pair,leveraged,delisted,min_volume}', f.kind), f.value
  limit 1);
end
$$;
comment on function monitoring.refusing_filter(text, text, text) is
  'The first rule against a canonical symbol with that base asset, as "kind value"; NULL when there is none.';

-- binance or bybit, in any case; NULL stays NULL. TS004.
create function monitoring.filter_exchange(exchange text) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if lower(exchange) not in ('binance', 'bybit') then
    raise exception 'invalid exchange "%"', exchange
      using errcode = 'TS004', detail = 'Filters know binance and bybit.', hint = 'Use binance (USDⓈ-M futures) or bybit (v5 linear).';
  end if;
  return lower(exchange);
end
$$;
comment on function monitoring.filter_exchange(text) is 'The exchange in lower case; TS004.';

-- May signals open this symbol, in whatever spelling?
create function monitoring.symbol_allowed(exchange text, symbol text, out allowed boolean, out rule text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  canonical constant text := nullif(monitoring.canonical_symbol(btrim(symbol)), '');
begin
  if exchange is null or canonical is null then
    raise exception 'no %', case when exchange is null then 'exchange' else 'symbol' end
      using errcode = 'TS044', detail = 'Whether a symbol is allowed depends on both.',
            hint = 'Call monitoring.symbol_allowed(''binance'', ''BTCUSDT'').';
  end if;
  rule := monitoring.refusing_filter(monitoring.filter_exchange(exchange), canonical, monitoring.base_of_symbol(canonical));
  allowed := rule is null;
end
$$;
comment on function monitoring.symbol_allowed(text, text) is
  'May signals open this symbol (any spelling)? If not, rule says which of symbol_filters refuses it, as "kind value".';

-- The value of a rule as it is stored; TS044.
create function monitoring.checked_filter_value(kind text, value text) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  known constant text[] := '{stop_list,white_list,pattern,contains,stable_pair,leveraged,delisted,min_volume}';
  stored constant text := case when kind in ('stop_list', 'white_list', 'delisted') then monitoring.canonical_symbol(btrim(value))
                               else upper(btrim(value) collate "C") end;
  reason text;
begin
  if kind is null or kind <> all (known) then
    raise exception 'unknown kind of filter %', coalesce('"' || kind || '"', 'NULL')
      using errcode = 'TS044', detail = 'There is no such rule.', hint = format('Known are %s.', array_to_string(known, ', '));
  end if;
  reason := case
    when coalesce(stored, '') = '' then 'It is empty.'
    when kind = 'min_volume' then
      case when stored !~ '^\d{1,20}(\.\d{1,20})?$' then 'min_volume is an amount in quote currency, 0 or more.' end
    when length(stored) > 60 or stored ~ '[\s,;"'']' then 'It is not one word of at most 60 characters.'
    when kind = 'pattern' then case when stored ~ '^[*?]+$' then 'It would match every symbol.' end
    when stored ~ '[*?]' then 'Only patterns have wildcards.' end;
  if reason is not null then
    raise exception 'invalid value % of filter %', coalesce('"' || left(value, 80) || '"', 'NULL'), kind
      using errcode = 'TS044', detail = reason,
            hint = 'One value a call: a symbol (stop_list, white_list, delisted), a pattern with * and ?, an asset (stable_pair), '
                   'an ending (contains, leveraged), or an amount (min_volume).';
  end if;
  return case when kind = 'min_volume' then trim_scale(stored::numeric)::text else stored end;
end
$$;
comment on function monitoring.checked_filter_value(text, text) is 'The value of a rule as it is stored; TS044.';

create function monitoring.set_symbol_filter(kind text, value text, exchange text default null) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stored constant text := monitoring.checked_filter_value(kind, value);
  venue constant text := monitoring.filter_exchange(exchange);
begin
  if kind = 'min_volume' then
    delete from monitoring.symbol_filters f where f.kind = 'min_volume' and f.exchange is not distinct from venue and not f.builtin;
  end if;
  insert into monitoring.symbol_filters (kind, value, exchange) values (set_symbol_filter.kind, stored, venue)
  on conflict on constraint one_row_per_filter do update set active = true, updated_at = now();
  perform monitoring.record_act(null, 'symbol_filter_set', 'INFO',
    jsonb_build_object('kind', kind, 'value', stored, 'exchange', venue));
end
$$;
comment on function monitoring.set_symbol_filter(text, text, text) is
  'Adds a rule to symbol_filters, for one exchange or (NULL) both; min_volume replaces the amount there was. Effective at commit.';

-- A shipped rule is taken back by a row of the user's, so that a dump carries the wish.
create function monitoring.remove_symbol_filter(kind text, value text, exchange text default null) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  stored constant text := monitoring.checked_filter_value(kind, value);
  venue constant text := monitoring.filter_exchange(exchange);
  removed boolean;
begin
  delete from monitoring.symbol_filters f
  where f.kind = remove_symbol_filter.kind and f.value = stored and f.exchange is not distinct from venue and not f.builtin and f.active;
  removed := found;
  if remove_symbol_filter.kind <> 'min_volume'
     and exists (select from monitoring.symbol_filters f where f.kind = remove_symbol_filter.kind and f.value = stored and f.builtin) then
    insert into monitoring.symbol_filters (kind, value, exchange, active) values (remove_symbol_filter.kind, stored, venue, false)
    on conflict on constraint one_row_per_filter do nothing;
    removed := removed or found;
  end if;
  if not removed then
    raise exception 'there is no filter % %', kind, stored
      using errcode = 'TS044',
            detail = format('Rules of this kind for %s: %s.', coalesce(venue, 'both exchanges'),
                            coalesce((select string_agg(distinct f.value, ', ') from monitoring.symbol_filters f
                                      where f.kind = remove_symbol_filter.kind and f.active
                                        and f.exchange is not distinct from venue), 'none')),
            hint = 'monitoring.symbol_filters lists them; a rule for one exchange is removed with that exchange.';
  end if;
  perform monitoring.record_act(null, 'symbol_filter_removed', 'INFO',
    jsonb_build_object('kind', kind, 'value', stored, 'exchange', venue));
end
$$;
comment on function monitoring.remove_symbol_filter(text, text, text) is
  'Takes a rule out of symbol_filters; a shipped one is switched off, for one exchange or (NULL) both. TS044 when there is none. '
  'Effective at commit.';
