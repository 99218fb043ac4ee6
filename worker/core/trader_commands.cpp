// What people ask for. A command is begun once; what it began is found again after a restart.
#include <algorithm>

#include "core/limits.hpp"
#include "core/stop_price.hpp"
#include "core/trader.hpp"

namespace tradesync {

void Trader::on_commands(const std::vector<Command>& commands, const std::vector<LoadedTrade>& trades,
                         const std::vector<std::int64_t>& ids, std::int64_t now_ms, Effects& effects) {
  own_.add_ids(ids);
  // The rows were read after the commands: one whose command was not there yet comes again with it. Alone it would look like
  // a position that nobody has asked for.
  const auto is_asked_for = [&](const LoadedTrade& row) {
    return std::any_of(commands.begin(), commands.end(), [&](const Command& command) {
      return command.kind == CommandKind::open_position && command.position_id == row.id;
    });
  };
  for (const LoadedTrade& row : trades)
    if (!trades_.contains(row.id) && is_asked_for(row)) add(row, now_ms);
  for (const Command& command : commands) begin(command, now_ms, effects);
}

void Trader::finish(std::int64_t command, std::string status, std::string error, Effects& effects) {
  if (command != 0) effects.changes.put(CommandResult{command, std::move(status), std::move(error)});
}

void Trader::begin(const Command& command, std::int64_t now_ms, Effects& effects) {
  if (!known_commands_.insert(command.id).second) return;
  if (!trades()) return finish(command.id, "failed", "this account only observes", effects);
  if (!command.running) finish(command.id, "running", {}, effects);
  if (command.kind == CommandKind::set_leverage || command.kind == CommandKind::cancel_order) {
    plain_[command.id] = {command, 0, now_ms};
    return;
  }
  Trade* trade = find(command.position_id);
  if (!trade || trade->over) return finish(command.id, "failed", "the position is not open", effects);
  dirty_.insert(trade->id);
  switch (command.kind) {
    case CommandKind::open_position: return begin_opening(command, *trade, now_ms);
    case CommandKind::close_position: return begin_closing(command, *trade, now_ms, effects);
    case CommandKind::set_stop_loss: return begin_guarding(command, *trade, trade->stop, now_ms, effects);
    case CommandKind::set_take_profit: return begin_guarding(command, *trade, trade->take_profit, now_ms, effects);
    case CommandKind::set_leverage:
    case CommandKind::cancel_order: return;
  }
}

void Trader::begin_opening(const Command& command, Trade& trade, std::int64_t now_ms) {
  trade.open_command = command.id;
  trade.valid_until_ms = command.valid_until_ms == 0 ? INT64_MAX : command.valid_until_ms - settings_.unix_offset_ms;
  look_again(trade, now_ms);
}

void Trader::begin_closing(const Command& command, Trade& trade, std::int64_t now_ms, Effects& effects) {
  if (!command.quantity) {
    trade.close_commands.push_back(command.id);
    if (!trade.close_wanted) start_closing(trade, command.reason.empty() ? "manual" : command.reason, now_ms, effects);
    return;
  }
  PartialClose partial{command.id, 0, *command.quantity};
  if (command.running) {
    // Its order is on record since the turn that began it: the one that is still open, or one that has ended.
    partial.order = trade.close_order;
    if (partial.order == 0) return finish(command.id, "done", {}, effects);
    trade.close_order = 0;
  }
  trade.partial.push_back(partial);
}

void Trader::begin_guarding(const Command& command, Trade& trade, Guard& guard, std::int64_t now_ms, Effects& effects) {
  const bool is_stop = guard.purpose == Purpose::stop_loss;
  const Instrument* instrument = market_.instrument(trade.symbol);
  const auto mark = market_.mark(trade.symbol, now_ms, limits::kPriceFreshMs);
  const Decimal price = command.price.value_or(Decimal());
  std::string error;
  if (!trade.has_position()) error = "the position is not filled yet";
  else if (is_stop && !price.is_positive()) error = "a managed position is never without a stop";
  else if (price.is_positive() && instrument && mark)
    error = is_stop ? stop_error(price, *mark, trade.is_long, instrument->tick_size, trade.symbol)
                    : take_profit_error(price, *mark, trade.is_long, instrument->tick_size, trade.symbol);
  if (!error.empty()) return finish(command.id, "failed", error, effects);
  if (guard.command != 0) finish(guard.command, "failed", "another price was asked for before this one was in place", effects);
  guard.command = command.id;
  guard.before = guard.wanted;
  if (is_stop) {
    trade.stop_before_was_own = trade.stop_is_own;
    trade.stop_is_own = true;
  }
  guard.wanted = price;
  guard.target.reset();
  // The price before this one, if it has not left yet, must not arrive after it.
  if (guard.write != 0 && writes_.withdraw(guard.write)) guard.write = 0;
  guard.rejections = 0;
  guard.retry_at_ms = 0;
  PositionUpdate update;
  update.id = trade.id;
  (is_stop ? update.wanted_stop_price : update.wanted_take_profit) = price;
  effects.changes.put(update);
}

// ------------------------------------------------------------------------------------------------ one request each

void Trader::advance_plain(std::int64_t now_ms, Effects& effects) {
  for (auto it = plain_.begin(); it != plain_.end();) {
    Plain& plain = it->second;
    if (plain.write != 0 || now_ms < plain.send_at_ms) {
      ++it;
      continue;
    }
    if (plain.command.valid_until_ms != 0 && now_ms + settings_.unix_offset_ms > plain.command.valid_until_ms) {
      finish(plain.command.id, "expired", "the exchange did not answer in time", effects);
      it = plain_.erase(it);
      continue;
    }
    OwnOrder* own = plain.command.kind == CommandKind::cancel_order ? own_.by_client_id(plain.command.client_order_id) : nullptr;
    if (own) {
      // Asked until it has ended, whatever the first answer says: reads may lag, and the report of its end may be lost.
      own_.cancel(*own, now_ms, effects.changes);
      if (!own->is_final()) {
        plain.send_at_ms = now_ms + limits::kResendPauseMs;
        ++it;
        continue;
      }
      const bool canceled = own->status == OrderStatus::canceled;
      finish(plain.command.id, canceled ? "done" : "failed", canceled ? "" : "the order has ended as " + std::string(text(own->status)), effects);
      it = plain_.erase(it);
      continue;
    }
    // The tables name the symbol of an order that is open. One that we had begun to cancel and that is open no more is done.
    if (plain.command.symbol.empty()) {
      const bool begun = plain.command.running;
      finish(plain.command.id, begun ? "done" : "failed", begun ? "" : "there is no such open order", effects);
      it = plain_.erase(it);
      continue;
    }
    Request request;
    request.symbol = plain.command.symbol;
    if (plain.command.kind == CommandKind::set_leverage) {
      request.kind = RequestKind::set_leverage;
      request.leverage = plain.command.leverage.value_or(Decimal(1));
    } else {
      request.kind = RequestKind::cancel_order;
      request.order_id = plain.command.order_id;
      request.client_order_id = plain.command.client_order_id;
      request.ticket.kind = plain.command.order_kind;
      request.ticket.symbol = plain.command.symbol;
    }
    plain.write = writes_.send(std::move(request));
    ++it;
  }
}

void Trader::on_plain(std::uint64_t write, const Reply& reply, std::int64_t now_ms, Effects& effects) {
  const auto it = std::find_if(plain_.begin(), plain_.end(), [&](const auto& entry) { return entry.second.write == write; });
  if (it == plain_.end()) return;
  Plain& plain = it->second;
  const bool canceling = plain.command.kind == CommandKind::cancel_order;
  std::string status, error;
  if (reply.outcome == Outcome::ok) status = "done";
  else if (reply.outcome == Outcome::not_found && canceling) status = "failed", error = "the exchange has no such open order";
  else if (reply.outcome == Outcome::refused || reply.outcome == Outcome::unauthorized) status = "failed", error = reply.message;
  if (status.empty()) {
    // Both requests may be repeated: the second time they find it done.
    plain.write = 0;
    plain.send_at_ms = now_ms + std::max(reply.retry_after_ms, limits::kLookUpFirstMs);
    return;
  }
  if (status == "done" && !canceling) effects.changes.leverages.push_back({plain.command.symbol, plain.command.leverage.value_or(Decimal(1))});
  finish(plain.command.id, status, error, effects);
  plain_.erase(it);
}

}  // namespace tradesync
