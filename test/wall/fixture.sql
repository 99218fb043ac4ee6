-- What the wall tests write into: a row type as wide as the widest real one, and functions of the worker's shape.
create schema wall_test;

create type wall_test.wide_row as (
  key text, amount numeric,
  text_2 text, text_3 text, text_4 text, text_5 text, text_6 text, text_7 text, text_8 text,
  number_9 numeric, number_10 numeric, number_11 numeric, number_12 numeric, number_13 numeric, number_14 numeric,
  number_15 numeric, flag_16 boolean, flag_17 boolean, at_18 timestamptz, at_19 timestamptz, order_20 bigint,
  order_21 bigint, text_22 text, order_23 bigint);

create table wall_test.rows (
  key text primary key,
  amount numeric constraint amount_is_not_13 check (amount <> 13),
  at timestamptz,
  ordinal bigint);

create function wall_test.save_rows(account_id int, rows wall_test.wide_row[]) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  changed int;
begin
  insert into wall_test.rows as r (key, amount, at, ordinal)
  select n.key, n.amount, n.at_18, n.order_20 from unnest(save_rows.rows) n order by n.key
  on conflict (key) do update set amount = excluded.amount, at = excluded.at, ordinal = excluded.ordinal;
  get diagnostics changed = row_count;
  return changed;
end
$$;

create function wall_test.count_rows(account_id int, rows wall_test.wide_row[]) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  return cardinality(rows);
end
$$;

-- At which door of the double which account's worker misbehaves, and how.
create table wall_test.scenarios (account_id int primary key, door text not null, act text not null);
create function wall_test.scenario(account_id int) returns table (door text, act text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.door, s.act from wall_test.scenarios s where s.account_id = $1
$$;

create function wall_test.sample(account_id int)
returns table (number numeric, at timestamptz, nothing text, flag boolean, words text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  values (0.10000000000000000001, '2023-11-14 22:13:20.123+00'::timestamptz, null::text, true, 'ž'::text), (2, null, '', false, 'b')
$$;

create function wall_test.who(account_id int) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$ select current_user::text $$;
