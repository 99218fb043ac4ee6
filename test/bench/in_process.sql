-- Baseline "in-process batch": the rows that the flood has just written, with other ids, as arrays of 1000, ready to be
-- written again by bench.save_batches(), one durable transaction per array.
drop table if exists bench.batches;
create unlogged table bench.batches (number int primary key, rows monitoring.order_row[] not null);
alter table bench.batches alter column rows set storage external;

insert into bench.batches
select number, array_agg(one order by place)
from (
  select (row_number() over (order by o.id) - 1) / 1000 as number, o.id as place,
         row(o.symbol, 'again-' || o.order_id, o.client_order_id, o.kind, o.side, o.position_side, o.type, o.status, o.venue_status,
             o.price, o.stop_price, o.quantity, o.filled_quantity, o.average_price, o.reduce_only, o.child_order_id,
             o.reject_reason, o.created_at, o.venue_updated_at, o.version_order, o.version_time, o.source, o.purpose,
             o.position_id)::monitoring.order_row as one
  from monitoring.orders o
  where o.account = %(account)s) rows
group by number;

create or replace procedure bench.save_batches(account_id int) language plpgsql as $$
declare
  batch record;
begin
  for batch in select b.rows from bench.batches b order by b.number loop
    perform monitoring.worker_save_orders(account_id, batch.rows);
    commit;
  end loop;
end
$$;
