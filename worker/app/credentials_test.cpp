#include "app/credentials.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tradesync {
namespace {

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    std::string name = testing::TempDir() + "credentials_test_XXXXXX";
    home = ::mkdtemp(name.data());
    std::filesystem::create_directory(home / "data");
    write("main KEY1 SECRET1\nother KEY2 SECRET2 testnet\n");
  }
  ~CredentialsTest() override { std::filesystem::remove_all(home); }

  void write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path(), std::ios::binary) << text;
    ::chmod(path().c_str(), mode);
  }
  std::string path() const { return home / "credentials"; }
  bool read(const std::string& account = "main") { return file.read(path(), account, home / "data"); }
  void expect_refused(const std::string& why) {
    EXPECT_FALSE(read());
    EXPECT_FALSE(file.present());
    EXPECT_NE(file.problem().find(why), std::string::npos) << file.problem();
    EXPECT_EQ(file.problem().find("SECRET"), std::string::npos) << "no content in a message";
    EXPECT_EQ(file.problem().find("KEY"), std::string::npos);
  }

  std::filesystem::path home;
  CredentialsFile file;
};

TEST_F(CredentialsTest, line_of_the_account_is_found) {
  ASSERT_TRUE(read("other")) << file.problem();
  EXPECT_EQ(file.credentials().api_key, "KEY2");
  EXPECT_EQ(file.credentials().api_secret, "SECRET2");
  EXPECT_EQ(file.environment(), "testnet");
  ASSERT_TRUE(read("main"));
  EXPECT_EQ(file.credentials().api_key, "KEY1");
  EXPECT_EQ(file.environment(), "");
  EXPECT_TRUE(file.problem().empty());
}

TEST_F(CredentialsTest, comments_blank_lines_tabs_and_carriage_returns_do_no_harm) {
  write("# main WRONG WRONG\r\n\r\n  \t\r\n\tmain\tKEY1   SECRET1\ttestnet\r\n");
  ASSERT_TRUE(read()) << file.problem();
  EXPECT_EQ(file.credentials().api_secret, "SECRET1");
  EXPECT_EQ(file.environment(), "testnet");
}

TEST_F(CredentialsTest, last_line_needs_no_end) {
  write("main KEY1 SECRET1");
  EXPECT_TRUE(read());
  EXPECT_EQ(file.credentials().api_secret, "SECRET1");
}

TEST_F(CredentialsTest, name_must_match_as_a_whole) {
  write("main2 KEY1 SECRET1\nMAIN KEY1 SECRET1\n");
  expect_refused("no line for account");
}

TEST_F(CredentialsTest, line_without_a_secret_is_refused) {
  write("main KEY1\n");
  expect_refused("needs a key and a secret");
}

TEST_F(CredentialsTest, file_that_group_or_others_may_touch_is_refused) {
  for (mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601}) {
    write("main KEY1 SECRET1\n", mode);
    expect_refused("0600");
  }
  write("main KEY1 SECRET1\n", 0400);
  EXPECT_TRUE(read());
}

TEST_F(CredentialsTest, missing_file_directory_and_pipe_are_refused_without_waiting) {
  std::filesystem::remove(path());
  expect_refused("No such file");
  std::filesystem::create_directory(path());
  ::chmod(path().c_str(), 0700);
  expect_refused("not a regular file");
  std::filesystem::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  expect_refused("not a regular file");
}

TEST_F(CredentialsTest, file_inside_the_data_directory_is_refused_even_through_a_link) {
  std::filesystem::rename(path(), home / "data" / "credentials");
  EXPECT_FALSE(file.read(home / "data" / "credentials", "main", home / "data"));
  EXPECT_NE(file.problem().find("data directory"), std::string::npos);
  std::filesystem::create_symlink(home / "data" / "credentials", path());
  expect_refused("data directory");
}

TEST_F(CredentialsTest, neighbour_of_the_data_directory_with_a_longer_name_is_not_inside) {
  std::filesystem::create_directory(home / "data_keys");
  std::filesystem::rename(path(), home / "data_keys" / "credentials");
  EXPECT_TRUE(file.read(home / "data_keys" / "credentials", "main", home / "data")) << file.problem();
}

TEST_F(CredentialsTest, enormous_file_is_refused) {
  write(std::string(70000, '\n') + "main KEY1 SECRET1\n");
  expect_refused("64 kB");
}

TEST_F(CredentialsTest, keys_are_forgotten_when_the_file_becomes_bad) {
  ASSERT_TRUE(read());
  write("main KEY1 SECRET1\n", 0644);
  expect_refused("0600");
  EXPECT_TRUE(file.credentials().api_secret.empty());
}

TEST(Secret, replaced_secret_leaves_no_trace_in_its_buffer) {
  Secret secret;
  secret.assign("a-long-secret-that-stands-in-memory");
  const char* bytes = secret.view().data();
  secret.assign("b");
  ASSERT_EQ(secret.view().data(), bytes) << "the buffer is used again, so it can be looked at";
  EXPECT_EQ(secret.view(), "b");
  secret.wipe();
  EXPECT_TRUE(secret.empty());
}

}  // namespace
}  // namespace tradesync
