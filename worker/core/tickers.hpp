// The 24 hour tickers of a venue, for whoever asks (refresh_liquid_pairs()). Tickers are public: no session is needed, and
// nothing of them is kept.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "core/requests.hpp"

namespace tradesync {

class Tickers {
 public:
  explicit Tickers(Requests& requests) : requests_(requests) {}

  void begin(std::uint64_t id);
  // Was it the answer to one of ours?
  bool on_answer(const Answer& answer);
  bool done(std::uint64_t id) const;
  // What the venue said, nothing when it refused or has not answered. The question is forgotten.
  std::vector<Ticker> take(std::uint64_t id);

 private:
  struct Question {
    std::uint64_t request = 0;  // 0: answered
    std::vector<Ticker> tickers;
  };
  Requests& requests_;
  std::map<std::uint64_t, Question> questions_;
};

}  // namespace tradesync
