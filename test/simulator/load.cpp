// See load.hpp.
#include "simulator/load.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace simulator {

using market::Decimal;

namespace {

constexpr uint64_t kStepMs = 2;
constexpr size_t kOpenOrdersAtOnce = 8;
constexpr int kTicksBelow = 10;
constexpr int kFillsPerStepUnpaced = 200;
constexpr size_t kFloodBatch = 256;                          // frames per write
constexpr int kFloodBatchesPerStep = 64;                     // then the loop serves others
constexpr size_t kFloodPending = 2 * 1024 * 1024;            // bytes kept in front of the socket

int64_t wall_us() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
}

// How much of a paced job should be done by now; everything when there is no pace.
int64_t due_by_now(int64_t wanted, int rate_per_s, uint64_t started_ns) {
    if (rate_per_s <= 0) return wanted;
    const double seconds = static_cast<double>(uv_hrtime() - started_ns) / 1e9;
    return std::min(wanted, static_cast<int64_t>(seconds * rate_per_s) + 1);
}

}  // namespace

// ---- prices

PriceWalk::PriceWalk(uv_loop_t* loop, VenueServer& server) : server_(server) {
    uv_timer_init(loop, &timer_);
    timer_.data = this;
}

void PriceWalk::start(std::vector<std::string> symbols, int every_ms) {
    uv_timer_stop(&timer_);
    if (every_ms <= 0) return;
    symbols_ = std::move(symbols);
    const auto step = [](uv_timer_t* timer) {
        auto* self = static_cast<PriceWalk*>(timer->data);
        market::Market& market = self->server_.market();
        std::vector<std::string> symbols = self->symbols_;
        if (symbols.empty())
            for (const auto& [name, instrument] : market.instruments()) symbols.push_back(name);
        for (const std::string& symbol : symbols)
            if (market.instrument(symbol) != nullptr) market.random_walk(symbol, self->server_.now());
        ++self->steps_;
        self->server_.pump();
    };
    uv_timer_start(&timer_, step, 0, static_cast<uint64_t>(every_ms));
}

// ---- fills

FillRun::FillRun(uv_loop_t* loop, VenueServer& server) : server_(server) {
    uv_timer_init(loop, &timer_);
    timer_.data = this;
}

void FillRun::start(const Plan& plan) {
    plan_ = plan;
    plan_.orders = std::clamp<int64_t>(plan.orders, 1, std::max<int64_t>(1, plan.count));
    random_ = market::Random(plan.seed);
    status_ = {};
    status_.wanted = plan.count;
    status_.running = plan.count > 0;
    status_.started_ms = server_.now();
    started_hr_ns_ = uv_hrtime();
    open_.clear();
    planned_ = 0;
    symbols_.clear();
    const auto& instruments = server_.market().instruments();
    for (const char* first : {"BTCUSDT", "ETHUSDT", "SOLUSDT"})
        if (static_cast<int>(symbols_.size()) < plan.symbols) symbols_.push_back(first);
    for (const auto& [name, instrument] : instruments)
        if (static_cast<int>(symbols_.size()) < plan.symbols &&
            std::find(symbols_.begin(), symbols_.end(), name) == symbols_.end())
            symbols_.push_back(name);
    uv_timer_start(&timer_, [](uv_timer_t* timer) { static_cast<FillRun*>(timer->data)->step(); }, 0, kStepMs);
}

bool FillRun::place_next() {
    if (status_.orders_placed >= plan_.orders) return false;
    market::Market& market = server_.market();
    market::Account& account = *market.account(plan_.account);
    const market::Instrument& instrument = *market.instrument(symbols_[static_cast<size_t>(status_.orders_placed) % symbols_.size()]);
    const int64_t orders_left = plan_.orders - status_.orders_placed;
    const int64_t fills_left = status_.wanted - planned_;
    const int64_t share = fills_left / orders_left;
    const int64_t fills = orders_left == 1 ? fills_left : std::max<int64_t>(1, share + random_.between(-(share / 2), share / 2));

    // One lot is worth at least six quote units; a tenth of the orders keep one lot too many and are cancelled.
    Decimal lot = max(instrument.min_quantity, (Decimal(6) / instrument.last).floor_to(instrument.step) + instrument.step);
    const bool cancels = random_.between(0, 9) == 0;
    const bool buys = (status_.orders_placed / static_cast<int64_t>(symbols_.size())) % 2 == 0;
    const Decimal distance = instrument.tick * kTicksBelow;
    market::OrderRequest request;
    request.symbol = instrument.symbol;
    request.client_id = "run-" + std::to_string(plan_.seed) + "-" + std::to_string(status_.orders_placed);
    request.side = buys ? market::Side::buy : market::Side::sell;
    request.slot = !account.is_hedge(instrument.symbol) ? market::Slot::both
                   : buys                               ? market::Slot::long_side
                                                        : market::Slot::short_side;
    request.type = market::OrderType::limit;
    request.price = buys ? instrument.last - distance : instrument.last + distance;
    request.quantity = lot * Decimal(static_cast<int>(fills + (cancels ? 1 : 0)));
    const market::Placed placed = market.place(account, request, server_.now());
    ++status_.orders_placed;
    if (!placed) {
        ++status_.refused;
        return true;
    }
    planned_ += fills;
    open_.push_back({placed.order, lot, fills});
    return true;
}

void FillRun::fill_one() {
    market::Market& market = server_.market();
    market::Account& account = *market.account(plan_.account);
    const size_t chosen = static_cast<size_t>(random_.between(0, static_cast<int64_t>(open_.size()) - 1));
    Open& open = open_[chosen];
    const market::Refusal refusal = market.fill(account, *open.order, open.lot, open.order->price, server_.now());
    if (refusal == market::Refusal::none) ++status_.done;
    --open.fills_left;
    if (open.fills_left > 0 && open.order->is_open()) return;
    if (open.order->is_open() && market.cancel(account, *open.order, server_.now()) == market::Refusal::none)
        ++status_.orders_canceled;
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(chosen));
}

void FillRun::step() {
    const int64_t due = due_by_now(status_.wanted, plan_.rate_per_s, started_hr_ns_);
    for (int fills = 0; status_.done < due && fills < kFillsPerStepUnpaced; ++fills) {
        while (open_.size() < kOpenOrdersAtOnce && place_next()) {}
        if (open_.empty()) break;
        fill_one();
    }
    server_.pump();
    if (status_.done < status_.wanted && !(open_.empty() && status_.orders_placed >= plan_.orders)) return;
    status_.running = false;
    status_.ended_ms = server_.now();
    uv_timer_stop(&timer_);
}

// ---- floods

Flood::Flood(uv_loop_t* loop, VenueServer& server) : server_(server) {
    uv_timer_init(loop, &timer_);
    timer_.data = this;
}

void Flood::start(market::FloodKind kind, const std::string& account, const std::string& symbol, int64_t count, int rate_per_s) {
    stream_ = kind == market::FloodKind::order ? market::Stream::private_data : market::Stream::public_data;
    frame_ = websocket_frame(Opcode::text, server_.face().flood_template(kind, *server_.market().account(account), symbol));
    number_at_.clear();
    time_at_.clear();
    for (size_t at = frame_.find('#'); at != std::string::npos; at = frame_.find('#', at + 12)) number_at_.push_back(at);
    for (size_t at = frame_.find('$'); at != std::string::npos; at = frame_.find('$', at + 13)) time_at_.push_back(at);
    status_ = {count, 0, count <= 0, 0, 0, static_cast<int>(server_.connections(stream_).size()), {}};
    rate_per_s_ = rate_per_s;
    started_hr_ns_ = uv_hrtime();
    uv_timer_start(&timer_, [](uv_timer_t* timer) { static_cast<Flood*>(timer->data)->step(); }, 0, 1);
}

void Flood::append_frame(std::string& out) {
    char digits[24];
    snprintf(digits, sizeof digits, "%012lld", static_cast<long long>(next_number_++));
    for (const size_t at : number_at_) frame_.replace(at, 12, digits, 12);
    out += frame_;
}

void Flood::step() {
    const int64_t due = due_by_now(status_.wanted, rate_per_s_, started_hr_ns_);
    const std::string time = std::to_string(server_.now());
    for (const size_t at : time_at_) frame_.replace(at, 13, time);
    std::string batch;
    for (int batches = 0; batches < kFloodBatchesPerStep && status_.sent < due; ++batches) {
        const auto sockets = server_.connections(stream_);
        if (sockets.empty() || sockets.front()->pending() >= kFloodPending) break;
        batch.clear();
        const int64_t frames = std::min<int64_t>(kFloodBatch, due - status_.sent);
        for (int64_t i = 0; i < frames; ++i) append_frame(batch);
        // Stamped in front of the write: what is measured from here can only look slower than it is.
        status_.last_sent_us = wall_us();
        if (status_.first_sent_us == 0) status_.first_sent_us = status_.last_sent_us;
        if (rate_per_s_ > 0) status_.writes_us.push_back(status_.last_sent_us);
        for (Connection* socket : sockets) socket->send(batch);
        status_.sent += frames;
        server_.count_frames(frames * static_cast<int64_t>(sockets.size()), static_cast<int64_t>(batch.size() * sockets.size()));
    }
    if (status_.sent < status_.wanted) return;
    status_.done = true;
    uv_timer_stop(&timer_);
}

}  // namespace simulator
