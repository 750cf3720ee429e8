#include "server/purge_request.hpp"

#include "sluice/api/json.hpp"

namespace sluice::server {
namespace {

constexpr std::size_t kMost = 1000;  // of one request
constexpr std::size_t kMostBytes = 256;

std::string_view kind_of(const json::Member& member) {
  constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
      {"tag", "tag "},           {"model", "model "}, {"key", "key "}, {"namespace", "scope namespace "},
      {"group", "scope group "}, {"entry", "entry "}};
  for (const auto& [name, kind] : kKinds) {
    if (json::key_is(member, name)) return kind;
  }
  return {};
}

std::unexpected<Error> wrong(const json::Member& member, std::string message) {
  return fail_param(ErrorKind::kInvalidValue, std::string(member.key.substr(0, kMostBytes)), std::move(message));
}

Result<void> add(const json::Member& member, json::Value value, std::vector<std::string>& names) {
  const std::string text = json::text_of(value);
  if (text.empty() || text.size() > kMostBytes)
    return wrong(member, "Give a text of 1 to 256 bytes, or a list of such.");
  names.push_back(std::string(kind_of(member)) + text);
  return {};
}

Result<void> read_member(const json::Member& member, std::vector<std::string>& names) {
  if (json::key_is(member, "all")) {
    if (!member.value.is_true()) return wrong(member, "Write \"all\": true to purge everything.");
    names.emplace_back("all");
    return {};
  }
  if (kind_of(member).empty()) return wrong(member, "Use all, tag, model, key, namespace, group or entry.");
  if (!member.value.is_array()) return add(member, member.value, names);
  for (const json::Value item : json::Elements(member.value)) {
    if (auto good = add(member, item, names); !good) return good;
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> read_purge(std::string_view body) {
  const auto value = json::check(body);
  if (!value) return fail(ErrorKind::kInvalidJson, "The body is no JSON: " + std::string(value.error().what) + ".");
  std::vector<std::string> names;
  for (const json::Member& member : json::Members(*value)) {
    if (auto good = read_member(member, names); !good) return std::unexpected(std::move(good.error()));
  }
  if (names.empty()) {
    return fail_param(ErrorKind::kMissingField, "all",
                      "Say what to purge: {\"all\": true}, or one of tag, model, key, namespace, group and entry.");
  }
  if (names.size() > kMost)
    return fail_param(ErrorKind::kInvalidValue, "tag", "Purge at most 1000 things at once, or all.");
  return names;
}

}  // namespace sluice::server
