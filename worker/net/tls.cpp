// The one place that decides what makes a server trustworthy; the host name is checked by the library that connects.
#include "net/tls.hpp"

#include <openssl/err.h>

#include <stdexcept>

namespace tradesync::net {

SslContext new_client_context(const std::string& ca_file) {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::runtime_error("OpenSSL cannot make a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);  // many records for one system call; see WebSockets::Impl::drain()
  SSL_CTX_set_default_read_buffer_len(context.get(), 64 * 1024);
  SSL_CTX_set_default_verify_paths(context.get());
  const bool loaded = ca_file.empty() || SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1;
  ERR_clear_error();  // what stays in OpenSSL's queue would be blamed on the next connection
  if (!loaded) throw std::runtime_error("no certificate authorities could be read from " + ca_file);
  return context;
}

}  // namespace tradesync::net
