-- One screen about the accounts of a database, at most 100 columns wide: tools/monitor.sh runs it, `make monitor` calls that.
-- The whole screen is one query, hence one snapshot: a position is never shown without the order that the same commit wrote.
-- Numbers are rounded for the eye; the tables have all digits. Plain ASCII, so that it works in a database of any encoding.
\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
\pset pager off
\if :{?height}
\else
  \set height 50
\endif
\if :{?every}
\else
  \set every 2
\endif
-- Redrawing over the old screen flickers less than clearing it: home, then each line is cut at its end, then what is below.
\if :{?once}
  \set home ''
  \set line_end ''
  \set screen_end ''
\else
  select chr(27) || '[H' as home, chr(27) || '[K' as line_end, chr(27) || '[J' as screen_end \gset
\endif

do $$
begin
  if to_regclass('monitoring.signal_decisions') is null then
    raise exception 'pg_tradesync is not created in database %', current_database()
      using hint = 'Name the right one, make monitor DB=name, or run there: create extension pg_tradesync.';
  end if;
end
$$;

-- Heading and rows of a table share one format, so that they cannot drift apart.
\set account_format '%-14s %-8s %-8s %-15s %-11s %-13s %6s %7s %10s'
\set balance_format '%-14s %-8s %14s %14s %14s   %s'
\set position_format '%-12s %-12s %-5s %8s %9s %9s %8s %9s %6s %-13s'
\set order_format '%-12s %-12s %-11s %-4s %-18s %9s %9s %-9s %s'
\set decision_format '%-8s %-8s %-12s %-5s %7s %-8s %-22s %s'
\set event_format '%-8s %-8s %s'
-- Decimal places that an amount or a price x is shown with.
\set places 'case when abs(x) >= 1000 then 2 when abs(x) >= 1 then 4 else 7 end'

with
-- How many rows of a list fit: what headings, accounts and balances leave of the terminal, shared out.
room as (
  select :height - 24 - least((select count(*) from monitoring.accounts), 8)
         - least((select count(*) from monitoring.balances b where b.wallet_balance <> 0 or b.equity <> 0), 8) as free),
list (part, free) as (
  select v.part, greatest(trunc(r.free * v.share), v.least)::int
  from room r, (values (1, 0.3, 8), (2, 0.3, 8), (3, 0.4, 4), (4, 0.2, 2), (5, 0.25, 3), (6, 0.15, 2)) v (part, share, least)),

heading (part, text, columns) as (
  select 1, format('pg_tradesync   database %s   %s', current_database(), to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS TZ')),
         format(:'account_format', 'account', 'exchange', 'mode', 'state', 'private', 'public', 'topics', 'lag ms', 'silent s')
  union all
  select 2, 'BALANCES', format(:'balance_format', 'account', 'asset', 'wallet', 'available', 'equity', 'changed')
  union all
  select 3, format('POSITIONS  %s open, %s without a stop, unrealized %s, closed in 24 h: %s', o.n, o.naked, o.result, c.result),
         format(:'position_format', 'account', 'symbol', 'side', 'size', 'entry', 'mark', 'pnl', 'stop', 'away %', 'status')
  from (select count(*) as n, count(*) filter (where p.quantity > 0 and not p.has_stop_loss) as naked,
               coalesce(round(sum(p.unrealized_pnl), 2), 0) as result
        from monitoring.open_positions p) o,
       (select coalesce(string_agg(format('%s %s', r.n, left(r.exit_reason, 40)), ', ' order by r.n desc, r.exit_reason)
                        || ', pnl ' || coalesce(round(sum(r.result), 2), 0), 'none') as result
        from (select p.exit_reason, count(*) as n, sum(p.pnl) as result from monitoring.positions p
              where p.closed_at > now() - interval '24 hours' and p.status = 'closed' group by p.exit_reason) r) c
  union all
  select 4, 'OPEN ORDERS  ' || coalesce(string_agg(format('%s %s', k.n, k.purpose), ', ' order by k.n desc, k.purpose), 'none'),
         format(:'order_format', 'account', 'symbol', 'purpose', 'side', 'type', 'size', 'price', 'status', 'since')
  from (select o.purpose, count(*) as n from monitoring.orders o where o.is_open group by o.purpose) k
  union all
  select 5, 'SIGNALS of 24 h  ' || coalesce(string_agg(format('%s %s', k.n, k.reason), ', ' order by k.n desc, k.reason), 'none'),
         format(:'decision_format', 'decided', 'exchange', 'symbol', 'side', 'score', 'decision', 'reason', 'detail')
  from (select d.reason, count(*) as n from monitoring.signal_decisions d
        where d.decided_at > now() - interval '24 hours' group by d.reason) k
  union all
  select 6, 'ALERTS of 24 h  ' || coalesce(string_agg(format('%s %s', k.n, k.severity), ', ' order by k.severity), 'none'),
         format(:'event_format', 'at', 'severity', 'what')
  from (select e.severity, count(*) as n from monitoring.events e
        where e.created_at > now() - interval '24 hours' and e.severity in ('WARNING', 'ERROR', 'CRITICAL') group by e.severity) k),

stream as (
  select s.account, max(s.state) filter (where s.stream = 'private') as private,
         case when count(*) filter (where s.stream <> 'private' and s.state <> 'up') = 0
              then max(s.state) filter (where s.stream <> 'private')
              else min(s.state) filter (where s.stream <> 'private' and s.state <> 'up') end as public,
         sum(s.subscriptions) filter (where s.stream <> 'private') as topics, max(s.lag_ms) as lag,
         round(extract(epoch from clock_timestamp() - max(s.last_message_at)), 1) as silent
  from monitoring.stream_status s
  group by s.account),
entry (part, line, text, note) as (
  select 1, row_number() over (order by w.state = 'disabled', a.name),
         format(:'account_format', left(a.name, 14), a.exchange, a.mode, w.state || case when w.halted then ' halted' else '' end,
                s.private, s.public, s.topics, s.lag, s.silent),
         case when w.state <> 'disabled' and (w.state <> 'live' or w.halted) then coalesce(w.halt_reason, w.last_error) end
  from monitoring.accounts a
  join monitoring.worker_status w on w.account = a.name
  left join stream s on s.account = a.name
  union all
  select 2, row_number() over (order by b.account, b.asset),
         format(:'balance_format', left(b.account, 14), b.asset, round(b.wallet_balance, 4), round(b.available_balance, 4),
                round(b.equity, 4), to_char(b.updated_at, 'HH24:MI:SS')), null
  from monitoring.balances b
  where b.wallet_balance <> 0 or b.equity <> 0
  union all
  -- What is on its way comes first, then the newest.
  select 3, row_number() over (order by p.status = 'active', p.opened_at desc, p.id desc),
         format(:'position_format', left(p.account, 12), left(p.symbol, 12), p.side, n.shown[1], n.shown[2], n.shown[3],
                round(p.unrealized_pnl, 2), n.shown[4], round(p.stop_distance_percent, 2),
                case when p.managed then p.status else 'not managed' end), null
  from monitoring.open_positions p
  cross join lateral (
    select array_agg(trim_scale(round(x, :places)) order by nr) as shown
    from unnest(array[p.quantity, p.entry_price, p.current_price, p.stop_loss_price]) with ordinality u (x, nr)) n
  union all
  -- A position's stop stands with its position, so other orders come first.
  select 4, row_number() over (order by o.purpose = 'stop_loss', o.created_at desc, o.id desc),
         format(:'order_format', left(o.account, 12), left(o.symbol, 12), o.purpose, o.side, o.type, n.shown[1], n.shown[2],
                left(o.status, 9), to_char(o.created_at, 'HH24:MI:SS')), null
  from monitoring.orders o
  cross join lateral (
    select array_agg(trim_scale(round(x, :places)) order by nr) as shown
    from unnest(array[o.quantity, coalesce(o.stop_price, o.price)]) with ordinality u (x, nr)) n
  where o.is_open
  union all
  select 5, row_number() over (order by d.decided_at desc, d.source_id, d.signal_key),
         format(:'decision_format', to_char(d.decided_at, 'HH24:MI:SS'), left(d.exchange, 8), left(d.symbol, 12), left(d.side, 5),
                round(coalesce(d.score, d.score_week), 2), d.decision, d.reason,
                coalesce('position ' || d.position_id, d.detail)), null
  from monitoring.signal_decisions d
  where d.decided_at > now() - interval '24 hours'
  union all
  select 6, row_number() over (order by e.created_at desc, e.id desc),
         format(:'event_format', to_char(e.created_at, 'HH24:MI:SS'), e.severity,
                concat_ws(' ', e.account, e.symbol, e.event_type || coalesce(': ' || e.error_message, ''))), null
  from monitoring.events e
  where e.created_at > now() - interval '24 hours' and e.severity in ('WARNING', 'ERROR', 'CRITICAL')),

-- Exchanges, signals and people bring texts of their own: what could steer the terminal becomes a space. A long heading goes on
-- in the next line.
screen (part, line, text) as (
  select h.part, 0, case when h.part > 1 then chr(10) else '' end
                    || rtrim(regexp_replace(regexp_replace(h.text, '[[:cntrl:]]', ' ', 'g'), '(.{1,94})(, |$)',
                                            '\1,' || chr(10) || '    ', 'g'), ', ' || chr(10))
  from heading h
  union all
  select h.part, 1, rtrim(h.columns) from heading h where exists (select from entry e where e.part = h.part)
  union all
  select e.part, 1 + e.line,
         rtrim(left(regexp_replace(e.text, '[[:cntrl:]]', ' ', 'g'), 100))
         || coalesce(chr(10) || left('    ' || regexp_replace(e.note, '[[:cntrl:]]', ' ', 'g'), 100), '')
  from entry e join list l on l.part = e.part where e.line <= l.free
  union all
  select e.part, null, format('and %s more', count(*) - l.free) from entry e join list l on l.part = e.part
  group by e.part, l.free having count(*) > l.free)

select :'home' || replace(string_agg(s.text, chr(10) order by s.part, s.line), chr(10), :'line_end' || chr(10))
       || :'line_end' || :'screen_end'
from screen s
\if :{?once}
  \g
\else
  \watch :every
\endif
