-- What people call: accounts are added, configured, enabled, halted and dropped here. Each function checks its words,
-- changes only accounts and settings, leaves an event and wakes whom it concerns at commit.

-- The account of that name, or TS002.
create function monitoring.account_named(name text) returns monitoring.accounts
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  found_account monitoring.accounts;
begin
  select a.* into found_account from monitoring.accounts a where a.name = account_named.name;
  if not found then
    raise exception 'account % not found', coalesce(quote_ident(name), 'NULL')
      using errcode = 'TS002',
            detail = coalesce('Known accounts: ' || (select string_agg(a.name, ', ' order by a.name) from monitoring.accounts a) || '.',
                              'There are no accounts yet.'),
            hint = 'Call monitoring.add_account(name, exchange) to register one.';
  end if;
  return found_account;
end
$$;
comment on function monitoring.account_named(text) is 'The account of that name; TS002 when there is none.';

-- An event about something a person did; event_data says who.
create function monitoring.record_act(account text, event_type text, severity text, particulars jsonb default '{}') returns void
  language sql set search_path = pg_catalog, pg_temp as $$
  insert into monitoring.events (account, event_type, severity, event_data)
  values ($1, $2, $3, $4 || jsonb_build_object('by', session_user))
$$;
comment on function monitoring.record_act(text, text, text, jsonb) is 'Writes the event about an act of a person.';

-- Checks a URL of add_account(): scheme, host and port only; encrypted, unless the host is this machine.
create function monitoring.checked_url(url text, parameter text, scheme text) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  part constant text[] := regexp_match(url, '^([a-z]+)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?/?$');
  reason text;
begin
  if url is null then
    return null;
  end if;
  reason := case
    when part is null then 'It is not of the form scheme://host[:port].'
    when part[1] not in (scheme, scheme || 's') then format('Its scheme is %s.', part[1])
    when part[3]::int not between 1 and 65535 then format('There is no port %s.', part[3])
    when part[1] = scheme and part[2] <> 'localhost' and part[2] <> '[::1]' and part[2] !~ '^127(\.\d{1,3}){3}$'
      then 'Unencrypted connections are accepted for loopback addresses only.'
  end;
  if reason is not null then
    raise exception 'invalid % "%"', parameter, url
      using errcode = 'TS008', detail = reason,
            hint = format('Give %ss://host[:port] without a path; the paths of the exchange are appended. %s:// works for localhost, 127.x.x.x and [::1].',
                          scheme, scheme);
  end if;
  return rtrim(url, '/');
end
$$;
comment on function monitoring.checked_url(text, text, text) is 'The URL without a trailing slash; TS008 when it is not acceptable.';

-- TS007 unless the server allows real orders.
create function monitoring.require_live_trading(mode text) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if mode = 'live' and not monitoring.server_switch('tradesync.live_trading') then
    raise exception 'live trading is switched off'
      using errcode = 'TS007',
            detail = 'tradesync.live_trading is off, so no account can send real orders.',
            hint = 'Use mode observe or dry_run, or set tradesync.live_trading = on in postgresql.conf and reload.';
  end if;
end
$$;
comment on function monitoring.require_live_trading(text) is 'Refuses mode live while tradesync.live_trading is off (TS007).';

-- Registers an account; nothing connects before enable_account(). Keys are looked up by name in the credentials file.
create function monitoring.add_account(name text, exchange text, environment text default 'mainnet', mode text default 'observe',
    rest_url text default null, ws_public_url text default null, ws_private_url text default null) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if name is null or name !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' then
    raise exception 'invalid account name %', coalesce('"' || name || '"', 'NULL')
      using errcode = 'TS001', detail = 'A name is one word, because it is the first word of a line in the credentials file.',
            hint = 'Use 1 to 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit.';
  elsif exists (select from monitoring.accounts a where a.name = add_account.name) then
    raise exception 'account % exists already', quote_ident(name)
      using errcode = 'TS003', detail = 'Names of accounts are unique in a database.',
            hint = 'Choose another name, or call monitoring.drop_account(name) first.';
  elsif exchange is null or exchange not in ('binance', 'bybit') then
    raise exception 'invalid exchange %', coalesce('"' || exchange || '"', 'NULL')
      using errcode = 'TS004', detail = 'Exchanges are written in lower case.', hint = 'Use binance (USDⓈ-M futures) or bybit (v5 linear).';
  elsif environment is null or environment not in ('mainnet', 'testnet', 'demo') then
    raise exception 'invalid environment %', coalesce('"' || environment || '"', 'NULL')
      using errcode = 'TS005', detail = 'The environment decides which URLs of the exchange are used.', hint = 'Use mainnet, testnet or demo.';
  elsif mode is null or mode not in ('observe', 'dry_run', 'live') then
    raise exception 'invalid mode %', coalesce('"' || mode || '"', 'NULL')
      using errcode = 'TS006', detail = 'observe sends nothing, dry_run trades on paper, live sends real orders.', hint = 'Use observe, dry_run or live.';
  end if;
  perform monitoring.require_live_trading(mode);

  insert into monitoring.accounts (name, exchange, environment, mode, rest_url, ws_public_url, ws_private_url)
  values (add_account.name, add_account.exchange, add_account.environment, add_account.mode,
          monitoring.checked_url(add_account.rest_url, 'rest_url', 'http'),
          monitoring.checked_url(add_account.ws_public_url, 'ws_public_url', 'ws'),
          monitoring.checked_url(add_account.ws_private_url, 'ws_private_url', 'ws'));
  insert into monitoring.risk_limits
    (account, max_open_positions, max_position_notional, max_symbol_notional, max_total_exposure, min_free_balance)
  select add_account.name, l.max_open_positions, l.max_position_notional, l.max_symbol_notional, l.max_total_exposure, l.min_free_balance
  from monitoring.shipped_risk_limits() l;
  -- There from the start: the first opening of an account is locked against another like every later one.
  insert into monitoring.risk_state (account) values (add_account.name);
  perform monitoring.record_act(name, 'account_added', 'INFO',
    jsonb_build_object('exchange', exchange, 'environment', environment, 'mode', mode));
  return name;
end
$$;
comment on function monitoring.add_account(text, text, text, text, text, text, text) is
  'Registers an account: exchange binance or bybit; environment mainnet, testnet or demo; mode observe, dry_run or live; URLs replace scheme, host and port. Returns its name.';

-- Counts a change of an account and wakes its worker and the supervisor at commit.
create function monitoring.touch_account(account_id int) returns void
  language sql set search_path = pg_catalog, pg_temp as $$
  update monitoring.accounts a set generation = a.generation + 1, updated_at = now() where a.id = $1;
  select monitoring.worker_wake($1);
  select monitoring.worker_wake(0);
$$;
comment on function monitoring.touch_account(int) is 'Notes a change of an account; worker and supervisor see it at commit.';

-- Records this database as the one in which the account is meant to be live. When that changes, so does the epoch of our
-- client order ids: orders of an older copy are then recognised as such.
create function monitoring.confirm_identity(account_id int) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  here constant text := monitoring.cluster_identity();
  random_bytes constant bytea := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
begin
  if exists (select from monitoring.account_identity i
             where i.account_id = confirm_identity.account_id and i.identity = here) then
    return;
  end if;
  insert into monitoring.account_identity as i (account_id, identity, system_identifier, timeline)
  select confirm_identity.account_id, here, s.system_identifier, monitoring.current_timeline()
  from pg_control_system() s
  on conflict on constraint account_identity_pkey do update
  set identity = excluded.identity, system_identifier = excluded.system_identifier, timeline = excluded.timeline,
      recorded_at = now();
  -- Bytes 6 and 8 of a random UUID are not random.
  insert into monitoring.account_epochs (account, epoch)
  select a.name, (select string_agg(substr('abcdefghijklmnopqrstuvwxyz234567', get_byte(random_bytes, b) % 32 + 1, 1), '')
                  from unnest('{0,1,2,3,4,5,10,11}'::int[]) b)
  from monitoring.accounts a where a.id = confirm_identity.account_id;
end
$$;
comment on function monitoring.confirm_identity(int) is 'Records the identity of this database for an account, and draws a new epoch when it changed.';

-- Lets a worker connect the account. Enabling an enabled account changes nothing (it does not confirm a restored one).
create function monitoring.enable_account(name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(name);
begin
  perform monitoring.require_live_trading(chosen.mode);
  if not chosen.enabled then
    update monitoring.accounts a set enabled = true where a.id = chosen.id;
    perform monitoring.confirm_identity(chosen.id);
    perform monitoring.record_act(name, 'account_enabled', 'INFO');
  end if;
  perform monitoring.touch_account(chosen.id);
end
$$;
comment on function monitoring.enable_account(text) is 'Connects an account: its worker starts when this transaction commits.';

create function monitoring.disable_account(name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(name);
begin
  if chosen.enabled then
    update monitoring.accounts a set enabled = false where a.id = chosen.id;
    perform monitoring.record_act(name, 'account_disabled', 'INFO');
  end if;
  perform monitoring.touch_account(chosen.id);
end
$$;
comment on function monitoring.disable_account(text) is 'Disconnects an account gracefully when this transaction commits. Its rows stay.';

-- Removes an account and everything that mirrors its present. Its history stays: fills, funding, ended orders, closed
-- positions, events. Positions open on the exchange are no longer followed, so their rows end here, without a result.
create function monitoring.drop_account(name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(name);
  managed_positions int;
begin
  if chosen.enabled then
    raise exception 'account % is enabled', quote_ident(name)
      using errcode = 'TS011', detail = 'Its worker is connected to the exchange.', hint = 'Call monitoring.disable_account(name) first.';
  end if;
  select count(*) into managed_positions from monitoring.positions p where p.account = name and p.is_open and p.managed;
  if managed_positions > 0 then
    raise exception 'account % still has % open managed positions', quote_ident(name), managed_positions
      using errcode = 'TS012', detail = 'They would stay on the exchange with nobody looking after them.',
            hint = 'Close them first, or give them up: update monitoring.positions set managed = false.';
  end if;

  delete from monitoring.orders o where o.account = name and o.is_open;
  update monitoring.commands c
  set status = 'failed', error = 'account dropped', finished_at = clock_timestamp()
  where c.account = name and c.status in ('queued', 'running');
  update monitoring.positions p
  set status = 'closed', closed_at = greatest(now(), p.opened_at), exit_reason = 'account dropped', quantity = p.max_quantity,
      has_stop_loss = false, unrealized_pnl = null, updated_at = now()
  where p.account = name and p.is_open;
  delete from monitoring.accounts a where a.id = chosen.id;
  perform monitoring.record_act(name, 'account_dropped', 'INFO');
  perform monitoring.worker_wake(chosen.id);
  perform monitoring.worker_wake(0);
end
$$;
comment on function monitoring.drop_account(text) is
  'Removes a disabled account with its settings and mirror; keeps its fills, funding, ended orders, closed positions and events.';

-- Wakes the worker of an account after this transaction has committed. Harmless when none runs.
create function monitoring.wake(account text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(account);
begin
  perform monitoring.worker_wake(chosen.id);
end
$$;
comment on function monitoring.wake(text) is 'Wakes the worker of an account after this transaction has committed.';

-- The kill switch: from the commit on no new order leaves; the mirror goes on. NULL = all accounts. Returns how many.
create function monitoring.halt(account text default null, reason text default 'manual') returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  halted_accounts int := 0;
  chosen monitoring.accounts;
begin
  if account is not null then
    perform monitoring.account_named(account);
  end if;
  for chosen in
    update monitoring.accounts a set halted = true, halt_reason = coalesce(halt.reason, 'manual')
    where a.name = halt.account or halt.account is null
    returning a.*
  loop
    perform monitoring.record_act(chosen.name, 'account_halted', 'WARNING', jsonb_build_object('reason', chosen.halt_reason));
    perform monitoring.touch_account(chosen.id);
    halted_accounts := halted_accounts + 1;
  end loop;
  return halted_accounts;
end
$$;
comment on function monitoring.halt(text, text) is
  'Kill switch: the account (NULL = all) sends no new orders from the commit on; mirroring continues. Returns how many accounts.';

-- Ends halt(), and confirms that this database is the one in which the account is meant to be live.
create function monitoring.resume(account text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(account);
begin
  perform monitoring.require_live_trading(chosen.mode);
  update monitoring.accounts a set halted = false, halt_reason = null where a.id = chosen.id;
  perform monitoring.confirm_identity(chosen.id);
  perform monitoring.record_act(account, 'account_resumed', 'INFO');
  perform monitoring.touch_account(chosen.id);
end
$$;
comment on function monitoring.resume(text) is
  'Ends halt() and confirms this database after a restore, clone or promotion.';
