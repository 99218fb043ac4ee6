-- What people call: every mistake has its own code, a detail and a hint; every act changes what it promises.
begin;
set search_path = public, pg_catalog;
select no_plan();

-- "SQLSTATE message", and whether detail and hint are sentences.
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
create function pg_temp.hint_of(statement text) returns text language plpgsql as $$
declare
  hint text;
begin
  execute statement;
  return 'no error';
exception when others then
  get stacked diagnostics hint = pg_exception_hint;
  return hint;
end $$;
-- Switches of the server can only be set for the server: here they come from a table.
create table public.switches (name text, is_on boolean);
create or replace function monitoring.server_switch(name text) returns boolean language sql as $$
  select coalesce((select is_on from public.switches s where s.name = $1), false) $$;

select is(monitoring.add_account('bee', 'bybit'), 'bee', 'add_account returns the name');
select is((select (exchange, environment, mode, enabled, halted)::text from monitoring.accounts where name = 'bee'), '(bybit,mainnet,observe,f,f)', 'mainnet and observe by default, not enabled');
select is(monitoring.add_account('Loop_1.a-b', 'binance', 'demo', 'dry_run', 'http://127.0.0.1:8080/', 'ws://localhost:1', 'wss://stream.example.com'), 'Loop_1.a-b', 'URLs are taken');
select is((select (rest_url, ws_public_url, ws_private_url)::text from monitoring.accounts where name = 'Loop_1.a-b'),
          '(http://127.0.0.1:8080,ws://localhost:1,wss://stream.example.com)', 'without a trailing slash');

select is(pg_temp.complaint(statement), complaint, statement)
from (values
  ($$select monitoring.add_account('two words', 'bybit')$$, 'TS001 invalid account name "two words"'),
  ($$select monitoring.add_account('', 'bybit')$$, 'TS001 invalid account name ""'),
  ($$select monitoring.add_account(null, 'bybit')$$, 'TS001 invalid account name NULL'),
  ($$select monitoring.add_account(repeat('x', 64), 'bybit')$$, 'TS001 invalid account name "' || repeat('x', 64) || '"'),
  ($$select monitoring.enable_account('nobody')$$, 'TS002 account nobody not found'),
  ($$select monitoring.disable_account('nobody')$$, 'TS002 account nobody not found'),
  ($$select monitoring.drop_account('nobody')$$, 'TS002 account nobody not found'),
  ($$select monitoring.configure_account('nobody', '{}')$$, 'TS002 account nobody not found'),
  ($$select monitoring.wake('nobody')$$, 'TS002 account nobody not found'),
  ($$select monitoring.halt('nobody')$$, 'TS002 account nobody not found'),
  ($$select monitoring.resume(null)$$, 'TS002 account NULL not found'),
  ($$select * from monitoring.sync_positions('nobody')$$, 'TS002 account nobody not found'),
  ($$select monitoring.add_account('bee', 'bybit')$$, 'TS003 account bee exists already'),
  ($$select monitoring.add_account('x', 'Bybit')$$, 'TS004 invalid exchange "Bybit"'),
  ($$select monitoring.add_account('x', null)$$, 'TS004 invalid exchange NULL'),
  ($$select monitoring.add_account('x', 'bybit', 'production')$$, 'TS005 invalid environment "production"'),
  ($$select monitoring.add_account('x', 'bybit', 'mainnet', 'trade')$$, 'TS006 invalid mode "trade"'),
  ($$select monitoring.add_account('x', 'bybit', 'mainnet', 'live')$$, 'TS007 live trading is switched off'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'ftp://a')$$, 'TS008 invalid rest_url "ftp://a"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'wss://a')$$, 'TS008 invalid rest_url "wss://a"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'http://api.example.com')$$, 'TS008 invalid rest_url "http://api.example.com"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'http://127.0.0.1.example.com')$$, 'TS008 invalid rest_url "http://127.0.0.1.example.com"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'https://user:secret@a')$$, 'TS008 invalid rest_url "https://user:secret@a"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'https://a/v5')$$, 'TS008 invalid rest_url "https://a/v5"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'https://a:99999')$$, 'TS008 invalid rest_url "https://a:99999"'),
  ($$select monitoring.add_account('x', 'bybit', rest_url => 'https://')$$, 'TS008 invalid rest_url "https://"'),
  ($$select monitoring.add_account('x', 'bybit', ws_public_url => 'https://a')$$, 'TS008 invalid ws_public_url "https://a"'),
  ($$select monitoring.add_account('x', 'bybit', ws_private_url => 'ws://a')$$, 'TS008 invalid ws_private_url "ws://a"'),
  ($$select monitoring.configure_account('bee', '{"leverge": 1, "stop": 2}')$$, 'TS009 unknown setting leverge, stop'),
  ($$select monitoring.configure_account('bee', '{"order_retention": "9 days"}')$$, 'TS009 unknown setting order_retention'),
  ($$select monitoring.configure_account('bee', '[]')$$, 'TS010 settings are not a JSON object'),
  ($$select monitoring.configure_account('bee', null)$$, 'TS010 settings are not a JSON object'),
  ($$select monitoring.configure_database('{"leverage": 1}')$$, 'TS009 unknown setting leverage')
) c (statement, complaint);
select is((select count(*)::int from monitoring.accounts where name = 'x'), 0, 'and nothing was added');
select matches(pg_temp.hint_of($$select monitoring.configure_account('bee', '{"leverge": 1}')$$), 'Known are .*leverage.*untracked_positions', 'the hint lists the settings');
select matches(pg_temp.hint_of($$select monitoring.configure_account('bee', '{"leverage": 1000}')$$), 'whole number from 1 to 200', 'the hint says the range');

-- Settings.
select is(pg_temp.complaint(format('select monitoring.configure_account(%L, %L)', 'bee', s)), 'TS010 invalid value ' || (s::jsonb -> k)::text || ' of setting ' || k, s)
from (values
  ('{"leverage": 0}', 'leverage'), ('{"leverage": 201}', 'leverage'), ('{"leverage": 1.5}', 'leverage'), ('{"leverage": true}', 'leverage'),
  ('{"leverage": "ten"}', 'leverage'), ('{"leverage": [1]}', 'leverage'), ('{"leverage": 1e30}', 'leverage'),
  ('{"position_size": 0}', 'position_size'), ('{"position_size": -5}', 'position_size'), ('{"position_size": 100000001}', 'position_size'),
  ('{"stop_loss_percent": 0}', 'stop_loss_percent'), ('{"stop_loss_percent": 99.5}', 'stop_loss_percent'),
  ('{"trailing_activation_percent": 0}', 'trailing_activation_percent'), ('{"trailing_callback_percent": 51}', 'trailing_callback_percent'),
  ('{"protect_deadline": "0.5s"}', 'protect_deadline'), ('{"protect_deadline": "2 min"}', 'protect_deadline'), ('{"protect_deadline": "soon"}', 'protect_deadline'),
  ('{"max_trades_per_wave": 0}', 'max_trades_per_wave'), ('{"untracked_positions": "ignore"}', 'untracked_positions'),
  ('{"entry_validity": "0.5s"}', 'entry_validity'), ('{"entry_validity": "11 min"}', 'entry_validity'), ('{"taker_fee_bps": -1}', 'taker_fee_bps'),
  ('{"taker_fee_bps": 101}', 'taker_fee_bps'), ('{"slippage_bps": 1001}', 'slippage_bps'),
  ('{"position_sizing": "kelly"}', 'position_sizing'), ('{"position_balance_percent": 100.1}', 'position_balance_percent'),
  ('{"score_multiplier": 0}', 'score_multiplier'), ('{"score_multiplier_from": 100}', 'score_multiplier_from'),
  ('{"foreign_orders": "close"}', 'foreign_orders'), ('{"paper_balance": 0}', 'paper_balance')
) v (s, k);
select is((select count(*)::int from monitoring.settings where account = 'bee'), 0, 'nothing invalid was stored');
select set_eq($$ select key from monitoring.setting_keys k where not exists (select from monitoring.settings s where s.key = k.key and s.builtin) $$,
              $$ values ('event_retention') $$, 'every setting has a shipped default, but the one that the server configuration gives');
select lives_ok($$ do $x$ begin perform monitoring.checked_setting(k, s.value) from monitoring.settings s join monitoring.setting_keys k using (key) where s.builtin; end $x$ $$,
                'and every shipped default is within its range');
select lives_ok($$ select monitoring.configure_account('bee', '{"leverage": 10, "stop_loss_percent": "2.5", "protect_deadline": "7s", "foreign_orders": "cancel"}') $$, 'valid settings are stored');
select is((select settings::jsonb from monitoring.worker_load_account((select id from monitoring.accounts where name = 'bee'))) - '{paper_balance,max_trades_per_wave,taker_fee_bps,slippage_bps,position_balance_percent,score_multiplier,score_multiplier_from}'::text[],
          '{"leverage": 10, "position_size": 6, "foreign_orders": "cancel", "position_sizing": "fixed", "protect_deadline": 7000, "entry_validity": 30000, "stop_loss_percent": 2.5, "untracked_positions": "alert",
            "trailing_callback_percent": 0.5, "trailing_activation_percent": 2.0}'::jsonb, 'the worker loads them over the defaults, intervals in milliseconds');
select lives_ok($$ select monitoring.configure_account('bee', '{"leverage": null}') $$, 'null');
select is(monitoring.effective_settings('bee') -> 'leverage', '1', 'takes a setting back to its default');
select is(pg_temp.complaint($$select monitoring.configure_account('bee', '{"leverage": 3, "paper_balance": 0}')$$), 'TS010 invalid value 0 of setting paper_balance', 'one invalid setting');
select is(monitoring.effective_settings('bee') -> 'leverage', '1', 'leaves all as they were');

-- Enabling, halting, dropping.
create function pg_temp.bee() returns monitoring.accounts language sql as $$ select a from monitoring.accounts a where name = 'bee' $$;
create table public.generations as select (pg_temp.bee()).generation;
select lives_ok($$ select monitoring.enable_account('bee') $$, 'enable');
select is((select (enabled, halted)::text from monitoring.worker_load_account((pg_temp.bee()).id)), '(t,f)', 'enabled, and this database is the right one');
select is((select identity from monitoring.account_identity where account_id = (pg_temp.bee()).id), monitoring.cluster_identity(), 'whose identity is recorded');
select matches((select epoch from monitoring.account_epochs where account = 'bee'), '^[a-z2-7]{8}$', 'with an epoch for client ids');
select cmp_ok((pg_temp.bee()).generation, '>', (select generation from public.generations), 'and the supervisor sees the change');
select is(pg_temp.complaint($$select monitoring.drop_account('bee')$$), 'TS011 account bee is enabled', 'an enabled account cannot be dropped');

select is(monitoring.halt('bee', 'test'), 1, 'halt one');
select is((select (halted, halt_reason)::text from monitoring.worker_load_account((pg_temp.bee()).id)), '(t,test)', 'the worker loads it as halted, with the reason');
select is((select (halted, halt_reason)::text from monitoring.worker_status where account = 'bee'), '(t,test)', 'worker_status shows it');
select lives_ok($$ select monitoring.resume('bee') $$, 'resume');
select is((select (halted, halt_reason)::text from monitoring.worker_load_account((pg_temp.bee()).id)), '(f,)', 'ends it');
select is(monitoring.halt(), (select count(*)::int from monitoring.accounts), 'halt() halts all');
select monitoring.resume(name) from monitoring.accounts;
select is((select count(*)::int from monitoring.account_epochs where account = 'bee'), 1, 'the epoch stays while the identity does');

update monitoring.account_identity set identity = 'another database';
select matches((select halt_reason from monitoring.worker_load_account((pg_temp.bee()).id)), '^identity changed: ', 'in another database the account is halted');
select lives_ok($$ select monitoring.enable_account('bee') $$, 'enabling what is enabled');
select is((select halted from monitoring.worker_status where account = 'bee'), true, 'does not confirm it');
delete from monitoring.account_identity;
select matches((select halt_reason from monitoring.worker_load_account((pg_temp.bee()).id)), '^identity changed: none recorded', 'after a restore, where none is recorded, likewise');
select ok(not monitoring.partitions_are_ours(), 'and no partition is made or dropped');
select lives_ok($$ select monitoring.resume('bee') $$, 'resume()');
select is((select halted from monitoring.worker_load_account((pg_temp.bee()).id)), false, 'confirms it');
select is((select count(*)::int from monitoring.account_epochs where account = 'bee'), 2, 'and draws a new epoch');
update monitoring.account_identity set identity = 'the old primary', timeline = 0;
select is(monitoring.identity_doubt((pg_temp.bee()).id) is null, false, 'a promoted standby is halted');
insert into public.switches values ('tradesync.resume_after_promotion', true);
select is(monitoring.identity_doubt((pg_temp.bee()).id), null, 'unless tradesync.resume_after_promotion accepts a later timeline of the same cluster');
update monitoring.account_identity set timeline = monitoring.current_timeline();
select is(monitoring.identity_doubt((pg_temp.bee()).id) is null, false, 'a clone on the same timeline is halted all the same');
update monitoring.account_identity set timeline = 0, system_identifier = 1;
select is(monitoring.identity_doubt((pg_temp.bee()).id) is null, false, 'and another cluster as well');
delete from public.switches;

select lives_ok($$ select monitoring.disable_account('bee') $$, 'disable');
select is((select state from monitoring.worker_status where account = 'bee'), 'disabled', 'worker_status says disabled');
insert into monitoring.positions (account, symbol, exchange, side, quantity, max_quantity, status, origin, managed, opened_at)
values ('bee', 'AUSDT', 'bybit', 'long', 1, 2, 'active', 'manual', true, now()), ('bee', 'BUSDT', 'bybit', 'long', 1, 2, 'active', 'external', false, now());
select is(pg_temp.complaint($$select monitoring.drop_account('bee')$$), 'TS012 account bee still has 1 open managed positions', 'nor can one with managed positions');
update monitoring.positions set managed = false where account = 'bee';
insert into monitoring.commands (account, kind) values ('bee', 'set_leverage');
select lives_ok($$ select monitoring.drop_account('bee') $$, 'drop');
select is((select count(*)::int from monitoring.settings where account = 'bee') + (select count(*)::int from monitoring.account_epochs where account = 'bee'), 0, 'settings and epochs are gone');
select is((select array_agg(distinct status || ' ' || exit_reason) from monitoring.positions where account = 'bee'), '{"closed account dropped"}', 'its positions are history');
select is((select array_agg(status || ' ' || error) from monitoring.commands where account = 'bee'), '{"failed account dropped"}', 'and what was asked of it has failed');
select is((select array_agg(distinct event_type order by event_type) from monitoring.events where account = 'bee' and event_data ->> 'by' = session_user),
          '{account_added,account_configured,account_disabled,account_dropped,account_enabled,account_halted,account_resumed}', 'and every act left an event that says who');

insert into public.switches values ('tradesync.live_trading', true);
select is(monitoring.add_account('x', 'bybit', 'mainnet', 'live'), 'x', 'live is allowed where the server allows it');
delete from public.switches;
select is(pg_temp.complaint($$select monitoring.enable_account('x')$$), 'TS007 live trading is switched off', 'and refused again at enable_account when it no longer does');

-- The rules hold for people with the right role, and only for them.
set local role tradesync_admin;
select is(monitoring.add_account('by_admin', 'binance'), 'by_admin', 'an admin adds accounts without owning tables');
set local role tradesync_trader;
select is(monitoring.halt('by_admin'), 1, 'a trader may halt');
select is(pg_temp.complaint($$select monitoring.resume('by_admin')$$), '42501 permission denied for function resume (no detail or hint)', 'but not resume');
reset role;

select * from finish();
rollback;
