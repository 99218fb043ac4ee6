-- Is a position what we think it is? Three sources are asked, through the worker: the status of its orders, what the
-- stream has said, and the exchange's list of positions. No answer is an answer, too: checked = false, and why.

create function monitoring.json_or_text(word text) returns jsonb
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return nullif(word, '')::jsonb;
exception when data_exception then
  return to_jsonb(word);
end
$$;
comment on function monitoring.json_or_text(text) is 'The JSON that a text is, or the text as a JSON string.';

-- One row per source, whatever the worker answers.
create function monitoring.ask_about_position(p monitoring.positions, timeout interval)
  returns table (source text, checked boolean, confirmed boolean, quantity numeric, detail jsonb, took interval)
  language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
  owner constant int := (select a.id from monitoring.accounts a where a.name = p.account);
  began constant timestamptz := clock_timestamp();
  is_answered boolean := false;
  told text[] := '{}';
  answer record;
begin
  for answer in
    select q.answered, q.cells
    from monitoring.worker_ask(owner, 'verify_position', format('%s,%s,%s', p.id, p.symbol, p.position_side),
                               ceil(extract(epoch from timeout) * 1000)::int) q
  loop
    is_answered := is_answered or answer.answered;
    if answer.cells is not null then
      source := answer.cells[1];
      checked := answer.cells[2] = 't';
      confirmed := answer.cells[3] = 't';
      quantity := nullif(answer.cells[4], '')::numeric;
      detail := monitoring.json_or_text(answer.cells[5]);
      took := coalesce(nullif(answer.cells[6], '')::numeric, 0) * interval '1 ms';
      told := told || source;
      return next;
    end if;
  end loop;
  return query
    select s, false, false, null::numeric,
           jsonb_build_object('reason', case when owner is null then 'the account does not exist any more'
                                             when is_answered then 'the worker has not asked this source'
                                             else 'no worker answered' end),
           clock_timestamp() - began
    from unnest('{order_status,stream,rest_position}'::text[]) with ordinality as u (s, n)
    where s <> all (told)
    order by n;
end
$$;
comment on function monitoring.ask_about_position(monitoring.positions, interval) is
  'What the three sources say about a position, asked through its worker.';

create function monitoring.check_verify_timeout(timeout interval) returns void
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if timeout is null or timeout <= interval '0' or timeout > interval '10 minutes' then
    raise exception 'invalid timeout %', coalesce(timeout::text, 'NULL')
      using errcode = 'TS030', detail = 'A timeout is above 0 and at most ten minutes.', hint = 'Give an interval such as ''10s''.';
  end if;
end
$$;
comment on function monitoring.check_verify_timeout(interval) is 'TS030 for a timeout that verify_position() cannot keep.';

create function monitoring.verify_position(position_id bigint, timeout interval default '10s')
  returns table (source text, checked boolean, confirmed boolean, quantity numeric, detail jsonb, took interval)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen monitoring.positions;
begin
  perform monitoring.check_verify_timeout(timeout);
  select p.* into chosen from monitoring.positions p where p.id = position_id;
  if not found then
    raise exception 'position % not found', coalesce(position_id::text, 'NULL')
      using errcode = 'TS021', detail = 'There is no such row in monitoring.positions.',
            hint = 'monitoring.open_positions lists what is open.';
  end if;
  return query select * from monitoring.ask_about_position(chosen, timeout);
end
$$;
comment on function monitoring.verify_position(bigint, interval) is
  'Asks order status, stream and REST position whether a position is there; one row per source: was it asked, does it confirm, which size.';

-- One position after the other. A worker that has not answered once is not asked again.
create function monitoring.verify_positions(account text)
  returns table (position_id bigint, symbol text, source text, checked boolean, confirmed boolean, quantity numeric, detail jsonb,
                 took interval)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(account);
  p monitoring.positions;
  patience interval := '10s';
  silent boolean;
begin
  for p in select o.* from monitoring.positions o where o.account = chosen.name and o.is_open order by o.symbol, o.id loop
    silent := true;
    for source, checked, confirmed, quantity, detail, took in select * from monitoring.ask_about_position(p, patience) loop
      position_id := p.id;
      symbol := p.symbol;
      silent := silent and not checked;
      return next;
    end loop;
    if silent then
      patience := '1ms';
    end if;
  end loop;
end
$$;
comment on function monitoring.verify_positions(text) is 'verify_position() for every open position of an account.';
