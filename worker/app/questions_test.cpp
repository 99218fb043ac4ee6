#include "app/questions.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "app/machine_fake.hpp"
#include "app/wall_fake.hpp"

namespace tradesync {
namespace {

using namespace test;

class QuestionsTest : public testing::Test {
 protected:
  QuestionsTest() {
    settings.private_session = false;
    machine = std::make_unique<AccountMachine>(7, exchange, Endpoints{}, Credentials{}, settings, Loaded{}, wire);
  }
  void ask(const char* kind, const char* argument, std::int32_t timeout_ms = 10000) {
    wall_question question{};
    question.timeout_ms = timeout_ms;
    std::snprintf(question.kind, sizeof question.kind, "%s", kind);
    std::snprintf(question.argument, sizeof question.argument, "%s", argument);
    wall.questions.push_back(question);
    questions.take(machine->engine(), now);
  }
  void serve() { questions.serve(*machine, now); }

  WallFake wall;
  ExchangeFake exchange;
  WireFake wire;
  EngineSettings settings;
  std::unique_ptr<AccountMachine> machine;
  Questions questions{"bybit"};
  std::int64_t now = 1000;
};

TEST_F(QuestionsTest, unknown_kind_is_answered_with_nothing) {
  ask("what_is_love", "");
  ASSERT_EQ(wall.answers.size(), 1u);
  EXPECT_TRUE(wall.answers[0].rows.empty());
  EXPECT_EQ(questions.deadline_ms(), INT64_MAX);
}

TEST_F(QuestionsTest, question_about_a_position_that_cannot_be_read_is_answered_with_nothing) {
  for (const char* argument : {"", "1", "1,BTCUSDT", "x,BTCUSDT,both", "1x,BTCUSDT,both", "1,BTCUSDT,sideways", ",,"}) {
    wall.answers.clear();
    ask("verify_position", argument);
    ASSERT_EQ(wall.answers.size(), 1u) << argument;
    EXPECT_TRUE(wall.answers[0].rows.empty());
  }
}

TEST_F(QuestionsTest, verification_is_answered_before_the_asker_gives_up) {
  ask("verify_position", "42,BTCUSDT,both", 2000);
  EXPECT_TRUE(wall.answers.empty());
  EXPECT_EQ(questions.deadline_ms(), 0) << "it waits to be handed over";
  serve();
  EXPECT_LT(questions.deadline_ms(), now + 2000);
  EXPECT_GT(questions.deadline_ms(), now + 1000);
  now = questions.deadline_ms();
  serve();
  ASSERT_EQ(wall.answers.size(), 1u);
  for (const Row& row : wall.answers[0].rows) {
    ASSERT_EQ(row.size(), 6u);
    EXPECT_TRUE(row[1] == "t" || row[1] == "f");
    EXPECT_TRUE(row[2] == "t" || row[2] == "f");
  }
  EXPECT_FALSE(wall.answers[0].rows.empty()) << "what is known by then is said";
  EXPECT_EQ(questions.deadline_ms(), INT64_MAX);
}

class TickersQuestionTest : public QuestionsTest {
 protected:
  // Lets the machine send what it wants to ask, and answers each question for tickers.
  void exchange_answers(Outcome outcome, Facts facts) {
    exchange.on_response = [=](const Request& request, const HttpResponse&) {
      Reply reply;
      reply.id = request.id;
      if (request.kind != RequestKind::tickers) return reply;
      reply.outcome = outcome;
      reply.facts = facts;
      return reply;
    };
    std::string error;
    machine->finish_turn(now, error);
    const auto asked = std::move(wire.requests);
    wire.requests.clear();
    for (const auto& [id, request] : asked) machine->on_http(id, {200, true, "", "", {}}, now, now, now);
  }
};

TEST_F(TickersQuestionTest, are_answered_as_soon_as_the_exchange_has_answered) {
  machine->start(now);
  ask("tickers", "");
  serve();
  EXPECT_TRUE(wall.answers.empty());
  const Decimal volume = Decimal::parse("90071992547409.93").value();
  exchange_answers(Outcome::ok, {Ticker{"BTCUSDT", volume, Decimal(5)}, Ticker{"NEWUSDT", Decimal(), {}}});
  serve();
  ASSERT_EQ(wall.answers.size(), 1u);
  EXPECT_EQ(wall.answers[0].rows, (std::vector<Row>{{"BTCUSDT", "90071992547409.93", "5"}, {"NEWUSDT", "0", ""}}));
  EXPECT_EQ(questions.deadline_ms(), INT64_MAX);
}

TEST_F(TickersQuestionTest, of_an_exchange_that_does_not_answer_are_none_before_the_asker_gives_up) {
  machine->start(now);
  ask("tickers", "", 2000);
  serve();
  exchange_answers(Outcome::failed, {});
  EXPECT_LT(questions.deadline_ms(), now + 2000);
  now = questions.deadline_ms();
  serve();
  ASSERT_EQ(wall.answers.size(), 1u);
  EXPECT_TRUE(wall.answers[0].rows.empty());
  EXPECT_EQ(questions.deadline_ms(), INT64_MAX);
}

}  // namespace
}  // namespace tradesync
