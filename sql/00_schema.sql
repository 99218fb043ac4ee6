-- The schema of pg_tradesync, the error codes of its functions and the doors into pg_tradesync.so.
--
-- Every error that a user can cause has a SQLSTATE of class TS, a DETAIL and a HINT:
--   TS001 invalid account name        TS007 live trading is switched off
--   TS002 account not found           TS008 invalid URL
--   TS003 account exists              TS009 unknown setting
--   TS004 invalid exchange            TS010 invalid value of a setting
--   TS005 invalid environment         TS011 account is enabled
--   TS006 invalid mode                TS012 account still has open managed positions
-- and of orders:
--   TS013 account not synchronized    TS022 invalid stop or target
--   TS014 account only observes       TS023 asked to wait for the calling transaction's own wish
--   TS015 account halted              TS024 not within the timeout
--   TS016 symbol not tradable         TS025 command not found
--   TS017 invalid side                TS026 command failed
--   TS018 invalid quantity, notional  TS027 too many conditional orders
--   TS019 position exists             TS028 wrong transaction isolation for waiting
--   TS020 being opened by another     TS029 order not found, or ended
--   TS021 no such open position       TS030 invalid argument
-- of risk limits:
--   TS033 max_open_positions          TS036 max_total_exposure
--   TS034 max_position_notional       TS037 balance too small (min_free_balance) or not known
--   TS035 max_symbol_notional         TS038 account is busy: another session is opening on it
-- and of signals:
--   TS039 relation cannot be a source TS042 source is being ingested by another session
--   TS040 invalid mapping or option   TS043 no account, or several, for a source
--   TS041 not attached
--   TS044 invalid filter, limit or wave  TS045 no answer from a worker
-- TS031 and TS032 are raised to workers only: an impossible move of a position, an order row that cannot be sent again.
do $$
declare
  taken name;
begin
  select n.nspname into taken from pg_catalog.pg_namespace n where n.nspname in ('monitoring', 'testkit') order by n.nspname limit 1;
  if found then
    raise exception 'schema "%" exists already', taken
      using errcode = 'duplicate_schema',
            detail = 'pg_tradesync creates this schema itself and owns everything in it.',
            hint = format('Rename the existing schema before CREATE EXTENSION: alter schema %s rename to %s_before.', taken, taken);
  end if;
end
$$;

create schema monitoring;
comment on schema monitoring is
  'Live state of trading accounts, kept by the background workers of pg_tradesync. Tables mirror the exchange; functions change intent.';
create schema testkit;
comment on schema testkit is
  'Test signals of pg_tradesync: tables of them, and repeatable waves. Nothing here touches an account or an exchange.';

-- The doors into the C library. Only these touch shared memory.

create function monitoring.worker_wake(account_id int) returns void
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_wake';
comment on function monitoring.worker_wake(int) is
  'Wakes the worker of an account after this transaction has committed; 0 wakes the supervisor of this database. Use wake(account) instead.';

create function monitoring.worker_slots(
  out account_id int, out pid int, out state text, out halted boolean, out halt_reason text, out since timestamptz,
  out last_error text, out clock_offset_ms bigint, out events bigint, out commits bigint, out dead_letters bigint,
  out pending_rows int) returns setof record
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_worker_slots';
comment on function monitoring.worker_slots() is
  'What the account workers of this database publish about themselves in shared memory. Shown by worker_status and stat_worker.';

create function monitoring.worker_state(account_id int) returns text
  language c stable strict as 'MODULE_PATHNAME', 'pg_tradesync_worker_state';
comment on function monitoring.worker_state(int) is
  'State of the session of an account''s worker, live = synchronised; NULL when none runs.';

create function monitoring.worker_streams(
  out account_id int, out stream text, out state text, out connected_at timestamptz, out last_message_at timestamptz,
  out reconnects int, out subscriptions int, out buffered int, out lag_ms int) returns setof record
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_worker_streams';
comment on function monitoring.worker_streams() is
  'The exchange connections of the account workers of this database, from shared memory. Shown by stream_status.';

create function monitoring.worker_ask(account_id int, kind text, argument text, timeout_ms int,
  out answered boolean, out cells text[]) returns setof record
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_ask';
comment on function monitoring.worker_ask(int, text, text, int) is
  'Asks the worker of an account a question through shared memory. The first row says whether it answered, each further row is one row of the answer. Never raises for a missing worker.';

create function monitoring.worker_wait(account_id int, seen bigint, timeout_ms int) returns bigint
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_wait';
comment on function monitoring.worker_wait(int, bigint, int) is
  'Waits until the commit counter of an account''s worker differs from seen, or for timeout_ms; returns the counter. Use wait_for() instead.';

create function monitoring.cluster_status(out item text, out value text) returns setof record
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_cluster_status';
comment on function monitoring.cluster_status() is
  'Facts about launcher, supervisor, library and credentials file, one per row. Read by health().';

create function monitoring.cluster_identity() returns text
  language c strict as 'MODULE_PATHNAME', 'pg_tradesync_identity';
comment on function monitoring.cluster_identity() is
  'Fingerprint of this very database: system identifier, timeline, database, data directory, machine. A restored, cloned or promoted copy has another one.';

-- Rules that several rooms share. Bodies are parsed when they are created and depend on no search_path; the planner
-- inlines them into the writers' statements.

-- Is version (order_new, time_new) newer than (order_old, time_old)? The venue's order decides where both rows carry
-- one, otherwise the venue's time; of two equal versions the stream's beats the snapshot's, and both beat what we wrote
-- ourselves before the venue had said anything (source own).
create function monitoring.is_newer(order_new bigint, time_new bigint, source_new text,
                                    order_old bigint, time_old bigint, source_old text) returns boolean
  language sql immutable parallel safe
  return case
    when order_new > 0 and order_old > 0 and order_new <> order_old then order_new > order_old
    when time_new <> time_old then time_new > time_old
    else (source_new = 'stream' and source_old = 'rest') or (source_old = 'own' and source_new <> 'own')
  end;
comment on function monitoring.is_newer(bigint, bigint, text, bigint, bigint, text) is
  'The version rule of all mirror tables: venue order, then venue time; at equal versions stream beats rest, and rest our own.';

-- BTC/USDT:USDT and btcusdt both become BTCUSDT, as in the core.
create function monitoring.canonical_symbol(symbol text) returns text
  language sql immutable parallel safe
  return upper(replace(split_part(symbol, ':', 1), '/', '') collate "C");
comment on function monitoring.canonical_symbol(text) is 'The symbol without :SETTLE and slash, in upper case.';

-- Is a boolean setting of the server switched on? Not, where the library is not loaded.
create function monitoring.server_switch(name text) returns boolean
  language sql stable parallel safe
  return coalesce(nullif(current_setting(name, true), '')::boolean, false);
comment on function monitoring.server_switch(text) is 'A boolean setting of the server, false where it is unknown.';

-- What a NOTIFY says: items holds small JSON objects; as many of the first 50 go along as fit into a notification, the
-- rest is counted in "more".
create function monitoring.notification_payload(account text, kind text, items json[]) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  total constant int := cardinality(items);
  shown int := least(total, 50);
  payload text;
begin
  loop
    payload := json_build_object('account', account, kind, to_json(items[1:shown]))::text;
    if shown < total then
      payload := left(payload, -1) || format(', "more": %s}', total - shown);
    end if;
    exit when shown = 0 or octet_length(payload) < 7900;
    shown := shown / 2;
  end loop;
  return payload;
end
$$;
comment on function monitoring.notification_payload(text, text, json[]) is
  '{"account", kind: [items], "more"} in less than 7900 bytes.';

-- Sends one NOTIFY about the rows that a worker has just written; none when there are none.
create function monitoring.worker_notify(channel text, account text, kind text, items json[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  quiet text;
begin
  if cardinality(items) > 0 then
    quiet := pg_notify(channel, monitoring.notification_payload(account, kind, items))::text;
  end if;
end
$$;
comment on function monitoring.worker_notify(text, text, text, json[]) is
  'One coalesced NOTIFY about written rows. Called by worker functions only.';
