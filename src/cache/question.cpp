#include "cache/question.hpp"

#include "sluice/api/passed_on.hpp"

namespace sluice::cache {
namespace {

using config::CacheScope;

// Without keys only this machine is served, and all of it is one tenant. A key of no group shares with nobody.
Scope scope_of(const config::CacheRules& rules, const config::Key* key) {
  if (rules.scope == CacheScope::kNamespace) return Scope::of_namespace(rules.name_space);
  if (key == nullptr) return Scope::of_machine();
  if (rules.scope == CacheScope::kKey || key->group.empty()) return Scope::of_key(key->name, key->hash.id);
  if (rules.scope == CacheScope::kTeam) return Scope::of_group(key->group);
  return Scope::of_group(key->group.substr(0, key->group.find('/')));
}

// What goes to the upstream beside the body and may change the answer.
std::string told(const http::RequestHead& head) {
  std::string text(head.query);
  for (const http::Field& field : head.fields) {
    if (api::shapes_answer(field.name) && !head.nominates(field.name)) (text += '\n') += field.value;
  }
  return text;
}

}  // namespace

Result<Question> question_of(const pipeline::Exchange& exchange, const config::Cache& settings, const KeyMaker& keys) {
  const config::Model* model = exchange.resolved.entry;
  Question made;
  made.rules = rules_for(settings, model != nullptr ? &model->cache : nullptr, exchange.key);
  made.off = made.rules.policy == config::CachePolicy::kOff;
  if (made.off) return made;
  if (*made.rules.request_control) {
    auto control = read_control(exchange.request.head);
    if (!control) return std::unexpected(std::move(control.error()));
    made.control = std::move(*control);
  }
  if (exchange.refreshing) made.control.no_cache = true;
  made.bypass = judge(*exchange.view, made.rules, made.control);
  if (made.bypass != Bypass::kNone) return made;
  const Scope scope = scope_of(made.rules, exchange.key);
  made.scope = scope.name();
  const std::string told = cache::told(exchange.request.head);
  const Answerer answerer{.model = exchange.resolved.model, .revision = exchange.resolved.revision, .told = told};
  made.key = keys.make(scope, exchange.endpoint, answerer, *exchange.view);
  return made;
}

}  // namespace sluice::cache
