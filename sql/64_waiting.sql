-- Waiting for the worker: look with a fresh snapshot, sleep until it commits, look again. Nothing is polled.

-- Was a row that we see written by the calling transaction itself? xmin may be of one of its subtransactions.
create function monitoring.is_own_write(writer xid) returns boolean
  language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  next_xid constant numeric := pg_snapshot_xmax(pg_current_snapshot())::text::numeric;
  writer_xid numeric := next_xid - mod(next_xid, 4294967296) + writer::text::numeric;
begin
  -- xmin is the lower half of a number that never wraps around.
  if writer_xid > next_xid + 2147483648 then
    writer_xid := writer_xid - 4294967296;
  elsif writer_xid < next_xid - 2147483648 then
    writer_xid := writer_xid + 4294967296;
  end if;
  return writer_xid >= 3 and coalesce(pg_xact_status(writer_xid::text::xid8) = 'in progress', false);
end
$$;
comment on function monitoring.is_own_write(xid) is
  'True when the row version with this xmin, which the caller sees, is not committed yet: the caller has written it.';

-- TS028 where a statement would not see what the worker commits meanwhile; TS030 for a timeout that is none.
create function monitoring.check_waiting(timeout interval) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'cannot wait in a transaction of isolation level %', current_setting('transaction_isolation')
      using errcode = 'TS028', detail = 'Its snapshot would never show what the worker commits.',
            hint = 'Wait in a transaction of isolation level read committed.';
  elsif timeout is null or timeout < interval '0' or timeout > interval '1 day' then
    raise exception 'invalid timeout %', coalesce(timeout::text, 'NULL')
      using errcode = 'TS030', detail = 'A timeout is from 0 to one day.', hint = 'Give an interval such as ''10s''.';
  end if;
end
$$;
comment on function monitoring.check_waiting(interval) is 'Refuses to wait where waiting cannot end (TS028, TS030).';

create function monitoring.refuse_own_wish(what text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% was asked for by this very transaction', what
    using errcode = 'TS023', detail = 'The worker begins when the transaction has committed, so waiting for it here would never end.',
          hint = 'Commit first, or call monitoring.open_position_and_wait() or monitoring.close_position_and_wait() outside a transaction.';
end
$$;
comment on function monitoring.refuse_own_wish(text) is 'Raises TS023.';

create function monitoring.refuse_to_wait_longer(what text, timeout interval, status text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% did not get there within %', what, timeout
    using errcode = 'TS024', detail = format('Its status now: %s.', status),
          hint = 'It goes on all the same; wait again, or look at monitoring.worker_status.';
end
$$;
comment on function monitoring.refuse_to_wait_longer(text, interval, text) is 'Raises TS024 with the status reached.';

create function monitoring.milliseconds_until(deadline timestamptz) returns int
  language sql volatile set search_path = pg_catalog, pg_temp as $$
  select ceil(greatest(extract(epoch from deadline - clock_timestamp()), 0) * 1000)::int
$$;
comment on function monitoring.milliseconds_until(timestamptz) is 'Milliseconds from now to a moment, rounded up; 0 when it has passed.';

-- Waits until a command is done, failed or expired, and returns which.
create function monitoring.wait_for(command_id bigint, timeout interval default '10s') returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  deadline constant timestamptz := clock_timestamp() + timeout;
  command record;
  account_id int;
  seen bigint;
begin
  perform monitoring.check_waiting(timeout);
  loop
    -- The count of commits first, then the look: what is committed in between ends the sleep at once.
    seen := monitoring.worker_wait(account_id, -1, 0);
    select c.account, c.status, c.xmin as writer into command from monitoring.commands c where c.id = command_id;
    if not found then
      raise exception 'command % not found', coalesce(command_id::text, 'NULL')
        using errcode = 'TS025', detail = 'There is no such row in monitoring.commands.',
              hint = 'It was never committed, or has passed command_retention.';
    elsif command.status in ('done', 'failed', 'expired') then
      return command.status;
    elsif account_id is null then
      if monitoring.is_own_write(command.writer) then
        perform monitoring.refuse_own_wish(format('command %s', command_id));
      end if;
      select a.id into account_id from monitoring.accounts a where a.name = command.account;
      account_id := coalesce(account_id, 0);
      continue;
    elsif clock_timestamp() >= deadline then
      perform monitoring.refuse_to_wait_longer(format('command %s', command_id), timeout, command.status);
    end if;
    seen := monitoring.worker_wait(account_id, seen, monitoring.milliseconds_until(deadline));
  end loop;
end
$$;
comment on function monitoring.wait_for(bigint, interval) is
  'Waits until a command has ended and returns done, failed or expired (commands.error says why). TS024 after the timeout, TS023 in the transaction that gave the command.';

-- Waits until a position has reached a status, or a later one, or has ended, and returns its status.
create function monitoring.wait_for_position(position_id bigint, until text default 'active', timeout interval default '10s') returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  life constant text[] := '{pending_entry,entry_placed,pending_sl,active,closing}';  -- and then one of the ends
  deadline constant timestamptz := clock_timestamp() + timeout;
  goal int := array_position(life, until);
  place record;
  account_id int;
  seen bigint;
begin
  perform monitoring.check_waiting(timeout);
  if until is null or not exists (select from monitoring.position_states s where s.name = until) then
    raise exception 'unknown status %', coalesce('"' || until || '"', 'NULL')
      using errcode = 'TS030', detail = 'A position never has it.', hint = 'See monitoring.position_states.';
  end if;
  loop
    seen := monitoring.worker_wait(account_id, -1, 0);
    select p.account, p.status, p.is_open, p.xmin as writer into place from monitoring.positions p where p.id = position_id;
    if not found then
      raise exception 'position % not found', coalesce(position_id::text, 'NULL')
        using errcode = 'TS021', detail = 'There is no such row in monitoring.positions.',
              hint = 'The transaction that opened it has not committed, or was rolled back.';
    elsif not place.is_open or array_position(life, place.status) >= goal then
      return place.status;
    elsif account_id is null then
      if monitoring.is_own_write(place.writer) then
        perform monitoring.refuse_own_wish(format('position %s', position_id));
      end if;
      select a.id into account_id from monitoring.accounts a where a.name = place.account;
      account_id := coalesce(account_id, 0);
      continue;
    elsif clock_timestamp() >= deadline then
      perform monitoring.refuse_to_wait_longer(format('position %s', position_id), timeout, place.status);
    end if;
    seen := monitoring.worker_wait(account_id, seen, monitoring.milliseconds_until(deadline));
  end loop;
end
$$;
comment on function monitoring.wait_for_position(bigint, text, interval) is
  'Waits until a position has reached a status or a later one, and returns the status it has. TS024 after the timeout, TS023 in the transaction that opened it.';

-- The procedures commit, so they may have no SET clause and are not security definer; everything in them is qualified.

create procedure monitoring.open_position_and_wait(account text, symbol text, side text, notional numeric default null,
    quantity numeric default null, stop_loss_percent numeric default null, signal_id text default null, timeout interval default '10s',
    inout position_id bigint default null, inout status text default null)
  language plpgsql as $$
declare
  given_up text;
begin
  position_id := monitoring.open_position(account, symbol, side, notional, quantity, stop_loss_percent, signal_id);
  commit;
  status := monitoring.wait_for_position(position_id, 'active', timeout);
  if status operator(pg_catalog.=) any ('{failed,rolled_back,canceled}'::pg_catalog.text[]) then
    select c.error into given_up from monitoring.commands c
    where c.position_id operator(pg_catalog.=) open_position_and_wait.position_id and c.kind operator(pg_catalog.=) 'open_position';
    raise exception 'position % was not opened: %', position_id, status
      using errcode = 'TS026', detail = coalesce(given_up, 'No reason was given.'),
            hint = 'monitoring.events has what happened on the way.';
  end if;
end
$$;
comment on procedure monitoring.open_position_and_wait(text, text, text, numeric, numeric, numeric, text, interval, bigint, text) is
  'open_position(), commit, and wait until the position is protected. TS026 when it was not opened, with the reason.';

create procedure monitoring.close_position_and_wait(position_id bigint, reason text default 'manual', quantity numeric default null,
    timeout interval default '10s', inout status text default null)
  language plpgsql as $$
declare
  command constant bigint := monitoring.close_position(position_id, reason, quantity);
  deadline constant timestamptz := pg_catalog.clock_timestamp() operator(pg_catalog.+) timeout;
  given_up text;
begin
  commit;
  status := monitoring.wait_for(command, timeout);
  if status operator(pg_catalog.<>) 'done' then
    select c.error into given_up from monitoring.commands c where c.id operator(pg_catalog.=) command;
    raise exception 'position % was not closed: the command has %', position_id, status
      using errcode = 'TS026', detail = coalesce(given_up, 'No reason was given.'),
            hint = 'monitoring.events has what happened on the way.';
  end if;
  status := monitoring.wait_for_position(position_id, case when quantity is null then 'closed' else 'pending_entry' end,
              greatest(deadline operator(pg_catalog.-) pg_catalog.clock_timestamp(), '0'::pg_catalog.interval));
end
$$;
comment on procedure monitoring.close_position_and_wait(bigint, text, numeric, interval, text) is
  'close_position(), commit, and wait until the position is closed (with quantity: until that much of it is). TS026 when it failed, with the reason.';
