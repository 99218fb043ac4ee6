// Prices: which symbols are wanted, on which public connection each is subscribed, and what the venue said to that.
// Several connections share the symbols within the venue's limits. One bad symbol never takes others with it: the request
// that it spoiled is sent again without it, and it is tried again later by itself.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/effect.hpp"
#include "core/limits.hpp"
#include "core/link.hpp"
#include "core/rules.hpp"

namespace tradesync {

class PublicStreams {
 public:
  enum class Topic : std::uint8_t { waiting, requested, subscribed, failed };

  PublicStreams(const VenueRules& rules, LinkIds& ids, Random& random);

  void want(const std::string& symbol, std::int64_t now_ms);
  void unwant(const std::string& symbol, Effects& effects);
  bool wants(const std::string& symbol) const { return topics_.contains(symbol); }
  void stop(Effects& effects);

  bool owns(std::uint64_t link) const;
  void on_opened(std::uint64_t link, std::int64_t now_ms);
  void on_closed(std::uint64_t link, const std::string& why, std::int64_t now_ms);
  void on_acknowledged(std::uint64_t link, const std::string& command_id, bool ok, const std::string& message,
                       const std::string& failed_symbol, std::int64_t now_ms);
  void on_message(std::uint64_t link, std::int64_t now_ms);
  // A price of a wanted symbol arrived; proof that the subscription works, whatever the venue acknowledged.
  void on_price(const std::string& symbol, std::int64_t now_ms);

  void step(std::int64_t now_ms, Effects& effects);
  std::int64_t next_deadline(std::int64_t now_ms) const;

  struct Status {
    Topic topic = Topic::waiting;
    int link_number = 0;            // 1, 2 …
    std::int64_t last_price_ms = 0; // monotonic, 0 = none yet
    bool stale = false;
    std::string detail;
  };
  // nullopt when the symbol is not wanted.
  std::optional<Status> status(const std::string& symbol) const;
  std::vector<std::string> symbols() const;
  std::vector<StreamReport> report() const;
  // Symbols without a price for longer than the venue's cadence allows; each is told once until it ticks again.
  std::vector<std::string> take_stale(std::int64_t now_ms);

 private:
  struct TopicState {
    Topic topic = Topic::waiting;
    int link = 0;  // number of its connection, 0 = none yet
    std::int64_t retry_at_ms = 0, asked_ms = 0, last_price_ms = 0;
    Backoff backoff{limits::kResubscribeFirstMs, limits::kResubscribeLastMs};
    bool stale = false, told_stale = false;
    std::string detail;
  };
  struct Command {
    std::vector<std::string> symbols;
    std::int64_t deadline_ms = 0;
  };
  struct PublicLink {
    Link link;
    int number = 0, symbols = 0, connects = 0;
    std::int64_t retry_at_ms = 0, rotate_at_ms = 0, commands_free_at_ms = 0;
    Link old;  // of a rotation: goes on delivering until every symbol has moved to `link`
    std::int64_t old_until_ms = 0;
    Backoff backoff;
    std::map<std::string, Command> commands;
    std::vector<std::string> dropped;  // unsubscriptions that wait for their turn: many positions may close at once
  };

  PublicLink* find(std::uint64_t id);
  const PublicLink* find(std::uint64_t id) const;
  PublicLink* by_number(int number);
  const PublicLink* by_number(int number) const;
  PublicLink* room_for_symbol();
  void connect(PublicLink& link, std::int64_t now_ms, Effects& effects);
  void unsubscribe_dropped(PublicLink& link, std::int64_t now_ms, Effects& effects);
  void subscribe_waiting(PublicLink& link, std::int64_t now_ms, Effects& effects);
  static bool may_send(const PublicLink& link, std::int64_t now_ms);
  std::string send(PublicLink& link, SendCommand::What what, std::vector<std::string> symbols, std::int64_t now_ms, Effects& effects);
  void fail_topic(TopicState& topic, const std::string& why, std::int64_t now_ms);
  void expire_commands(PublicLink& link, std::int64_t now_ms);
  void rotate(PublicLink& link, std::int64_t now_ms, Effects& effects);
  bool all_moved(const PublicLink& link) const;
  void look_at_topics(std::int64_t now_ms);

  const VenueRules& rules_;
  LinkIds& ids_;
  Random& random_;
  std::map<std::string, TopicState> topics_;
  std::vector<PublicLink> links_;
  std::uint64_t last_command_ = 0;
  // A look at every topic is needed when something changed, else four times a second (retries, silence).
  bool changed_ = false;
  std::int64_t scanned_ms_ = 0;
};

}  // namespace tradesync
