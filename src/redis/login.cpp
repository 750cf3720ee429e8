#include "redis/login.hpp"

#include <string>

#include "redis/words.hpp"

namespace sluice::redis {
namespace {

constexpr std::string_view kName = "sluice";

void add(Login& login, LoginStep step, std::initializer_list<std::string_view> words) {
  std::string text;
  append_command(text, {words.begin(), words.size()});
  login.bytes.append(text);
  login.steps.push_back(step);
}

void add_auth(Login& login, const Settings& settings) {
  std::string head;
  append_head(head, settings.user.empty() ? 2 : 3);
  append_word(head, "AUTH");
  if (!settings.user.empty()) append_word(head, settings.user);
  head += "$" + std::to_string(settings.password.reveal().size()) + "\r\n";
  login.bytes.append(head).append(settings.password).append("\r\n");
  login.steps.push_back(LoginStep::kAuth);
}

std::string who(const Settings& settings) {
  return settings.user.empty() ? "the password" : "user " + one_line(settings.user) + " with its password";
}

}  // namespace

Login login_of(const Settings& settings) {
  Login login;
  if (!settings.password.empty() || !settings.user.empty()) add_auth(login, settings);
  if (settings.database != 0) add(login, LoginStep::kSelect, {"SELECT", std::to_string(settings.database)});
  add(login, LoginStep::kName, {"CLIENT", "SETNAME", kName});
  return login;
}

Login login_of_sentinel() {
  Login login;
  add(login, LoginStep::kName, {"CLIENT", "SETNAME", kName});
  return login;
}

std::optional<Trouble> refusal_of(LoginStep step, const Reply& reply, const Settings& settings) {
  if (!reply.is_error()) return std::nullopt;
  // Not about this step: what a server says before it closes.
  if (reply.text.starts_with("ERR max number of clients")) return Trouble{Failure::kClosed, one_line(reply.text)};
  const auto failure = failure_of(reply);
  switch (step) {
    case LoginStep::kAuth:
      if (failure == Failure::kLoading) return Trouble{*failure, one_line(reply.text)};
      // In our words alone: servers have been known to repeat what they were sent.
      return Trouble{Failure::kAuth,
                     "the server does not accept " + who(settings) + " (" + one_line(reply.error_code()) + ")"};
    case LoginStep::kSelect:
      return Trouble{failure.value_or(Failure::kAuth),
                     "SELECT " + std::to_string(settings.database) + " was refused: " + one_line(reply.text)};
    case LoginStep::kName:
      break;
  }
  // The name is a courtesy to the operator, and may be forbidden; a server that wants a password is another matter.
  if (failure == Failure::kAuth) return Trouble{Failure::kAuth, "the server wants a password: " + one_line(reply.text)};
  if (failure && failure != Failure::kNoPerm) return Trouble{*failure, one_line(reply.text)};
  return std::nullopt;
}

std::optional<Trouble> not_a_master(const Reply& role) {
  if (role.is_error()) {
    if (failure_of(role) == Failure::kNoPerm) return std::nullopt;
    return Trouble{failure_of(role).value_or(Failure::kProtocol), "ROLE: " + one_line(role.text)};
  }
  if (!role.is_array() || role.items.empty() || !role.items[0].is_string())
    return Trouble{Failure::kProtocol, "ROLE was answered with something else"};
  if (role.items[0].text == "master") return std::nullopt;
  return Trouble{Failure::kReadonly, "the server is no master: " + one_line(role.items[0].text)};
}

}  // namespace sluice::redis
