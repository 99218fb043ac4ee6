#include "core/verification.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

// Only words of ours and digits come in: nothing needs escaping.
std::string object(std::initializer_list<std::pair<std::string_view, std::string>> members) {
  std::string out = "{";
  for (const auto& [name, value] : members) {
    if (out.size() > 1) out += ", ";
    out.append("\"").append(name).append("\": \"").append(value).append("\"");
  }
  return out + "}";
}

bool right_way(const Verification::Subject& subject, const Decimal& signed_quantity) {
  if (signed_quantity.is_zero()) return false;
  return !subject.is_long || *subject.is_long == signed_quantity.is_positive();
}

}  // namespace

void Verification::begin(std::uint64_t id, Subject subject, bool keep_trying, std::int64_t now_ms) {
  Check check;
  check.subject = std::move(subject);
  check.keep_trying = keep_trying;
  check.begun_ms = now_ms;
  check.order_status.row.source = "order_status";
  check.stream.row.source = "stream";
  check.rest_position.row.source = "rest_position";
  check.order_status.ask_at_ms = check.rest_position.ask_at_ms = now_ms;
  if (check.subject.entry_order == 0) {
    check.order_status.settled = true;
    check.order_status.ask_at_ms = kNever;
    check.order_status.row.detail = object({{"why_not", "no entry order of ours belongs to it"}});
  }
  checks_.insert_or_assign(id, std::move(check));
}

void Verification::on_stream(const VenuePosition& position, std::int64_t now_ms) {
  stream_seen_[{position.symbol, position.position_side}] = {position.quantity, now_ms};
}

void Verification::ask(Check& check, Check::Source& source, bool about_order, std::int64_t now_ms) {
  Request request;
  request.symbol = check.subject.symbol;
  request.kind = RequestKind::positions;
  if (about_order) {
    const OwnOrder* entry = own_.find(check.subject.entry_order);
    if (!entry) return settle(check, source, now_ms);
    request.kind = RequestKind::order;
    request.client_order_id = entry->ticket.client_order_id;
  }
  source.request = requests_.ask(std::move(request), Requests::Priority::urgent);
  source.ask_at_ms = kNever;
  ++source.tries;
}

bool Verification::on_answer(const Answer& answer, std::int64_t now_ms) {
  for (auto& [id, check] : checks_) {
    const bool about_order = check.order_status.request == answer.request.id;
    if (!about_order && check.rest_position.request != answer.request.id) continue;
    Check::Source& source = about_order ? check.order_status : check.rest_position;
    source.request = 0;
    source.row.checked = true;
    if (about_order) read_order(check, answer);
    else read_position(check, answer);
    source.row.took_ms = now_ms - check.begun_ms;
    settle(check, source, now_ms);
    return true;
  }
  return false;
}

void Verification::settle(Check& check, Check::Source& source, std::int64_t now_ms) {
  if (source.row.confirmed || !check.keep_trying || source.tries >= limits::kVerifyTries) {
    source.settled = true;
    return;
  }
  source.pause_ms = source.pause_ms == 0 ? limits::kLookUpFirstMs : source.pause_ms * 3 / 2;
  source.ask_at_ms = now_ms + source.pause_ms;
}

void Verification::read_order(Check& check, const Answer& answer) {
  VerifyRow& row = check.order_status.row;
  row.detail = object({{"answer", answer.reply.outcome == Outcome::not_found ? "no such order" : "found"}});
  for (const Fact& fact : answer.reply.facts) {
    const auto* order = std::get_if<Order>(&fact);
    if (!order) continue;
    row.quantity = order->filled_quantity;
    row.confirmed = order->filled_quantity.is_positive();
    row.detail = object({{"status", std::string(text(order->status))}, {"order_id", order->order_id}, {"filled", order->filled_quantity.text()}});
  }
}

void Verification::read_position(Check& check, const Answer& answer) {
  VerifyRow& row = check.rest_position.row;
  row.quantity = Decimal();
  row.confirmed = false;
  row.detail = object({{"answer", "no such position"}});
  for (const Fact& fact : answer.reply.facts) {
    const auto* position = std::get_if<VenuePosition>(&fact);
    if (!position || position->symbol != check.subject.symbol || position->position_side != check.subject.side) continue;
    row.quantity = position->quantity.absolute();
    row.confirmed = right_way(check.subject, position->quantity);
    row.detail = object({{"quantity", position->quantity.text()}, {"entry_price", position->entry_price.text()}});
  }
}

void Verification::read_stream(Check& check, bool stream_is_up, std::int64_t now_ms) {
  VerifyRow& row = check.stream.row;
  if (row.confirmed) return;
  row.checked = stream_is_up;
  row.took_ms = now_ms - check.begun_ms;
  const auto seen = stream_seen_.find({check.subject.symbol, check.subject.side});
  if (seen == stream_seen_.end()) {
    row.detail = object({{"answer", stream_is_up ? "has said nothing about it" : "is not connected"}});
    return;
  }
  row.quantity = seen->second.quantity.absolute();
  row.confirmed = row.checked && right_way(check.subject, seen->second.quantity);
  row.detail = object({{"quantity", seen->second.quantity.text()}, {"age_ms", std::to_string(now_ms - seen->second.at_ms)}});
}

void Verification::step(bool stream_is_up, std::int64_t now_ms) {
  for (auto& [id, check] : checks_) {
    if (check.finished) continue;
    if (!check.order_status.settled && now_ms >= check.order_status.ask_at_ms) ask(check, check.order_status, true, now_ms);
    if (!check.rest_position.settled && now_ms >= check.rest_position.ask_at_ms) ask(check, check.rest_position, false, now_ms);
    const bool timed_out = now_ms - check.begun_ms >= limits::kVerifyMs;
    if (!timed_out && !(check.order_status.settled && check.rest_position.settled)) continue;
    read_stream(check, stream_is_up, now_ms);
    check.finished = true;
    for (Check::Source* source : {&check.order_status, &check.rest_position}) {
      if (source->request == 0) continue;
      requests_.drop(source->request);
      source->request = 0;
      if (!source->row.checked) {
        source->row.took_ms = now_ms - check.begun_ms;
        source->row.detail = object({{"why_not", "no answer in time"}});
      }
    }
  }
}

std::int64_t Verification::next_deadline() const {
  std::int64_t deadline = kNever;
  for (const auto& [id, check] : checks_) {
    if (check.finished) continue;
    deadline = std::min(deadline, check.begun_ms + limits::kVerifyMs);
    for (const Check::Source* source : {&check.order_status, &check.rest_position})
      if (!source->settled) deadline = std::min(deadline, source->ask_at_ms);
  }
  return deadline;
}

bool Verification::done(std::uint64_t id) const {
  const auto it = checks_.find(id);
  return it != checks_.end() && it->second.finished;
}

std::vector<std::uint64_t> Verification::done_ids() const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, check] : checks_)
    if (check.finished) ids.push_back(id);
  return ids;
}

std::vector<VerifyRow> Verification::take(std::uint64_t id) {
  const auto it = checks_.find(id);
  if (it == checks_.end()) return {};
  std::vector<VerifyRow> rows{it->second.order_status.row, it->second.stream.row, it->second.rest_position.row};
  for (const Check::Source* source : {&it->second.order_status, &it->second.rest_position})
    if (source->request != 0) requests_.drop(source->request);
  checks_.erase(it);
  return rows;
}

}  // namespace tradesync
