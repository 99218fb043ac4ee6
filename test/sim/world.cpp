// See world.hpp.
#include "sim/world.hpp"

#include <cstdio>

namespace tradesync::sim {
namespace {

const std::string kKey = "simKey", kSecret = "simSecret";
constexpr Ms kTickMs = 100;                // at least as often as a face wants it (market/face.hpp)
constexpr Ms kRestMs = 150'000;            // long enough for every bounded wait of the core
constexpr Ms kPricesAfterMs = 90'000;      // prices go on for a while, then the venue is silent
constexpr Ms kPricesInSilenceMs = 15'000;  // what a price sets off without a sign must be over when the last audit before the end looks
constexpr Ms kAuditedMs = 90'000;          // an audit (tradesync.sync_interval 60 s) after the last price, its second look, a restore
constexpr Ms kBybitBanMs = 620'000;
constexpr int kTurnsAtMost = 200'000;      // more turns than milliseconds that matter: the machine spins

const Exchange& exchange_of(market::Venue venue) { return *find_exchange(venue == market::Venue::bybit ? "bybit" : "binance"); }

std::vector<std::string> symbols_of(std::uint64_t seed) {
  const std::vector<std::string> all = {"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT"};
  market::Random random(seed);
  const auto first = static_cast<std::size_t>(random.between(0, 4)), count = static_cast<std::size_t>(random.between(1, 3));
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(all[(first + i) % all.size()]);
  return chosen;
}

MarketMood mood_of(std::uint64_t seed) {
  market::Random random(seed);
  const auto chance = [&](int percent) { return random.between(0, 99) < percent; };
  MarketMood mood;
  mood.walk_basis_points = static_cast<int>(random.between(1, 40));
  mood.leap_per_million = chance(50) ? static_cast<int>(random.between(1000, 30'000)) : 0;
  mood.thin_books = chance(35);
  mood.several_fills = chance(35);
  mood.strangers = chance(35);
  mood.liquidations = chance(15);
  return mood;
}

}  // namespace

World::World(const RunOptions& options)
    : options_(options),
      random_(options.seed * 0x9E3779B97F4A7C15ull + 1),
      market_(options.venue, random_.next()),
      face_(options.venue == market::Venue::bybit ? market::make_bybit_face(market_) : market::make_binance_face(market_)),
      tables_(clock_),
      wall_(clock_, tables_),
      network_(clock_, agenda_, *face_, options.venue, random_.next()),
      process_(clock_, tables_, network_, exchange_of(options.venue), kKey, kSecret, random_.next()),
      user_(clock_, agenda_, tables_, random_.next(), symbols_of(options.seed)),
      market_script_(clock_, agenda_, market_, kKey, random_.next(), symbols_of(options.seed), mood_of(random_.next())),
      stranger_(clock_, agenda_, market_, kKey, options.seed ^ 0x57A6E5, symbols_of(options.seed)),
      faults_(clock_, agenda_, *face_, network_, wall_, tables_, random_.next()),
      invariants_(clock_, tables_, market_, options.venue, kKey, user_) {
  tables_.exchange = options.venue == market::Venue::bybit ? "bybit" : "binance";
  tables_.settings["protect_deadline"] = "5000";
  if (random_.between(0, 1)) tables_.settings["leverage"] = std::to_string(random_.between(2, 20));
  clock_.leap_local(random_.between(0, 2000));
  clock_.leap_venue(random_.between(0, 2000));
  set_up_market();
  if (!options.plain) draw_later_things();
  connect_observers();
}

void World::draw_later_things() {
  market::Random random(options_.seed ^ 0x1A7E5);
  const auto chance = [&](int percent) { return random.between(0, 99) < percent; };
  faults_.draw_later_families(random.next());
  if (chance(15)) {
    tables_.mode = "dry_run";
    tables_.settings["paper_balance"] = "100000";
    // Rows that wait for a lock are in the worker's memory. A venue would tell them again after a crash; paper cannot.
    faults_.families.keys = faults_.families.epochs = faults_.families.locks = false;
    return;                                   // nobody else trades on a paper account
  }
  if (chance(15)) user_.lost_wakes_per_million = 700'000;   // a halt is found by the safety scan
  market_.rules.ends_oddly = chance(30);
  stranger_.trades = chance(20);
  stranger_.rests = chance(20);
  stranger_.switches_modes = chance(10);
  stranger_.funding = chance(20);
}

void World::set_up_market() {
  market_.add_usual_instruments(clock_.venue_ms());
  const bool rich = random_.between(0, 9) > 0;
  market_.add_account(kKey, kSecret, rich ? market::Decimal(100'000) : market::Decimal(300), random_.between(0, 3) == 0);
}

void World::connect_observers() {
  const bool listening = options_.verbose || options_.hashed;
  const auto logger = [this](const char* who) { return [this, who](const std::string& line) { log(who, line); }; };
  if (listening) {
    wall_.log = tables_.log = logger("tables");
    network_.log = logger("wire");
    process_.log = logger("worker");
    user_.log = logger("user");
    market_script_.log = logger("market");
    stranger_.log = logger("market");
    faults_.log = logger("fault");
  }
  tables_.on_halted = [this] { user_.halted_by_somebody(); };
  wall_.refused = [this](const std::string& sqlstate) { invariants_.on_refused(sqlstate); };
  tables_.on_submitting = [this](const OrderRow& row) { invariants_.on_submitting(row); };
  network_.on_write = [this](const Network::Write& write) {
    invariants_.on_write(write);
    faults_.on_write(write);
  };
  network_.on_unusable = [this](std::uint64_t id) {
    invariants_.fail("I1 every request can be encoded", "request " + std::to_string(id) + " has no URL");
  };
  invariants_.silence = faults_.families.silence;
  invariants_.rows_may_lag = [this] { return faults_.troubled(); };
  user_.worker_state = [this] { return process_.state(); };
  user_.wake = [this] { process_.look(); };
  if (!options_.plain) user_.verify = [this](const PositionRow& row) { process_.verify(row.symbol, row.position_side, row.id); };
  process_.on_verified = [this](std::int64_t position_id, const std::vector<VerifyRow>& rows) {
    invariants_.on_verified(position_id, rows);
  };
  market_script_.changed = stranger_.changed = [this] {
    invariants_.on_price();
    network_.pump();
  };
  faults_.leap_to_stop = [this](const std::string& client_id) { leap_to_stop(client_id); };
  faults_.crash_now = [this] { crash("between two turns"); };
  faults_.account_switched = [this] {
    process_.look();
    if (tables_.enabled && !process_.is_running()) start_again(0);
  };
}

void World::log(const char* who, const std::string& line) {
  for (const char* text : {who, line.c_str()})
    for (; *text; ++text) result_.hash = (result_.hash ^ static_cast<unsigned char>(*text)) * 1099511628211ull;
  result_.hash = (result_.hash ^ static_cast<std::uint64_t>(clock_.true_ms())) * 1099511628211ull;
  if (options_.verbose) std::printf("%10.3f %-7s %s\n", static_cast<double>(clock_.true_ms() - kStartMs) / 1000, who, line.c_str());
}

RunResult World::run() {
  active_until_ms_ = kStartMs + random_.between(25'000, 80'000);
  // A ban of Bybit's lasts ten minutes (bybit-v5.md §7), and whoever has met one keeps quiet for as long.
  const Ms ban_ms = faults_.families.bans && options_.venue == market::Venue::bybit ? kBybitBanMs : 0;
  const Ms end_ms = active_until_ms_ + ban_ms + kRestMs;
  if (options_.verbose) log("run", "seed " + std::to_string(options_.seed) + ", faults:" + faults_.summary());
  tick_market();
  market_script_.start(active_until_ms_, active_until_ms_ + ban_ms + (faults_.families.silence ? kPricesInSilenceMs : kPricesAfterMs));
  user_.start(active_until_ms_);
  stranger_.start(active_until_ms_);
  faults_.start(active_until_ms_);
  agenda_.at(active_until_ms_, [this] { end_active_part(); });
  if (faults_.families.silence) agenda_.at(active_until_ms_ + ban_ms + kAuditedMs, [this] { end_silence(); });
  start_again(0);

  while (clock_.true_ms() < end_ms && invariants_.failure().empty()) {
    agenda_.run_due(clock_);
    if (process_.is_running() && clock_.true_ms() >= busy_until_ms_ && process_.is_due()) take_turn();
    Ms next = std::min(agenda_.next_ms(), end_ms);
    if (process_.is_running()) {
      const Ms due = network_.inbox_empty() ? clock_.when_local_shows(std::min(process_.next_local_ms(), clock_.local_ms() +
          1000)) : clock_.true_ms();
      next = std::min(next, std::max(due, busy_until_ms_));
    }
    clock_.advance_to(std::max(next, clock_.true_ms()));
  }
  if (invariants_.failure().empty() && !process_.is_live()) invariants_.fail("I7 tables equal the exchange", "the worker is " +
      process_.state() + " at rest");
  if (process_.has_open_questions()) invariants_.fail("I14 a verification tells what its sources said", "somebody still waits for one");
  if (invariants_.failure().empty()) invariants_.at_rest();
  result_.failure = invariants_.failure();
  result_.failed_at_ms = clock_.true_ms() - kStartMs;
  result_.orders = tables_.orders.size();
  result_.fills = tables_.trades.size();
  result_.positions = tables_.positions.size();
  result_.starts = process_.starts();
  if (options_.verbose) log("run", result_.failure.empty() ? "all invariants hold" : "BROKEN " + result_.failure);
  return result_;
}

void World::end_active_part() {
  log("run", "calm begins");
  faults_.end();
  market_script_.calm();
  user_.resume_for_good();
}

// What was lost without a sign: positions are found by the audit, the rest by the next restore.
void World::end_silence() {
  invariants_.positions_agree();
  log("run", "a reconnect ends the silence");
  network_.cut_all_links("connection reset by peer");
}

void World::leap_to_stop(const std::string& client_id) {
  const market::Order* order = market_.account(kKey)->order_by_client_id(client_id, true);
  if (!order || order->status != market::OrderStatus::untriggered) return;
  log("market", order->symbol + " leaps to the stop " + client_id);
  market_.set_price(order->symbol, order->trigger_price, order->trigger_price, clock_.venue_ms());
  market_script_.changed();
}

void World::tick_market() {
  network_.pump();
  agenda_.at(clock_.true_ms() + kTickMs, [this] { tick_market(); });
}

// ------------------------------------------------------------------------------------------------ the worker

void World::take_turn() {
  if (++result_.turns > kTurnsAtMost) return invariants_.fail("I0 the machine does not spin", "more than 200000 turns");
  try {
    const Process::End end = process_.turn();
    if (process_.is_live()) invariants_.was_live();
    invariants_.after_turn(process_.is_live() && !faults_.troubled() && clock_.true_ms() > network_.troubled_until_ms());
    after_end(end);
  } catch (const Crash& crashed) {
    crash(crashed.where);
  }
  // A turn takes a moment; what arrives meanwhile is of the next one. Now and then the commit is slow.
  busy_until_ms_ = clock_.true_ms() + (random_.between(0, 99) == 0 ? random_.between(20, 300) : random_.between(1, 4));
}

void World::after_end(Process::End end) {
  switch (end) {
    case Process::End::none: return;
    case Process::End::again:
      log("worker", "starts again from the tables");
      process_.kill();
      return start_again(random_.between(1, 50));
    case Process::End::broken:
      process_.kill();
      return start_again(random_.between(500, 3000));
    case Process::End::left:
      log("worker", "leaves");
      process_.kill();
      if (tables_.enabled) start_again(random_.between(1, 1000));
      return;
  }
}

void World::crash(const char* where) {
  if (!process_.is_running()) return;
  log("worker", std::string("crashes ") + where);
  process_.kill();
  faults_.on_crash();
  start_again(random_.between(0, 2) == 0 ? random_.between(0, 20'000) : random_.between(0, 1000));
}

void World::start_again(Ms after_ms) {
  if (start_planned_) return;
  start_planned_ = true;
  agenda_.at(clock_.true_ms() + after_ms, [this] {
    start_planned_ = false;
    if (process_.is_running() || !tables_.enabled) return;
    log("worker", "starts");
    try {
      after_end(process_.start());
    } catch (const Crash& crashed) {
      crash(crashed.where);
    }
  });
}

}  // namespace tradesync::sim
