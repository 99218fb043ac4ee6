// The account's private stream: listen key or login, subscription, heartbeat, planned rotation, reconnect.
// Two connections may live at once: `current_`, and `next_` that is to replace it. During a planned rotation the old one
// closes only after the new one is subscribed, so nothing falls between; after any doubt about the listen key the new one
// is treated as a fresh start and the account is restored.
#pragma once
#include "core/effect.hpp"
#include "core/link.hpp"
#include "core/requests.hpp"
#include "core/rules.hpp"

namespace tradesync {

class PrivateStream {
 public:
  enum class Signal : std::uint8_t {
    none,
    opened,      // socket is open, login under way
    subscribed,  // events flow from here on; what happened before is unknown: restore
    rotated,     // events flow on the new connection, without a hole
    lost,        // no connection delivers events any more
  };

  PrivateStream(const VenueRules& rules, Requests& requests, LinkIds& ids, Random& random);

  void start(std::int64_t now_ms);
  void stop(Effects& effects);
  bool owns(std::uint64_t link) const;
  // Facts of this link count: it is subscribed, or about to be.
  bool delivers(std::uint64_t link) const;

  Signal on_opened(std::uint64_t link, std::int64_t now_ms, Effects& effects);
  Signal on_closed(std::uint64_t link, const std::string& why, std::int64_t now_ms, Effects& effects);
  Signal on_authenticated(std::uint64_t link, bool ok, const std::string& message, std::int64_t now_ms, Effects& effects);
  Signal on_acknowledged(std::uint64_t link, bool ok, const std::string& message, std::int64_t now_ms, Effects& effects);
  // lag_ms: from the venue's event time to our receipt, -1 when the message does not say.
  void on_message(std::uint64_t link, std::int64_t now_ms, std::int64_t lag_ms);
  // The venue, or a failed keep-alive, casts doubt on the listen key.
  void doubt_listen_key(std::int64_t now_ms);
  // Answers to the requests that this stream asked. true when it was one of them.
  bool on_answer(const Answer& answer, std::int64_t now_ms, Effects& effects);

  // may_connect: venue time is known; a login signed with a guess would be refused and cost a long pause.
  Signal step(std::int64_t now_ms, bool may_connect, Effects& effects);
  std::int64_t next_deadline(bool may_connect) const;
  // The account was synchronised over this connection: the next outage starts with short pauses again.
  void proven() { backoff_.reset(); }
  StreamReport report() const;
  const std::string& last_error() const { return last_error_; }

 private:
  void connect(Link& link, std::int64_t now_ms, Effects& effects);
  void open(Link& link, std::int64_t now_ms, Effects& effects);
  Signal became_up(Link& link, std::int64_t now_ms, Effects& effects);
  Signal fail(Link& link, const std::string& why, std::int64_t pause_ms, std::int64_t now_ms, Effects& effects);
  void close(Link& link, Effects& effects);
  Link* find(std::uint64_t id);
  void watch(Link& link, std::int64_t now_ms, Effects& effects);

  const VenueRules& rules_;
  Requests& requests_;
  LinkIds& ids_;
  Random& random_;

  Link current_, next_;
  bool wanted_ = false;
  bool next_is_fresh_ = false;   // next_ replaces a connection that may have missed something
  std::int64_t retry_at_ms_ = 0, replace_at_ms_ = 0, keep_alive_at_ms_ = 0;
  std::uint64_t key_request_ = 0, keep_alive_request_ = 0;
  std::string listen_key_;
  Backoff backoff_;
  int connects_ = 0, refusals_ = 0;
  std::int64_t lag_ms_ = -1;
  std::string last_error_;
};

}  // namespace tradesync
