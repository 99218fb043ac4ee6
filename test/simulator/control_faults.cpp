// Control commands that make things go wrong.
#include "simulator/control.hpp"

#include <algorithm>
#include <stdexcept>

namespace simulator {

using market::Faults;
using market::Json;
using market::Stream;

namespace {

std::optional<Stream> stream_of(const Json& body, const char* fallback) {
    const std::string word = body.text("stream", fallback);
    if (word == "private") return Stream::private_data;
    if (word == "public") return Stream::public_data;
    if (word == "trade") return Stream::trade;
    if (word == "all") return std::nullopt;
    throw std::invalid_argument("stream must be private, public, trade or all");
}

int per_million(const Json& body) {
    const auto probability = body.decimal("probability");
    if (!probability) throw std::invalid_argument("needs probability as a decimal string, for example \"0.05\"");
    return std::stoi((*probability * 1'000'000).fixed(0));
}

std::string told(int sockets) { return R"({"ok":true,"sockets":)" + std::to_string(sockets) + "}"; }

Faults::HttpRule rule_of(const Json& body, Faults::HttpRule::Kind kind) {
    Faults::HttpRule rule;
    rule.kind = kind;
    rule.path = body.text("path", "/");
    rule.method = body.text("method");
    rule.contains = body.text("contains");
    rule.skip = body.integer("skip").value_or(0);
    rule.times = body.integer("times").value_or(1);
    rule.executes = body.boolean("executes");
    rule.retry_after = body.text("retry_after");
    return rule;
}

using Kind = Faults::HttpRule::Kind;
using Fault = std::string (*)(VenueServer&, const Json&);

const std::map<std::string, Fault>& faults() {
    static const std::map<std::string, Fault> table = {
        // ---- connections
        {"refuse", [](VenueServer& s, const Json& b) {
             s.faults().refuse_count = b.integer("times").value_or(b.has("ms") ? 0 : 1);
             s.faults().refuse_until_ms = s.now() + b.integer("ms").value_or(0);
             return told(0);
         }},
        {"slow", [](VenueServer& s, const Json& b) {
             return told(s.throttle(stream_of(b, "private"), static_cast<int>(b.integer("bytes_per_s").value_or(100))));
         }},
        {"ban", [](VenueServer& s, const Json& b) {
             s.face().knobs.banned_until_ms = s.now() + b.integer("ms").value_or(600'000);
             return told(0);
         }},
        {"clock_shift", [](VenueServer& s, const Json& b) {
             s.shift_clock(b.integer("ms").value_or(0));
             return told(0);
         }},
        {"expire_listen_key", [](VenueServer& s, const Json&) {
             s.face().expire_listen_keys(s.now());
             return told(0);
         }},
        // ---- events
        {"delay", [](VenueServer& s, const Json& b) {
             s.faults().delay_min_ms = b.integer("min_ms").value_or(0);
             s.faults().delay_max_ms = b.integer("max_ms").value_or(b.integer("ms").value_or(0));
             return told(0);
         }},
        {"duplicate", [](VenueServer& s, const Json& b) { s.faults().duplicate_per_million = per_million(b); return told(0); }},
        {"lose", [](VenueServer& s, const Json& b) { s.faults().lose_per_million = per_million(b); return told(0); }},
        {"reorder", [](VenueServer& s, const Json& b) {
             s.faults().reorder_window_ms = b.integer("window_ms").value_or(b.integer("window").value_or(10));
             return told(0);
         }},
        {"unknown_fields", [](VenueServer& s, const Json& b) { s.face().knobs.unknown_fields = b.boolean("on", true); return told(0); }},
        {"visibility_lag", [](VenueServer& s, const Json& b) {
             s.face().knobs.visibility_lag_ms = b.integer("ms").value_or(0);
             return told(0);
         }},
        {"event_latency", [](VenueServer& s, const Json& b) {
             s.face().knobs.event_latency_min_ms = b.integer("min_ms").value_or(0);
             s.face().knobs.event_latency_max_ms = b.integer("max_ms").value_or(0);
             return told(0);
         }},
        {"rest_latency", [](VenueServer& s, const Json& b) {
             s.face().knobs.rest_latency_min_ms = b.integer("min_ms").value_or(0);
             s.face().knobs.rest_latency_max_ms = b.integer("max_ms").value_or(0);
             return told(0);
         }},
        {"fail_subscribe", [](VenueServer& s, const Json& b) {
             const std::string topic = b.text("topic", b.text("symbol"));
             if (b.boolean("on", true)) s.face().knobs.failing_subscriptions.insert(topic);
             else s.face().knobs.failing_subscriptions.erase(topic);
             return told(0);
         }},
        {"no_rate_limits", [](VenueServer& s, const Json& b) { s.face().knobs.ignores_rate_limits = b.boolean("on", true); return told(0); }},
        {"stops_end_cancelled", [](VenueServer& s, const Json& b) {
             s.face().knobs.stops_end_deactivated = !b.boolean("on", true);
             return told(0);
         }},
        // ---- REST
        {"http_status", [](VenueServer& s, const Json& b) {
             auto rule = rule_of(b, Kind::status);
             rule.status = static_cast<int>(b.integer("status").value_or(503));
             rule.body = b.text("body", "{}");
             s.faults().add(std::move(rule));
             return told(0);
         }},
        {"http_delay", [](VenueServer& s, const Json& b) {
             auto rule = rule_of(b, Kind::delay);
             rule.delay_ms = b.integer("ms").value_or(1'000);
             s.faults().add(std::move(rule));
             return told(0);
         }},
        {"http_cut", [](VenueServer& s, const Json& b) {
             auto rule = rule_of(b, Kind::cut);
             rule.cut_bytes = static_cast<size_t>(b.integer("bytes").value_or(20));
             s.faults().add(std::move(rule));
             return told(0);
         }},
        {"ret_code", [](VenueServer& s, const Json& b) {
             auto rule = rule_of(b, Kind::return_code);
             rule.code = static_cast<int>(b.integer("code").value_or(10016));
             rule.body = b.text("message", "Server error.");
             rule.status = static_cast<int>(b.integer("status").value_or(200));
             s.faults().add(std::move(rule));
             return told(0);
         }},
        {"page_fail", [](VenueServer& s, const Json& b) {
             auto rule = rule_of(b, Kind::page);
             rule.page = static_cast<int>(b.integer("page").value_or(2));
             rule.status = static_cast<int>(b.integer("status").value_or(503));
             rule.body = b.text("body", "{}");
             s.faults().add(std::move(rule));
             return told(0);
         }},
        // ---- frames that no venue should send
        {"raw", [](VenueServer& s, const Json& b) { return told(s.push_raw(stream_of(b, "private"), Opcode::text, b.text("text"))); }},
        {"malformed", [](VenueServer& s, const Json& b) {
             return told(s.push_raw(stream_of(b, "private"), Opcode::text, R"({"topic":"order","data":[{"orderId":)"));
         }},
        {"huge", [](VenueServer& s, const Json& b) {
             const auto size = static_cast<size_t>(std::clamp<int64_t>(b.integer("bytes").value_or(1'000'000), 1, 200'000'000));
             return told(s.push_raw(stream_of(b, "private"), Opcode::text, "{\"topic\":\"order\",\"padding\":\"" + std::string(size, 'x') + "\"}"));
         }},
        {"binary", [](VenueServer& s, const Json& b) {
             return told(s.push_raw(stream_of(b, "private"), Opcode::binary, std::string("\x00\x01\x02\xFF", 4)));
         }},
        {"invalid_utf8", [](VenueServer& s, const Json& b) {
             return told(s.push_raw(stream_of(b, "private"), Opcode::text, "{\"topic\":\"order\",\"note\":\"\xC3\x28\xFF\"}"));
         }},
        {"nul", [](VenueServer& s, const Json& b) {
             return told(s.push_raw(stream_of(b, "private"), Opcode::text, std::string("{\"topic\":\"order\",\"note\":\"a\0b\"}", 31)));
         }},
        {"long_number", [](VenueServer& s, const Json& b) {
             return told(s.push_raw(stream_of(b, "private"), Opcode::text,
                                    "{\"topic\":\"order\",\"creationTime\":" + std::string(400, '9') + ",\"data\":[]}"));
         }},
    };
    return table;
}

}  // namespace

const std::vector<Control::Entry>& Control::fault_commands() {
    static const std::vector<Entry> entries = {
        {"/fault", [](Command& c) {
             const std::string name = need_text(c.body, "name");
             const auto found = faults().find(name);
             if (found == faults().end()) throw std::invalid_argument("unknown fault " + name);
             return found->second(c.desk.server, c.body);
         }},
        {"/faults_clear", [](Command& c) {
             c.desk.server.faults().clear();
             const Ms interval = c.desk.server.face().knobs.price_interval_ms;
             c.desk.server.face().knobs = {};
             c.desk.server.face().knobs.price_interval_ms = interval;
             return ok();
         }},
        {"/drop", [](Command& c) {
             const std::string how = c.body.text("how", "close");
             if (how != "close" && how != "reset" && how != "silent") throw std::invalid_argument("how must be close, reset or silent");
             const auto kind = how == "close"   ? VenueServer::How::close
                               : how == "reset" ? VenueServer::How::reset
                                                : VenueServer::How::silent;
             return told(c.desk.server.drop(stream_of(c.body, "all"), kind));
         }},
    };
    return entries;
}

}  // namespace simulator
