#include "core/command.hpp"

namespace tradesync {

std::string_view text(CommandKind kind) {
  switch (kind) {
    case CommandKind::open_position: return "open_position";
    case CommandKind::close_position: return "close_position";
    case CommandKind::set_stop_loss: return "set_stop_loss";
    case CommandKind::set_take_profit: return "set_take_profit";
    case CommandKind::set_leverage: return "set_leverage";
    case CommandKind::cancel_order: return "cancel_order";
  }
  return "";
}

std::optional<CommandKind> command_kind_from(std::string_view word) {
  for (CommandKind kind : {CommandKind::open_position, CommandKind::close_position, CommandKind::set_stop_loss,
                           CommandKind::set_take_profit, CommandKind::set_leverage, CommandKind::cancel_order})
    if (word == text(kind)) return kind;
  return std::nullopt;
}

}  // namespace tradesync
