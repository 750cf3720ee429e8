#include <algorithm>

#include "config/interpolate.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

std::string in_file(std::string_view what) { return "a " + std::string(what) + " must not stand in the file"; }

// What is wrong with a secret that was read from the environment; empty: nothing.
std::string fault_of(std::string_view secret) {
  if (secret.ends_with('\n') || secret.ends_with('\r')) return "ends with a line break; remove it";
  const bool control = std::ranges::any_of(secret, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  return control ? "holds a control character" : "";
}

}  // namespace

std::optional<Secret> read_secret(const Value& value, std::string_view what) {
  const bool text = value.node->kind == Node::Kind::kText;
  if (text && value.node->text.empty()) return Secret();
  const auto reference = text ? sole_reference(value.node->text) : std::nullopt;
  if (!reference) {
    value.fail(in_file(what) + "; write ${NAME} and put it into the environment");
    return std::nullopt;
  }
  if (reference->fallback && !reference->fallback->empty()) {
    value.fail(in_file(what) + ", nor as a default; write ${" + reference->name + "}");
    return std::nullopt;
  }
  auto secret = value.scope->environment(reference->name);
  if (!secret && !reference->fallback) {
    value.fail(not_set(reference->name));
  } else if (secret.value_or("").empty() && !reference->fallback) {
    value.fail("environment variable " + reference->name + " is empty");
  } else if (const auto fault = fault_of(secret.value_or("")); !fault.empty()) {
    value.fail("the " + std::string(what) + " in environment variable " + reference->name + " " + fault);
  } else {
    return Secret(std::move(secret).value_or(""));
  }
  return std::nullopt;
}

}  // namespace sluice::config
