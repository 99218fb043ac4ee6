// See network.hpp. One request on its way to the venue, its answer on the way back, and what may happen to both.
#include <algorithm>

#include "sim/network.hpp"

namespace tradesync::sim {
namespace {

constexpr Ms kRequestTimeoutMs = 5000;   // tradesync.request_timeout

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// The value of name=… in a query or form body, or of "name":"…" in JSON; "" when absent.
std::string value_in(const std::string& text, const std::string& name) {
  for (const std::string& mark : {name + "=", "\"" + name + "\":\""}) {
    std::size_t at = text.find(mark);
    while (at != std::string::npos && mark.back() == '=' && at > 0 && text[at - 1] != '&' && text[at - 1] != '?') at = text.find(mark,
        at + 1);
    if (at == std::string::npos) continue;
    at += mark.size();
    return text.substr(at, text.find_first_of("&\"", at) - at);
  }
  return {};
}

}  // namespace

bool Network::is_write(const HttpRequest& request) const {
  return request.method != "GET" && request.url.find("listenKey") == std::string::npos;
}

Network::Write Network::described(const HttpRequest& request, const std::string& path, const std::string& query) const {
  Write write;
  write.path = request.method + " " + path;
  write.text = query.substr(0, query.find("&signature=")) + request.body.substr(0, request.body.find("&signature="));
  for (const char* name : {"newClientOrderId", "clientAlgoId", "orderLinkId"})
    if (write.client_id.empty()) write.client_id = value_in(write.text, name);
  write.symbol = value_in(write.text, "symbol");
  if (write.path == "POST /v5/position/trading-stop") {
    write.stop_loss = value_in(write.text, "stopLoss");
    write.take_profit = value_in(write.text, "takeProfit");
  }
  write.is_entry_path = write.path == "POST /fapi/v1/order" || write.path == "POST /fapi/v1/algoOrder" ||
      write.path == "POST /v5/order/create";
  return write;
}

void Network::answer(std::uint64_t id, Ms sent_ms, Ms delay_ms, int status, std::string body, bool complete, std::string note_text,
                     market::Headers headers) {
  const int generation = generation_;
  later(delay_ms, [=, this, body = std::move(body), note_text = std::move(note_text), headers = std::move(headers)] {
    if (generation != generation_) return;
    Arrival arrival;
    arrival.kind = Arrival::Kind::http;
    arrival.id = id;
    arrival.status = status;
    arrival.complete = complete;
    arrival.note = note_text;
    for (const auto& [name, value] : headers) arrival.headers.emplace_back(lower(name), value);
    arrival.sent_ms = sent_ms;
    if (status != 200 || !complete) note("answer " + std::to_string(id) + ": " + std::to_string(status) + " " + note_text + " " +
        body.substr(0, 120));
    arrive(std::move(arrival), body);
  });
}

void Network::request(std::uint64_t id, HttpRequest request) {
  if (before_sending) before_sending();
  const std::size_t host = request.url.find("://");
  if (host == std::string::npos) {
    note("request " + std::to_string(id) + " has no URL");
    if (on_unusable) on_unusable(id);
    return answer(id, 0, 0, 0, "", false, "unusable URL");
  }
  const std::size_t path_at = request.url.find('/', host + 3), query_at = request.url.find('?');
  market::HttpRequest wire;
  wire.method = request.method;
  wire.path = request.url.substr(path_at, query_at == std::string::npos ? std::string::npos : query_at - path_at);
  if (query_at != std::string::npos) wire.query = request.url.substr(query_at + 1);
  for (const auto& [name, value] : request.headers) wire.headers.emplace_back(lower(name), value);
  wire.body = request.body;

  const Ms sent_ms = clock_.local_ms();
  const bool out = clock_.true_ms() < outage_until_ms_;
  if (out || chance(weather.refuse)) {
    trouble(2000);
    note("request " + std::to_string(id) + " " + wire.method + " " + wire.path + " is refused a connection");
    return answer(id, 0, random_.between(1, 200), 0, "", false, "connection refused");
  }
  if (is_write(request)) {
    Write write = described(request, wire.path, wire.query);
    note("write " + std::to_string(id) + " " + write.path + " " + write.text);
    if (on_write) on_write(write);
  }
  const Ms travel = latency();
  if (chance(weather.lose_request)) {
    trouble(kRequestTimeoutMs + 2000);
    note("request " + std::to_string(id) + " is lost");
    return answer(id, sent_ms, kRequestTimeoutMs, 0, "", false, "timed out");
  }
  if (chance(weather.reset_before)) {
    trouble(2000);
    note("request " + std::to_string(id) + " meets a reset");
    return answer(id, sent_ms, travel, 0, "", false, "connection reset by peer");
  }
  const bool slow = chance(weather.slow_request);
  if (slow) {
    trouble(14000);
    note("request " + std::to_string(id) + " is slow");
  }
  const Ms arrival = slow ? random_.between(500, 12000) : travel;
  const bool answer_lost = chance(weather.lose_answer);
  const bool is_hushed = !hushed.empty() && value_in(wire.query + wire.body, "clientAlgoId") == hushed;
  if (chance(weather.reset_after) || (is_hushed && hushed_by_reset)) {
    trouble(2000);
    note("the answer to request " + std::to_string(id) + " meets a reset");
    answer(id, sent_ms, arrival + 1, 0, "", false, "connection reset by peer");
    return carry(0, std::move(wire), sent_ms, arrival, true, false);
  }
  if (answer_lost) note("the answer to request " + std::to_string(id) + " is lost");
  if (answer_lost || is_hushed || arrival > kRequestTimeoutMs) {
    trouble(kRequestTimeoutMs + 2000);
    answer(id, sent_ms, kRequestTimeoutMs, 0, "", false, "timed out");
    return carry(0, std::move(wire), sent_ms, arrival, true, false);
  }
  carry(id, std::move(wire), sent_ms, arrival, false, chance(weather.cut_answer));
}

// Through the face, or past it with an error that says one thing and means another.
void Network::carry(std::uint64_t id, market::HttpRequest request, Ms sent_ms, Ms travel_ms, bool answer_lost, bool cut) {
  using Rule = market::Faults::HttpRule;
  std::optional<Rule> rule;
  const bool binance = venue_ == market::Venue::binance;
  const auto status_rule = [](int status, std::string body, bool executes) {
    Rule made;
    made.kind = Rule::Kind::status;
    made.status = status;
    made.body = std::move(body);
    made.executes = executes;
    return made;
  };
  if (chance(weather.unknown_done) || chance(weather.unknown_not_done)) {
    const bool done = random_.chance_per_million(500'000);
    rule = binance ? status_rule(503, R"({"code":-1,"msg":"Unknown error, please check your request or try again later."})", done)
                   : status_rule(502, "<html>Bad Gateway</html>", done);
  } else if (chance(weather.definite_failure)) {
    rule = binance ? status_rule(503, "Service Unavailable.", false) : std::optional<Rule>();
  } else if (chance(weather.throttle)) {
    rule = status_rule(429, R"({"code":-1003,"msg":"Too many requests."})", false);
    rule->retry_after = "2";
    if (!binance) {
      rule->kind = Rule::Kind::return_code;
      rule->status = 200;
      rule->code = 10006;
      rule->body = "Too many visits!";
      rule->retry_after.clear();
    }
  }
  const int generation = generation_;
  if (rule || cut) trouble(3000);
  later(travel_ms, [=, this, request = std::move(request)] {
    if (rule) {
      Rule once = *rule;
      once.path = request.path;
      faults.add(once);
      note("the venue answers " + request.path + " with " + std::to_string(once.status) + (once.executes
          ? " and does it" : " and does not do it"));
    }
    market::Faults::Answer made = faults.answer(face_, request, clock_.venue_ms());
    pump();
    if (answer_lost || generation != generation_) return;
    const Ms due = std::max(clock_.true_ms(), clock_.when_venue_shows(made.reply.due_ms)) - clock_.true_ms() + latency();
    std::string body = std::move(made.reply.body);
    if (cut) body.resize(body.size() / 2);
    answer(id, sent_ms, due, made.reply.status, std::move(body), !cut, cut ? "transfer closed with outstanding read data remaining" : "",
           std::move(made.reply.headers));
  });
}

}  // namespace tradesync::sim
