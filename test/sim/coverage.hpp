// Which moves of the state tables the runs have taken. The core tells of each one (TRADESYNC_RECORD_MOVES, core/states.hpp).
#pragma once

namespace tradesync::sim {

// Names every move that no run has taken, except those listed with a reason in coverage.cpp. true: there is none.
bool print_missing_moves();

}  // namespace tradesync::sim
