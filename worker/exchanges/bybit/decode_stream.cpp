// One frame of a stream: a push (it has a topic) or the answer to a command (§2.2, §5, §6). What we do not know is nothing.
#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {
namespace {

// The categorised form of a topic ("order.linear") is pushed under either name (§5).
bool is_topic(std::string_view topic, std::string_view name) {
  return topic.starts_with(name) && (topic.size() == name.size() || topic[name.size()] == '.');
}

void decode_account(std::string_view topic, json::Value root, Decoded& out) {
  // The same executions come complete on topic execution; the fast ones have no fee.
  if (is_topic(topic, "execution.fast")) return;
  Rows rows{out.facts, out.error};
  bool (*read)(json::Value, Rows&) = nullptr;
  if (is_topic(topic, "order")) read = read_order;
  else if (is_topic(topic, "execution")) read = read_execution;
  else if (is_topic(topic, "position")) read = read_position;
  else if (!is_topic(topic, "wallet")) return;

  const json::Value data = root["data"];
  if (!data.is_array()) {
    out.error = std::string(topic) + ": data: not a list";
    return;
  }
  const std::int64_t created_ms = root["creationTime"].integer().value_or(0);
  for (const json::Value row : data)
    if (read ? read(row, rows) : read_wallet(row, created_ms, rows)) out.account_event = true;
}

// A delta has only what changed; a field that is "" is empty now and no price either.
void decode_ticker(json::Value root, Decoded& out) {
  json::Fields row(root["data"]);
  Price price;
  price.symbol = canonical_symbol(row.required_text("symbol"));
  price.mark = row.decimal("markPrice");
  price.last = row.decimal("lastPrice");
  price.at_ms = root["ts"].integer().value_or(0);
  if (row.ok() && !price.mark && !price.last) return;
  Rows{out.facts, out.error}.add(row, "tickers", std::move(price));
}

// "error:handler not found,topic:tickers.NOPEUSDT": the first symbol that spoiled the whole request (§6.1).
std::string failed_symbol(std::string_view message) {
  constexpr std::string_view kMark = "topic:tickers.";
  const std::size_t at = message.find(kMark);
  if (at == std::string_view::npos) return {};
  message.remove_prefix(at + kMark.size());
  return canonical_symbol(message.substr(0, message.find_first_of(", \"")));
}

// Private streams say success and ret_msg, others retCode and retMsg; recorded frames mix them.
void decode_answer(json::Value root, Decoded& out) {
  const std::string_view op = root["op"].text();
  const json::Value success = root["success"], code = root["retCode"];
  if (op.empty() && !success.has_value() && !code.has_value()) return;

  const std::string_view long_name = root["ret_msg"].text();
  const std::string_view text = long_name.empty() ? root["retMsg"].text() : long_name;
  const bool ok = success.boolean().value_or(false) || (!success.has_value() && code.integer() == 0);

  if (op == "pong" || text == "pong" || (op == "ping" && ok)) out.facts.push_back(Pong{});
  else if (op == "auth") out.facts.push_back(Authenticated{ok, shown(text)});
  else if (op == "subscribe" || op == "unsubscribe" || !ok) {
    const std::string_view id = root["req_id"].text();
    out.facts.push_back(Acknowledged{std::string(id.substr(0, json::kMaxFieldText)), ok, shown(text),
                                     ok ? std::string() : failed_symbol(shown(text))});
  }
}

}  // namespace

void decode_message(StreamKind kind, std::string_view message, Decoded& out) {
  const json::Document document = json::parse(message);
  if (!document.error.empty()) {
    out.error = document.error;
    return;
  }
  const json::Value root = document.root;
  const std::string_view topic = root["topic"].text();
  if (topic.empty()) decode_answer(root, out);
  else if (kind == StreamKind::private_) decode_account(topic, root, out);
  else if (is_topic(topic, "tickers")) decode_ticker(root, out);
}

}  // namespace tradesync::bybit
