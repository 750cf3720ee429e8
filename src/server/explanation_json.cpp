#include <fmt/format.h>

#include "server/explanation.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice::server {
namespace {

// One object: opened when made, members in the order they are added.
class Object {
 public:
  Object& text(std::string_view name, std::string_view value) {
    append_json_string(key(name), value);
    return *this;
  }
  // A value that is JSON already: a number, true, a list.
  Object& raw(std::string_view name, std::string_view value) {
    key(name) += value;
    return *this;
  }
  Object& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  Object& number(std::string_view name, std::int64_t value) { return raw(name, std::to_string(value)); }
  std::string str() const { return out_ + "}"; }

 private:
  std::string& key(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    return out_ += ':';
  }
  std::string out_ = "{";
};

template <class T, class Write>
std::string list(const std::vector<T>& items, Write&& write) {
  std::string out = "[";
  for (const T& item : items) out += (out.size() > 1 ? "," : "") + write(item);
  return out + "]";
}

std::string quoted(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string json_of(const ExplainedRule& rule) {
  constexpr std::string_view kVerdicts[] = {"chosen", "shadow", "missed"};
  return Object()
      .text("entry", rule.entry)
      .text("verdict", kVerdicts[static_cast<std::size_t>(rule.verdict)])
      .text("why", rule.why)
      .text("use", rule.use)
      .str();
}

std::string json_of(const ExplainedTarget& target) {
  Object out;
  out.text("name", target.name).text("provider", target.provider).text("model", target.model);
  out.number("tier", target.tier).number("weight", target.weight);
  out.raw("input_usd_per_million", target.input_price.empty() ? "null" : target.input_price);
  out.raw("output_usd_per_million", target.output_price.empty() ? "null" : target.output_price);
  out.flag("price_by_default", target.guessed_price);
  return out.raw("left_out", target.left_out.empty() ? "null" : quoted(target.left_out)).str();
}

std::string json_of(const ExplainedModel& model) {
  return Object()
      .text("model", model.name)
      .text("strategy", model.strategy)
      .raw("targets", list(model.targets, [](const auto& target) { return json_of(target); }))
      .str();
}

std::string json_of(const ExplainedLimit& limit) {
  Object out;
  out.text("node", limit.node).text("meter", limit.meter).text("most", limit.most);
  if (limit.money) {
    out.raw("takes_usd", to_decimal(Money::nanodollars(limit.amount)));
  } else {
    out.number("takes", limit.amount);
  }
  return out.text("mode", limit.observed ? "observe" : "enforce").str();
}

std::string or_null(const std::string& text) { return text.empty() ? "null" : quoted(text); }

}  // namespace

std::string json_of(const Explanation& it) {
  const auto models = [](const auto& list_of) { return list(list_of, [](const auto& one) { return json_of(one); }); };
  Object out;
  out.text("endpoint", it.endpoint).text("model", it.model).text("entry", it.entry);
  out.raw("key", or_null(it.key)).raw("user", or_null(it.user));
  out.raw("rules", list(it.rules, [](const auto& rule) { return json_of(rule); }));
  out.raw("splits", list(it.splits, [](const auto& part) { return quoted(part); }));
  out.raw("complexity", or_null(it.complexity)).raw("decision", or_null(it.decision));
  out.raw("answered_by", json_of(it.answers)).raw("fallback", models(it.fallback));
  out.raw("for_context_length", models(it.for_length)).raw("for_content_policy", models(it.for_policy));
  out.raw("mirror", or_null(it.mirror)).raw("answer", or_null(it.answer));
  out.text("cache", it.cache).raw("cache_key", or_null(it.cache_key));
  out.raw("limits", list(it.limits, [](const auto& limit) { return json_of(limit); }));
  out.number("input_tokens", it.input_tokens).number("output_tokens", it.output_tokens);
  out.raw("cost_usd", it.priced ? to_decimal(it.cost) : "null");
  return out.raw("notes", list(it.notes, [](const auto& note) { return quoted(note); })).str() + "\n";
}

}  // namespace sluice::server
