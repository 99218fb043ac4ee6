// sim --seeds N [--from S] [--venue bybit|binance] [--twice K]: many runs; sim --seed X --venue V [--verbose]: one. --plain
// leaves out what was added after the first seeds had been collected (World::draw_later_things).
// Prints every broken run with the line that replays it, and ends with 1 when there was one. A run of the standard set also
// fails when some move of the state tables was never taken (coverage.hpp).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "sim/coverage.hpp"
#include "sim/world.hpp"

namespace {

using namespace tradesync::sim;

struct Options {
  std::uint64_t seeds = 0, from = 1, twice = 5;
  std::optional<std::uint64_t> seed;
  std::optional<market::Venue> venue;
  bool verbose = false, coverage = false, plain = false;
  std::string file;           // regression seeds, run first
};

const char* word(market::Venue venue) { return venue == market::Venue::bybit ? "bybit" : "binance"; }

std::optional<market::Venue> venue_from(const std::string& text) {
  if (text == "bybit") return market::Venue::bybit;
  if (text == "binance") return market::Venue::binance;
  return std::nullopt;
}

bool read_options(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string name = words[i];
    if (name == "--verbose") options.verbose = true;
    else if (name == "--coverage") options.coverage = true;
    else if (name == "--plain") options.plain = true;
    else if (i + 1 >= count) return false;
    else if (name == "--seeds") options.seeds = std::strtoull(words[++i], nullptr, 10);
    else if (name == "--from") options.from = std::strtoull(words[++i], nullptr, 10);
    else if (name == "--twice") options.twice = std::strtoull(words[++i], nullptr, 10);
    else if (name == "--seed") options.seed = std::strtoull(words[++i], nullptr, 10);
    else if (name == "--file") options.file = words[++i];
    else if (name == "--venue") {
      options.venue = venue_from(words[++i]);
      if (!options.venue) return false;
    } else return false;
  }
  return options.seed || options.seeds > 0 || !options.file.empty();
}

struct Tally {
  std::uint64_t runs = 0, failed = 0, orders = 0, fills = 0, positions = 0, starts = 0;
};

void run_one(const RunOptions& asked, bool twice, Tally& tally) {
  RunOptions options = asked;
  options.hashed = twice;
  RunResult result = World(options).run();
  if (twice && result.failure.empty() &&
      World(options).run().hash != result.hash) result.failure = "I11 the same seed gives the same run: the second run was another";
  ++tally.runs;
  tally.orders += result.orders;
  tally.fills += result.fills;
  tally.positions += result.positions;
  tally.starts += static_cast<std::uint64_t>(result.starts);
  if (result.failure.empty()) return;
  ++tally.failed;
  const auto seed = static_cast<unsigned long long>(options.seed);
  const char* plain = options.plain ? " --plain" : "";
  std::printf("seed %llu %s%s at %.3f s: %s\n    replay: sim --seed %llu --venue %s%s --verbose\n", seed, word(options.venue), plain,
              static_cast<double>(result.failed_at_ms) / 1000, result.failure.c_str(), seed, word(options.venue), plain);
  std::fflush(stdout);
}

// Lines "venue seed [plain]  # why it is here".
std::vector<RunOptions> seeds_from(const std::string& path) {
  std::vector<RunOptions> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string venue, kind;
    RunOptions run;
    if (!(words >> venue >> run.seed)) continue;
    if (const auto known = venue_from(venue)) run.venue = *known;
    else continue;
    run.plain = (words >> kind) && kind == "plain";
    seeds.push_back(run);
  }
  return seeds;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!read_options(count, words, options)) {
    std::fprintf(stderr, "usage: sim --seeds N [--from S] [--file seeds.txt] [--venue bybit|binance] [--twice K] [--coverage] [--plain]\n"
                         "       sim --seed X --venue bybit|binance [--plain] [--verbose]\n");
    return 2;
  }
  std::vector<market::Venue> venues = {market::Venue::bybit, market::Venue::binance};
  if (options.venue) venues = {*options.venue};
  Tally tally;
  if (options.seed) {
    for (const market::Venue venue : venues) run_one({*options.seed, venue, options.plain, options.verbose, false}, false, tally);
  } else {
    for (const RunOptions& run : seeds_from(options.file)) run_one(run, false, tally);
    for (std::uint64_t i = 0; i < options.seeds; ++i)
      run_one({options.from + i, venues[i % venues.size()], options.plain, false, false}, i < options.twice, tally);
  }
  std::printf("%llu seeds, %llu failed (%llu positions, %llu orders, %llu fills, %llu starts)\n",
      static_cast<unsigned long long>(tally.runs),
              static_cast<unsigned long long>(tally.failed), static_cast<unsigned long long>(tally.positions),
              static_cast<unsigned long long>(tally.orders), static_cast<unsigned long long>(tally.fills),
              static_cast<unsigned long long>(tally.starts));
  bool missing = false;
  if (options.coverage) missing = !print_missing_moves();
  return tally.failed > 0 || missing ? 1 : 0;
}
