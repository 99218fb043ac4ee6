-- Reading a signal source, and marking in it what was decided.

-- The key of a source row: the mapped column as text, and where that is NULL or too long for an index a hash.
create function monitoring.signal_key_expression(source monitoring.signal_sources) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  key_column record;
begin
  select c.name, c.type = any ('{bigint,integer,smallint,uuid}'::regtype[]) as is_short into key_column
  from monitoring.columns_of(source.relation) c where c.name = source.mapping ->> 'signal_key';
  if not found then
    raise exception 'signal source % has changed', source.name
      using errcode = 'TS040', detail = format('Column "%s" of key signal_key is not there any more.', source.mapping ->> 'signal_key'),
            hint = 'Call monitoring.attach_signal_source() with a new mapping, or monitoring.detach_signal_source().';
  end if;
  return format(case when key_column.is_short then 'coalesce(tradesync_row.%1$I::text, ''row:'' || md5(tradesync_row::text))'
                     else 'case when octet_length(tradesync_row.%1$I::text) <= 500 then tradesync_row.%1$I::text '
                          'when tradesync_row.%1$I is null then ''row:'' || md5(tradesync_row::text) '
                          'else ''md5:'' || md5(tradesync_row.%1$I::text) end' end, key_column.name);
end
$$;
comment on function monitoring.signal_key_expression(monitoring.signal_sources) is 'SQL text for signal_key of a row called tradesync_row.';

-- The condition for being inside the age window that begins at since, which is SQL text. A naive time is compared as it is
-- stored, an hour or two early because of the hour that a change of clocks repeats, so that an index can be used.
create function monitoring.signal_window_condition(source monitoring.signal_sources, since text, or_no_time boolean default true) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  of_column constant text := format('tradesync_row.%I', source.mapping ->> 'timestamp');
  alternative constant text := case when or_no_time then format(' or %s is null', of_column) else '' end;
  type_of_time regtype;
begin
  select c.type into type_of_time from monitoring.columns_of(source.relation) c where c.name = source.mapping ->> 'timestamp';
  if type_of_time is null or type_of_time <> all ('{timestamptz,timestamp}'::regtype[]) then
    raise exception 'signal source % has changed', source.name
      using errcode = 'TS040', detail = format('Column "%s" of key timestamp is %s.', source.mapping ->> 'timestamp',
                                               coalesce('of type ' || type_of_time, 'not there any more')),
            hint = 'Call monitoring.attach_signal_source() with a new mapping, or monitoring.detach_signal_source().';
  end if;
  if type_of_time = 'timestamptz'::regtype then
    return format('(%s >= %s%s)', of_column, since, alternative);
  end if;
  return format('(%1$s >= (%3$s at time zone %2$L) - interval ''2 hours'' and %1$s at time zone %2$L >= %3$s%4$s)',
                of_column, source.time_zone, since, alternative);
end
$$;
comment on function monitoring.signal_window_condition(monitoring.signal_sources, text, boolean) is
  'SQL text for: the time of tradesync_row is not before since, or (or_no_time) NULL; TS040 when the column is not what it was.';

-- The statement that reads the age window of a source: what comes before the name of the relation, what after it, and what after
-- it when only the newest 8 rows are wanted.
create function monitoring.signal_statement(source monitoring.signal_sources) returns text[]
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  in_window constant text := monitoring.signal_window_condition(source, '$1');
  is_active constant text := case when source.mapping ? 'is_active' then format(' and tradesync_row.%I', source.mapping ->> 'is_active') else '' end;
  columns text;
begin
  select string_agg(case when m.key is null then 'null::text' else format('tradesync_row.%I::text', m.value) end, ', ' order by k.number)
  into columns
  from unnest('{signal_id,symbol,exchange,side,score,score_week,score_month}'::text[]) with ordinality k (key, number)
  left join jsonb_each_text(source.mapping) m (key, value) on m.key = k.key;
  return array[
    format('select %s, %s, tradesync_row.%I%s from (select tradesync_row.* from ', monitoring.signal_key_expression(source), columns, source.mapping ->> 'timestamp',
           case when in_window like '%at time zone%' then format(' at time zone %L', source.time_zone) end),
    format(' as tradesync_row where %s%s) tradesync_row', in_window, is_active),
    format(' as tradesync_row where %s%s order by tradesync_row.%I desc limit 8) tradesync_row',
           monitoring.signal_window_condition(source, '$1', false), is_active, source.mapping ->> 'timestamp')];
end
$$;
comment on function monitoring.signal_statement(monitoring.signal_sources) is
  'SQL text that reads the rows of a source''s age window, $1 being its begin, as signal_row: before the relation, after it, after it for '
  'the newest rows.';

-- Reads one row of a source, so that what is wrong with it is told when it is attached; TS040.
create function monitoring.try_reading(source monitoring.signal_sources) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform from monitoring.read_as_owner(source.relation, source.statement[1] || source.relation || source.statement[2] || ' limit 1',
                                        now() - source.age_window);
exception when others then
  raise exception 'could not read signals from %', source.name
    using errcode = 'TS040', detail = format('%s (SQLSTATE %s, with the rights of the relation''s owner)', sqlerrm, sqlstate),
          hint = 'A relation is read with the rights of its owner and search_path pg_catalog; check what it selects from.';
end
$$;
comment on function monitoring.try_reading(monitoring.signal_sources) is 'TS040 when the source cannot be read.';

-- The rows of the age window that have no decision yet, newest first, one of each key. newest_only: of the newest rows, which is
-- where a signal that has just been written is as a rule, unless there is nothing else among them. Each row is looked up in the
-- decisions by their primary key: what this costs grows with the window, not with the history of decisions, and a plan
-- made while there were few of them stays right. Where the relation is not any more what it was when it was attached, the
-- statement is made anew, which tells what has changed if it does not help.
create function monitoring.read_signals(source monitoring.signal_sources, at_most int, newest_only boolean default false)
  returns monitoring.signal_row[]
  language plpgsql set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set work_mem = '32MB' as $$
declare
  parts text[] := source.statement;
  tail int := case when newest_only then 3 else 2 end;
  unseen monitoring.signal_row[];
begin
  loop
    begin
      select array_agg(n::monitoring.signal_row) into unseen
      from (select u.*
            from (select distinct on (r.signal_key collate "C") r.*
                  from monitoring.read_as_owner(source.relation, parts[1] || source.relation || parts[tail], now() - source.age_window) r
                  where (select d.source_id from monitoring.signal_decisions d
                         where d.source_id = source.id and d.signal_key = r.signal_key) is null
                  order by r.signal_key collate "C", r.signal_at desc nulls last) u
            order by u.signal_at desc nulls last
            limit at_most) n;
      if tail = 2 or coalesce(cardinality(unseen), 0) < 8 then
        return unseen;
      end if;
      tail := 2;  -- a wave: the best of all of it come first
    exception when others then
      if parts = monitoring.signal_statement(source) then
        raise;
      end if;
      parts := monitoring.signal_statement(source);
    end;
  end loop;
end
$$;
comment on function monitoring.read_signals(monitoring.signal_sources, int, boolean) is
  'Undecided rows of a source''s age window (newest_only: among its newest 8), newest first, at most so many, one of each signal_key; NULL = none.';

-- What is set in a decided row: is_active false where that is mapped, and the columns processed, processed_at, position_opened
-- and position_id of a test table where they exist. NULL: there is nothing to set.
create function monitoring.mark_assignments(source monitoring.signal_sources) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select string_agg(format('%I = %s', c.name, coalesce(m.value, 'false')), ', ')
    from monitoring.columns_of(source.relation) c
    left join (values ('processed', '{boolean}'::regtype[], 'true'), ('processed_at', '{timestamptz,timestamp}', 'now()'),
                      ('position_opened', '{boolean}', 'tradesync_mark.position_id is not null'),
                      ('position_id', '{bigint,integer}', 'tradesync_mark.position_id')) m (name, types, value)
      on m.name = c.name and c.type = any (m.types) and c.name is distinct from source.mapping ->> 'is_active'
    where m.name is not null or c.name = source.mapping ->> 'is_active');
end
$$;
comment on function monitoring.mark_assignments(monitoring.signal_sources) is
  'SQL text of the assignments that mark a decided row of the source; NULL when it has no column for that.';

-- Marks decided rows in the source itself, with the rights of the table's owner. Only the age window is searched.
create function monitoring.mark_signals_processed(source monitoring.signal_sources, keys text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  owner oid;
  marks text[];
begin
  if not source.mark_processed then
    return;
  end if;
  select c.relowner into owner from pg_class c where c.oid = source.relation;
  -- One text for each row: the number of its position, a space, its key.
  select array_agg(coalesce(d.position_id::text, '') || ' ' || k.key) into marks
  from unnest(keys) k (key)
  left join monitoring.signal_decisions d on d.source_id = source.id and d.signal_key = k.key;
  perform monitoring.run_as(owner, format(
    'update %s as tradesync_row set %s '
    'from (select nullif(split_part(m, '' '', 1), '''')::bigint as position_id, '
    'substr(m, strpos(m, '' '') + 1) as key from unnest($1) m) tradesync_mark '
    'where tradesync_mark.key = %s and %s',
    source.relation, monitoring.mark_assignments(source), monitoring.signal_key_expression(source),
    monitoring.signal_window_condition(source, quote_literal(now() - source.age_window) || '::timestamptz')),
    coalesce(marks, '{}'));
end
$$;
comment on function monitoring.mark_signals_processed(monitoring.signal_sources, text[]) is
  'Marks decided rows in the source, with the rights of its owner. Does nothing unless the source has mark_processed.';
