#pragma once
// A gateway that caches: two keys, prices, and requests that are deterministic.

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {

class CacheTest : public GatewayTest {
 protected:
  static constexpr const char* kZero = R"("temperature":0)";
  const ClientKey app_ = client_key(1);
  const ClientKey other_ = client_key(2);

  // `cache`: the inside of the section; one token in costs one dollar per million, one out two.
  Scenario scenario(const std::string& cache = "", const std::string& app = "", unsigned workers = 1) const {
    return {.workers = workers,
            .models = "m: up/upstream-model, n: up/upstream-model",
            .more = "cache: {" + cache +
                    "}\nprices: {rows: [{model: \"*\", input: 1 USD, output: 2 USD}]}\n"
                    "state: {path: \"{DIR}/sluice.db\"}\nkeys: [" +
                    app_.row("app-1", "group: acme/search, " + (app.empty() ? "tags: {}" : app)) + ", " +
                    other_.row("app-2", "group: acme/chat") + "]\n"};
  }
  Response ask_as(const ClientKey& key, const std::string& body, const std::string& fields = "") {
    return ask(body, key.bearer() + fields);
  }
  // A deterministic question of app-1.
  Response question(const std::string& more = "", const std::string& fields = "") {
    return ask_as(app_, chat_body("m", std::string(kZero) + (more.empty() ? "" : "," + more)), fields);
  }
  Response streamed(const std::string& more = "", const std::string& fields = "") {
    return ask_as(app_, stream_body("m", std::string(kZero) + (more.empty() ? "" : "," + more)), fields);
  }
  // A connection of app-1's, with that request on its way.
  RawClient sent(const std::string& body, const std::string& fields = "") {
    RawClient raw = client();
    raw.send(post_request(kChat, body, app_.bearer() + fields));
    return raw;
  }
  // Until an event of its stream holds the text; false: none does, or it is silent for so long.
  static bool hears(RawClient& raw, std::string_view text, milliseconds patience) {
    if (raw.response().status == 0 && !raw.read_head()) return false;
    while (const auto event = raw.next_event(patience)) {
      if (event->text.find(text) != std::string::npos) return true;
    }
    return false;
  }
  bool all_in_flight(double count) {
    return eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == count; });
  }
  // From the next request on.
  Behaviour& now_on(const std::string& path) {
    upstream_.forget_script();
    return upstream_.on(path);
  }
  Response purge(const std::string& body) {
    RawClient raw(gateway().admin_port(), {});
    raw.send(post_request("/admin/cache/purge", body));
    return raw.read_response();
  }
  std::size_t asked() { return upstream_.requests().size(); }
  static std::string result(const Response& response) {
    const std::string text = response.header("x-sluice-cache");
    return text.substr(0, text.find(';'));
  }
};

}  // namespace sluice::integration
