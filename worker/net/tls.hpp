// Whom we trust: the system's certificate authorities and, in addition, those of one file. Private to net/.
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace tradesync::net {

struct FreeSslContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

// A client context that verifies its peer and speaks TLS 1.2 or later. ca_file: PEM, "" = the system's only.
// Throws std::runtime_error when the file cannot be read: a configured authority that is silently missing would show
// as an unexplained handshake failure later.
SslContext new_client_context(const std::string& ca_file);

}  // namespace tradesync::net
