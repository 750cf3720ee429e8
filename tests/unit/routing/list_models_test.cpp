#include <nlohmann/json.hpp>

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace testing;
using nlohmann::json;

struct Listed {
  Result<void> result;
  json body;
};

Listed list(Endpoint endpoint, Dialect dialect, const std::string& id = "",
            const config::Config& config = small_config()) {
  Conversation one("", endpoint);
  one.exchange.dialect = dialect;
  one.exchange.model_id = id;
  Listed listed;
  listed.result = one.through(*make_list_models(router_of(config)));
  if (listed.result) listed.body = json::parse(one.sink.body(), nullptr, false);
  return listed;
}

TEST(ListModels, NamesWhatAnAppMayAskForInTheShapeOfOpenai) {
  const auto listed = list(Endpoint::kModels, Dialect::kOpenai);
  ASSERT_TRUE(listed.result.has_value());
  EXPECT_EQ(listed.body, json::parse(R"({"object":"list","data":[
    {"object":"model","id":"fast","created":0,"owned_by":"up"},
    {"object":"model","id":"house","created":0,"owned_by":"house"}]})"));
}

TEST(ListModels, NamesThemInTheShapeOfAnthropic) {
  const auto listed = list(Endpoint::kModels, Dialect::kAnthropic);
  ASSERT_TRUE(listed.result.has_value());
  EXPECT_EQ(listed.body["data"][0]["type"], "model");
  EXPECT_EQ(listed.body["data"][0]["id"], "fast");
  EXPECT_EQ(listed.body["first_id"], "fast");
  EXPECT_EQ(listed.body["last_id"], "house");
  EXPECT_EQ(listed.body["has_more"], false);
}

TEST(ListModels, AnEmptyListIsAList) {
  auto config = small_config();
  config.models.clear();
  EXPECT_EQ(list(Endpoint::kModels, Dialect::kOpenai, "", config).body, json::parse(R"({"object":"list","data":[]})"));
  const auto anthropic = list(Endpoint::kModels, Dialect::kAnthropic, "", config).body;
  EXPECT_TRUE(anthropic["data"].empty());
  EXPECT_TRUE(anthropic["first_id"].is_null());
}

TEST(ListModels, GivesOneModelByItsName) {
  auto config = small_config();
  config.models.push_back(model("meta/llama \"3\"", "up"));
  EXPECT_EQ(list(Endpoint::kModel, Dialect::kOpenai, "meta/llama \"3\"", config).body["id"], "meta/llama \"3\"");
  EXPECT_EQ(list(Endpoint::kModel, Dialect::kAnthropic, "fast").body["display_name"], "fast");
}

TEST(ListModels, AnUnknownOneIsNotFoundAndEchoedOnlyInPart) {
  for (const std::string& name :
       {std::string("nope"), std::string("dark"), std::string("gpt-*"), std::string(1'000'000, 'x')}) {
    const auto listed = list(Endpoint::kModel, Dialect::kOpenai, name);
    ASSERT_FALSE(listed.result.has_value());
    EXPECT_EQ(listed.result.error().kind, ErrorKind::kModelNotFound);
    EXPECT_LT(listed.result.error().message.size(), 200U);
  }
}

TEST(ListModels, EverythingElseGoesOn) {
  const auto listed = list(Endpoint::kChat, Dialect::kOpenai);
  ASSERT_FALSE(listed.result.has_value());
  EXPECT_EQ(listed.result.error().kind, ErrorKind::kInternal) << "the end of an empty chain";
}

}  // namespace
}  // namespace sluice::routing
