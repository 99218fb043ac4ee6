-- Which column of a signal source means what: recognised by the columns of known shapes, or given by whoever attaches it.

create type monitoring.signal_row as (
  signal_key text, signal_id text, symbol text, exchange text, side text, score text, score_week text, score_month text,
  signal_at timestamptz);
comment on type monitoring.signal_row is
  'One row of a signal source on its way into a decision. All but the time is text as the column gives it, so that a bad value raises '
  'nothing here.';

-- The columns of a relation with their types, in order.
create function monitoring.columns_of(relation regclass, out name text, out type regtype) returns setof record
  language sql stable
  begin atomic
    select a.attname::text, a.atttypid::regtype
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
    order by a.attnum;
  end;
comment on function monitoring.columns_of(regclass) is 'Names and types of the columns of a relation.';

-- The mapping of a known shape: a table of testkit.create_signal_table(), or a legacy fas.scoring_history with or without
-- "timestamp", its exchange by name or number. The two are told apart by their columns, and a name that promises the
-- other shape is not recognised at all: a test source never passes for a production one, nor the other way round.
create function monitoring.recognised_mapping(relation regclass) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  columns constant text[] := array(select c.name from monitoring.columns_of(relation) c);
  wanted jsonb;
begin
  if columns @> '{id,signal_id,symbol,exchange,timestamp,recommended_action,wave_number}' and not 'pair_symbol' = any (columns)
     and not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                     where c.oid = relation and n.nspname = 'fas' and c.relname = 'scoring_history') then
    wanted := '{"signal_key": "id", "signal_id": "signal_id", "symbol": "symbol", "exchange": "exchange", "side": "recommended_action",
                "score": "score", "score_week": "score_week", "score_month": "score_month", "timestamp": "timestamp",
                "is_active": "is_active"}';
  elsif columns @> '{id,pair_symbol,recommended_action}' and columns && '{exchange_name,exchange_id}'
        and columns && '{timestamp,created_at}'
        and not 'wave_number' = any (columns)
        and not exists (select from pg_class c where c.oid = relation and c.relname = 'test_scoring_history') then
    wanted := jsonb_build_object(
      'signal_key', 'id', 'signal_id', case when 'signal_id' = any (columns) then 'signal_id' else 'id' end,
      'symbol', 'pair_symbol', 'exchange', case when 'exchange_name' = any (columns) then 'exchange_name' else 'exchange_id' end,
      'side', 'recommended_action', 'score_week', 'score_week', 'score_month', 'score_month',
      'timestamp', case when 'timestamp' = any (columns) then 'timestamp' else 'created_at' end, 'is_active', 'is_active');
  else
    raise exception 'the columns of % are of no known shape', relation
      using errcode = 'TS040',
            detail = format('Its columns are %s.', coalesce(nullif(array_to_string(columns, ', '), ''), 'none')),
            hint = 'Give the mapping, {"key": "column", …}: signal_key, symbol, exchange, side and timestamp are needed; signal_id, score, '
                   'score_week, score_month and is_active may be given. A view can add what is missing.';
  end if;
  return (select jsonb_object_agg(w.key, w.value) from jsonb_each_text(wanted) w (key, value) where w.value = any (columns));
end
$$;
comment on function monitoring.recognised_mapping(regclass) is
  'The mapping of a relation whose columns are of a known shape (test_scoring_history, fas.scoring_history); TS040.';

-- A mapping as it was given, or TS040 naming key and column.
create function monitoring.checked_mapping(relation regclass, mapping jsonb) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  known constant text[] := '{signal_key,signal_id,symbol,exchange,side,score,score_week,score_month,timestamp,is_active}';
  needed constant text[] := '{signal_key,symbol,exchange,side,timestamp}';
  wrong text;
begin
  if jsonb_typeof(mapping) <> 'object' then
    raise exception 'the mapping is not a JSON object'
      using errcode = 'TS040', detail = format('Given: %s.', mapping), hint = 'Write it as {"symbol": "name of the column", …}.';
  end if;
  select string_agg(g.key, ', ' order by g.key) into wrong from jsonb_object_keys(mapping) g (key) where g.key <> all (known);
  if wrong is not null then
    raise exception 'unknown key of a mapping: %', wrong
      using errcode = 'TS040', detail = 'No part of a signal has this name.', hint = format('Known are %s.', array_to_string(known, ', '));
  end if;
  select string_agg(n.key, ', ') into wrong from unnest(needed) n (key) where not coalesce(mapping -> n.key <> 'null', false);
  if wrong is not null then
    raise exception 'the mapping lacks %', wrong
      using errcode = 'TS040', detail = format('A signal needs %s.', array_to_string(needed, ', ')),
            hint = 'Name a column for each; a view can add a column that the relation lacks.';
  end if;
  select format('column %s of key %s', g.value, g.key) into wrong
  from jsonb_each(mapping) g (key, value)
  where g.value <> 'null' and (jsonb_typeof(g.value) <> 'string'
    or not exists (select from monitoring.columns_of(relation) c where c.name = g.value #>> '{}'))
  order by g.key limit 1;
  if wrong is not null then
    raise exception '% has no %', relation, wrong
      using errcode = 'TS040',
            detail = format('Its columns are %s.', (select string_agg(c.name, ', ') from monitoring.columns_of(relation) c)),
            hint = 'Names of columns are written as in the table, without quotes of SQL.';
  end if;
  select format('column "%s" of key %s is of type %s', c.name, g.key, c.type) into wrong
  from jsonb_each_text(mapping) g (key, value) join monitoring.columns_of(relation) c on c.name = g.value
  where (g.key = 'timestamp' and c.type <> all ('{timestamptz,timestamp}'::regtype[]))
     or (g.key = 'is_active' and c.type <> 'boolean'::regtype);
  if wrong is not null then
    raise exception '%', wrong
      using errcode = 'TS040',
            detail = 'timestamp is a timestamp with or without time zone, is_active a boolean; the others are of any type.',
            hint = format('Map another of %s, or make a view that converts it.',
                          (select string_agg(format('%s (%s)', c.name, c.type), ', ') from monitoring.columns_of(relation) c));
  end if;
  return jsonb_strip_nulls(mapping);
end
$$;
comment on function monitoring.checked_mapping(regclass, jsonb) is
  'The mapping without null members, if it fits the columns of the relation; TS040.';

-- Is this word an interval between the two?
create function monitoring.is_interval_between(word text, least_allowed interval, most_allowed interval) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return word::interval between least_allowed and most_allowed;
exception when data_exception then
  return false;
end
$$;
comment on function monitoring.is_interval_between(text, interval, interval) is 'True for the text of an interval within a range.';

create function monitoring.is_time_zone(word text) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  perform now() at time zone word;
  return word <> '';
exception when invalid_parameter_value then
  return false;
end
$$;
comment on function monitoring.is_time_zone(text) is 'True for a time zone that the server knows.';

-- Options of attach_signal_source() as they were given, or TS040 naming the option.
create function monitoring.checked_source_options(options jsonb, mapping jsonb) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  rules constant jsonb := '{
    "min_score": "a finite number", "min_score_week": "a finite number", "min_score_month": "a finite number",
    "max_age": "an interval from 1s to 30 days", "age_window": "an interval from 1s to 30 days",
    "wave_length": "an interval from 1s to 1 day", "time_zone": "a time zone of the server", "mark_processed": "true or false"}';
  given record;
  word text;
  is_valid boolean;
begin
  if options is null then
    return '{}';
  end if;
  if jsonb_typeof(options) <> 'object' then
    raise exception 'the options are not a JSON object'
      using errcode = 'TS040', detail = format('Given: %s.', options), hint = 'Write them as {"max_age": "30 minutes", …}.';
  end if;
  for given in select o.key, o.value from jsonb_each(jsonb_strip_nulls(options)) o (key, value) order by o.key loop
    word := given.value #>> '{}';
    is_valid := case
      when given.key like 'min\_score%' then word ~ '^-?\d{1,20}(\.\d{1,20})?$' and jsonb_typeof(given.value) in ('number', 'string')
      when given.key in ('max_age', 'age_window') then monitoring.is_interval_between(word, '1s', '30 days')
      when given.key = 'wave_length' then monitoring.is_interval_between(word, '1s', '1 day')
      when given.key = 'time_zone' then jsonb_typeof(given.value) = 'string' and monitoring.is_time_zone(word)
      else jsonb_typeof(given.value) = 'boolean' end;
    if not rules ? given.key then
      raise exception 'unknown option %', quote_ident(given.key)
        using errcode = 'TS040', detail = 'A signal source has no such option.',
              hint = 'Known are ' || (select string_agg(r.key, ', ' order by r.key) from jsonb_object_keys(rules) r (key)) || '.';
    elsif not is_valid then
      raise exception 'invalid value % of option %', given.value, given.key
        using errcode = 'TS040', detail = format('%s is %s.', given.key, rules ->> given.key), hint = 'Leave it out for the default.';
    elsif given.key like 'min\_score%' and not mapping ? substr(given.key, 5) then
      raise exception 'option % without a column', given.key
        using errcode = 'TS040',
              detail = format('The mapping names no column for %s, so every signal would be refused.', substr(given.key, 5)),
              hint = format('Map %s, or leave the threshold out.', substr(given.key, 5));
    end if;
  end loop;
  return jsonb_strip_nulls(options);
end
$$;
comment on function monitoring.checked_source_options(jsonb, jsonb) is
  'The options without null members, if each has the right type and range; TS040.';
