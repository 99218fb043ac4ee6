-- What exists, that it is documented, and that nobody has more than he needs.
begin;
set search_path = public, pg_catalog;
select no_plan();

-- Columns that users and acceptance tests rely on (DESIGN §2).
create function pg_temp.missing(relation text, wanted text) returns text language sql as $$
  select string_agg(w, ', ') from unnest(string_to_array(replace(wanted, ' ', ''), ',')) w
  where not exists (select from pg_attribute a where a.attrelid = ('monitoring.' || relation)::regclass
                    and a.attname = w and a.attnum > 0 and not a.attisdropped)
$$;
select is(pg_temp.missing(relation, columns), null, relation || ' has every column of the design')
from (values
  ('accounts', 'id, name, exchange, environment, mode, rest_url, ws_public_url, ws_private_url, enabled, halted'),
  ('orders', 'id, account, exchange, symbol, client_order_id, order_id, kind, purpose, side, type, status, venue_status, price, stop_price, quantity, filled_quantity, average_price, reduce_only, position_side, position_id, created_at, updated_at, venue_updated_at'),
  ('trades', 'account, exchange, symbol, trade_id, order_id, client_order_id, side, price, quantity, fee, fee_currency, realized_pnl, is_maker, executed_at, position_id, signal_id, exec_type'),
  ('funding', 'account, exchange, symbol, funding_id, amount, rate, asset, at'),
  ('venue_positions', 'account, exchange, symbol, position_side, side, quantity, entry_price, mark_price, unrealized_pnl, leverage, liquidation_price, stop_loss, venue_updated_at'),
  ('positions', 'id, account, symbol, exchange, side, quantity, entry_price, current_price, stop_loss_price, unrealized_pnl, realized_pnl, pnl, pnl_percentage, status, exit_reason, exit_price, signal_id, exchange_order_id, leverage, has_stop_loss, has_trailing_stop, trailing_activated, opened_at, closed_at, updated_at, created_at, position_side, protected_at, venue_updated_at, origin, managed'),
  ('balances', 'account, asset, wallet_balance, available_balance, equity, updated_at'),
  ('prices', 'account, exchange, symbol, mark_price, last_price, updated_at, stale'),
  ('instruments', 'account, exchange, symbol, status, tick_size, quantity_step, min_quantity, max_quantity, min_notional'),
  ('events', 'id, account, event_type, severity, symbol, position_id, order_id, correlation_id, event_data, error_message, created_at'),
  ('sync_runs', 'id, account, reason, started_at, finished_at, complete, findings'),
  ('sync_findings', 'run_id, account, kind, symbol, position_side, ours, theirs, action, resolved_at'),
  ('dead_letters', 'id, account, kind, symbol, frame, error, sqlstate, created_at'),
  ('settings', 'account, key, value, builtin'),
  ('cursors', 'account, stream, symbol, position'),
  ('account_identity', 'account_id, identity, recorded_at'),
  ('worker_status', 'account, pid, state, halted, halt_reason, since, last_error'),
  ('stream_status', 'account, stream, state, connected_at, last_message_at, reconnects, subscriptions, buffered, lag_ms'),
  ('subscriptions', 'account, exchange, stream, symbol, state, last_price_at'),
  ('open_positions', 'id, account, exchange, symbol, side, quantity, unrealized_pnl, age, stop_distance_percent'),
  ('unprotected_positions', 'id, account, exchange, symbol, side, quantity, entry_price, status, managed, unprotected_since, unprotected_for'),
  ('commands', 'id, account, kind, args, status, position_id, requested_by, created_at, valid_until, finished_at, error'),
  ('position_modes', 'account, symbol, hedge, updated_at'), ('failures_24h', 'account, event_type, count, latest'),
  ('order_latency', 'account, purpose, n, p50_ms, p99_ms'),
  ('risk_limits', 'account, max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure, min_free_balance'),
  ('risk_state', 'account, openings, updated_at'), ('risk_exposure', 'account, symbol, position_side, position_id, notional, reserved_margin'),
  ('risk_usage', 'account, open_positions, exposure, reserved_margin, free_balance, max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure, min_free_balance'),
  ('signal_sources', 'id, relation, name, mapping, accounts, min_score, min_score_week, min_score_month, max_age, age_window, wave_length, time_zone, mark_processed, active, attached_by, attached_at'),
  ('signal_decisions', 'source_id, source, signal_key, signal_id, exchange, symbol, side, account, score, score_week, score_month, signal_at, wave, decision, reason, detail, position_id, decided_at'),
  ('signal_row', 'signal_key, signal_id, symbol, exchange, side, score, score_week, score_month, signal_at'),
  ('liquid_pairs', 'exchange, rank, symbol, volume_24h, last_price, refreshed_at')
) t (relation, columns);

select is((select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'monitoring.positions'::regclass and attname = 'signal_id'),
          'character varying(100)', 'signal_id is free text');
select is_empty($$
  select attrelid::regclass, attname from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p') and attnum > 0
    and (atttypid in ('float4'::regtype, 'float8'::regtype, 'timestamp'::regtype) or (atttypid = 'numeric'::regtype and atttypmod <> -1))
$$, 'no column is inexact, of limited precision or without time zone');
select is_empty($$
  select relation, columns from (values ('orders'), ('trades'), ('positions'), ('balances'), ('prices'), ('venue_position_state')) t (columns)
  cross join lateral (select columns as relation) r
  where not exists (select from pg_attribute where attrelid = ('monitoring.' || relation)::regclass and attname = 'account' and atttypid = 'text'::regtype)
$$, 'account is the name of the account everywhere');

-- Words of tables and of the core's state machines agree. Asked are all words that any of the functions takes, and some that none does.
create function pg_temp.taken_by(function text) returns text[] language plpgsql as $$
declare
  taken text[];
begin
  execute format('select array_agg(w order by w collate "C") from (
    select name from monitoring.order_states union select name from monitoring.position_states
    union select unnest(''{regular,conditional,entry,stop_loss,take_profit,close,external,buy,sell,stream,rest,own,both,long,short,
      signal,manual,legacy,open_position,close_position,set_stop_loss,set_take_profit,set_leverage,cancel_order,queued,running,done,
      failed,expired,DEBUG,INFO,WARNING,ERROR,CRITICAL,new_,NEW,Buy,info,"",bu,buys,halt}''::text[])) u (w)
    where monitoring.%I(w)', function) into taken;
  return taken;
end
$$;
select is(pg_temp.taken_by(function), (select array_agg(u order by u collate "C") from unnest(words) u), function || ' takes exactly its words')
from (values ('is_order_status', array(select name from monitoring.order_states)),
             ('is_open_order', array(select unnest(pg_temp.taken_by('is_named')) union select '' union select 'unknown'
                                     except select name from monitoring.order_states where terminal)),
             ('is_position_status', array(select name from monitoring.position_states)),
             ('is_open_position', array(select unnest(pg_temp.taken_by('is_named')) union select '' union select 'unknown'
                                        except select name from monitoring.position_states where not open)),
             ('is_order_kind', '{regular,conditional}'), ('is_order_purpose', '{entry,stop_loss,take_profit,close,external}'),
             ('is_order_side', '{buy,sell}'), ('is_order_source', '{stream,rest,own}'), ('is_report_source', '{stream,rest}'),
             ('is_position_side', '{both,long,short}'), ('is_direction', '{long,short}'), ('is_origin', '{signal,manual,external,legacy}'),
             ('is_command_kind', '{open_position,close_position,set_stop_loss,set_take_profit,set_leverage,cancel_order}'),
             ('is_command_status', '{queued,running,done,failed,expired}'), ('is_final_command_status', '{done,failed,expired}'),
             ('is_severity', '{DEBUG,INFO,WARNING,ERROR,CRITICAL}')) f (function, words);
select is(array(select monitoring.is_amount(a) from unnest('{0,0.000000000000000001,12345678901234567890.5,-1,-0.00000001,NaN,Infinity,-Infinity,NULL}'::numeric[])
                with ordinality u (a, n) order by n),
          '{t,t,t,f,f,f,f,f,NULL}'::boolean[], 'an amount is finite and not negative');
select is(array(select monitoring.is_named(w) from unnest('{a,unknown,"",Unknown,NULL}'::text[]) with ordinality u (w, n) order by n),
          '{t,f,f,t,NULL}'::boolean[], 'a name is neither empty nor the word unknown');
-- A check is read anew for each statement that writes: in these tables it calls one function and does not list words (decision 15).
select is_empty($$
  select c.conname from pg_constraint c
  where c.contype = 'c' and pg_get_constraintdef(c.oid) ~ 'ARRAY|Infinity'
    and c.conrelid in (select ('monitoring.' || t)::regclass from unnest('{orders,trades,positions,commands,venue_position_state,events_default}'::text[]) t)
$$, 'no check of a table on the way of an order lists words');

-- Every status of the life array in worker_save_orders is in rank order.
select is_empty($$
  with life as (
    select w, place from pg_proc p,
      regexp_match(p.prosrc, '''\{(submitting,[a-z_,]+)\}''') m, unnest(string_to_array(m[1], ',')) with ordinality u (w, place)
    where p.oid = 'monitoring.worker_save_orders'::regproc)
  select s.name from monitoring.order_states s left join life l on l.w = s.name
  where l.w is null or exists (select from life o join monitoring.order_states os on os.name = o.w
                               where o.place < l.place and os.rank > s.rank)
$$, 'worker_save_orders knows every state in the order of its rank');

-- Constraints that users see in error messages.
select col_is_pk('monitoring', 'trades', array['account', 'symbol', 'trade_id'], 'a fill is known by account, symbol and trade id');
select index_is_unique('monitoring', 'positions', 'one_open_position_per_symbol', 'one open position per account, symbol and side');
select index_is_unique('monitoring', 'orders', 'one_row_per_client_order_id', 'one order of ours per client order id');
select is_empty($$
  select conrelid::regclass, conname from pg_constraint c join pg_class r on r.oid = c.conrelid
  where connamespace = 'monitoring'::regnamespace and conrelid <> 0 and not r.relispartition
    and (conname ~ '_(check|fkey|key)\d*$')
$$, 'every constraint has a name that a user can read');
select is_empty($$
  select i.indexrelid::regclass from pg_index i join pg_attribute a on a.attrelid = i.indrelid
  where i.indrelid in ('monitoring.orders'::regclass, 'monitoring.positions'::regclass, 'monitoring.prices'::regclass)
    and a.attname in ('status', 'updated_at', 'venue_updated_at', 'current_price', 'unrealized_pnl', 'mark_price', 'last_price', 'filled_quantity')
    and (a.attnum = any (i.indkey) or pg_get_expr(i.indpred, i.indrelid) ~ ('\m' || a.attname || '\M'))
$$, 'what changes with every update is in no index of a hot table');
select is((select count(*)::int from pg_class where oid = any (array['monitoring.orders', 'monitoring.positions', 'monitoring.prices',
            'monitoring.venue_position_state', 'monitoring.balances']::regclass[]) and 'fillfactor=70' = any (reloptions)),
          5, 'hot tables leave room for HOT updates');

-- Comments.
select is_empty($$
  select c.relname from pg_class c where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p', 'v', 'c')
    and obj_description(c.oid, 'pg_class') is null and (c.relkind <> 'c')
$$, 'every table and view has a comment');
select is_empty($$
  select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null
    and c.relname not in ('order_states', 'order_moves', 'position_states', 'position_moves')
$$, 'every column of a table has a comment');
select is_empty($$ select oid::regprocedure from pg_proc where pronamespace = 'monitoring'::regnamespace and obj_description(oid, 'pg_proc') is null $$,
                'every function has a comment');
select is_empty($$
  select t.typname from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
  where t.typnamespace = 'monitoring'::regnamespace and obj_description(t.oid, 'pg_type') is null
$$, 'every row type has a comment');
select isnt(obj_description('monitoring'::regnamespace, 'pg_namespace'), null, 'the schema has a comment');

-- Functions.
select is_empty($$
  select p.oid::regprocedure from pg_proc p join pg_language l on l.oid = p.prolang
  where pronamespace = 'monitoring'::regnamespace and l.lanname <> 'c' and p.prosqlbody is null
    and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
    and p.prokind <> 'p'  -- a procedure that commits can have no SET clause
    and p.proname not in ('worker_wake', 'worker_slots', 'worker_streams', 'worker_ask', 'cluster_status', 'cluster_identity')
$$, 'every function has a fixed search_path or a body that needs none');
select set_eq($$ select proname from pg_proc where pronamespace = 'monitoring'::regnamespace and prokind = 'p' and not prosecdef and proconfig is null $$,
              '{open_position_and_wait,close_position_and_wait}'::text[], 'procedures commit: they run as their caller');
select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where pronamespace = 'monitoring'::regnamespace and has_function_privilege('public', p.oid, 'execute')
$$, 'PUBLIC may execute nothing');
select is_empty($$
  select c.oid::regclass from pg_class c
  where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p', 'v')
    and has_table_privilege('public', c.oid, 'select,insert,update,delete,truncate')
$$, 'PUBLIC may read and write no table');
select ok(not has_schema_privilege('public', 'monitoring', 'usage'), 'PUBLIC may not even look into the schema');
select is_empty($$
  select t.typname from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
  where t.typnamespace = 'monitoring'::regnamespace and has_type_privilege('public', t.oid, 'usage')
$$, 'PUBLIC may use no row type');

select function_returns('monitoring', name, args::text[], result, name || ' has the agreed signature')
from (values
  ('attach_signal_source', '{regclass,jsonb,text[],jsonb}', 'integer'), ('detach_signal_source', '{regclass}', 'void'),
  ('read_signals', '{monitoring.signal_sources,integer,boolean}', 'monitoring.signal_row[]'), ('run_as', '{oid,text,text[]}', 'bigint'), ('symbol_allowed', '{text,text}', 'record'),
  ('set_symbol_filter', '{text,text,text}', 'void'), ('remove_symbol_filter', '{text,text,text}', 'void'), ('worker_take_signals', '{boolean}', 'record'),
  ('add_account', '{text,text,text,text,text,text,text}', 'text'), ('set_risk_limits', '{text,jsonb}', 'void'),
  ('configure_account', '{text,jsonb}', 'void'), ('configure_database', '{jsonb}', 'void'),
  ('enable_account', '{text}', 'void'), ('disable_account', '{text}', 'void'), ('drop_account', '{text}', 'void'),
  ('sync_positions', '{text}', 'setof record'), ('wake', '{text}', 'void'), ('halt', '{text,text}', 'integer'),
  ('resume', '{text}', 'void'), ('health', '{}', 'setof record'),
  ('worker_list_accounts', '{}', 'setof record'), ('worker_load_account', '{integer}', 'setof record'),
  ('worker_load_orders', '{integer}', 'setof record'), ('worker_load_positions', '{integer}', 'setof record'),
  ('worker_load_cursors', '{integer}', 'setof record'), ('worker_retention', '{}', 'void'),
  ('open_position', '{text,text,text,numeric,numeric,numeric,text}', 'bigint'), ('close_position', '{bigint,text,numeric}', 'bigint'),
  ('set_stop_loss', '{bigint,numeric}', 'bigint'), ('set_take_profit', '{bigint,numeric}', 'bigint'), ('set_leverage', '{text,text,numeric}', 'bigint'),
  ('cancel_order', '{text,text}', 'bigint'), ('wait_for', '{bigint,interval}', 'text'), ('wait_for_position', '{bigint,text,interval}', 'text'),
  ('verify_position', '{bigint,interval}', 'setof record'), ('verify_positions', '{text}', 'setof record'),
  ('worker_wait', '{integer,bigint,integer}', 'bigint'), ('worker_reserve_order_ids', '{integer}', 'setof bigint'), ('worker_load_epoch', '{integer}', 'setof text')
) f (name, args, result);
select function_returns('monitoring', 'worker_' || f, array['integer', 'monitoring.' || t || '_row[]'], 'integer', 'worker_' || f || ' takes ' || t || '_row[]')
from (values ('save_orders', 'order'), ('save_trades', 'trade'), ('save_positions', 'position'), ('close_positions', 'close'),
  ('save_balances', 'balance'), ('save_prices', 'price'), ('mark_stale', 'stale'), ('save_instruments', 'instrument'),
  ('save_leverages', 'leverage'), ('save_funding', 'funding'), ('save_events', 'event'), ('save_cursors', 'cursor'),
  ('save_sync_runs', 'sync_run'), ('save_dead_letters', 'dead_letter'), ('save_own_orders', 'own_order'), ('save_position_updates', 'position_update'),
  ('save_commands', 'command'), ('save_position_modes', 'position_mode')) w (f, t);
-- The cells of a worker's rows by number: the C++ side counts on them.
select is((select string_agg(attname || ' ' || format_type(atttypid, null), ', ' order by attnum) from pg_attribute where attrelid = ('monitoring.' || t)::regclass and attnum > 0),
          shape, t || ' has the agreed shape')
from (values
  ('own_order_row', 'id bigint, position_id bigint, purpose text, attempt integer, symbol text, client_order_id text, kind text, side text, position_side text, type text, quantity numeric, price numeric, stop_price numeric, reduce_only boolean, status text, venue_status text, reject_reason text'),
  ('position_update_row', 'id bigint, status text, position_side text, quantity numeric, entry_price numeric, stop_loss_price numeric, take_profit_price numeric, wanted_stop_price numeric, wanted_take_profit numeric, has_stop_loss boolean, exit_reason text, exchange_order_id text, opened_at timestamp with time zone, unprotected_since timestamp with time zone, clear_unprotected boolean'),
  ('command_row', 'id bigint, status text, error text'),
  ('position_mode_row', 'symbol text, hedge boolean'),
  ('trade_state', 'id bigint, symbol text, position_side text, is_long boolean, status text, wanted_quantity numeric, wanted_notional numeric, leverage numeric, stop_loss_percent numeric, wanted_stop_price numeric, wanted_take_profit numeric, entry_price numeric, quantity numeric, exit_reason text, unprotected_since timestamp with time zone, is_open boolean, max_notional numeric')
) r (t, shape);
select is((select string_agg(n, ', ' order by o) from pg_proc p, unnest(p.proargnames, p.proargmodes) with ordinality u (n, m, o)
           where p.oid = ('monitoring.worker_load_' || f)::regproc and m = 'o'), columns, 'worker_load_' || f || ' has the agreed columns')
from (values
  ('commands', 'id, kind, running, position_id, symbol, client_order_id, order_id, order_kind, reason, quantity, price, leverage, valid_until, account_version, trade_id, trade_symbol, position_side, is_long, trade_status, wanted_quantity, wanted_notional, wanted_leverage, stop_loss_percent, wanted_stop_price, wanted_take_profit, entry_price, trade_quantity, exit_reason, unprotected_since, is_open, max_notional'),
  ('own_orders', 'id, position_id, purpose, attempt, symbol, client_order_id, kind, side, position_side, type, quantity, price, stop_price, reduce_only, order_id, status, filled_quantity, traded_quantity, traded_value, created_at'),
  ('orders', 'symbol, order_id, client_order_id, kind, side, position_side, type, status, quantity, filled_quantity, version_order, version_time, price, stop_price, reduce_only, average_price, created_at, purpose, position_id'),
  ('recent_fills', 'symbol, trade_id'), ('settings', 'key, value'),
  ('position_modes', 'symbol, hedge'),
  ('leverages', 'symbol, leverage'),
  ('balances', 'asset, wallet_balance, available_balance, equity, updated_at')
) l (f, columns);
select is((select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = ('monitoring.' || t)::regclass and attnum > size - 2), last, t || ' ends as agreed')
from (values ('order_row', 24, 'purpose position_id'), ('event_row', 8, 'created_at position_id')) e (t, size, last);


-- Roles.
select is((select array_agg(rolname::text order by rolname) from pg_roles where rolname like 'tradesync\_%' and not rolcanlogin),
          '{tradesync_admin,tradesync_reader,tradesync_trader}', 'the three group roles exist and cannot log in');
select ok(has_table_privilege('tradesync_reader', 'monitoring.positions', 'select'), 'a reader reads');
select ok(not has_table_privilege(role_name, c.oid, 'insert,update,delete,truncate'), role_name || ' cannot write ' || c.relname)
from unnest('{tradesync_reader,tradesync_trader,tradesync_admin}'::text[]) role_name, pg_class c
where c.oid in ('monitoring.accounts'::regclass, 'monitoring.orders'::regclass, 'monitoring.positions'::regclass);
select is(has_function_privilege(role_name, f, 'execute'), allowed, format('%s %s execute %s', role_name, case when allowed then 'may' else 'may not' end, f))
from (values
  ('tradesync_reader', 'monitoring.health()', true), ('tradesync_reader', 'monitoring.halt(text,text)', false),
  ('tradesync_trader', 'monitoring.halt(text,text)', true), ('tradesync_trader', 'monitoring.sync_positions(text)', true),
  ('tradesync_trader', 'monitoring.add_account(text,text,text,text,text,text,text)', false),
  ('tradesync_admin', 'monitoring.add_account(text,text,text,text,text,text,text)', true),
  ('tradesync_admin', 'monitoring.worker_save_orders(int,monitoring.order_row[])', false),
  ('tradesync_reader', 'monitoring.worker_ask(int,text,text,int)', false),
  ('tradesync_reader', 'monitoring.open_position(text,text,text,numeric,numeric,numeric,text)', false),
  ('tradesync_reader', 'monitoring.close_position(bigint,text,numeric)', false), ('tradesync_reader', 'monitoring.cancel_order(text,text)', false),
  ('tradesync_reader', 'monitoring.open_position_and_wait(text,text,text,numeric,numeric,numeric,text,interval,bigint,text)', false),
  ('tradesync_reader', 'monitoring.wait_for(bigint,interval)', true), ('tradesync_reader', 'monitoring.wait_for_position(bigint,text,interval)', true),
  ('tradesync_reader', 'monitoring.worker_wait(int,bigint,int)', false), ('tradesync_trader', 'monitoring.queue_command(monitoring.accounts,text,bigint,jsonb,interval)', false),
  ('tradesync_trader', 'monitoring.open_position(text,text,text,numeric,numeric,numeric,text)', true),
  ('tradesync_trader', 'monitoring.close_position(bigint,text,numeric)', true), ('tradesync_trader', 'monitoring.set_stop_loss(bigint,numeric)', true),
  ('tradesync_trader', 'monitoring.set_take_profit(bigint,numeric)', true), ('tradesync_trader', 'monitoring.set_leverage(text,text,numeric)', true),
  ('tradesync_trader', 'monitoring.set_risk_limits(text,jsonb)', false), ('tradesync_admin', 'monitoring.set_risk_limits(text,jsonb)', true),
  ('tradesync_trader', 'monitoring.cancel_order(text,text)', true), ('tradesync_trader', 'monitoring.verify_position(bigint,interval)', true),
  ('tradesync_trader', 'monitoring.verify_positions(text)', true),
  ('tradesync_trader', 'monitoring.open_position_and_wait(text,text,text,numeric,numeric,numeric,text,interval,bigint,text)', true),
  ('tradesync_trader', 'monitoring.close_position_and_wait(bigint,text,numeric,interval,text)', true),
  ('tradesync_admin', 'monitoring.open_position(text,text,text,numeric,numeric,numeric,text)', true),
  ('tradesync_admin', 'monitoring.worker_save_own_orders(int,monitoring.own_order_row[])', false)
) p (role_name, f, allowed);
set local role tradesync_reader;
select lives_ok(format('select * from monitoring.%I', v), 'a reader can read the view ' || v)
from unnest('{venue_positions,open_positions,unprotected_positions,order_latency,failures_24h,worker_status,stat_worker,stream_status,subscriptions,risk_exposure,risk_usage}'::text[]) v;
select lives_ok('select * from monitoring.health()', 'a reader can call health()');
reset role;

-- Dump.
select set_eq($$
  select c.relname from pg_extension e, unnest(e.extconfig) t join pg_class c on c.oid = t where e.extname = 'pg_tradesync' and c.relkind = 'r'
$$, $$
  select c.relname from pg_class c where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'r' and c.relname !~ '^events_\d{8}$'
    and c.relname not in ('account_identity', 'setting_keys', 'signal_source_failures', 'order_states', 'order_moves', 'position_states', 'position_moves')
$$, 'a dump carries every table with rows of users or the exchange, and not the identity');
select set_eq($$
  select c.relname from pg_extension e, unnest(e.extconfig) t join pg_class c on c.oid = t where e.extname = 'pg_tradesync' and c.relkind = 'S'
$$, $$ select c.relname from pg_class c where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'S' $$, 'a dump carries every sequence');
select is((select e.extcondition[array_position(e.extconfig, 'monitoring.settings'::regclass)] from pg_extension e where e.extname = 'pg_tradesync'),
          'where not builtin', 'a dump leaves the shipped settings out');
select is_empty($$
  select indexrelid::regclass from pg_index where indrelid = 'monitoring.events'::regclass
$$, 'the parent of events carries no index');
select is_empty($$
  select conname from pg_constraint where conrelid = 'monitoring.events'::regclass
$$, 'the parent of events carries no constraint');

select * from finish();
rollback;
