// The wire between the worker and the venue's face: carries requests, answers and frames with the delays and misfortunes
// that the seed draws. What reaches the worker lies in the inbox until its next turn.
// A frame that is lost takes its connection with it soon after, as TCP does; only `silent_losses` break that.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/ports.hpp"
#include "market/faults.hpp"
#include "sim/virtual_clock.hpp"

namespace tradesync::sim {

// How bad the weather is. Chances are per million, drawn anew for every request, connection or frame.
struct Weather {
  Ms latency_min_ms = 2, latency_max_ms = 40;   // one way
  int refuse = 0;             // a connect is refused: nothing of the request leaves
  int lose_request = 0;       // times out, the venue never saw it
  int lose_answer = 0;        // times out, the venue did it
  int reset_before = 0, reset_after = 0;        // the connection breaks at once instead
  int cut_answer = 0;         // a part of the body, then the end
  int unknown_done = 0, unknown_not_done = 0;   // 503 and the like: "execution status unknown"
  int definite_failure = 0;   // 503 "Service Unavailable": not executed
  int throttle = 0;           // 429
  int slow_request = 0;       // arrives seconds later
  int lose_frame = 0;
  bool silent_losses = false;
};

struct Arrival {
  enum class Kind : std::uint8_t { opened, text, closed, http } kind = Kind::text;
  std::uint64_t id = 0;
  std::string bytes;          // text: the message; http: the body. Followed by kMessagePadding zero bytes
  std::size_t size = 0;
  std::string note;
  int status = 0;
  bool complete = false;
  std::vector<std::pair<std::string, std::string>> headers;
  Ms sent_ms = 0, received_ms = 0;  // local
};

class Network final : public Wire {
 public:
  Network(VirtualClock& clock, Agenda& agenda, market::Face& face, market::Venue venue, std::uint64_t seed);

  // ---- Wire
  void open(std::uint64_t link, const std::string& url) override;
  void send(std::uint64_t link, std::string text) override;
  void ping(std::uint64_t link) override;
  void close(std::uint64_t link) override;
  void request(std::uint64_t id, HttpRequest request) override;

  // ---- the worker's side
  std::vector<Arrival> take_inbox() { return std::exchange(inbox_, {}); }
  bool inbox_empty() const { return inbox_.empty(); }
  void forget_client();                        // the worker's process is gone

  // ---- the venue's side
  void pump();                                 // after every change of the market, and every 100 ms
  market::Faults faults;                       // duplicates, delays, reordering of frames

  // ---- misfortune
  Weather weather;
  // Nothing is heard of the order with this client id: no frame, and a broken connection or silence for an answer.
  std::string hushed;
  bool hushed_by_reset = false;
  void cut_all_links(const char* why);
  void silence_all_links();                    // half open: nothing arrives any more in either direction
  void outage(Ms for_ms);                      // nothing goes through, new connections fail
  Ms troubled_until_ms() const { return troubled_until_ms_; }  // true time until which some request has met a misfortune

  // ---- observers
  struct Write {
    std::string path, client_id, text, symbol;
    std::string stop_loss, take_profit;        // of a position's stop; "" = not named
    bool is_entry_path = false;                // places an order (not a cancel, not a position stop)
    bool arrives = true;
  };
  std::function<void(const Write&)> on_write;  // something that changes the venue leaves the worker
  std::function<void(std::uint64_t)> on_unusable;   // the codec could not encode request number …
  std::function<void()> before_sending;        // may throw Crash
  std::function<void(const std::string&)> log;

 private:
  struct Link {
    market::SessionId session = 0;
    bool server_side = false, dead = false;
    Ms latency_ms = 0, last_delivery_ms = 0, last_arrival_ms = 0;
  };
  using LinkPtr = std::shared_ptr<Link>;

  bool chance(int per_million) { return per_million > 0 && random_.chance_per_million(per_million); }
  Ms latency() { return random_.between(weather.latency_min_ms, weather.latency_max_ms); }
  void later(Ms delay_ms, Agenda::Deed deed) { agenda_.at(clock_.true_ms() + delay_ms, std::move(deed)); }
  void trouble(Ms for_ms) { troubled_until_ms_ = std::max(troubled_until_ms_, clock_.true_ms() + for_ms); }
  void arrive(Arrival arrival, const std::string& bytes);
  void arrive_closed(std::uint64_t link, std::string why);
  void end_link(std::uint64_t link, const char* why);
  void deliver(market::Outbound frame);
  void answer(std::uint64_t id, Ms sent_ms, Ms delay_ms, int status, std::string body, bool complete, std::string note,
              market::Headers headers = {});
  void carry(std::uint64_t id, market::HttpRequest request, Ms sent_ms, Ms travel_ms, bool answer_lost, bool cut);
  bool is_write(const HttpRequest& request) const;
  Write described(const HttpRequest& request, const std::string& path, const std::string& query) const;
  void note(const std::string& line) { if (log) log(line); }

  VirtualClock& clock_;
  Agenda& agenda_;
  market::Face& face_;
  market::Venue venue_;
  market::Random random_;
  std::map<std::uint64_t, LinkPtr> links_;                 // by the worker's number
  std::map<market::SessionId, std::uint64_t> link_of_session_;
  market::SessionId last_session_ = 0;
  std::vector<Arrival> inbox_;
  int generation_ = 0;                                     // of the worker's process
  Ms outage_until_ms_ = 0, troubled_until_ms_ = 0;
};

}  // namespace tradesync::sim
