// See faults.hpp.
#include "market/faults.hpp"

#include <algorithm>

namespace market {

namespace {

bool is_meant(const Faults::HttpRule& rule, const HttpRequest& request) {
    if (request.path.rfind(rule.path, 0) != 0) return false;
    if (!rule.method.empty() && rule.method != request.method) return false;
    return rule.contains.empty() || request.query.find(rule.contains) != std::string::npos ||
           request.body.find(rule.contains) != std::string::npos;
}

}  // namespace

std::vector<Outbound> Faults::disturb(Outbound frame) {
    std::vector<Outbound> out;
    Ms& last = last_due_ms_[frame.session];
    if (!frame.is_event) {
        frame.due_ms = std::max(frame.due_ms, frame.kind == Outbound::Kind::close ? last : frame.due_ms);
        out.push_back(std::move(frame));
        return out;
    }
    if (lose_per_million > 0 && random_.chance_per_million(lose_per_million)) return out;
    if (delay_max_ms > 0) {
        frame.due_ms = std::max(last, frame.due_ms + random_.between(delay_min_ms, delay_max_ms));
        last = frame.due_ms;
    }
    if (reorder_window_ms > 0) frame.due_ms += random_.between(0, reorder_window_ms);
    const bool twice = duplicate_per_million > 0 && random_.chance_per_million(duplicate_per_million);
    if (twice) out.push_back(frame);
    out.push_back(std::move(frame));
    return out;
}

Faults::Answer Faults::answer(Face& face, const HttpRequest& request, Ms now) {
    int& page = page_by_path_[request.path];
    page = face.is_later_page(request) ? page + 1 : 1;

    std::optional<HttpRule> before;
    Ms delay = 0;
    std::optional<size_t> cut;
    for (auto rule = rules_.begin(); rule != rules_.end();) {
        const bool applies = is_meant(*rule, request) && (rule->kind != HttpRule::Kind::page || page == rule->page);
        if (!applies || rule->skip-- > 0) {
            ++rule;
            continue;
        }
        if (rule->kind == HttpRule::Kind::delay) delay += rule->delay_ms;
        else if (rule->kind == HttpRule::Kind::cut) cut = rule->cut_bytes;
        else if (!before) before = *rule;
        rule = --rule->times <= 0 ? rules_.erase(rule) : std::next(rule);
    }

    Answer answer;
    answer.cut_bytes = cut;
    if (!before || before->executes) answer.reply = face.on_http(request, now);
    if (before) {
        const Ms due = answer.reply.due_ms;
        if (before->kind == HttpRule::Kind::return_code)
            answer.reply = face.error_reply(before->code, before->body, before->status, now);
        else
            answer.reply = {before->status, {}, before->body, 0};
        if (!before->retry_after.empty()) answer.reply.headers.emplace_back("Retry-After", before->retry_after);
        answer.reply.due_ms = due;
    }
    answer.reply.due_ms = std::max(answer.reply.due_ms, now) + delay;
    return answer;
}

bool Faults::refuses(Ms now) {
    if (refuse_count > 0) {
        --refuse_count;
        return true;
    }
    return now < refuse_until_ms;
}

void Faults::clear() {
    const Random kept = random_;
    *this = Faults(0);
    random_ = kept;
}

}  // namespace market
