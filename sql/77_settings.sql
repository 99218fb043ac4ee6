-- Settings of accounts and of the database: typed, range-checked, effective at commit.

-- One value in its stored form, or TS010 naming key, value and range.
create function monitoring.checked_setting(rule monitoring.setting_keys, value jsonb) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  word constant text := value #>> '{}';
  is_valid boolean := false;
begin
  if jsonb_typeof(value) in ('number', 'string') then
    if rule.kind = 'word' then
      is_valid := word = any (rule.words);
    elsif rule.kind = 'interval' then
      begin
        is_valid := word::interval between rule.minimum::interval and rule.maximum::interval;
      exception when data_exception then
        is_valid := false;
      end;
    elsif word ~ '^-?\d{1,20}(\.\d{1,20})?$' then
      is_valid := word::numeric between rule.minimum::numeric and rule.maximum::numeric
                  and (rule.kind = 'number' or word::numeric = trunc(word::numeric));
    end if;
  end if;
  if not is_valid then
    raise exception 'invalid value % of setting %', value, rule.key
      using errcode = 'TS010',
            detail = format('%s: %s.', rule.key, rule.meaning),
            hint = case rule.kind when 'word' then 'Use one of ' || array_to_string(rule.words, ', ') || '.'
                                  else format('Give %s from %s to %s.',
                                              case rule.kind when 'interval' then 'an interval, as text,'
                                                             when 'integer' then 'a whole number' else 'a number' end,
                                              rule.minimum, rule.maximum) end;
  end if;
  return case when rule.kind in ('word', 'interval') then to_jsonb(word) else to_jsonb(word::numeric) end;
end
$$;
comment on function monitoring.checked_setting(monitoring.setting_keys, jsonb) is 'The value as it is stored; TS010 when it has the wrong type or is out of range.';

-- Stores settings of an account (NULL = the database). Null takes a setting back to its default.
create function monitoring.store_settings(for_account text, keys_of text, given jsonb) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  unknown text;
  rule monitoring.setting_keys;
begin
  if given is null or jsonb_typeof(given) <> 'object' then
    raise exception 'settings are not a JSON object'
      using errcode = 'TS010', detail = format('Given: %s.', coalesce(given::text, 'NULL')),
            hint = 'Write settings as {"key": value, …}; null takes a setting back to its default.';
  end if;
  select string_agg(quote_ident(g.key), ', ' order by g.key) into unknown
  from jsonb_object_keys(given) g (key)
  where not exists (select from monitoring.setting_keys k where k.key = g.key and k.scope = keys_of);
  if unknown is not null then
    raise exception 'unknown setting %', unknown
      using errcode = 'TS009', detail = format('There is no such setting of the %s.', keys_of),
            hint = 'Known are ' || (select string_agg(k.key, ', ' order by k.key) from monitoring.setting_keys k
                                    where k.scope = keys_of) || '.';
  end if;

  for rule in select k.* from monitoring.setting_keys k where given ? k.key order by k.key loop
    if given -> rule.key = 'null' then
      delete from monitoring.settings s
      where s.account is not distinct from for_account and s.key = rule.key and not s.builtin;
    else
      insert into monitoring.settings (account, key, value)
      values (for_account, rule.key, monitoring.checked_setting(rule, given -> rule.key))
      on conflict on constraint one_value_per_setting do update set value = excluded.value, updated_at = now();
    end if;
  end loop;
end
$$;
comment on function monitoring.store_settings(text, text, jsonb) is 'Checks and stores settings; TS009 and TS010 name what is wrong. All or nothing.';

create function monitoring.configure_account(name text, settings jsonb) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen constant monitoring.accounts := monitoring.account_named(name);
begin
  perform monitoring.store_settings(name, 'account', settings);
  perform monitoring.record_act(name, 'account_configured', 'INFO', jsonb_build_object('settings', settings));
  perform monitoring.touch_account(chosen.id);
end
$$;
comment on function monitoring.configure_account(text, jsonb) is
  'Sets settings of an account, {"key": value}; null takes one back to its default. Keys, types and ranges: monitoring.setting_keys. Effective at commit.';

create function monitoring.configure_database(settings jsonb) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform monitoring.store_settings(null, 'database', settings);
  perform monitoring.record_act(null, 'database_configured', 'INFO', jsonb_build_object('settings', settings));
  perform monitoring.worker_wake(0);
end
$$;
comment on function monitoring.configure_database(jsonb) is
  'Sets settings of this database, such as order_retention; null takes one back to its default.';
