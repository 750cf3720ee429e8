// Vectors come in the format the client asked for, whatever the upstream sends.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Embeddings = GatewayTest;

constexpr const char* kPath = "/v1/embeddings";
constexpr const char* kBase64 = "AAAAPwAAoL8AAEBA";  // 0.5, -1.25, 3 as little-endian float32

std::string body(const std::string& format) {
  return R"({"model":"m","input":["a","b"])" + (format.empty() ? "" : R"(,"encoding_format":")" + format + "\"") + "}";
}

struct Formats {
  const char* name;
  std::string asked;
  bool upstream_base64;
};

class EmbeddingFormats : public GatewayTest, public ::testing::WithParamInterface<Formats> {};

TEST_P(EmbeddingFormats, AreWhatTheClientAskedFor) {
  upstream_.on(kPath).json(embeddings_answer(GetParam().upstream_base64, 2));
  start();
  const Response response = fetch(gateway().port(), post_request(kPath, body(GetParam().asked)));
  ASSERT_EQ(response.status, 200) << response.body;
  const json answer = json::parse(response.body);
  ASSERT_EQ(answer["data"].size(), 2U);
  for (const json& item : answer["data"]) {
    if (GetParam().asked == "base64") {
      EXPECT_EQ(item["embedding"], kBase64);
    } else {
      EXPECT_EQ(item["embedding"], (std::vector<double>{0.5, -1.25, 3.0}));
    }
  }
  EXPECT_EQ(answer["data"][1]["index"], 1);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 5);
  EXPECT_EQ(only_trace_line()["usage"]["input"], 5);
}

INSTANTIATE_TEST_SUITE_P(From, EmbeddingFormats,
                         ::testing::Values(Formats{"FloatToFloat", "float", false},
                                           Formats{"FloatToBase64", "base64", false},
                                           Formats{"Base64ToFloat", "float", true},
                                           Formats{"Base64ToBase64", "base64", true},
                                           Formats{"FloatToDefault", "", false}, Formats{"Base64ToDefault", "", true}),
                         [](const auto& formats) { return formats.param.name; });

TEST_F(Embeddings, PassUntouchedWhenTheFormatFits) {
  upstream_.on(kPath).json(embeddings_answer(false, 2));
  start();
  EXPECT_EQ(fetch(gateway().port(), post_request(kPath, body("float"))).body, embeddings_answer(false, 2));
}

TEST_F(Embeddings, BrokenVectorsAreABadGateway) {
  upstream_.on(kPath).json(R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":"!!!"}]})");
  upstream_.on(kPath).json(R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":["x"]}]})");
  start();
  EXPECT_EQ(fetch(gateway().port(), post_request(kPath, body("float"))).status, 502);
  EXPECT_EQ(fetch(gateway().port(), post_request(kPath, body("base64"))).status, 502);
}

TEST_F(Embeddings, AcceptAllShapesOfInput) {
  upstream_.on(kPath).json(embeddings_answer(false));
  start();
  for (const char* input : {"\"text\"", "[\"a\"]", "[1,2,3]", "[[1,2],[3]]"}) {
    const std::string request =
        R"({"model":"any-e","encoding_format":"float","dimensions":3,"input":)" + std::string(input) + "}";
    EXPECT_EQ(fetch(gateway().port(), post_request(kPath, request)).status, 200) << input;
    EXPECT_EQ(upstream_.requests().back().body, request);
  }
}

}  // namespace
}  // namespace sluice::integration
