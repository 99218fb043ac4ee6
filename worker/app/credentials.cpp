#include "app/credentials.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tradesync {
namespace {

constexpr std::size_t kLargestFile = 64 * 1024;

std::string real_path(const std::string& path) {
  char buffer[PATH_MAX];
  return ::realpath(path.c_str(), buffer) ? std::string(buffer) : std::string();
}

bool lies_inside(const std::string& path, const std::string& directory) {
  const std::string file = real_path(path), root = real_path(directory);
  return !file.empty() && !root.empty() && file.starts_with(root + "/");
}

// Takes the next blank-separated word off `line`.
std::string_view next_word(std::string_view& line) {
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return line = {};
  auto end = line.find_first_of(" \t\r", begin);
  if (end == std::string_view::npos) end = line.size();
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

}  // namespace

void Secret::wipe() {
  // The whole capacity: an earlier, longer value may still stand behind the shorter one.
  value_.resize(value_.capacity());
  explicit_bzero(value_.data(), value_.size());
  value_.clear();
}

void Secret::assign(std::string_view value) {
  wipe();
  value_.reserve(value.size() < 64 ? 64 : value.size());  // never moved by growing
  value_.assign(value);
}

bool CredentialsFile::refuse(std::string why) {
  key_.wipe();
  secret_.wipe();
  environment_.clear();
  problem_ = std::move(why);
  return false;
}

bool CredentialsFile::read(const std::string& path, const std::string& account, const std::string& data_directory) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return refuse("credentials file \"" + path + "\": " + std::strerror(errno));
  struct stat info {};
  std::string why;
  if (::fstat(file, &info) != 0) why = std::strerror(errno);
  else if (!S_ISREG(info.st_mode)) why = "it is not a regular file";
  else if (info.st_mode & (S_IRWXG | S_IRWXO)) why = "group or others may access it; make it mode 0600";
  else if (info.st_uid != ::geteuid() && info.st_uid != 0) why = "it belongs neither to the server's user nor to root";
  else if (static_cast<std::size_t>(info.st_size) > kLargestFile) why = "it is larger than 64 kB";
  else if (lies_inside(path, data_directory)) why = "it lies inside the data directory";
  if (!why.empty()) {
    ::close(file);
    return refuse("credentials file \"" + path + "\" refused: " + why);
  }

  Secret content;
  content.assign(std::string(static_cast<std::size_t>(info.st_size), ' '));
  char* const bytes = const_cast<char*>(content.view().data());
  std::size_t size = 0;
  while (size < static_cast<std::size_t>(info.st_size)) {
    const ssize_t got = ::read(file, bytes + size, static_cast<std::size_t>(info.st_size) - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  ::close(file);

  std::string_view rest(bytes, size);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::string_view name = next_word(line);
    if (name != account) continue;
    const std::string_view key = next_word(line), secret = next_word(line), environment = next_word(line);
    if (key.empty() || secret.empty()) return refuse("credentials file \"" + path + "\": the line of account \"" + account + "\" needs a key and a secret");
    key_.assign(key);
    secret_.assign(secret);
    environment_ = std::string(environment);
    problem_.clear();
    return true;
  }
  return refuse("credentials file \"" + path + "\" has no line for account \"" + account + "\"");
}

}  // namespace tradesync
