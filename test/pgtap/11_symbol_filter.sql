-- The symbol filter: each rule of the legacy bot with its defaults, in its order, and what people may change about it.
begin;
set search_path = public, pg_catalog;
select no_plan();

-- "SQLSTATE message", and whether detail and hint are there.
create function pg_temp.complaint(statement text) returns text language plpgsql as $$
declare
  message text; detail text; hint text;
begin
  execute statement;
  return 'no error';
exception when others then
  get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
  return format('%s %s', sqlstate, message) || case when detail = '' or hint = '' then ' (no detail or hint)' else '' end;
end $$;
create function pg_temp.rule_of(symbol text, exchange text default 'binance') returns text language sql as $$
  select case when a.allowed <> (a.rule is null) then 'allowed and rule differ' else coalesce(a.rule, 'allowed') end
  from monitoring.symbol_allowed(exchange, symbol) a $$;

-- The shipped rules.
select is((select string_agg(kind || ':' || list, ' ' order by kind) from (
            select kind, string_agg(value, ',' order by value collate "C") as list from monitoring.symbol_filters where builtin group by kind) k),
          'contains:DOM,INDEX delisted:FTMUSDT,LUNAUSDT,USTUSDT leveraged:2L,2S,3L,3S,BEAR,BULL,DOWN,UP min_volume:0 '
          'pattern:*2L,*2S,*3L,*3S,*BEAR,*BULL,*DOWN,*UP stable_pair:BUSD,DAI,GUSD,TUSD,USDC,USDP,USDT '
          'stop_list:BTCDOMUSDT,BUSDUSDT,EURBUSD,GBPBUSD,USDCUSDT', 'all defaults of the legacy bot are there');
select is(pg_temp.rule_of(symbol), rule, symbol || ' is ' || rule)
from (values
  ('BTCUSDT', 'allowed'), ('BTC/USDT:USDT', 'allowed'), ('ethusdt', 'allowed'), ('1000PEPEUSDT', 'allowed'), ('BTC', 'allowed'),
  ('BTCDOMUSDT', 'stop_list BTCDOMUSDT'), ('BTCDOM/USDT:USDT', 'stop_list BTCDOMUSDT'), ('eurbusd', 'stop_list EURBUSD'), ('USDCUSDT', 'stop_list USDCUSDT'),
  ('BTCUPUSDT', 'pattern *UP'), ('ETH/DOWN', 'pattern *DOWN'), ('ETHDOWNUSDT', 'pattern *DOWN'), ('XRPBULLUSDT', 'pattern *BULL'),
  ('ETH3LUSDT', 'pattern *3L'), ('ETH2SUSDT', 'pattern *2S'), ('BTCUP', 'pattern *UP'), ('BULLUSDT', 'pattern *BULL'), ('SOLBEARUSDC', 'pattern *BEAR'),
  -- Names that only look like leveraged tokens.
  ('JUPUSDT', 'allowed'), ('SUPUSDT', 'allowed'), ('SUPERUSDT', 'allowed'), ('SYRUPUSDT', 'allowed'), ('UPUSDT', 'allowed'), ('UPBTCUSDT', 'allowed'),
  ('ETHDOMUSDT', 'contains DOM'), ('DEFIINDEXUSDT', 'contains INDEX'), ('DOMIUSDT', 'allowed'), ('INDEXEDUSDT', 'allowed'), ('RANDOMXUSDT', 'allowed'),
  ('TUSDUSDT', 'stable_pair TUSD'), ('DAIUSDC', 'stable_pair DAI'), ('TUSDT', 'allowed'), ('DUSDT', 'allowed'), ('USDTBTC', 'allowed'),
  ('FTMUSDT', 'delisted FTMUSDT'), ('LUNAUSDT', 'delisted LUNAUSDT'), ('LUNA2USDT', 'allowed')) c (symbol, rule);
select is(pg_temp.rule_of('BTCUPUSDT', 'BYBIT'), 'pattern *UP', 'exchanges are written in any case');

-- An asset that somebody trades makes leveraged tokens, unless it has one letter only.
select monitoring.add_account('bin', 'binance', 'testnet');
select monitoring.worker_save_instruments(a.id, array[row(b || 'USDT', 'trading', 'perpetual', b, 'USDT', 'USDT', 0.1, 0.001, 0.001, 1000, 50, 5, 100)::monitoring.instrument_row])
from monitoring.accounts a, unnest('{S,NEW}'::text[]) b;
select is(pg_temp.rule_of('NEWUPUSDT'), 'pattern *UP', 'NEWUP is leveraged when NEW is traded');
select is(pg_temp.rule_of('OLDUPUSDT'), 'allowed', 'OLDUP is a name of its own when nobody trades OLD');
select is(pg_temp.rule_of('SUPUSDT'), 'allowed', 'SUP stays a name of its own though S is traded');

-- What people change.
select is(pg_temp.rule_of('DOGEUSDT'), 'allowed', 'allowed before');
select monitoring.set_symbol_filter('stop_list', 'doge/usdt:usdt');
select is(pg_temp.rule_of('DOGEUSDT'), 'stop_list DOGEUSDT', 'stop_list, given in another spelling');
select monitoring.set_symbol_filter('pattern', '1000*');
select monitoring.set_symbol_filter('pattern', 'A?A');
select monitoring.set_symbol_filter('pattern', '*USDC');
select monitoring.set_symbol_filter('pattern', 'x_y');
select is(pg_temp.rule_of(symbol), rule, symbol || ' is ' || rule)
from (values ('1000PEPEUSDT', 'pattern 1000*'), ('X1000USDT', 'allowed'), ('ADAUSDT', 'pattern A?A'), ('ALPHAUSDT', 'allowed'),
             ('BTCUSDC', 'pattern *USDC'), ('USDCXUSDT', 'allowed'), ('X_YUSDT', 'pattern X_Y'), ('XAYUSDT', 'allowed')) c (symbol, rule);
select monitoring.set_symbol_filter('delisted', 'WAVESUSDT', 'bybit');
select is(pg_temp.rule_of('WAVESUSDT', 'bybit'), 'delisted WAVESUSDT', 'a rule of one exchange');
select is(pg_temp.rule_of('WAVESUSDT', 'binance'), 'allowed', 'does not touch the other');
select monitoring.set_symbol_filter('leveraged', '5L');
select is(pg_temp.rule_of('BTC5LUSDT'), 'leveraged 5L', 'another leveraged suffix');
select monitoring.set_symbol_filter('stable_pair', 'FDUSD');
select is(pg_temp.rule_of('FDUSDUSDT'), 'stable_pair FDUSD', 'another stable asset');
select is(pg_temp.rule_of('USDTFDUSD'), 'stable_pair USDT', 'on either side');

-- White list: in force while it has rows, after the stop list.
select monitoring.set_symbol_filter('white_list', 'BTCUSDT', 'bybit');
select is(pg_temp.rule_of(symbol, exchange), rule, symbol || ' of ' || exchange || ' is ' || rule)
from (values ('BTCUSDT', 'bybit', 'allowed'), ('LINKUSDT', 'bybit', 'white_list'), ('DOGEUSDT', 'bybit', 'stop_list DOGEUSDT'),
             ('LINKUSDT', 'binance', 'allowed')) c (symbol, exchange, rule);
select monitoring.set_symbol_filter('white_list', 'LINKUSDT');
select is(pg_temp.rule_of(symbol, exchange), rule, symbol || ' of ' || exchange || ' is ' || rule || ' with a list for both')
from (values ('BTCUSDT', 'bybit', 'allowed'), ('LINKUSDT', 'bybit', 'allowed'), ('BTCUSDT', 'binance', 'white_list')) c (symbol, exchange, rule);
select monitoring.set_symbol_filter('white_list', 'BTCUPUSDT');
select is(pg_temp.rule_of('BTCUPUSDT'), 'pattern *UP', 'the white list lifts no other rule');
select monitoring.remove_symbol_filter('white_list', v) from unnest('{LINKUSDT,BTCUPUSDT}'::text[]) v;
select monitoring.remove_symbol_filter('white_list', 'BTCUSDT', 'bybit');
select is(pg_temp.rule_of('LINKUSDT', 'bybit'), 'allowed', 'an empty white list is none');

-- Volume: unknown passes, the amount itself passes.
insert into monitoring.liquid_pairs (exchange, rank, symbol, volume_24h) values ('binance', 1, 'LINKUSDT', 1000000), ('binance', 2, 'LTCUSDT', 999999.99);
select is(pg_temp.rule_of('LTCUSDT'), 'allowed', 'the shipped minimum is 0');
select monitoring.set_symbol_filter('min_volume', '1000000.00');
select is(pg_temp.rule_of(symbol), rule, symbol || ' is ' || rule)
from (values ('LINKUSDT', 'allowed'), ('LTCUSDT', 'min_volume 1000000'), ('SOLUSDT', 'allowed')) c (symbol, rule);
select monitoring.set_symbol_filter('min_volume', '500000', 'binance');
select is(pg_temp.rule_of('LTCUSDT'), 'allowed', 'the amount of an exchange beats the one for both');
select monitoring.set_symbol_filter('min_volume', '2000000', 'binance');
select is((select count(*)::int from monitoring.symbol_filters where kind = 'min_volume' and exchange = 'binance'), 1, 'a new amount replaces the old one');
select is(pg_temp.rule_of('LINKUSDT'), 'min_volume 2000000', 'and counts');
select monitoring.remove_symbol_filter('min_volume', '2000000', 'binance');
select monitoring.remove_symbol_filter('min_volume', '1000000');
select is(pg_temp.rule_of('LTCUSDT'), 'allowed', 'without any of ours the shipped one counts again');

-- Shipped rules can be taken back, for one exchange too, and again.
select monitoring.remove_symbol_filter('delisted', 'FTMUSDT', 'bybit');
select is(pg_temp.rule_of('FTMUSDT', 'bybit'), 'allowed', 'a shipped rule taken back for one exchange');
select is(pg_temp.rule_of('FTMUSDT', 'binance'), 'delisted FTMUSDT', 'and in force for the other');
select monitoring.remove_symbol_filter('delisted', 'FTMUSDT');
select is(pg_temp.rule_of('FTMUSDT', 'binance'), 'allowed', 'taken back for both');
select is((select count(*)::int from monitoring.symbol_filters where builtin), 34, 'the shipped rows themselves stay');
select is(pg_temp.complaint($$select monitoring.remove_symbol_filter('delisted', 'FTMUSDT')$$), 'TS044 there is no filter delisted FTMUSDT', 'twice is too often');
select monitoring.set_symbol_filter('delisted', 'FTMUSDT');
select is(pg_temp.rule_of('FTMUSDT', 'binance'), 'delisted FTMUSDT', 'and it can be set again');
select monitoring.remove_symbol_filter('stop_list', 'DOGEUSDT');
select is(pg_temp.rule_of('DOGEUSDT'), 'allowed', 'an own rule is gone when removed');

-- Bad input.
select is(pg_temp.complaint(statement), complaint, complaint)
from (values
  ($$select monitoring.set_symbol_filter('stoplist', 'BTCUSDT')$$, 'TS044 unknown kind of filter "stoplist"'),
  ($$select monitoring.set_symbol_filter(null, 'BTCUSDT')$$, 'TS044 unknown kind of filter NULL'),
  ($$select monitoring.set_symbol_filter('stop_list', null)$$, 'TS044 invalid value NULL of filter stop_list'),
  ($$select monitoring.set_symbol_filter('stop_list', ' ')$$, 'TS044 invalid value " " of filter stop_list'),
  ($$select monitoring.set_symbol_filter('stop_list', 'BTCUSDT,ETHUSDT')$$, 'TS044 invalid value "BTCUSDT,ETHUSDT" of filter stop_list'),
  ($$select monitoring.set_symbol_filter('stop_list', 'BTC*')$$, 'TS044 invalid value "BTC*" of filter stop_list'),
  ($$select monitoring.set_symbol_filter('pattern', '*')$$, 'TS044 invalid value "*" of filter pattern'),
  ($$select monitoring.set_symbol_filter('min_volume', '-1')$$, 'TS044 invalid value "-1" of filter min_volume'),
  ($$select monitoring.set_symbol_filter('min_volume', 'NaN')$$, 'TS044 invalid value "NaN" of filter min_volume'),
  ($$select monitoring.set_symbol_filter('stop_list', 'BTCUSDT', 'kraken')$$, 'TS004 invalid exchange "kraken"'),
  ($$select monitoring.remove_symbol_filter('stop_list', 'NONEUSDT')$$, 'TS044 there is no filter stop_list NONEUSDT'),
  ($$select monitoring.remove_symbol_filter('stop_list', 'NONEUSDT', 'bybit')$$, 'TS044 there is no filter stop_list NONEUSDT'),
  ($$select monitoring.symbol_allowed('binance', null)$$, 'TS044 no symbol'),
  ($$select monitoring.symbol_allowed('binance', ' ')$$, 'TS044 no symbol'),
  ($$select monitoring.symbol_allowed(null, 'BTCUSDT')$$, 'TS044 no exchange'),
  ($$select monitoring.symbol_allowed('kraken', 'BTCUSDT')$$, 'TS004 invalid exchange "kraken"')) c (statement, complaint);

-- Who may.
select is(has_function_privilege(role_name, f, 'execute'), allowed, format('%s %s execute %s', role_name, case when allowed then 'may' else 'may not' end, f))
from (values ('tradesync_reader', 'monitoring.symbol_allowed(text,text)', true), ('tradesync_trader', 'monitoring.set_symbol_filter(text,text,text)', false),
             ('tradesync_admin', 'monitoring.set_symbol_filter(text,text,text)', true), ('tradesync_admin', 'monitoring.remove_symbol_filter(text,text,text)', true),
             ('tradesync_admin', 'monitoring.run_as(oid,text,text[])', false), ('tradesync_admin', 'monitoring.read_as_owner(regclass,text,timestamptz)', false)) p (role_name, f, allowed);
set local role tradesync_reader;
select is(pg_temp.rule_of('BTCDOMUSDT'), 'stop_list BTCDOMUSDT', 'a reader may try the filter');
reset role;
select is((select e.extcondition[array_position(e.extconfig, 'monitoring.symbol_filters'::regclass)] from pg_extension e where e.extname = 'pg_tradesync'),
          'where not builtin', 'a dump leaves the shipped rules out');

select * from finish();
rollback;
