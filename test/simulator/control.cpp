// The control port's door: which command, which venue, which account.
#include "simulator/control.hpp"

#include <arpa/inet.h>

#include <stdexcept>

namespace simulator {

using market::Json;

const std::vector<Control::Entry>& Control::commands() {
    static const std::vector<Entry> all = [] {
        std::vector<Entry> entries;
        for (const auto* part : {&market_commands(), &fault_commands(), &read_commands()})
            entries.insert(entries.end(), part->begin(), part->end());
        return entries;
    }();
    return all;
}

market::Decimal Control::need_decimal(const Json& body, const char* name) {
    if (const auto value = body.decimal(name)) return *value;
    throw std::invalid_argument(std::string("needs a decimal in ") + name);
}

std::string Control::need_text(const Json& body, const char* name) {
    std::string value = body.text(name);
    if (value.empty()) throw std::invalid_argument(std::string("needs ") + name);
    return value;
}

std::string Control::need_symbol(Command& command) {
    std::string symbol = need_text(command.body, "symbol");
    if (command.desk.server.market().instrument(symbol) == nullptr) throw std::invalid_argument("unknown symbol " + symbol);
    return symbol;
}

const market::Order& Control::need_order(Command& command) {
    const std::string id = command.body.text("order_id"), client_id = command.body.text("client_id");
    for (const bool algo : {false, true}) {
        const market::Order* order = id.empty() ? command.account->order_by_client_id(client_id, algo) : command.account->order(id, algo);
        if (order != nullptr) return *order;
    }
    throw std::invalid_argument("unknown order " + id + client_id);
}

market::HttpReply Control::answer(const market::HttpRequest& request) {
    const auto error = [](int status, const std::string& what) {
        return market::HttpReply{status, {}, market::JsonWriter().open().field("error", what).close().take(), 0};
    };
    // A GET says in its query what a POST says in its body.
    market::JsonWriter from_query;
    from_query.open();
    const market::Query query(request.query);
    for (const auto& [name, value] : query.items()) from_query.field(name, value);
    const auto body = Json::parse(request.body.empty() ? from_query.close().take() : request.body);
    if (!body || !body->is_object()) return error(400, "body is not a JSON object");

    Handler handler = nullptr;
    for (const Entry& entry : commands())
        if (request.path == entry.path) handler = entry.handler;
    if (handler == nullptr) return error(404, "unknown command " + request.path);
    const auto desk = desks_.find(body->text("venue", "bybit"));
    if (desk == desks_.end()) return error(400, "unknown venue " + body->text("venue"));
    VenueServer& server = desk->second->server;
    market::Account* account = server.market().account(body->text("account", server.default_account()));
    if (account == nullptr) return error(400, "unknown account");
    try {
        Command command{*desk->second, *body, account, server.now()};
        std::string text = handler(command);
        server.pump();
        return {200, {}, std::move(text), 0};
    } catch (const std::invalid_argument& problem) {
        return error(400, problem.what());
    }
}

int Control::listen(uv_loop_t* loop) {
    auto* listener = new uv_tcp_t;                             // lives as long as the process
    uv_tcp_init(loop, listener);
    listener->data = this;
    sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(listener, reinterpret_cast<sockaddr*>(&address), 0);
    const auto accepted = [](uv_stream_t* stream, int status) {
        if (status < 0) return;
        auto* self = static_cast<Control*>(stream->data);
        Connection* connection = Connection::accept(stream, nullptr);
        auto reader = std::make_shared<HttpReader>();
        connection->on_data = [self, connection, reader](std::string_view bytes) {
            reader->add(bytes);
            while (const auto request = reader->next()) {
                const bool keep_alive = wants_keep_alive(*request);
                connection->send(http_text(self->answer(*request), keep_alive));
                if (!keep_alive) connection->close();
            }
            if (reader->is_broken()) connection->close();
        };
    };
    if (const int error = uv_listen(reinterpret_cast<uv_stream_t*>(listener), 128, accepted); error < 0)
        throw std::runtime_error(std::string("listen: ") + uv_strerror(error));
    int length = sizeof address;
    uv_tcp_getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

}  // namespace simulator
