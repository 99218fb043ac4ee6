-- How large a position becomes when nobody says, and what an account may hold at once: each limit has its code and its numbers.
begin;
set search_path = public, pg_catalog;
select no_plan();

-- "SQLSTATE detail" of a refusal that has a hint; "no error" when it succeeds, which leaves nothing behind.
create function pg_temp.refusal(statement text) returns text language plpgsql as $$
declare
  detail text; hint text;
begin
  begin
    execute statement;
    raise exception 'taken back' using errcode = 'P0099';
  exception when sqlstate 'P0099' then
    return 'no error';
  end;
exception when others then
  get stacked diagnostics detail = pg_exception_detail, hint = pg_exception_hint;
  return sqlstate || ' ' || detail || case when hint = '' then ' (no hint)' else '' end;
end $$;
create or replace function monitoring.worker_state(account_id int) returns text language sql as $$ select 'live' $$;

select monitoring.add_account('bee', 'bybit', 'testnet', 'dry_run'), monitoring.add_account('other', 'bybit', 'testnet', 'dry_run');
select monitoring.enable_account('bee'), monitoring.enable_account('other');
create function pg_temp.id_of(account text) returns int language sql as $$ select id from monitoring.accounts where name = account $$;
create function pg_temp.instrument(symbol text, step numeric default 0.001, min_notional numeric default 5) returns int language sql as $$
  select monitoring.worker_save_instruments(a.id, array[row(symbol, 'trading', 'perpetual', replace(symbol, 'USDT', ''), 'USDT', 'USDT',
    0.1, step, step, 100000, 100000, min_notional, 100)::monitoring.instrument_row]) from monitoring.accounts a where name = 'bee' $$;
create function pg_temp.price(symbol text, mark numeric, age interval default '0') returns int language sql as $$
  select monitoring.worker_save_prices(pg_temp.id_of('bee'), array[row(symbol, mark, mark, clock_timestamp() - age)::monitoring.price_row]) $$;
create function pg_temp.balance(available numeric) returns int language sql as $$
  select monitoring.worker_save_balances(pg_temp.id_of('bee'), array[row('USDT', available, available, available, clock_timestamp())::monitoring.balance_row]) $$;
select pg_temp.instrument(s) from unnest('{BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,ADAUSDT,LTCUSDT}'::text[]) s;
select pg_temp.price(s, 100) from unnest('{BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT}'::text[]) s;

-- Size of a position.
create function pg_temp.size_of(account text, score numeric default null) returns numeric language sql as $$
  select monitoring.sized_by_settings(account, monitoring.effective_settings(account),
                                      (monitoring.risk_limits_of(account)).max_position_notional, score, 'USDT') $$;
select is(pg_temp.size_of('bee'), 6::numeric, 'a fixed size is position_size');
select is(pg_temp.size_of('bee', 99), 6::numeric, 'whatever the score');
select monitoring.configure_account('bee', '{"position_sizing": "score", "position_size": 100}');
select is(pg_temp.size_of('bee', score), size, format('a score of %s buys %s', coalesce(score::text, 'NULL'), size))
from (values (null, 100), ('-1', 100), (0, 100), (70, 100), (70.01, 100.03333333), (85, 150), (92.5, 175), (100, 200), (250, 200), ('NaN', 100), ('Infinity', 100))
  s (score, size);
select monitoring.configure_account('bee', '{"score_multiplier_from": 50, "score_multiplier": 0.5}');
select is(pg_temp.size_of('bee', 75), 75::numeric, 'a multiplier below one makes good scores smaller');
select monitoring.configure_account('bee', '{"position_sizing": "balance"}');
select is(pg_temp.refusal($$ select pg_temp.size_of('bee') $$), 'TS037 Positions are sized by the free balance, and the exchange has reported none in USDT.', 'a part of a balance that is not known');
select pg_temp.balance(5000);
select is(pg_temp.size_of('bee'), 500::numeric, '10 percent of the free balance');
select is(pg_temp.size_of('bee', 100), 500::numeric, 'whatever the score');
select monitoring.configure_account('bee', '{"position_balance_percent": 0.333}');
select is(pg_temp.size_of('bee'), 16.65, 'exactly the percentage asked for');
select pg_temp.balance(0);
select is(pg_temp.refusal($$ select monitoring.open_position('bee', 'BTCUSDT', 'long') $$), 'TS037 Positions are sized by the free balance, which is 0 USDT.', 'a part of nothing');
select pg_temp.balance(3000000);
select monitoring.configure_account('bee', '{"position_balance_percent": 10}');
select is(pg_temp.size_of('bee'), 10000::numeric, 'a size is cut at max_position_notional');
create table public.sized as select monitoring.open_position('bee', 'BTCUSDT', 'long') as id;
select is((select wanted_notional from monitoring.positions p join public.sized s using (id)), 10000::numeric, 'and open_position() takes it when nobody says a size');
update monitoring.positions set status = 'failed' where id in (select id from public.sized);
select pg_temp.balance(5000);
select monitoring.configure_account('bee', '{"position_sizing": null, "position_size": null, "position_balance_percent": null}');

-- The least that the venue takes may cost 10 percent more than asked.
select pg_temp.instrument('ADAUSDT', step => 0.5), pg_temp.price('ADAUSDT', 100), pg_temp.instrument('LTCUSDT', step => 0.1, min_notional => 45), pg_temp.price('LTCUSDT', 100);
select is(split_part(pg_temp.refusal(format('select monitoring.open_position(%L, %L, %L, %s)', 'bee', symbol, 'long', notional)), ' ', 1) = 'TS018', refused,
          format('%s for %s %s', symbol, notional, case when refused then 'is too little' else 'will do' end))
from (values ('ADAUSDT', 45.45, true), ('ADAUSDT', 45.46, false), ('ADAUSDT', 50, false), ('ADAUSDT', 50.01, false), ('ADAUSDT', 99.99, false),
             ('LTCUSDT', 45.45, true), ('LTCUSDT', 45.46, false), ('LTCUSDT', 49, false), ('LTCUSDT', 40.9, true)) t (symbol, notional, refused);

-- Limits of an account.
select is((select row(max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure, min_free_balance)::text from monitoring.risk_limits where account = 'bee'),
          '(150,10000,10000,99000,10)', 'a new account has the shipped limits');
select is(pg_temp.refusal(format('select monitoring.set_risk_limits(%L, %L)', 'bee', l)), 'TS044 ' || complaint, coalesce(l, 'no limits'))
from (values
  ('{"max_open_position": 5}', 'There is no such limit of an account.'), ('{"leverage": 1}', 'There is no such limit of an account.'),
  ('{"account": "other"}', 'There is no such limit of an account.'), ('[]', 'Given: [].'), ('null', 'Given: null.'), (null, 'Given: NULL.'),
  ('{"max_open_positions": 1.5}', 'max_open_positions is a whole number, or null for no limit.'), ('{"max_open_positions": -1}', 'max_open_positions is a whole number, or null for no limit.'),
  ('{"max_open_positions": 100001}', 'max_open_positions is a whole number, or null for no limit.'), ('{"max_open_positions": 99999999999999}', 'max_open_positions is a whole number, or null for no limit.'),
  ('{"max_position_notional": -1}', 'max_position_notional is an amount, or null for no limit.'), ('{"max_symbol_notional": "lots"}', 'max_symbol_notional is an amount, or null for no limit.'),
  ('{"max_total_exposure": true}', 'max_total_exposure is an amount, or null for no limit.'), ('{"max_total_exposure": 1000000000001}', 'max_total_exposure is an amount, or null for no limit.'),
  ('{"min_free_balance": [1]}', 'min_free_balance is an amount, or null for no limit.'), ('{"min_free_balance": "NaN"}', 'min_free_balance is an amount, or null for no limit.'),
  ('{"max_open_positions": 5, "max_total_exposure": "x"}', 'max_total_exposure is an amount, or null for no limit.')) v (l, complaint);
select is(pg_temp.refusal($$ select monitoring.set_risk_limits('nobody', '{}') $$) like 'TS002 %', true, 'limits of nobody');
select is((select max_open_positions from monitoring.risk_limits where account = 'bee'), 150, 'nothing invalid was stored');
select monitoring.set_risk_limits('bee', '{"max_open_positions": "2", "max_symbol_notional": 1000.50, "min_free_balance": null}');
select is((select row(max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure, min_free_balance)::text from monitoring.risk_limits where account = 'bee'),
          '(2,10000,1000.5,99000,)', 'what is given changes, null takes a limit away, the rest stays');
select is((select count(*)::int from monitoring.events where account = 'bee' and event_type = 'risk_limits_changed'), 1, 'an event tells so');
select is((select max_open_positions from monitoring.risk_limits where account = 'other'), 150, 'another account keeps its own');
delete from monitoring.risk_limits where account = 'bee';
select is((select concat_ws(' ', max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure, min_free_balance) from monitoring.risk_usage where account = 'bee'),
          '150 10000 10000 99000 10', 'an account without a row has the shipped limits');
select monitoring.set_risk_limits('bee', '{"max_open_positions": null}');
select is((select concat_ws(' ', coalesce(max_open_positions, -1), max_position_notional, min_free_balance) from monitoring.risk_usage where account = 'bee'), '-1 10000 10', 'and gets one when one of them changes');
select is((monitoring.risk_limits_of('bee')).max_open_positions, null, 'an absent limit is not the shipped one');

-- What counts.
create function pg_temp.usage() returns text language sql as $$
  select concat_ws(' ', open_positions, trim_scale(exposure), trim_scale(reserved_margin), trim_scale(free_balance)) from monitoring.risk_usage where account = 'bee' $$;
select monitoring.configure_account('bee', '{"leverage": 4}');
select is(pg_temp.usage(), '0 0 0 5000', 'nothing is in use');
select monitoring.open_position('bee', 'BTCUSDT', 'long', 200);
select is(pg_temp.usage(), '1 200 50 4950', 'what is reserved counts, its margin is not free');
select monitoring.open_position('bee', 'ETHUSDT', 'short', null, 3);
select is(pg_temp.usage(), '2 500 125 4875', 'a quantity counts at the mark price, a short like a long');
select pg_temp.price('ETHUSDT', 110);
select is(pg_temp.usage(), '2 530 132.5 4867.5', 'of the moment');
update monitoring.positions set status = 'entry_placed' where account = 'bee' and is_open;
select is(pg_temp.usage(), '2 530 132.5 4867.5', 'an entry that is on its way counts the same');
update monitoring.positions set status = 'pending_sl', quantity = 1, entry_price = 100 where symbol = 'ETHUSDT';
select is(pg_temp.usage(), '2 530 132.5 4867.5', 'margin stays reserved while the balance was reported before the fill');
select pg_temp.balance(5000);
select is(pg_temp.usage(), '2 530 105 4895', 'of one that is filled in part, later the margin of the rest');
update monitoring.positions set status = 'active', quantity = 3 where symbol = 'ETHUSDT';
select is(pg_temp.usage(), '2 530 50 4950', 'one that is filled shows in the balance');
select monitoring.worker_save_balances(pg_temp.id_of('bee'), array[row('USDT', 6000, null, null, clock_timestamp())::monitoring.balance_row]);
update monitoring.positions set opened_at = clock_timestamp() where symbol = 'ETHUSDT';
select monitoring.worker_save_balances(pg_temp.id_of('bee'), array[row('USDT', 5900, null, null, clock_timestamp())::monitoring.balance_row]);
select is(pg_temp.usage(), '2 530 132.5 4867.5', 'and a report without the available balance changes nothing about that');
select pg_temp.balance(5000);
update monitoring.positions set status = 'closing' where symbol = 'ETHUSDT';
select is(pg_temp.usage(), '2 530 50 4950', 'one that is being closed still counts');
insert into monitoring.positions (account, symbol, exchange, side, quantity, entry_price, status, origin, managed) values ('bee', 'XRPUSDT', 'bybit', 'long', 5, 90, 'active', 'external', false);
select is(pg_temp.usage(), '3 1030 50 4950', 'somebody else''s position counts');
insert into monitoring.positions (account, symbol, exchange, side, quantity, entry_price, status, origin, managed) values ('bee', 'NEWUSDT', 'bybit', 'long', 2, 7, 'active', 'external', false);
select is(pg_temp.usage(), '4 1044 50 4950', 'without a price it counts at its entry price');
insert into monitoring.venue_position_state (account, exchange, symbol, position_side, quantity, entry_price, source)
values ('bee', 'bybit', 'DOTUSDT', 'both', -10, 5, 'rest'), ('bee', 'bybit', 'XRPUSDT', 'both', 5, 90, 'rest'), ('bee', 'bybit', 'FLATUSDT', 'both', 0, 5, 'rest');
select is(pg_temp.usage(), '5 1094 50 4950', 'one without a row counts, one with a row counts once, a flat one not at all');
select is((select concat_ws(' ', open_positions, exposure) from monitoring.risk_usage where account = 'other'), '0 0', 'another account has none of it');
update monitoring.positions set status = 'closed', closed_at = now(), exit_reason = 'test' where symbol in ('ETHUSDT', 'NEWUSDT');
update monitoring.positions set status = 'failed' where symbol = 'BTCUSDT' and is_open;
select is(pg_temp.usage(), '2 550 0 5000', 'what is over counts no longer');
select is((select openings from monitoring.risk_state where account = 'bee'), 3::bigint, 'every opening was counted in risk_state');

-- Each limit refuses by its own code. 550 are in use: 500 of XRPUSDT, 50 of DOTUSDT.
create function pg_temp.trial(limits text, asked text, symbol text default 'BTCUSDT') returns text language plpgsql as $$
begin
  perform monitoring.set_risk_limits('bee', limits::jsonb);
  return pg_temp.refusal(format('select monitoring.open_position(%L, %L, %L, %s)', 'bee', symbol, 'long', asked));
end $$;
create function pg_temp.no_limits() returns void language sql as $$
  select monitoring.set_risk_limits('bee', '{"max_open_positions": null, "max_position_notional": null, "max_symbol_notional": null, "max_total_exposure": null, "min_free_balance": null}') $$;
select pg_temp.no_limits();
select is(pg_temp.trial('{}', '90000'), 'no error', 'no limits, no refusal');
select is(pg_temp.trial('{"max_open_positions": 2}', '100'), 'TS033 max_open_positions is 2, 2 in use, 1 asked for.', 'one position too many');
select is(pg_temp.trial('{"max_open_positions": 0}', '100'), 'TS033 max_open_positions is 0, 2 in use, 1 asked for.', 'an account that shall open nothing');
select is(pg_temp.trial('{"max_open_positions": 3}', '100'), 'no error', 'the last place');
select pg_temp.no_limits();
select is(pg_temp.trial('{"max_position_notional": 99.99}', '100'), 'TS034 max_position_notional is 99.99, 0 in use, 100 asked for.', 'a position that is too large');
select is(pg_temp.trial('{"max_position_notional": 99.99}', 'null, 1'), 'TS034 max_position_notional is 99.99, 0 in use, 100 asked for.', 'a quantity that is worth too much');
select is(pg_temp.trial('{"max_position_notional": 100}', '100'), 'no error', 'one that fits exactly');
select pg_temp.no_limits();
select monitoring.worker_save_position_modes(pg_temp.id_of('bee'), array[row('SOLUSDT', true)::monitoring.position_mode_row]);
select monitoring.open_position('bee', 'SOLUSDT', 'short', 70);
select is(pg_temp.trial('{"max_symbol_notional": 150}', '81', 'SOLUSDT'), 'TS035 max_symbol_notional is 150, 70 in use, 81 asked for.', 'too much of one symbol: both sides of a hedge count');
select is(pg_temp.trial('{"max_symbol_notional": 150}', '80', 'SOLUSDT'), 'no error', 'just enough of it');
select is(pg_temp.trial('{"max_symbol_notional": 150}', '150'), 'no error', 'other symbols do not count');
update monitoring.positions set status = 'failed' where symbol = 'SOLUSDT';
select pg_temp.no_limits();
select is(pg_temp.trial('{"max_total_exposure": 649.99}', '100'), 'TS036 max_total_exposure is 649.99, 550 in use, 100 asked for.', 'too much in all');
select is(pg_temp.trial('{"max_total_exposure": 650}', '100'), 'no error', 'all that may be');
select pg_temp.no_limits();
select is(pg_temp.trial('{"min_free_balance": 4975.01}', '100'), 'TS037 min_free_balance is 4975.01; 5000 USDT are available, less 0 for openings not shown in it and 25 for 100 at leverage 4.', 'too little would be left');
select is(pg_temp.trial('{"min_free_balance": 4975}', '100'), 'no error', 'just enough is left');
select monitoring.open_position('bee', 'ETHUSDT', 'long', 40);
select is(pg_temp.trial('{"min_free_balance": 4975}', '100'), 'TS037 min_free_balance is 4975; 5000 USDT are available, less 10 for openings not shown in it and 25 for 100 at leverage 4.', 'what others have reserved is not free');
delete from monitoring.balances where account = 'bee';
select is(pg_temp.trial('{}', '100'), 'TS037 min_free_balance is 4975, and the exchange has reported no available balance in USDT.', 'a balance that nobody knows');
select is(pg_temp.trial('{"min_free_balance": null}', '100'), 'no error', 'does not matter without that limit');
select pg_temp.balance(5000);
update monitoring.positions set status = 'failed' where symbol = 'ETHUSDT' and is_open;
select is((select openings from monitoring.risk_state where account = 'bee'), 5::bigint, 'what was refused left no trace in risk_state');

-- A quantity without a price: what the limits leave goes along, and is reserved.
create function pg_temp.bound(of_id bigint) returns numeric language sql as $$ select max_notional from monitoring.positions where id = of_id $$;
select pg_temp.no_limits(), pg_temp.instrument('UNIUSDT'), pg_temp.instrument('OPUSDT');
select is(pg_temp.bound(monitoring.open_position('bee', 'UNIUSDT', 'long', null, 1)), null, 'without limits there is no bound');
select is(pg_temp.usage(), '3 550 0 5000', 'and it counts as a position of unknown worth');
update monitoring.positions set status = 'failed' where symbol = 'UNIUSDT';
select is(pg_temp.trial('{"max_position_notional": 0}', 'null, 1', 'UNIUSDT'), 'TS034 max_position_notional is 0, 0 in use, an amount that depends on a price not known yet is asked for.', 'a limit that leaves nothing refuses it');
select is(pg_temp.trial('{"max_position_notional": null, "max_total_exposure": 550}', 'null, 1', 'UNIUSDT'), 'TS036 max_total_exposure is 550, 550 in use, an amount that depends on a price not known yet is asked for.', 'one that is used up, too');
select monitoring.set_risk_limits('bee', limits::jsonb) from (values ('{"max_position_notional": 900, "max_symbol_notional": 800, "max_total_exposure": 1250, "min_free_balance": 4850}')) l (limits);
select is(pg_temp.bound(monitoring.open_position('bee', 'UNIUSDT', 'long', null, 1)), 600::numeric, 'the bound is what the tightest limit leaves: 150 of free balance at leverage 4');
select is(pg_temp.usage(), '3 1150 150 4850', 'as much is reserved');
select is(pg_temp.refusal($$ select monitoring.open_position('bee', 'OPUSDT', 'long', null, 1) $$), 'TS037 min_free_balance is 4850; 5000 USDT are available, less 150 for openings not shown in it and 0 for this one at leverage 4.', 'nothing is left for another');
select pg_temp.price('UNIUSDT', 8);
select is(pg_temp.usage(), '3 558 2 4998', 'until a price is known');
select is(pg_temp.bound(monitoring.open_position('bee', 'OPUSDT', 'long', null, 1)), 592::numeric, 'then the rest is: 148 at leverage 4');
update monitoring.positions set status = 'failed' where symbol in ('UNIUSDT', 'OPUSDT');
select is(pg_temp.bound(monitoring.open_position('bee', 'BTCUSDT', 'long', null, 4)), null, 'with a price, and room to spare, there is no bound');
select is(pg_temp.bound(monitoring.open_position('bee', 'ETHUSDT', 'long', 190)), 200::numeric, 'where the price or the least size might pass the limit there is');
select is((select (max_notional, wanted_quantity)::text from monitoring.worker_load_trades(pg_temp.id_of('bee')) where symbol = 'ETHUSDT'), '(200,)', 'and the worker is told');

select monitoring.disable_account('other');
select monitoring.drop_account('other');
select is((select count(*)::int from monitoring.risk_limits where account = 'other') + (select count(*)::int from monitoring.risk_state where account = 'other'), 0, 'a dropped account leaves no limits behind');

select * from finish();
rollback;
