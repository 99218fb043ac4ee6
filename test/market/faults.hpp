// What goes wrong between a venue face and its client, decided here and carried out by whoever owns the wire (sockets or the
// virtual clock). Pure and seeded: same seed, same frames, same misfortune.
#pragma once

#include "market/face.hpp"

#include <list>

namespace market {

class Faults {
public:
    explicit Faults(uint64_t seed) : random_(seed) {}

    // ---- events (pushed frames); answers are never touched
    Ms delay_min_ms = 0, delay_max_ms = 0;       // added, order within a session kept
    Ms reorder_window_ms = 0;                    // added at random, order not kept
    int duplicate_per_million = 0, lose_per_million = 0;

    // Turns one frame into what really arrives: none, one or two frames.
    std::vector<Outbound> disturb(Outbound frame);

    // ---- REST. Each rule applies to paths that begin with `path` and is used up after `times` requests.
    struct HttpRule {
        enum class Kind { status, return_code, delay, cut, page } kind = Kind::status;
        std::string path;
        std::string method;                      // only this one; empty = any
        std::string contains;                    // only requests with this text in query or body; empty = any
        int64_t skip = 0;                        // so many of them pass before the rule begins
        int64_t times = 1;
        int status = 503;                        // status and page
        int code = 0;                            // return_code
        std::string body, retry_after;           // status: body; return_code: message
        bool executes = false;                   // status, return_code: the request takes effect before it is answered so
        Ms delay_ms = 0;
        size_t cut_bytes = 0;
        int page = 1;                            // page: the page-th page of a listing fails
    };
    void add(HttpRule rule) { rules_.push_back(std::move(rule)); }

    struct Answer {
        HttpReply reply;
        std::optional<size_t> cut_bytes;         // send only so much of the body, then close
    };
    // Runs the request through the face, or past it.
    Answer answer(Face& face, const HttpRequest& request, Ms now);

    // ---- connections
    int64_t refuse_count = 0;                    // so many new connections are closed at once
    Ms refuse_until_ms = 0;
    bool refuses(Ms now);

    void clear();

private:
    Random random_;
    std::list<HttpRule> rules_;
    std::map<std::string, int> page_by_path_;    // how many pages of the current listing were asked for
    std::map<SessionId, Ms> last_due_ms_;
};

}  // namespace market
