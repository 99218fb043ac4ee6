// A second app behind app.h, for the wall tests only: no exchange, no socket. It does what a test asks for through
// monitoring.worker_ask(account, kind, argument), and misbehaves at the door that wall_test.scenario(account) names.
// Linked with worker/main.c and worker/postgres/*.c it is another pg_tradesync_worker.so.
#include "app/app.h"
#include "postgres/wall.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <pthread.h>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr int kColumns = 24; // as many as the widest row of the real worker has
constexpr int kBatch = 100;

struct Rows {
    std::vector<std::string> texts;
    std::vector<wall_value> values;

    void add(const std::string& key, const std::string& amount)
    {
        for (int i = 0; i < kColumns; i++) {
            if (i == 0) texts.push_back(key);
            else if (i == 1) texts.push_back(amount);
            else if (i < 9) texts.push_back("text of column " + std::to_string(i));
            else if (i < 16) texts.push_back("12345.67890123");
            else if (i < 18) texts.push_back("true");
            else if (i < 20) texts.push_back("1700000000123");
            else texts.push_back("9007199254740993");
        }
    }
    wall_call call(const char* function)
    {
        values.clear();
        for (const auto& text : texts) values.push_back({text.data(), int32_t(text.size())});
        wall_call made{};
        made.function = function;
        made.row_type = "wall_test.wide_row";
        made.columns = kColumns;
        made.rows = int32_t(texts.size() / kColumns);
        made.values = values.data();
        made.isolate = true;
        return made;
    }
};

long rss_anon_kb()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("RssAnon:")) return std::stol(line.substr(8));
    return -1;
}

// Something that must be joined before the process may leave.
class Companion {
public:
    Companion()
    {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread([this] {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stop_; });
        });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    ~Companion()
    {
        {
            std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    std::thread thread_;
};

} // namespace

struct app {
    explicit app(int32_t id) : account(id) {}
    ~app() { close(descriptor); }

    int32_t account;
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    Companion companion;
    std::string door, act; // the planned misbehaviour
    std::string failure;   // of a door that cannot report; the next turn does
    bool hammering = false;
    wall_status status{};
    std::vector<wall_question> unanswered;

    using Cells = std::vector<std::vector<std::string>>;
    void load_scenario();
    void misbehave(const char* at) const;
    void publish(const char* state);
    void answer(const wall_question& question, const Cells& rows);
    void serve(const wall_question& question);
    Cells save(const std::string& argument, wall_mode mode);
    Cells save_garbage();
    Cells fail(int times);
    Cells measure(int batches);
    Cells query(const std::string& function);
    void hammer();
};

void app::load_scenario()
{
    wall_result rows;
    wall_error error;
    if (wall_query("wall_test.scenario", account, &rows, &error) != WALL_SAVED) return;
    if (rows.rows == 1) {
        door = rows.cells[0];
        act = rows.cells[1];
    }
    wall_free_result(&rows);
    hammering = door == "turn" && act == "hammer";
}

void app::misbehave(const char* at) const
{
    if (door != at) return;
    if (act == "throw") throw std::runtime_error(std::string("thrown in ") + at);
    if (act == "throw_int") throw 42;
    if (act == "bad_alloc") throw std::bad_alloc();
}

void app::publish(const char* state)
{
    snprintf(status.state, sizeof status.state, "%s", state);
    if (!status.since_ms) status.since_ms = wall_unix_ms();
    status.stream_count = 1;
    snprintf(status.streams[0].stream, sizeof status.streams[0].stream, "private");
    snprintf(status.streams[0].state, sizeof status.streams[0].state, "%s", state);
    status.streams[0].lag_ms = -1;
    wall_publish(&status);
}

void app::answer(const wall_question& question, const Cells& rows)
{
    std::vector<wall_value> cells;
    for (const auto& row : rows)
        for (const auto& cell : row)
            cells.push_back(cell == "<null>" ? wall_value{nullptr, -1} : wall_value{cell.data(), int32_t(cell.size())});
    wall_answer(&question, int32_t(rows.size()), rows.empty() ? 0 : int32_t(rows[0].size()), cells.data());
}

// argument: keys and amounts, "key=amount,key=amount". Answers outcome, sqlstate, message and the fates.
app::Cells app::save(const std::string& argument, wall_mode mode)
{
    Rows rows;
    for (size_t at = 0; at < argument.size();) {
        size_t end = std::min(argument.find(',', at), argument.size());
        size_t equals = argument.find('=', at);
        rows.add(argument.substr(at, equals - at), argument.substr(equals + 1, end - equals - 1));
        at = end + 1;
    }
    wall_call call = rows.call("wall_test.save_rows");
    std::vector<uint8_t> fates(size_t(call.rows), 9);
    std::vector<wall_error> errors{size_t(call.rows)};
    call.fate = fates.data();
    call.errors = errors.data();
    wall_error error;
    wall_outcome outcome = wall_execute(account, &call, 1, mode, true, "wall test: saving rows", &error);
    std::string fate_text;
    for (size_t i = 0; i < fates.size(); i++) {
        fate_text += char('0' + fates[i]);
        if (fates[i] == 2) fate_text += std::string("(") + errors[i].sqlstate + ")";
    }
    return {{std::to_string(outcome), error.sqlstate, error.message, fate_text}};
}

// Bytes that are not UTF-8, a NUL in a text, a NUL in a number: outcome and SQLSTATE of each.
app::Cells app::save_garbage()
{
    Cells answers;
    for (const auto& [key, amount] : std::vector<std::pair<std::string, std::string>>{
             {"\xff\xfe", "1"}, {std::string("a\0b", 3), "1"}, {"key", "1x"}}) {
        Rows rows;
        rows.add(key, amount);
        wall_call call = rows.call("wall_test.save_rows");
        wall_error error;
        wall_outcome outcome = wall_execute(account, &call, 1, WALL_ALL, true, "wall test: garbage", &error);
        answers.push_back({std::to_string(outcome), error.sqlstate});
    }
    return answers;
}

// Failing batches; answers their outcomes and the private memory before and after.
app::Cells app::fail(int times)
{
    std::map<std::string, int> outcomes;
    long before = 0;
    for (int i = 0; i < times; i++) {
        if (i == times / 10) before = rss_anon_kb();
        Rows rows;
        rows.add("bad", "not a number");
        wall_call call = rows.call("wall_test.save_rows");
        wall_error error;
        outcomes[std::to_string(wall_execute(account, &call, 1, WALL_ALL, false, "wall test: failing", &error)) + " " +
                 error.sqlstate]++;
    }
    return {{std::to_string(outcomes.size()), outcomes.begin()->first, std::to_string(before), std::to_string(rss_anon_kb())}};
}

// Batches of 100 rows with 24 columns into a function that only counts them: what the wall itself costs.
app::Cells app::measure(int batches)
{
    Rows rows;
    for (int i = 0; i < kBatch; i++) rows.add("key" + std::to_string(i), "1.5");
    wall_call call = rows.call("wall_test.count_rows");
    wall_error error;
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < batches; i++) wall_execute(account, &call, 1, WALL_ALL, false, "wall test: measuring", &error);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return {{std::to_string(long(batches * kBatch / took.count())), error.sqlstate, std::to_string(rss_anon_kb())}};
}

app::Cells app::query(const std::string& function)
{
    wall_result result;
    wall_error error;
    wall_outcome outcome = wall_query(function.c_str(), account, &result, &error);
    Cells rows{{std::to_string(outcome), error.sqlstate}};
    for (int32_t i = 0; i < result.rows; i++)
        for (int32_t j = 0; j < result.columns; j++) {
            const char* cell = result.cells[i * result.columns + j];
            rows.push_back({std::to_string(i) + "," + std::to_string(j), cell ? cell : "<null>"});
        }
    wall_free_result(&result);
    return rows;
}

void app::hammer()
{
    Rows rows;
    for (int i = 0; i < kBatch; i++) rows.add("key" + std::to_string(i), "1.5");
    wall_call call = rows.call("wall_test.save_rows");
    wall_error error;
    wall_execute(account, &call, 1, WALL_ALL, false, "wall test: hammering", &error);
}

void app::serve(const wall_question& question)
{
    const std::string kind = question.kind, argument = question.argument;
    if (kind == "echo") answer(question, {{argument, "<null>", "žluťoučký"}});
    else if (kind == "nothing") answer(question, {});
    else if (kind == "silent") unanswered.push_back(question);
    else if (kind == "big") answer(question, Cells(size_t(std::stol(argument)), {"BTCUSDT", "subscribed", "a detail of some length"}));
    else if (kind == "save") answer(question, save(argument, WALL_ALL));
    else if (kind == "each") answer(question, save(argument, WALL_EACH));
    else if (kind == "garbage") answer(question, save_garbage());
    else if (kind == "fail") answer(question, fail(std::stoi(argument)));
    else if (kind == "measure") answer(question, measure(std::stoi(argument)));
    else if (kind == "query") answer(question, query(argument));
    else if (kind == "patience") answer(question, {{std::to_string(question.timeout_ms)}});
    else if (kind == "setting") answer(question, {{wall_setting(argument.c_str()) ? wall_setting(argument.c_str()) : "<null>", std::to_string(wall_setting_number(argument.c_str(), -7))}});
    else if (kind == "claim") answer(question, {{wall_claim_account(argument.c_str()) ? "yes" : "no"}});
    else if (kind == "log") {
        wall_log('W', argument.c_str(), "a detail", "A hint.");
        answer(question, {});
    }
    else if (kind == "do") {
        door = argument.substr(0, argument.find(' '));
        act = argument.substr(argument.find(' ') + 1);
        answer(question, {{door, act}});
    }
}

namespace {

// The pattern of every door: nothing passes it.
template <typename Value>
Value through_door(std::string& failure, Value on_failure, const std::function<Value()>& body)
{
    try {
        return body();
    } catch (const std::exception& thrown) {
        failure = thrown.what();
    } catch (...) {
        failure = "something that is no exception";
    }
    return on_failure;
}

app_result report(const std::string& failure, app_error* error)
{
    snprintf(error->message, sizeof error->message, "%s", failure.c_str());
    return APP_BROKEN;
}

} // namespace

app* app_create(int32_t account_id, app_result* result, app_error* error)
{
    std::string failure;
    app* made = through_door<app*>(failure, nullptr, [&] {
        auto fresh = std::make_unique<app>(account_id);
        fresh->load_scenario();
        fresh->misbehave("create");
        fresh->publish("live");
        return fresh.release();
    });
    *result = made ? APP_OK : report(failure, error);
    return made;
}

int app_descriptor(const app* self)
{
    return self->descriptor;
}

int app_timeout_ms(app* self)
{
    return through_door<int>(self->failure, 0, [&] {
        self->misbehave("timeout");
        return self->hammering ? 0 : -1;
    });
}

app_result app_turn(app* self, app_error* error)
{
    app_result result = through_door<app_result>(self->failure, APP_BROKEN, [&] {
        self->misbehave("turn");
        if (self->door == "turn" && self->act == "leave") return APP_LEAVE;
        if (self->door == "turn" && self->act == "again") return APP_AGAIN;
        if (self->hammering) self->hammer();
        return APP_OK;
    });
    if (!self->failure.empty()) return report(self->failure, error);
    if (result == APP_AGAIN) snprintf(error->message, sizeof error->message, "asked to come again");
    return result;
}

void app_reload(app* self)
{
    through_door<int>(self->failure, 0, [&] {
        self->misbehave("reload");
        return 0;
    });
}

void app_look(app* self, bool)
{
    through_door<int>(self->failure, 0, [&] {
        self->misbehave("look");
        for (wall_question question; wall_take_question(&question);) self->serve(question);
        return 0;
    });
}

bool app_stop(app* self)
{
    return through_door<bool>(self->failure, true, [&] {
        self->misbehave("stop");
        return !(self->door == "stop" && self->act == "never");
    });
}

void app_destroy(app* self)
{
    std::string failure;
    through_door<int>(failure, 0, [&] {
        if (!self) return 0;
        std::unique_ptr<app> last(self);
        last->misbehave("destroy");
        return 0;
    });
}
