#include <array>
#include <utility>

#include "api/request_rules.hpp"
#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::size_t kMaxMessages = 100'000;
constexpr std::size_t kMaxShown = 64;
constexpr std::array<std::string_view, 6> kRoles = {"developer", "system", "user", "assistant", "tool", "function"};

std::string path(std::size_t index, std::string_view member) {
  return "messages[" + std::to_string(index) + "]" + std::string(member);
}

bool is_content(Value value) { return value.is_string() || value.is_array() || value.is_null(); }

std::string_view known_role(Value value) {
  if (!value.is_string()) return {};
  // Hardly anybody escapes a role: the text between the quotes is it.
  std::string_view role = value.raw.substr(1, value.raw.size() - 2);
  std::string unescaped;
  if (role.find('\\') != std::string_view::npos) role = unescaped = json::text_of(value);
  for (std::string_view known : kRoles) {
    if (known == role) return known;
  }
  return {};
}

}  // namespace

std::string at_byte(std::string_view part, std::string_view body) {
  return " at byte " + std::to_string(part.data() - body.data());
}

std::unexpected<Error> invalid_value(std::string_view param, std::string_view wanted, Value value,
                                     std::string_view body) {
  std::string message = "Invalid value for '" + std::string(param) + "': it must be ";
  message += wanted;
  message += ", not ";
  message += truncate_utf8(value.raw, kMaxShown);
  message += at_byte(value.raw, body) + ".";
  return fail_param(ErrorKind::kInvalidValue, std::string(param), std::move(message));
}

std::unexpected<Error> missing_field(std::string_view param, Value object, std::string_view body) {
  return fail_param(
      ErrorKind::kMissingField, std::string(param),
      "Missing required parameter: '" + std::string(param) + "' in the object" + at_byte(object.raw, body) + ".");
}

Result<void> RequestWatch::examine(const Message& message, Value element, std::size_t index) const {
  const auto invalid = [&](std::string_view member, std::string_view wanted, Value value) {
    return invalid_value(path(index, member), wanted, value, body_);
  };
  if (!element.is_object()) return invalid("", "an object", element);
  if (!message.role) return missing_field(path(index, ".role"), element, body_);
  const std::string_view role = known_role(*message.role);
  if (role.empty()) {
    return invalid(".role", "one of developer, system, user, assistant, tool and function", *message.role);
  }
  if (message.content && !is_content(*message.content)) {
    return invalid(".content", "a string, an array or null", *message.content);
  }
  if (role != "tool") return {};
  if (!message.tool_call_id) return missing_field(path(index, ".tool_call_id"), element, body_);
  if (!message.tool_call_id->is_string() || message.tool_call_id->raw == "\"\"") {
    return invalid(".tool_call_id", "a string that is not empty", *message.tool_call_id);
  }
  return {};
}

void RequestWatch::member(const json::Member& member) {
  if (json::key_is(member, "role")) {
    message_.role = member.value;
  } else if (json::key_is(member, "content")) {
    message_.content = member.value;
    has_parts_ = has_parts_ || member.value.is_array();
  } else if (json::key_is(member, "tool_call_id")) {
    message_.tool_call_id = member.value;
    has_tool_results_ = true;
  }
}

void RequestWatch::element(Value element) {
  const Message message = std::exchange(message_, {});
  const std::size_t index = count_++;
  if (message.content && message.role && message.role->raw == "\"user\"") {
    last_user_ = *message.content;
    if (first_user_.raw.empty()) first_user_ = last_user_;
  }
  if (!messages_) return;
  if (index < kMaxMessages) {
    messages_ = examine(message, element, index);
  } else {
    messages_ =
        fail_param(ErrorKind::kInvalidValue, "messages",
                   "Invalid value for 'messages': more than 100000 of them" + at_byte(element.raw, body_) + ".");
  }
}

void RequestWatch::name(std::span<const json::Step> path) {
  if (!destinations_) return;
  destinations_ = check_member(path);
  if (destinations_ || path.back().escaped) return;  // an escaped name is not read where it lies
  destinations_.error().message += " It stands" + at_byte({path.back().name.data() - 1, 1}, body_) + ".";
}

}  // namespace sluice::api
