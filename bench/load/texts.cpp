#include "texts.hpp"

#include <array>
#include <charconv>

namespace sluice::bench {
namespace {

constexpr std::string_view kStampKey = "\"system_fingerprint\":\"fp_";
constexpr std::size_t kStampDigits = 19;

constexpr std::string_view kSystem =
    R"({"role":"system","content":"You are the support assistant of a furniture shop. Answer in the customer's language, )"
    R"(keep to the facts in the order, and never promise a delivery date that is not in it.\n\nTone: friendly, short."})";

constexpr std::array<std::string_view, 4> kTurns = {
    R"({"role":"user","content":"Hello, order \"48-1107\" shows as delivered, but only two of three boxes came. )"
    R"(The shelf (Regal, 80\u00a0cm) is missing. What now?"})",
    R"({"role":"assistant","content":"I am sorry about that! Box 3 left the warehouse a day later:\n- carrier: road freight\n)"
    R"(- pieces: 1\n- weight: 23.4 kg\nWould you like me to open a search?"})",
    R"({"role":"user","content":"Ja bitte, und schicken Sie mir die Best\u00e4tigung an die Adresse im Konto. Größe und )"
    R"(Farbe stimmen noch: 80 × 200, weiß."})",
    R"({"role":"assistant","content":"Gern. Die Suche ist angelegt, die Best\u00e4tigung ist unterwegs. Kann ich sonst noch )"
    R"(etwas tun?\n\n| Teil | Status |\n|---|---|\n| 1 | da |\n| 2 | da |\n| 3 | gesucht |"})"};

constexpr std::string_view kSentence = "The search for the third box is open and the carrier answers within two days. ";

std::string event(std::string_view choices_and_usage) {
  std::string json = R"({"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk",)"
                     R"("created":1760000000,"model":"bench","service_tier":"default",)";
  json.append(kStampKey).append(kStampDigits, '0').append("\",").append(choices_and_usage).append("}");
  return "data: " + json + "\n\n";
}

std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  const auto [end, error] = std::to_chars(size.begin(), size.end(), data.size(), 16);
  return std::string(size.data(), end).append("\r\n").append(data).append("\r\n");
}

std::string choice(std::string_view delta, std::string_view finish) {
  std::string text = R"("choices":[{"index":0,"delta":)";
  text.append(delta).append(R"(,"logprobs":null,"finish_reason":)").append(finish).append(R"(}],"usage":null)");
  return text;
}

std::string usage_object(std::size_t completion_tokens) {
  return R"("usage":{"prompt_tokens":312,"completion_tokens":)" + std::to_string(completion_tokens) +
         R"(,"total_tokens":)" + std::to_string(312 + completion_tokens) +
         R"(,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}})";
}

std::string chat_body(const RequestText& request) {
  std::string body = R"({"model":")" + request.model + R"(",)";
  if (request.stream) body += R"("stream":true,"stream_options":{"include_usage":true},)";
  if (!request.label.empty()) body += R"("user":")" + request.label + R"(",)";
  if (request.interval_ms > 0) body += R"("bench_interval_ms":)" + std::to_string(request.interval_ms) + ",";
  if (request.seed > 0) body += R"("seed":)" + std::to_string(request.seed) + ",";
  body += R"("temperature":0.7,"top_p":1,"max_tokens":512,"messages":[)";
  body += kSystem;
  for (std::size_t turn = 0; turn == 0 || body.size() + kTurns[turn % 4].size() < request.body_bytes; ++turn) {
    body.append(",").append(kTurns[turn % 4]);
  }
  return body + "]}";
}

}  // namespace

std::string chat_request(const RequestText& request) {
  const std::string body = chat_body(request);
  return request.method + " " + request.path + " HTTP/1.1\r\nHost: bench.local\r\nUser-Agent: sluice-bench/1\r\n" +
         request.head +
         "Authorization: Bearer sk-sluice-bench0000001-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\nContent-Type: "
         "application/json\r\nAccept: */*\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chat_answer(std::size_t bytes) {
  std::string json =
      R"({"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion","created":1760000000,)"
      R"("model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":")";
  const std::string rest = std::string(kEndMark) +
                           R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],)" +
                           usage_object(128) + R"(,"service_tier":"default","system_fingerprint":"fp_bench"})";
  while (json.size() + rest.size() < bytes) json += kSentence;
  return json + rest;
}

std::string json_response(std::string_view status, std::string_view body) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: application/json\r\nX-Request-Id: req_bench\r\nContent-Length: ");
  return text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

std::string role_event() { return chunk(event(choice(R"({"role":"assistant","content":"","refusal":null})", "null"))); }
std::string finish_event() { return chunk(event(choice("{}", R"("stop")"))); }
std::string usage_event(std::size_t completion_tokens) {
  return chunk(event(R"("choices":[],)" + usage_object(completion_tokens)));
}
std::string done_event() { return chunk("data: [DONE]\n\n") + "0\r\n\r\n"; }

ContentEvent::ContentEvent()
    : text_(chunk(event(choice(R"({"content":" carrier"})", "null")))),
      stamp_at_(text_.find(kStampKey) + kStampKey.size()) {}

std::string_view ContentEvent::stamped(Time now) {
  // Fixed width: nineteen digits last for three centuries of uptime.
  std::int64_t rest = now.time_since_epoch().count();
  for (std::size_t digit = kStampDigits; digit-- > 0; rest /= 10) {
    text_[stamp_at_ + digit] = static_cast<char>('0' + rest % 10);
  }
  return text_;
}

Time stamp_of(std::string_view event) {
  const std::size_t at = event.find(kStampKey);
  if (at == std::string_view::npos || event.size() < at + kStampKey.size() + kStampDigits) return {};
  const char* first = event.data() + at + kStampKey.size();
  std::int64_t value = 0;
  std::from_chars(first, first + kStampDigits, value);
  return Time(Clock::duration(value));
}

}  // namespace sluice::bench
