#pragma once
// What rules may ask of one request. Nothing is worked out before it is asked for, and then once. Belongs to one
// exchange and its thread; what the sources point to outlives it. Asking allocates nothing and does not throw.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/complexity.hpp"
#include "sluice/api/request_view.hpp"
#include "sluice/config/config.hpp"
#include "sluice/http/head.hpp"

namespace sluice::routing {

inline constexpr std::string_view kMaxLatencyHeader = "x-sluice-max-latency";  // "800ms", "2s"

struct FactSources {
  const api::RequestView& view;
  const http::RequestHead* head = nullptr;
  const config::Key* key = nullptr;    // null: nobody's
  const config::Tags* tags = nullptr;  // of the key and the groups above it; null: none
  std::string_view user{};             // the end user; empty: not known
  std::chrono::sys_seconds now{};
  std::optional<double> budget_left{};  // percent, of the tightest budget on the way; nothing: there is none
};

struct Media {  // content parts of a kind
  std::int64_t images = 0;
  std::int64_t audio = 0;
};

class Facts {
 public:
  explicit Facts(const FactSources& sources) : sources_(sources) {}

  // Facts that are numbers, in the unit of config::Span. Nothing: the request does not have it.
  std::optional<double> number(config::Fact fact) const;
  bool flag(config::Fact fact) const;              // json_schema, stream
  config::WordSet words(config::Fact fact) const;  // code, endpoint, day
  std::string_view text(config::Fact fact) const;  // key, group, user; empty: none
  std::string_view tag(const std::string& name) const;
  unsigned minute() const;  // of the day in UTC

  const Complexity& complexity() const;

 private:
  const TextSignals& signals() const;
  const Media& media() const;
  void count_media(json::Value content) const;
  std::int64_t input_tokens() const;
  std::int64_t turns() const;
  std::int64_t tools() const;
  bool json_schema() const;
  std::optional<double> max_latency() const;

  FactSources sources_;
  mutable std::optional<TextSignals> signals_;
  mutable std::optional<Complexity> complexity_;
  mutable std::optional<Media> media_;
  mutable std::optional<std::int64_t> input_tokens_;
  mutable std::optional<std::int64_t> tools_;
};

}  // namespace sluice::routing
