#include "unit/routing/stream_vectors.hpp"

#include "unit/routing/support.hpp"

namespace sluice::routing::testing {
namespace {

constexpr std::string_view kTruncated = "upstream_stream_truncated", kInvalid = "upstream_invalid_event",
                           kTooBig = "upstream_event_too_big", kUpstream = "upstream_error";

std::string data(const std::string& text) { return "data: " + text + "\n\n"; }

class Table {
 public:
  // A stream that ends well.
  void good(std::string name, std::string sent, std::string relayed) {
    rows_.push_back({std::move(name), std::move(sent), std::move(relayed), ""});
  }
  void good(std::string name, const std::string& sent) { good(std::move(name), sent, sent); }
  // A stream that goes wrong after the good events `before`.
  StreamVector& bad(std::string name, std::string_view error, const std::string& before, const std::string& rest) {
    rows_.push_back({std::move(name), before + rest, before, std::string(error)});
    return rows_.back();
  }
  std::vector<StreamVector> take() { return std::move(rows_); }
  StreamVector& last() { return rows_.back(); }

 private:
  std::vector<StreamVector> rows_;
};

const std::string kA = token("a"), kB = token("b");
const std::string kEnd = kFinish + kDone;

void add_good(Table& table) {
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += token("t" + std::to_string(i));
  table.good("U01Plain", kA + kB + kEnd);
  table.good("U08Hundred", hundred + kEnd);
  table.good("U10TearableText", token("\xe5\x8c\x97\xe4\xba\xac") + token("\xf0\x9f\x98\x80") + kEnd);
  table.good("U11Escapes", token("\\u4e2d\\ud83d\\ude00\\n") + kEnd);
  table.good("U11SurrogateHalvesApart", token("\\ud83d") + token("\\ude00") + kEnd);
  table.good("U11LoneSurrogate", token("\\udc00x") + kEnd);
  table.good("ToolCalls",
             chunk(R"({"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]}})") +
                 chunk(R"({"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a"}}]}})") +
                 chunk(R"({"index":0,"delta":{},"finish_reason":"tool_calls"})") + kDone);
  table.good("TwoChoices", kA + chunk(R"({"index":1,"delta":{"content":"c"}})") + kFinish +
                               chunk(R"({"index":1,"delta":{},"finish_reason":"length"})") + kDone);
  table.good("ContentBehindTheFinish", kA + kFinish + kB + kDone);
  table.good("FinishOfEmptyTextEndsAtDone", kA + chunk(R"({"index":0,"delta":{},"finish_reason":""})") + kDone);
  table.good("UnknownMembers", chunk(R"({"index":0,"delta":{"x":[1e5,{}]},"y":null})", R"(,"z":1.0)") + kEnd);
  table.good("OneEventOfManyLines",
             "data: {\"choices\":\ndata: [{\"index\":0,\"finish_reason\":\"stop\"}]}\n\n" + kDone);
}

void add_reframed(Table& table) {
  table.good("U16Comments", ": OPENROUTER PROCESSING\n\n:\n\n" + kA + ": x\n\n" + kEnd, kA + kEnd);
  table.good("U16CommentInsideAnEvent", ": x\n" + kA + ":y\n" + kB + kEnd, kA + kB + kEnd);
  table.good("U18Pings", "event: ping\ndata: {}\n\n" + kA + "event: ping\n\n" + kEnd, kA + kEnd);
  table.good("U18PingOfAnthropic", "event: ping\ndata: {\"type\":\"ping\"}\n\n" + kA + kEnd, kA + kEnd);
  table.good("U19RetryAndId", "retry: 1000\n\nid: 7\n\n" + kA + "id\n\nretry\n\n" + kEnd, kA + kEnd);
  table.good("U20ForeignFields", "foo: bar\n" + kA + "event: only\n\ndata\n\nbar\n\n" + kEnd, kA + kEnd);
  table.good("U20TypesOfChatEvents", "event: chunk\n" + kA + "event: message\n" + kFinish + kDone, kA + kEnd);
  table.good("NoSpaceBehindTheColon", "data:" + kA.substr(6) + kEnd, kA + kEnd);
  table.good("ByteOrderMark", "\xEF\xBB\xBF" + kA + kEnd, kA + kEnd);
  table.good("BlankLines", "\n\n\n" + kA + "\n\n\n\n" + kEnd, kA + kEnd);
  table.good("DoneWithSpaces", kA + kFinish + "data: [DONE]   \n\n", kA + kEnd);
  table.good("DoneWithoutBlankLine", kA + kFinish + "data: [DONE]\n", kA + kEnd);
  table.good("DoneWithoutLineEnd", kA + kFinish + "data: [DONE]", kA + kEnd);
  table.good("U27NoDone", kA + kFinish, kA + kEnd);
  table.good("U27NoDoneNorBlankLine", kA + kFinish.substr(0, kFinish.size() - 1), kA + kEnd);
  table.good("NothingCountsBehindDone", kA + kEnd + kB + data("nonsense") + data(R"({"error":{}})"), kA + kEnd);
  table.good("ErrorOfNull", chunk(R"({"index":0,"delta":{"content":"a"}})", R"(,"error":null)") + kEnd,
             chunk(R"({"index":0,"delta":{"content":"a"}})") + kEnd);
}

void add_usage(Table& table) {
  table.good("U44UsageIsHidden", kA + kFinish + kUsage + kDone, kA + kEnd);
  const std::string plain = chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})");
  int number = 0;
  for (const std::string odd :
       {R"({"prompt_tokens":-5})", R"({"prompt_tokens":9223372036854775808})", R"({"prompt_tokens":1.5})",
        R"({"prompt_tokens":"12"})", R"({"prompt_tokens":null})", R"({"prompt_tokens":1e300})", "{}", "[]", "7",
        R"({"prompt_tokens":{"prompt_tokens":{}}})"}) {
    table.good("U45OddUsage" + std::to_string(number++), kA + kFinish + chunk("", ",\"usage\":" + odd) + kDone,
               kA + kEnd);
  }
  table.good("U45UsageTwice", kA + kFinish + kUsage + kUsage + kDone, kA + kEnd);
  table.good("U45UsageOnTheFinish",
             kA + chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})", R"(,"usage":{"prompt_tokens":3})") + kDone,
             kA + plain + kDone);
  table.good("U45UsageOfNullOnEveryEvent",
             chunk(R"({"index":0,"delta":{"content":"a"}})", R"(,"usage":null)") + kFinish + kUsage + kDone,
             chunk(R"({"index":0,"delta":{"content":"a"}})") + kEnd);
}

void add_truncated(Table& table) {
  table.bad("U28NoFinish", kTruncated, kA, "");
  table.bad("U28Nothing", kTruncated, "", "");
  table.bad("U28OnlyComments", kTruncated, "", ": a\n\n: b\n\n");
  table.bad("U29DoneWithoutFinish", kTruncated, kA, kDone);
  table.bad("U29DoneAlone", kTruncated, "", kDone);
  table.bad("U29DoneBehindUsage", kTruncated, kA, kUsage + kDone);
  table.bad("OneOfTwoChoices", kTruncated, kA + chunk(R"({"index":1,"delta":{"content":"c"}})") + kFinish, kDone);
  table.bad("FinishOfEmptyTextWithoutDone", kTruncated, kA + chunk(R"({"index":0,"finish_reason":""})"), "");
  table.bad("FinishThatIsNoText", kTruncated, kA + chunk(R"({"index":0,"finish_reason":7})"), kDone);
  table.bad("U31FinMidJson", kTruncated, kA, kB.substr(0, 40));
  table.bad("U31FinInsideTheFieldName", kTruncated, kA, "dat");
  table.bad("U31FinInsideDone", kTruncated, kA + kFinish, "data: [DO");
  table.bad("U30ResetMidEvent", kTruncated, kA, kB.substr(0, 40)).end = ErrorKind::kUpstreamTruncated;
  table.bad("U30ResetBetweenEvents", kTruncated, kA, "").end = ErrorKind::kUpstreamTruncated;
  table.bad("U30ResetBeforeTheFirst", kTruncated, "", "").end = ErrorKind::kUpstreamTruncated;
  table.bad("U33LengthTooLarge", kTruncated, kA + kFinish, "").end = ErrorKind::kUpstreamTruncated;
  table.good("U32ResetBehindDone", kA + kEnd);
  table.last().end = ErrorKind::kUpstreamTruncated;
  table.bad("U48SilenceAfterTheRole", "upstream_idle_timeout", kA, "").end = ErrorKind::kUpstreamIdleTimeout;
  table.bad("F44BadChunksMidStream", "upstream_invalid_response", kA, "").end = ErrorKind::kUpstreamInvalidResponse;
}

void add_errors(Table& table) {
  const std::string overloaded = data(R"({"error":{"message":"busy","type":"overloaded_error","code":529}})");
  table.bad("U34ErrorFirst", "529", "", overloaded + kA + kEnd);
  table.bad("U35ErrorAfterTokens", "529", kA + kB, overloaded + kA + kEnd);
  table.bad("U36AnthropicError", kUpstream, kA,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"busy\"}}\n\n" + kEnd);
  table.bad("U36ErrorInPlainText", kUpstream, kA, "event: error\ndata: it broke\n\n" + kEnd);
  table.bad("U36ErrorWithoutData", kUpstream, kA, "event: error\n\n" + kEnd);
  table.bad("U36ErrorThatSaysDone", kUpstream, kA + kFinish, "event: error\ndata: [DONE]\n\n");
  table.bad("ErrorAsText", kUpstream, kA, data(R"({"error":"it broke"})") + kEnd);
  table.bad("ErrorObject", kUpstream, kA, data(R"({"object":"error","message":"it broke"})") + kEnd);
  table.bad("ErrorOfAChoice", "502", kA,
            chunk(R"({"index":0,"error":{"message":"m","code":502},"finish_reason":"error"})") + kDone);
  table.bad("FinishThatIsAFailure", kUpstream, kA, chunk(R"({"index":0,"delta":{},"finish_reason":"error"})") + kDone);
}

void add_invalid(Table& table) {
  const std::pair<std::string, std::string> kBad[] = {
      {"TrailingComma", R"({"choices":[],})"},
      {"NoJson", "hello"},
      {"TwoValues", "{}{}"},
      {"CutJson", R"({"choices":[{"index":0)"},
      {"List", "[]"},
      {"DoneAndMore", "[DONE]x"},
      {"RepeatedName", R"({"choices":[],"choices":[]})"},
      {"BadUtf8", "{\"a\":\"\xFF\"}"},
      {"CutUtf8", "{\"a\":\"\xe5\x8c\"}"},
      {"Nul", std::string("{\"a\":\"\0\"}", 9)},
      {"TooDeep", std::string(65, '[') + std::string(65, ']')},
      {"HugeNumber", R"({"a":1e400})"},
      {"ChoicesOfNull", R"({"choices":null})"},
      {"ChoicesOfText", R"({"choices":"x"})"},
      {"ChoiceOfNull", R"({"choices":[null]})"},
      {"IndexBelowZero", R"({"choices":[{"index":-1}]})"},
      {"IndexOf2To31", R"({"choices":[{"index":2147483648}]})"},
      {"IndexOfText", R"({"choices":[{"index":"0"}]})"},
  };
  for (const auto& [name, bad] : kBad) {
    table.bad("U43" + name, kInvalid, kA, data(bad) + kEnd);
    table.bad("U43" + name + "First", kInvalid, "", data(bad) + kA + kEnd);
  }
  const std::string big(kStreamEventLimit, 'x');
  table.bad("U25EventTooBig", kTooBig, kA, token(big) + kEnd);
  table.bad("U25LineWithoutEnd", kTooBig, kA, "data: " + big);
  table.bad("U25CommentTooBig", kTooBig, kA, ":" + big + "\n\n" + kEnd);
  table.bad("U25ManySmallDataLines", kTooBig, kA, [] {
    std::string lines;
    for (int i = 0; i < 1000; ++i) lines += "data: 12345\n";
    return lines + "\n";
  }());
}

void add_other_endpoints(Table& table) {
  const auto text = [](const std::string& choice) {
    return data(R"({"object":"text_completion","choices":[)" + choice + "]}");
  };
  table.good("Completions",
             text(R"({"index":0,"text":"a"})") + text(R"({"index":0,"text":"","finish_reason":"stop"})") + kDone);
  table.last().endpoint = Endpoint::kCompletions;
  table.bad("CompletionsCut", kTruncated, text(R"({"index":0,"text":"a"})"), kDone).endpoint = Endpoint::kCompletions;
  const auto event = [](const std::string& type, const std::string& more) {
    return "event: " + type + "\n" + data(R"({"type":")" + type + "\"" + more + "}");
  };
  const std::string created = event("response.created", R"(,"sequence_number":0,"response":{"id":"r"})");
  const std::string delta = event("response.output_text.delta", R"(,"sequence_number":1,"delta":"a")");
  const std::string done =
      event("response.completed", R"(,"sequence_number":2,"response":{"id":"r","status":"completed"})");
  table.good("Responses", created + delta + done);
  table.last().endpoint = Endpoint::kResponses;
  table.bad("ResponsesCut", kTruncated, created + delta, "").endpoint = Endpoint::kResponses;
  table.bad("ResponsesDoneInstead", kTruncated, created + delta, kDone).endpoint = Endpoint::kResponses;
  table.bad("ResponsesError", kUpstream, created, event("error", R"(,"message":"it broke")")).endpoint =
      Endpoint::kResponses;
  table.bad("ResponsesTypeThatIsNoText", kInvalid, created, "event: \xFF\n" + data(R"({"a":1})")).endpoint =
      Endpoint::kResponses;
}

}  // namespace

std::vector<StreamVector> stream_vectors() {
  Table table;
  add_good(table);
  add_reframed(table);
  add_usage(table);
  add_truncated(table);
  add_errors(table);
  add_invalid(table);
  add_other_endpoints(table);
  return table.take();
}

}  // namespace sluice::routing::testing
