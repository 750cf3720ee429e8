#pragma once
// A request made of text, and the facts that are found in it.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "routing/facts.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice::routing::testing {

inline std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
// A chat of one message.
inline std::string chat(std::string_view prompt, const std::string& more = "") {
  return R"({"model":"m","messages":[{"role":"user","content":)" + quoted(prompt) + "}]" + more + "}";
}

inline std::chrono::sys_seconds at(int hour, int minute, int day = 25) {  // the 25th of November 2026 is a Wednesday
  return std::chrono::sys_days(std::chrono::year(2026) / 11 / day) + std::chrono::hours(hour) +
         std::chrono::minutes(minute);
}

class Asked {
 public:
  explicit Asked(std::string text, Endpoint endpoint = Endpoint::kChat) : body_(std::move(text)) {
    auto parsed = api::parse_request(endpoint, body_);
    EXPECT_TRUE(parsed.has_value()) << body_.substr(0, 200) << ": " << parsed.error().message;
    if (parsed) view = std::move(*parsed);
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  void header(std::string_view name, std::string_view value) { head.fields.push_back({name, value}); }
  Facts facts() const {
    return Facts({.view = view,
                  .head = &head,
                  .key = key,
                  .tags = tags.empty() ? nullptr : &tags,
                  .user = user,
                  .now = now,
                  .budget_left = budget_left});
  }
  std::optional<double> number(config::Fact fact) const { return facts().number(fact); }

  api::RequestView view;
  http::RequestHead head;
  const config::Key* key = nullptr;
  config::Tags tags;
  std::string user;
  std::chrono::sys_seconds now = at(12, 0);
  std::optional<double> budget_left;

 private:
  std::string body_;
};

}  // namespace sluice::routing::testing
