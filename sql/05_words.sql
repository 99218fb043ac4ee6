-- The words and amounts that tables accept, as their check constraints ask for them. In C, because a check is read anew for
-- each statement that writes (decision 15); NULL stays NULL, which passes a check.

create function monitoring.is_amount(value numeric) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_amount';
comment on function monitoring.is_amount(numeric) is 'True for a finite number that is not negative.';
create function monitoring.is_named(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_named';
comment on function monitoring.is_named(text) is 'True for a text that is neither empty nor the word unknown.';
create function monitoring.is_order_kind(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_order_kind';
comment on function monitoring.is_order_kind(text) is 'True for regular and conditional.';
create function monitoring.is_order_purpose(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_order_purpose';
comment on function monitoring.is_order_purpose(text) is 'True for entry, stop_loss, take_profit, close and external.';
create function monitoring.is_order_side(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_order_side';
comment on function monitoring.is_order_side(text) is 'True for buy and sell.';
create function monitoring.is_order_source(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_order_source';
comment on function monitoring.is_order_source(text) is 'True for stream, rest and own.';
create function monitoring.is_report_source(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_report_source';
comment on function monitoring.is_report_source(text) is 'True for stream and rest.';
create function monitoring.is_order_status(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_order_status';
comment on function monitoring.is_order_status(text) is 'True for the names in order_states.';
create function monitoring.is_open_order(status text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_open_order';
comment on function monitoring.is_open_order(text) is 'True unless the status is a terminal one of order_states.';
create function monitoring.is_position_side(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_position_side';
comment on function monitoring.is_position_side(text) is 'True for both, long and short.';
create function monitoring.is_direction(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_direction';
comment on function monitoring.is_direction(text) is 'True for long and short.';
create function monitoring.is_origin(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_origin';
comment on function monitoring.is_origin(text) is 'True for signal, manual, external and legacy.';
create function monitoring.is_position_status(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_position_status';
comment on function monitoring.is_position_status(text) is 'True for the names in position_states.';
create function monitoring.is_open_position(status text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_open_position';
comment on function monitoring.is_open_position(text) is 'True unless position_states says that a position of this status is not open.';
create function monitoring.is_command_kind(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_command_kind';
comment on function monitoring.is_command_kind(text) is 'True for the kinds of commands.';
create function monitoring.is_command_status(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_command_status';
comment on function monitoring.is_command_status(text) is 'True for queued, running, done, failed and expired.';
create function monitoring.is_final_command_status(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_final_command_status';
comment on function monitoring.is_final_command_status(text) is 'True for done, failed and expired.';
create function monitoring.is_severity(value text) returns boolean
  language c immutable strict parallel safe as 'MODULE_PATHNAME', 'pg_tradesync_is_severity';
comment on function monitoring.is_severity(text) is 'True for DEBUG, INFO, WARNING, ERROR and CRITICAL.';
