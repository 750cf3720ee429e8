// How a provider is told who we are: api_keys, auth and headers. No message in this file holds a value.

#include <algorithm>
#include <cctype>

#include "config/header_rules.hpp"
#include "config/interpolate.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out + (names.size() == 1 ? " is empty" : " are empty");
}

class KeyList {
 public:
  void add(const Value& item) {
    auto reference = checked_reference(item);
    if (!reference) return;
    auto key = item.scope->environment(reference->name);
    if (!key && !reference->fallback) {
      item.fail("environment variable " + reference->name + " is not set; set it, or write ${" + reference->name +
                ":-} to switch the provider off without it");
    } else if (!key || key->empty()) {
      empty_.push_back(reference->name);
    } else if (auto error = credential_error(*key)) {
      item.fail("the key in environment variable " + reference->name + " " + *error);
    } else {
      keys_.emplace_back(std::move(*key));
    }
  }

  void store(Provider& provider, Report& report) {
    provider.api_keys = std::move(keys_);
    if (empty_.empty()) return;
    provider.on = !provider.api_keys.empty();
    if (!provider.on) provider.off_reason = listed(empty_);
    report.note("provider " + provider.name + (provider.on ? " does without a key: " : " is off: ") + listed(empty_));
  }

 private:
  std::optional<Reference> checked_reference(const Value& item) {
    auto reference = item.node->kind == Node::Kind::kText ? sole_reference(item.node->text) : std::nullopt;
    if (!reference) {
      item.fail("a key must not stand in the file; write ${NAME} and put the key into the environment");
    } else if (reference->fallback && !reference->fallback->empty()) {
      item.fail("a key must not stand in the file, nor as a default; write ${" + reference->name + ":-}");
      return std::nullopt;
    } else if (std::ranges::find(names_, reference->name) != names_.end()) {
      item.fail("environment variable " + reference->name + " is listed twice");
      return std::nullopt;
    } else {
      names_.push_back(reference->name);
    }
    return reference;
  }

  std::vector<std::string> names_;
  std::vector<std::string> empty_;
  std::vector<Secret> keys_;
};

std::optional<std::string> read_scheme(const Value& value) {
  auto text = read_text(value);
  if (!text || text->empty() || is_token(*text)) return text;
  value.fail("not an authentication scheme; expected one word such as Bearer, or \"\" for the bare key");
  return std::nullopt;
}

bool check_header_name(const Named& header, const std::string& name, const Provider& provider) {
  auto same = [&](const auto& other) { return other.first == name; };
  auto error = header_name_error(name);
  if (!error && std::ranges::any_of(provider.headers, same)) error = "this header is already in the list";
  if (error) header.value.fail_key(*error);
  return !error;
}

}  // namespace

std::optional<std::string> read_header_name(const Value& value) {
  auto text = read_text(value);
  if (!text) return std::nullopt;
  std::string name = lower(*text);
  auto error = header_name_error(name);
  if (!error) return name;
  value.fail(*error);
  return std::nullopt;
}

void read_api_keys(const Value& list, Provider& provider) {
  KeyList keys;
  for (const Value& item : read_items(list)) keys.add(item);
  keys.store(provider, list.scope->report);
}

void read_auth(const Value& section, Provider& provider) {
  MapReader map(section);
  map.read("header", provider.auth_header, read_header_name);
  map.read("scheme", provider.auth_scheme, read_scheme);
}

void read_headers(const Value& section, Provider& provider) {
  for (const Named& header : read_entries(section)) {
    std::string name = lower(header.name);
    bool good_name = check_header_name(header, name, provider);
    auto value = read_text(header.value);
    if (!value) continue;
    auto error = header_value_error(*value);
    if (error) header.value.fail(*error);
    bool wanted = !value->empty();  // an empty value, e.g. of ${NAME:-}, leaves the header out
    if (good_name && !error && wanted) provider.headers.emplace_back(name, Secret(std::move(*value)));
  }
}

}  // namespace sluice::config
