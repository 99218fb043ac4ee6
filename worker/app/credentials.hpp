// The credentials file: `account api_key api_secret [environment]` per line, '#' starts a comment.
// Refused as a whole when group or others may read it, when it is no regular file of the server's user or root, or when it
// lies inside the data directory (a copied data directory must not be able to trade). Secrets are wiped when replaced.
#pragma once
#include <string>
#include <string_view>

#include "exchanges/exchange.hpp"

namespace tradesync {

class Secret {
 public:
  Secret() = default;
  ~Secret() { wipe(); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  void assign(std::string_view value);
  std::string_view view() const { return value_; }
  bool empty() const { return value_.empty(); }
  void wipe();

 private:
  std::string value_;
};

class CredentialsFile {
 public:
  // Reads the line of `account` anew. true: key and secret are there. Otherwise problem() says why, without any content.
  bool read(const std::string& path, const std::string& account, const std::string& data_directory);
  Credentials credentials() const { return {key_.view(), secret_.view()}; }
  bool present() const { return !key_.empty() && !secret_.empty(); }
  const std::string& environment() const { return environment_; }
  const std::string& problem() const { return problem_; }

 private:
  bool refuse(std::string why);

  Secret key_, secret_;
  std::string environment_, problem_;
};

}  // namespace tradesync
