#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "sluice/api/request_view.hpp"

namespace sluice::api {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;
using Renames = std::vector<std::pair<std::string, std::string>>;

RequestView view_of(std::string_view body) {
  RequestView view;
  view.endpoint = Endpoint::kChat;
  view.body = body;
  EXPECT_TRUE(json::check(body, view.members)) << body;
  if (const json::Member* model = view.member("model")) view.model = json::text_of(model->value);
  if (const json::Member* options = view.member("stream_options")) {
    const auto usage = json::find(options->value, "include_usage");
    view.wants_usage = usage && usage->is_true();
  }
  return view;
}

std::string edited(std::string_view body, const Rewrite& rewrite) {
  const RequestView view = view_of(body);
  const std::vector<Edit> edits = plan_edits(view, rewrite);
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    EXPECT_GE(edit.offset, at) << body;
    at = edit.offset + edit.length;
    EXPECT_LE(at, body.size());
  }
  std::string out;
  for (const std::string_view part : api::apply(body, edits)) out += part;
  return out;
}

std::string with_model(std::string_view body, std::string model) {
  Rewrite rewrite;
  rewrite.model = std::move(model);
  return edited(body, rewrite);
}
std::string with_usage(std::string_view body) {
  Rewrite rewrite;
  rewrite.force_usage = true;
  return edited(body, rewrite);
}
std::string without(std::string_view body, const Names& names) {
  Rewrite rewrite;
  rewrite.drop = &names;
  return edited(body, rewrite);
}
std::string renamed(std::string_view body, const Renames& renames) {
  Rewrite rewrite;
  rewrite.rename = &renames;
  return edited(body, rewrite);
}

TEST(PlanEdits, NothingToDoLeavesTheVeryBytes) {
  const std::string body = R"( {"model" : "m", "n":1.0} )";
  const RequestView view = view_of(body);
  Rewrite rewrite;
  rewrite.model = "m";
  const std::vector<Edit> edits = plan_edits(view, rewrite);
  EXPECT_TRUE(edits.empty());
  const auto parts = api::apply(body, edits);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].data(), body.data());
}

TEST(PlanEdits, ReplacesTheModel) {
  EXPECT_EQ(with_model(R"({"a":1, "model" : "x" ,"b":2})", "y\"z"), R"({"a":1, "model" : "y\"z" ,"b":2})");
  EXPECT_EQ(with_model(R"({"mod\u0065l":"x"})", "y"), R"({"mod\u0065l":"y"})");
  EXPECT_EQ(with_model(R"({"input":1})", "y"), R"({"model":"y","input":1})");
}

TEST(PlanEdits, ForcesUsage) {
  EXPECT_EQ(with_usage(R"({"a":1})"), R"({"stream_options":{"include_usage":true},"a":1})");
  EXPECT_EQ(with_usage("{}"), R"({"stream_options":{"include_usage":true}})");
  EXPECT_EQ(with_usage(R"({"stream_options":null})"), R"({"stream_options":{"include_usage":true}})");
  EXPECT_EQ(with_usage(R"({"stream_options":{ }})"), R"({"stream_options":{"include_usage":true }})");
  EXPECT_EQ(with_usage(R"({"stream_options":{"x":1}})"), R"({"stream_options":{"include_usage":true,"x":1}})");
  EXPECT_EQ(with_usage(R"({"stream_options":{"x":1,"include_usage":false}})"),
            R"({"stream_options":{"x":1,"include_usage":true}})");
  EXPECT_EQ(with_usage(R"({"stream_options":{"include_usage":null}})"), R"({"stream_options":{"include_usage":true}})");
  EXPECT_EQ(with_usage(R"({"stream_options":{"include_usage":true}})"), R"({"stream_options":{"include_usage":true}})");
}

TEST(PlanEdits, DropsMembersWithOneCommaEach) {
  const std::string body = R"({"a":1, "b":2 ,"c":3})";
  EXPECT_EQ(without(body, {"a"}), R"({"b":2 ,"c":3})");
  EXPECT_EQ(without(body, {"b"}), R"({"a":1, "c":3})");
  EXPECT_EQ(without(body, {"c"}), R"({"a":1, "b":2})");
  EXPECT_EQ(without(body, {"a", "b"}), R"({"c":3})");
  EXPECT_EQ(without(body, {"c", "b"}), R"({"a":1})");
  EXPECT_EQ(without(body, {"a", "c"}), R"({"b":2})");
  EXPECT_EQ(without(body, {"a", "b", "c"}), "{}");
  EXPECT_EQ(without(body, {"x"}), body);
}

TEST(PlanEdits, RenamesAMemberUnlessTheNameIsTaken) {
  EXPECT_EQ(renamed(R"({"a" :1,"b":2})", {{"a", "c"}}), R"({"c" :1,"b":2})");
  EXPECT_EQ(renamed(R"({"a":1,"b":2})", {{"a", "b"}}), R"({"a":1,"b":2})");
  EXPECT_EQ(renamed(R"({"a":1,"b":2})", {{"a", "c"}, {"b", "c"}}), R"({"c":1,"b":2})");
  EXPECT_EQ(renamed(R"({"\u0061":1})", {{"a", "c"}}), R"({"c":1})");
}

TEST(PlanEdits, ADroppedMemberIsNotEditedOtherwise) {
  const Names names = {"model", "stream_options"};
  const Renames renames = {{"model", "name"}};
  const Rewrite rewrite{"y", true, &names, &renames};
  EXPECT_EQ(edited(R"({"model":"x","stream_options":{},"z":1})", rewrite), R"({"z":1})");
}

TEST(PlanEdits, InsertionSurvivesTheLossOfEverythingElse) {
  const Names names = {"a"};
  const Rewrite rewrite{{}, true, &names, nullptr};
  EXPECT_EQ(edited(R"({"a":1})", rewrite), R"({"stream_options":{"include_usage":true}})");
  EXPECT_EQ(edited(R"({ "a":1,"b":2})", rewrite), R"({"stream_options":{"include_usage":true}, "b":2})");
}

// The same edits, done on a tree.
Json edit_tree(const Json& tree, const Rewrite& rewrite) {
  const auto dropped = [&](const std::string& name) {
    return std::ranges::find(*rewrite.drop, name) != rewrite.drop->end();
  };
  Json out = tree;
  for (const std::string& name : *rewrite.drop) out.erase(name);
  if (!dropped("model")) out["model"] = rewrite.model;
  if (rewrite.force_usage && !dropped("stream_options")) {
    Json& options = out["stream_options"];
    if (!options.is_object()) options = Json::object();
    options["include_usage"] = true;
  }
  for (const auto& [from, to] : *rewrite.rename) {
    const bool original = tree.contains(from) && out.contains(from);
    if (!original || out.contains(to)) continue;
    out[to] = out[from];
    out.erase(from);
  }
  return out;
}

std::string random_body(std::mt19937& random) {
  static const Names kNames = {"model", "stream_options", "a", "b", "c", "d", "e", "max_tokens"};
  static const Names kValues = {"1.0", "null", "\"x,}\"", "[1, {\"model\":2}]", "{\"q\" : {}}", "true"};
  static const Names kOptions = {"null",
                                 "{}",
                                 "{ \"x\":1}",
                                 "{\"include_usage\":false,\"x\":2}",
                                 "{\"x\":1 ,\"include_usage\" : null}",
                                 "{\"include_usage\":true}"};
  const auto space = [&random] { return std::string(random() % 4 == 0 ? random() % 3 : 0, ' '); };
  Names names = kNames;
  std::ranges::shuffle(names, random);
  names.resize(random() % (names.size() + 1));
  std::string body = space() + "{" + space();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Names& values = names[i] == "stream_options" ? kOptions : kValues;
    const std::string value =
        names[i] == "model" ? "\"m" + std::to_string(random() % 2) + "\"" : values[random() % values.size()];
    body += (i > 0 ? "," : "") + space() + "\"" + names[i] + "\"" + space() + ":" + space() + value + space();
  }
  return body + "}" + space();
}

bool is_subsequence(std::string_view small, std::string_view big) {
  for (const char c : big) {
    if (!small.empty() && small.front() == c) small.remove_prefix(1);
  }
  return small.empty();
}

TEST(PlanEdits, RandomEditsOfRandomBodiesEqualThoseOnATree) {
  std::mt19937 random(17);
  for (int round = 0; round < 20'000; ++round) {
    const std::string body = random_body(random);
    Names drop;
    for (const std::string_view name : {"model", "a", "b", "c", "stream_options", "max_tokens", "none"}) {
      if (random() % 4 == 0) drop.emplace_back(name);
    }
    Renames renames;
    if (random() % 2 == 0) renames.emplace_back("max_tokens", "max_completion_tokens");
    if (random() % 3 == 0) renames.emplace_back("d", "e");
    const Rewrite rewrite{"m0", random() % 2 == 0, &drop, &renames};
    const std::string out = edited(body, rewrite);
    ASSERT_TRUE(json::check(out)) << body << "\n" << out;
    ASSERT_EQ(nlohmann::json::parse(out), nlohmann::json(edit_tree(Json::parse(body), rewrite))) << body << "\n" << out;
  }
}

TEST(PlanEdits, BytesOutsideTheEditsAreTheClientsOwn) {
  std::mt19937 random(19);
  for (int round = 0; round < 2000; ++round) {
    const std::string body = random_body(random);
    const Names drop = {"a", "c", "e"};
    const std::string out = without(body, drop);
    ASSERT_TRUE(is_subsequence(out, body)) << body << "\n" << out;
    for (const json::Member& member : view_of(body).members) {
      if (std::ranges::find(drop, member.key) == drop.end()) ASSERT_NE(out.find(member.raw), std::string::npos) << out;
    }
  }
}

}  // namespace
}  // namespace sluice::api
