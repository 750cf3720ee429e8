#include "guard/run_request.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "sluice/api/json.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/core/money.hpp"
#include "sluice/core/text.hpp"

namespace sluice::guard {
namespace {

constexpr std::string_view kMaxHeader = "x-sluice-run-max-";
constexpr std::size_t kShownId = 64;

std::unexpected<Error> bad_id(std::string param) {
  std::string message = "Invalid value for '" + param + "': the name of a run is a text of 1 to " +
                        std::to_string(kLongestRunId) + " bytes.";
  return fail_param(ErrorKind::kInvalidValue, std::move(param), std::move(message));
}

Result<std::string> from_metadata(const api::RequestView& view) {
  const json::Member* metadata = view.member("metadata");
  if (metadata == nullptr || !metadata->value.is_object()) return std::string();
  const auto run = json::find(metadata->value, "run_id");
  if (!run || run->is_null()) return std::string();
  std::string id = json::text_of(*run);
  if (!run->is_string() || id.size() > kLongestRunId) return bad_id("metadata.run_id");
  return id;
}

// "x-sluice-run-max-cost-usd"
std::string header_of(Cap cap) {
  std::string name(kMaxHeader);
  name += to_string(cap);
  std::ranges::replace(name, '_', '-');
  return name;
}

// A number of the cap's unit: dollars, seconds, or how many.
std::optional<std::int64_t> read_amount(Cap cap, std::string_view text) {
  if (cap == Cap::kCost || cap == Cap::kDuration) {
    const auto decimal = parse_money(std::string(text) + " USD");
    if (!decimal) return std::nullopt;
    return cap == Cap::kCost ? decimal->nanodollars() : decimal->nanodollars() / 1'000'000;
  }
  std::int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || count < 0) return std::nullopt;
  return count;
}

std::string_view advice_for(Cap cap) {
  switch (cap) {
    case Cap::kTurns:
      return "it has made as many requests as it may";
    case Cap::kCost:
      return "it has spent as many dollars as it may";
    case Cap::kTokens:
      return "it has used as many tokens as it may";
    case Cap::kDuration:
      return "it has lasted as many seconds as it may";
    case Cap::kParallel:
      return "it has as many requests under way as it may";
    case Cap::kSameRequest:
      return "it has made the same request as often as it may";
    case Cap::kSameToolCall:
      return "it has called the same tool with the same arguments more often than it may";
  }
  return {};
}

}  // namespace

Result<std::string> run_id_of(const pipeline::Exchange& exchange, const config::Guard& guard) {
  for (const std::string& name : guard.headers) {
    const auto value = trim(exchange.request.head.get(name));
    if (value.empty()) continue;
    if (value.size() > kLongestRunId) return bad_id(name);
    return std::string(value);
  }
  return guard.metadata && exchange.view ? from_metadata(*exchange.view) : Result<std::string>(std::string());
}

Result<CapAmounts> caps_of(const http::RequestHead& head, const config::GuardRules& rules) {
  CapAmounts most{};
  for (std::size_t i = 0; i < kCaps; ++i) most[i] = rules.caps[i].value_or(kNoCap);
  const bool lowers = std::ranges::any_of(head.fields, [](const http::Field& field) {
    return equals_ignore_case(std::string_view(field.name).substr(0, kMaxHeader.size()), kMaxHeader);
  });
  if (!lowers) return most;
  for (std::size_t i = 0; i < kCaps; ++i) {
    const auto cap = static_cast<Cap>(i);
    const std::string name = header_of(cap);
    const auto value = trim(head.get(name));
    if (value.empty()) continue;
    const auto lowered = read_amount(cap, value);
    if (!lowered) {
      return fail_param(ErrorKind::kInvalidValue, name,
                        "Invalid value for '" + name + "': expected a number that is not negative, such as " +
                            (cap == Cap::kCost ? "0.005." : "2."));
    }
    most[i] = std::min(most[i], *lowered);
  }
  return most;
}

Error stopped(const std::string& run_id, const CapHit& hit) {
  const std::string limit = cap_amount(hit.cap, hit.limit);
  const std::string used = cap_amount(hit.cap, hit.used);
  Error error;
  error.kind = ErrorKind::kRunStopped;
  error.message = "The run '" + truncate_utf8(run_id, kShownId) + "' was stopped: ";
  error.message += advice_for(hit.cap);
  error.message += " (cap " + std::string(to_string(hit.cap)) + ": limit " + limit + ", used " + used + "). ";
  error.message += hit.cap == Cap::kParallel ? "Wait until one of them has ended."
                                             : "Begin a new run, or ask the operator to raise guard for this key.";
  error.detail = "run guard: " + std::string(to_string(hit.cap));
  error.more = ",\"run_guard\":{\"run_id\":";
  append_json_string(error.more, truncate_utf8(run_id, kShownId));
  error.more += ",\"cap\":\"" + std::string(to_string(hit.cap)) + "\",\"limit\":" + limit + ",\"used\":" + used + "}";
  return error;
}

}  // namespace sluice::guard
