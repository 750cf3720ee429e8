#include <fmt/format.h>

#include "server/explanation.hpp"

namespace sluice::server {
namespace {

using Verdict = ExplainedRule::Verdict;

std::string amount_of(const ExplainedLimit& limit) {
  return limit.money ? to_string(Money::nanodollars(limit.amount)) : std::to_string(limit.amount);
}

std::string_view word_of(Verdict verdict) {
  return verdict == Verdict::kChosen ? "chosen" : verdict == Verdict::kShadow ? "shadow" : "no";
}

void add_rules(std::string& out, const Explanation& it) {
  if (it.rules.empty()) return;
  out += "\nRules\n";
  for (const ExplainedRule& rule : it.rules) {
    const std::string_view would = rule.verdict == Verdict::kShadow ? "would use" : "use";
    out += fmt::format("  {:<7} {}, {}", word_of(rule.verdict), rule.entry, rule.why);
    if (rule.verdict != Verdict::kMissed) out += fmt::format(" -> {} {}", would, rule.use);
    out += '\n';
  }
  if (!it.complexity.empty()) out += fmt::format("  complexity {}\n", it.complexity);
}

void add_target(std::string& out, const ExplainedTarget& target, std::size_t place) {
  out += target.left_out.empty() ? fmt::format("  {}. ", place) : "  -  ";
  out += target.name;
  if (target.name != target.provider + "/" + target.model)
    out += fmt::format(" ({}/{})", target.provider, target.model);
  out += fmt::format(": tier {}, weight {}", target.tier, target.weight);
  if (!target.input_price.empty()) {
    out += fmt::format(", {} USD in and {} out per million tokens", target.input_price, target.output_price);
  }
  if (target.guessed_price) out += " (no price of its own: prices.default)";
  if (!target.left_out.empty()) out += ", left out: " + target.left_out;
  out += '\n';
}

void add_model(std::string& out, std::string_view title, const ExplainedModel& model) {
  out += fmt::format("\n{} {}, strategy {}\n", title, model.name, model.strategy);
  std::size_t place = 0;
  for (const ExplainedTarget& target : model.targets) add_target(out, target, ++place);
}

void add_limits(std::string& out, const Explanation& it) {
  out += "\nLimits\n";
  if (it.limits.empty()) out += "  none\n";
  for (const ExplainedLimit& limit : it.limits) {
    out += fmt::format("  {}: at most {}, of which this takes {}{}\n", limit.node, limit.most, amount_of(limit),
                       limit.observed ? " (observed only)" : "");
  }
  out += fmt::format("\nReserved: {} tokens in (estimated), {} out (at most)", it.input_tokens, it.output_tokens);
  out += it.priced ? fmt::format(", {} in the worst case\n", to_string(it.cost)) : "; no prices are configured\n";
}

}  // namespace

std::string text_of(const Explanation& it) {
  std::string out = fmt::format("{} for {}, matched by the entry {}\n", it.endpoint, it.model, it.entry);
  out += fmt::format("Asked by {}{}\n", it.key.empty() ? "nobody in particular" : "key " + it.key,
                     it.user.empty() ? "" : " for user " + it.user);
  add_rules(out, it);
  if (!it.splits.empty()) out += "\nSplits\n";
  for (const std::string& part : it.splits) out += "  " + part + "\n";
  if (!it.decision.empty()) out += fmt::format("\nDecision: {}\n", it.decision);
  add_model(out, "Answered by", it.answers);
  for (const auto& model : it.fallback) add_model(out, "If that fails:", model);
  for (const auto& model : it.for_length) add_model(out, "If the prompt is too long:", model);
  for (const auto& model : it.for_policy) add_model(out, "If it is refused for what it says:", model);
  if (!it.answer.empty()) out += fmt::format("\nIf all fail, the answer is: {}\n", it.answer);
  if (!it.mirror.empty()) out += fmt::format("\nMirrored: {}\n", it.mirror);
  out += fmt::format("\nCache: {}\n", it.cache);
  if (!it.cache_key.empty()) out += fmt::format("  under {}\n", it.cache_key);
  add_limits(out, it);
  for (const std::string& note : it.notes) out += "Note: " + note + "\n";
  return out;
}

std::string text_of(const Error& error) {
  std::string out = fmt::format("The gateway would answer {} ({})", error.http_status(), error.error_code());
  if (!error.param.empty()) out += ", param " + error.param;
  return out + ": " + error.message + "\n";
}

}  // namespace sluice::server
