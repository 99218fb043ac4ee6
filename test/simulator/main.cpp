// tradesync_simulator: both venues and the control port on loopback, one thread, until stdin closes or SIGTERM comes.
//   tradesync_simulator --seed N --port-file FILE [--tls-cert F --tls-key F]
#include "simulator/control.hpp"

#include <openssl/err.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace {

struct Options {
    uint64_t seed = 1;
    std::string port_file, certificate, key;
};

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; i += 2) {
        const std::string name = words[i];
        if (i + 1 >= count) throw std::runtime_error(name + " needs a value");
        const std::string value = words[i + 1];
        if (name == "--seed") options.seed = std::strtoull(value.c_str(), nullptr, 10);
        else if (name == "--port-file") options.port_file = value;
        else if (name == "--tls-cert") options.certificate = value;
        else if (name == "--tls-key") options.key = value;
        else throw std::runtime_error("unknown option " + name);
    }
    if (options.port_file.empty()) throw std::runtime_error("--port-file is missing");
    if (options.certificate.empty() != options.key.empty()) throw std::runtime_error("--tls-cert and --tls-key go together");
    return options;
}

SSL_CTX* make_tls(const Options& options) {
    if (options.certificate.empty()) return nullptr;
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    const bool loaded = SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) == 1 &&
                        SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!loaded) throw std::runtime_error("cannot load certificate or key");
    return context;
}

// Readers never see half a file: it appears complete under its name.
void write_ports(const std::string& path, const std::vector<std::pair<std::string, int>>& ports) {
    const std::string draft = path + ".part";
    FILE* file = std::fopen(draft.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + draft + ": " + std::strerror(errno));
    for (const auto& [name, port] : ports) std::fprintf(file, "%s %d\n", name.c_str(), port);
    std::fclose(file);
    if (std::rename(draft.c_str(), path.c_str()) != 0) throw std::runtime_error("cannot rename to " + path);
}

void stop_when_asked(uv_loop_t* loop, uv_signal_t* terminate, uv_signal_t* interrupt, uv_pipe_t* input) {
    const auto stop = [](uv_signal_t* handle, int) { uv_stop(handle->loop); };
    uv_signal_init(loop, terminate);
    uv_signal_start(terminate, stop, SIGTERM);
    uv_signal_init(loop, interrupt);
    uv_signal_start(interrupt, stop, SIGINT);
    // A pipe or a terminal tells us when the parent is gone; a regular file or /dev/null cannot.
    const uv_handle_type kind = uv_guess_handle(0);
    if (kind != UV_NAMED_PIPE && kind != UV_TTY) return;
    uv_pipe_init(loop, input, 0);
    uv_pipe_open(input, 0);
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(input),
        [](uv_handle_t*, size_t, uv_buf_t* buffer) {
            static char bytes[256];
            *buffer = uv_buf_init(bytes, sizeof bytes);
        },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
            if (count < 0) uv_stop(stream->loop);
        });
}

int run(const Options& options) {
    uv_loop_t* loop = uv_default_loop();
    SSL_CTX* tls = make_tls(options);
    simulator::Desk bybit(loop, market::Venue::bybit, market::make_bybit_face, options.seed);
    simulator::Desk binance(loop, market::Venue::binance, market::make_binance_face, options.seed);
    simulator::Control control({{"bybit", &bybit}, {"binance", &binance}});

    std::vector<std::pair<std::string, int>> ports = {{"bybit_http", bybit.server.listen(nullptr)},
                                                      {"binance_http", binance.server.listen(nullptr)},
                                                      {"control", control.listen(loop)}};
    if (tls != nullptr) {
        ports.emplace_back("bybit_https", bybit.server.listen(tls));
        ports.emplace_back("binance_https", binance.server.listen(tls));
    }
    uv_signal_t terminate, interrupt;
    uv_pipe_t input;
    stop_when_asked(loop, &terminate, &interrupt, &input);
    write_ports(options.port_file, ports);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return run(read_options(count, words));
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "tradesync_simulator: %s\n", problem.what());
        return 2;
    }
}
