#include "core/command.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

TEST(Command, every_kind_is_read_back_from_its_word) {
  const CommandKind kinds[] = {CommandKind::open_position,   CommandKind::close_position, CommandKind::set_stop_loss,
                               CommandKind::set_take_profit, CommandKind::set_leverage,   CommandKind::cancel_order};
  for (CommandKind kind : kinds) {
    EXPECT_FALSE(text(kind).empty());
    EXPECT_EQ(command_kind_from(text(kind)), kind);
  }
  EXPECT_EQ(text(CommandKind::set_take_profit), "set_take_profit");
}

TEST(Command, another_word_is_no_kind) {
  for (const char* word : {"", "open", "OPEN_POSITION", "cancel_order ", "set_trailing_stop"})
    EXPECT_FALSE(command_kind_from(word)) << word;
}

}  // namespace
}  // namespace tradesync
