#include "app/account_machine.hpp"

#include <algorithm>

#include "app/status.hpp"

namespace tradesync {
namespace {

constexpr std::size_t kOrderIdsLeft = 16;        // below this another block is reserved; an opening needs about four
constexpr std::int64_t kIdsRetryMs = 1000;

StreamCommand::What command_of(SendCommand::What what) {
  switch (what) {
    case SendCommand::What::authenticate: return StreamCommand::What::authenticate;
    case SendCommand::What::subscribe_account: return StreamCommand::What::subscribe_account;
    case SendCommand::What::subscribe: return StreamCommand::What::subscribe;
    case SendCommand::What::unsubscribe: return StreamCommand::What::unsubscribe;
    case SendCommand::What::ping: return StreamCommand::What::ping;
  }
  return StreamCommand::What::ping;
}

StreamKind kind_of(bool is_private) { return is_private ? StreamKind::private_ : StreamKind::public_; }

// An order whose row says another side than its position's row belongs into one commit with the correction.
bool may_go_first(const Changes& changes) {
  return !changes.own_orders.empty() &&
         std::none_of(changes.position_updates.begin(), changes.position_updates.end(), [](const PositionUpdate& update) { return update.position_side.has_value(); });
}

std::set<std::int64_t> ids_of(const std::vector<Command>& commands) {
  std::set<std::int64_t> ids;
  for (const Command& command : commands) ids.insert(command.id);
  return ids;
}

}  // namespace

AccountMachine::AccountMachine(std::int32_t account_id, const Exchange& exchange, Endpoints endpoints, Credentials credentials,
                               const EngineSettings& settings, Loaded loaded, Wire& wire)
    : account_id_(account_id),
      exchange_(exchange),
      endpoints_(std::move(endpoints)),
      credentials_(credentials),
      trading_(settings.trading),
      wire_(wire),
      known_commands_(ids_of(loaded.commands)),
      engine_(exchange.rules(), settings, std::move(loaded)),
      store_(account_id) {}

// ------------------------------------------------------------------------------------------------ gather, decode

void AccountMachine::on_closed(std::uint64_t link, const std::string& why, std::int64_t now_ms) {
  step(SocketClosed{link, why}, now_ms);
  link_is_private_.erase(link);
}

void AccountMachine::on_text(std::uint64_t link, std::string_view message, bool binary, std::int64_t now_ms) {
  const auto known = link_is_private_.find(link);
  if (known == link_is_private_.end()) return;
  decoded_.facts.clear();
  decoded_.error.clear();
  decoded_.account_event = false;
  if (binary) decoded_.error = "binary frame";
  else exchange_.decode(kind_of(known->second), message, decoded_);
  ++frames_;
  if (!decoded_.facts.empty()) step(FrameRead{link, &decoded_.facts}, now_ms);
  if (!decoded_.error.empty()) step(FrameUnreadable{link, decoded_.error, printable(message)}, now_ms);
}

void AccountMachine::on_http(std::uint64_t id, const HttpResponse& response, std::int64_t sent_ms, std::int64_t received_ms,
                             std::int64_t now_ms) {
  const auto asked = requests_.find(id);
  if (asked == requests_.end()) return;
  Reply reply = exchange_.decode(asked->second, response);
  reply.id = id;
  reply.sent_ms = sent_ms;
  reply.received_ms = received_ms;
  requests_.erase(asked);
  step(Answered{std::move(reply)}, now_ms);
}

LoadResult AccountMachine::read_commands(const std::string& account_version, std::int64_t now_ms, std::string& error) {
  if (!trades() && refuse_why_.empty()) return LoadResult::ok;
  CommandsRead read;
  const LoadResult result = load_commands(account_id_, account_version, read.commands, read.trades, error);
  if (result != LoadResult::ok) return result;
  // What is final is not listed any more, so the set stays as small as the list.
  const std::set<std::int64_t> listed = ids_of(read.commands);
  std::erase_if(read.commands, [&](const Command& command) { return known_commands_.contains(command.id); });
  std::erase_if(read.trades, [&](const LoadedTrade& trade) {
    return std::none_of(read.commands.begin(), read.commands.end(), [&](const Command& command) { return command.position_id == trade.id; });
  });
  known_commands_ = listed;
  if (read.commands.empty()) return LoadResult::ok;
  if (trades()) step(std::move(read), now_ms);
  else for (const Command& command : read.commands) refuse(command);
  return LoadResult::ok;
}

// Only what has not begun: what has may have an order at the venue, and waits until trading is possible again.
void AccountMachine::refuse(const Command& command) {
  if (command.running) return;
  effects_.changes.put(CommandResult{command.id, "failed", refuse_why_});
  if (command.kind != CommandKind::open_position) return;
  PositionUpdate update;
  update.id = command.position_id;
  update.status = PositionStatus::failed;
  update.exit_reason = "not_sent";
  effects_.changes.put(update);
}

// ------------------------------------------------------------------------------------------------ decide, commit, send

// Orders first, by themselves: their rows are all that must be on record before they leave, and somebody waits for them. A
// crash between the two commits is one right after sending: the order is looked for by its row.
AccountMachine::TurnEnd AccountMachine::finish_turn(std::int64_t now_ms, std::string& error) {
  if (needs_order_ids(now_ms)) reserve_ids(now_ms);
  engine_.end_turn(now_ms, effects_);

  if (may_go_first(effects_.changes)) {
    Changes orders;
    orders.own_orders.swap(effects_.changes.own_orders);
    if (const TurnEnd end = commit(orders, now_ms, error); end != TurnEnd::sent) return end;
    send_orders(now_ms);
  }
  if (!effects_.changes.empty())
    if (const TurnEnd end = commit(effects_.changes, now_ms, error); end != TurnEnd::sent) return end;
  const Store::Result retried = store_.retry(now_ms, error);
  effects_.changes.clear();
  if (retried != Store::Result::saved) return retried == Store::Result::broken ? TurnEnd::broken : TurnEnd::again;

  // Only what was committed may have consequences outside.
  for (const Action& action : effects_.actions) send(action, now_ms);
  if (!effects_.actions.empty()) wire_.flush();
  effects_.actions.clear();
  return TurnEnd::sent;
}

AccountMachine::TurnEnd AccountMachine::commit(const Changes& changes, std::int64_t now_ms, std::string& error) {
  const Store::Result saved = store_.commit(changes, now_ms, trading_.unix_offset_ms, error);
  if (saved == Store::Result::broken) return TurnEnd::broken;
  if (saved == Store::Result::gone) return TurnEnd::again;
  // The engine believes that its order is about to leave: only the tables can tell it otherwise.
  if (!store_.missed_own_orders()) return TurnEnd::sent;
  error = "the row of an order could not be written, so the order is not sent; loading again";
  return TurnEnd::again;
}

void AccountMachine::send_orders(std::int64_t now_ms) {
  std::erase_if(effects_.actions, [&](const Action& action) {
    const auto* request = std::get_if<SendRequest>(&action);
    const bool places = request && request->request.kind == RequestKind::place_order;
    if (places) send(action, now_ms);
    return places;
  });
  wire_.flush();
}

bool AccountMachine::needs_order_ids(std::int64_t now_ms) const {
  return trades() && now_ms >= ids_retry_at_ms_ && engine_.order_ids_left() < kOrderIdsLeft;
}

void AccountMachine::reserve_ids(std::int64_t now_ms) {
  ids_retry_at_ms_ = now_ms + kIdsRetryMs;
  CommandsRead read;
  std::string error;  // it passes, or the next commit says what is wrong
  if (reserve_order_ids(account_id_, read.order_ids, error) != LoadResult::ok || read.order_ids.empty()) return;
  ids_retry_at_ms_ = 0;
  step(std::move(read), now_ms);
}

std::int64_t AccountMachine::next_deadline(std::int64_t now_ms) {
  std::int64_t deadline = std::min(engine_.next_deadline(now_ms), store_.retry_at_ms());
  if (trades() && engine_.order_ids_left() < kOrderIdsLeft) deadline = std::min(deadline, ids_retry_at_ms_);
  return deadline;
}

void AccountMachine::stop(std::int64_t now_ms) {
  effects_ = Effects{};  // what was not committed does not leave
  step(Stopping{}, now_ms);
  for (const Action& action : effects_.actions) send(action, now_ms);
  effects_ = Effects{};
}

void AccountMachine::send(const Action& action, std::int64_t now_ms) {
  const std::int64_t venue_ms = engine_.clock().venue_now(now_ms);
  if (const auto* open = std::get_if<OpenSocket>(&action)) {
    link_is_private_[open->link] = open->is_private;
    wire_.open(open->link, exchange_.stream_url(kind_of(open->is_private), endpoints_, open->listen_key));
  } else if (const auto* close = std::get_if<CloseSocket>(&action)) {
    wire_.close(close->link);
  } else if (const auto* command = std::get_if<SendCommand>(&action)) {
    const StreamCommand wire{command_of(command->what), command->id, command->symbols};
    std::string text = exchange_.encode(wire, kind_of(command->is_private), credentials_, venue_ms);
    // A venue without a ping message of its own is asked for a sign of life by the protocol's.
    if (!text.empty()) wire_.send(command->link, std::move(text));
    else if (command->what == SendCommand::What::ping) wire_.ping(command->link);
  } else if (const auto* request = std::get_if<SendRequest>(&action)) {
    requests_[request->request.id] = request->request;
    wire_.request(request->request.id, exchange_.encode(request->request, endpoints_, credentials_, venue_ms));
  }
}

}  // namespace tradesync
