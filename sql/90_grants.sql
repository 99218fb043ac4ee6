-- Who may do what, and what a dump carries. Comes last: it covers everything made before it.

-- Nothing for PUBLIC.
revoke all on schema monitoring from public;
revoke all on all tables in schema monitoring from public;
revoke all on all sequences in schema monitoring from public;
revoke all on all routines in schema monitoring from public;
revoke all on schema testkit from public;
revoke all on all tables in schema testkit from public;
revoke all on all routines in schema testkit from public;
do $$
declare
  type_name regtype;
begin
  for type_name in
    select t.oid from pg_catalog.pg_type t
    join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'c'
    where t.typnamespace = 'monitoring'::regnamespace
  loop
    execute format('revoke all on type %s from public', type_name);
  end loop;
end
$$;

-- Group roles: reader looks, trader also acts on positions and may halt, admin also manages accounts. Roles belong to
-- the cluster: they may exist already, and where the installer may not make them the grants are left to an administrator.
do $$
declare
  role_name text;
begin
  foreach role_name in array '{tradesync_reader,tradesync_trader,tradesync_admin}'::text[] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      execute format('create role %I nologin', role_name);
    end if;
  end loop;
  grant tradesync_reader to tradesync_trader;
  grant tradesync_trader to tradesync_admin;

  grant usage on schema monitoring to tradesync_reader;
  grant select on all tables in schema monitoring to tradesync_reader;
  grant execute on function
    monitoring.health(), monitoring.position_fills(bigint), monitoring.list_subscriptions(),
    monitoring.worker_slots(), monitoring.worker_streams(), monitoring.cluster_identity(), monitoring.current_timeline(),
    monitoring.identity_doubt(int), monitoring.effective_settings(text), monitoring.retention_of(text),
    monitoring.symbol_allowed(text, text), monitoring.shipped_risk_limits(),
    monitoring.wait_for(bigint, interval), monitoring.wait_for_position(bigint, text, interval)
    to tradesync_reader;
  grant execute on routine
    monitoring.sync_positions(text), monitoring.wake(text), monitoring.halt(text, text),
    monitoring.open_position(text, text, text, numeric, numeric, numeric, text),
    monitoring.close_position(bigint, text, numeric), monitoring.set_stop_loss(bigint, numeric),
    monitoring.set_take_profit(bigint, numeric), monitoring.set_leverage(text, text, numeric),
    monitoring.cancel_order(text, text), monitoring.verify_position(bigint, interval), monitoring.verify_positions(text),
    monitoring.refresh_liquid_pairs(text, int),
    monitoring.ingest_signals(regclass, int),
    monitoring.open_position_and_wait(text, text, text, numeric, numeric, numeric, text, interval, bigint, text),
    monitoring.close_position_and_wait(bigint, text, numeric, interval, text)
    to tradesync_trader;
  grant usage on schema testkit to tradesync_reader;
  grant select on all tables in schema testkit to tradesync_reader;
  grant execute on function
    testkit.refuse(text, text, text), testkit.signal_columns(), testkit.check_signal_table(regclass),
    testkit.create_signal_table(text), testkit.draw(text, int), testkit.known_pairs(text), testkit.check_wave(int, int, numeric),
    testkit.signal_table(regclass), testkit.insert_new_signals(regclass, int, int, int, int),
    testkit.insert_repeats(regclass, int, int, int, int, bigint), testkit.generate_wave(int, int, numeric, int, regclass),
    testkit.generate_next_wave(int, numeric, int, regclass), testkit.stop_waves(),
    testkit.schedule_waves(interval, int, int, numeric, int, regclass)
    to tradesync_trader;
  grant execute on function
    monitoring.add_account(text, text, text, text, text, text, text), monitoring.configure_account(text, jsonb),
    monitoring.set_risk_limits(text, jsonb),
    monitoring.configure_database(jsonb), monitoring.enable_account(text), monitoring.disable_account(text),
    monitoring.drop_account(text), monitoring.resume(text),
    monitoring.attach_signal_source(regclass, jsonb, text[], jsonb), monitoring.detach_signal_source(regclass),
    monitoring.set_symbol_filter(text, text, text), monitoring.remove_symbol_filter(text, text, text)
    to tradesync_admin;
exception when insufficient_privilege then
  raise notice 'could not create or grant to the roles tradesync_reader, tradesync_trader and tradesync_admin: %', sqlerrm
    using hint = 'Only the owner of the extension has access until an administrator makes these roles.';
end
$$;

-- What pg_dump carries: all rows that users or the exchange made. Not account_identity, so that a restored database
-- starts halted; not what is shipped (order_states, order_moves, setting_keys, builtin settings).
select pg_catalog.pg_extension_config_dump('monitoring.accounts', '');
select pg_catalog.pg_extension_config_dump('monitoring.account_epochs', '');
select pg_catalog.pg_extension_config_dump('monitoring.settings', 'where not builtin');
select pg_catalog.pg_extension_config_dump('monitoring.symbol_filters', 'where not builtin');
select pg_catalog.pg_extension_config_dump('monitoring.instruments', '');
select pg_catalog.pg_extension_config_dump('monitoring.orders', '');
select pg_catalog.pg_extension_config_dump('monitoring.commands', '');
select pg_catalog.pg_extension_config_dump('monitoring.position_modes', '');
select pg_catalog.pg_extension_config_dump('monitoring.trades', '');
select pg_catalog.pg_extension_config_dump('monitoring.funding', '');
select pg_catalog.pg_extension_config_dump('monitoring.venue_position_state', '');
select pg_catalog.pg_extension_config_dump('monitoring.positions', '');
select pg_catalog.pg_extension_config_dump('monitoring.balances', '');
select pg_catalog.pg_extension_config_dump('monitoring.risk_limits', '');
select pg_catalog.pg_extension_config_dump('monitoring.risk_state', '');
select pg_catalog.pg_extension_config_dump('monitoring.prices', '');
select pg_catalog.pg_extension_config_dump('monitoring.liquid_pairs', '');
select pg_catalog.pg_extension_config_dump('monitoring.sync_runs', '');
select pg_catalog.pg_extension_config_dump('monitoring.sync_findings', '');
select pg_catalog.pg_extension_config_dump('monitoring.cursors', '');
select pg_catalog.pg_extension_config_dump('monitoring.dead_letters', '');
select pg_catalog.pg_extension_config_dump('monitoring.events_default', '');
-- A number that stood for a dropped relation here may stand for any other one there.
select pg_catalog.pg_extension_config_dump('monitoring.signal_sources', 'where relation in (select c.oid from pg_catalog.pg_class c)');
select pg_catalog.pg_extension_config_dump('monitoring.signal_decisions', '');
select pg_catalog.pg_extension_config_dump('monitoring.accounts_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.signal_sources_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.orders_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.commands_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.positions_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.sync_runs_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.sync_findings_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.dead_letters_id_seq', '');
select pg_catalog.pg_extension_config_dump('monitoring.events_id_seq', '');

-- The supervisor of this database, if one runs, looks for its accounts as soon as this is committed.
select monitoring.worker_wake(0);
