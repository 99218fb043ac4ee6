// Signatures, query strings and the frames we write: whatever leaves must be exactly these bytes.
#include "exchanges/hmac.hpp"

#include <gtest/gtest.h>

#include "exchanges/json_write.hpp"
#include "exchanges/url.hpp"

namespace tradesync {
namespace {

TEST(Hmac, rfc_4231_vectors_hold) {
  EXPECT_EQ(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, an_empty_secret_is_not_the_key_of_the_call_before) {
  hmac_sha256_hex("another", "text");
  EXPECT_EQ(hmac_sha256_hex({}, {}), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// protocol/binance-usdm.md §3.2
TEST(Hmac, binance_vectors_hold) {
  constexpr std::string_view kSecret = "simSecret0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b";
  constexpr std::string_view kKey = "simKeyA1B2C3D4E5F6G7H8J9K0L1M2N3P4Q5R6S7T8U9V0W1X2Y3Z4a5b6c7d8e9";
  const std::pair<std::string, std::string_view> vectors[] = {
      {"timestamp=1767225600123&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.003&price=61234.50&"
       "newClientOrderId=c1_0001&recvWindow=5000",
       "36370b893af4e02c03ec0c596c714935f4d8944e1f313300f8c349447fcaef71"},
      {"timestamp=1767225600123&symbol=BTCUSDT&origClientOrderId=c1_0001&recvWindow=5000",
       "84f4ac5f2beb1c2610d418f56fa1e6b89b193596d1276655b096f7167d4a6f65"},
      {"timestamp=1767225600123&algoType=CONDITIONAL&symbol=ETHUSDT&side=SELL&type=STOP_MARKET&triggerPrice=2990.10&"
       "closePosition=true&workingType=MARK_PRICE&clientAlgoId=sl%3Aeth%2F01&recvWindow=5000",
       "40e3be3c8ed83f6956dec9f490dcaf295cbaff112bd2151cfda428abba83af4c"},
      {"symbol=BTCUSDT&side=SELL&type=MARKETquantity=0.003&reduceOnly=true&timestamp=1767225600123",
       "ef3e21323cbf8832c993e6713ef74ec42bde8187cb2d8611c27316e900cf172e"},
      {"timestamp=1767225600123&symbol=%E6%B5%8B%E8%AF%95USDT&side=BUY&type=MARKET&quantity=1&newClientOrderId=c1_0002&"
       "recvWindow=5000",
       "9a23d082e0a67ab7294e9575245a8ce9c1075d2800805558e11bd889af9578e9"},
      {"timestamp=1767225600123", "f16f1404c83c52dd76c000d8dc320e38540ebd942f3f3a41693dcc85028442b2"},
      {std::string("apiKey=").append(kKey) + "&newClientOrderId=c1_0001&price=61234.50&quantity=0.003&recvWindow=5000&side=BUY&"
                                             "symbol=BTCUSDT&timeInForce=GTC&timestamp=1767225600123&type=LIMIT",
       "4f0fe3ac158a420625d000660f15c7dbb78aa1b8a77afaa9b74b32e718042db3"},
      {std::string("apiKey=").append(kKey) + "&timestamp=1767225600123",
       "8701dee1e3b28e9edfc719e3c55c63a290ac50b12bf8d7156fb60db5e447aece"},
  };
  for (const auto& [payload, signature] : vectors) EXPECT_EQ(hmac_sha256_hex(kSecret, payload), signature) << payload;
}

TEST(Url, only_unreserved_characters_pass) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("sl:eth/01"), "sl%3Aeth%2F01");
  EXPECT_EQ(percent_encode(" &=?#+%\"\n"), "%20%26%3D%3F%23%2B%25%22%0A");
  EXPECT_EQ(percent_encode("\xE6\xB5\x8B\xE8\xAF\x95USDT"), "%E6%B5%8B%E8%AF%95USDT");
}

TEST(Url, a_query_keeps_the_order_of_its_parameters) {
  EXPECT_EQ(Query().add("b", "x y").add("a", -5).text(), "b=x%20y&a=-5");
  EXPECT_TRUE(Query().empty());
}

TEST(Url, an_encoded_value_passes_and_can_still_not_break_out) {
  EXPECT_EQ(Query().add_encoded("cursor", "page_args%3D5c%26symbol%3D5%26").text(), "cursor=page_args%3D5c%26symbol%3D5%26");
  EXPECT_EQ(Query().add_encoded("cursor", "a&b=c#d e\r\n").text(), "cursor=a%26b%3Dc%23d%20e%0D%0A");
}

TEST(JsonWrite, members_come_in_the_order_given_and_integers_stay_whole) {
  EXPECT_EQ(write_json({{"op", std::string("auth")},
                        {"id", std::int64_t{7}},
                        {"args", JsonList{std::string("k"), std::int64_t{1785000010000}}}}),
            R"({"op":"auth","id":7,"args":["k",1785000010000]})");
  EXPECT_EQ(write_json({{"n", INT64_MIN}, {"l", JsonList{}}}), R"({"n":-9223372036854775808,"l":[]})");
  const std::vector<JsonMember> members{{"z", true}, {"a", false}, {"one", std::int64_t{1}}};
  EXPECT_EQ(write_json(members), R"({"z":true,"a":false,"one":1})");
}

TEST(JsonWrite, texts_are_escaped) {
  EXPECT_EQ(write_json({{"a", std::string("\"\\\n\xE6\xB5\x8B")}}), "{\"a\":\"\\\"\\\\\\n\xE6\xB5\x8B\"}");
}

TEST(JsonWrite, text_that_is_no_utf8_gives_no_frame) {
  EXPECT_EQ(write_json({{"a", std::string("\xFF")}}), "");
  EXPECT_EQ(write_json({{"a", JsonList{std::string("ok"), std::string("\xC3")}}}), "");
}

}  // namespace
}  // namespace tradesync
