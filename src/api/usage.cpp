#include "api/usage.hpp"

#include "sluice/api/answer.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::int64_t kMost = std::int64_t{1} << 53;

// Adds up what is worth knowing about one `usage` object.
class Reader {
 public:
  void member(const json::Member& member);
  Usage result();

 private:
  // False if there is nothing to read: the value is null, or no number.
  bool count(Value value, std::int64_t& into);
  void input_details(Value details);
  void output_details(Value details);

  Usage usage_;
  std::int64_t total_ = 0;
  bool has_input_ = false;
};

bool Reader::count(Value value, std::int64_t& into) {
  if (value.is_null()) return false;
  const std::optional<double> number = json::number_of(value);
  if (!number) {
    usage_.anomalous = true;
    return false;
  }
  usage_.source = UsageSource::kReported;
  const std::optional<std::int64_t> exact = json::integer_of(value);
  if (exact && *exact >= 0 && *exact <= kMost) {
    into = *exact;
    return true;
  }
  usage_.anomalous = true;
  into = *number <= 0 ? 0 : *number >= static_cast<double>(kMost) ? kMost : static_cast<std::int64_t>(*number);
  return true;
}

void Reader::input_details(Value details) {
  for (const json::Member& member : json::Members(details)) {
    if (json::key_is(member, "cached_tokens")) count(member.value, usage_.cached);
    if (json::key_is(member, "cache_write_tokens")) count(member.value, usage_.cache_write);
  }
}

void Reader::output_details(Value details) {
  for (const json::Member& member : json::Members(details)) {
    if (json::key_is(member, "reasoning_tokens")) count(member.value, usage_.reasoning);
  }
}

void Reader::member(const json::Member& member) {
  const auto is = [&member](std::string_view name) { return json::key_is(member, name); };
  if (is("prompt_tokens") || is("input_tokens")) {
    has_input_ = count(member.value, usage_.input) || has_input_;
  } else if (is("completion_tokens") || is("output_tokens")) {
    count(member.value, usage_.output);
  } else if (is("total_tokens")) {
    count(member.value, total_);
  } else if (is("prompt_tokens_details") || is("input_tokens_details")) {
    input_details(member.value);
  } else if (is("completion_tokens_details") || is("output_tokens_details")) {
    output_details(member.value);
  } else if (is("prompt_cache_hit_tokens")) {
    if (usage_.cached == 0) count(member.value, usage_.cached);  // DeepSeek
  }
}

Usage Reader::result() {
  // Some embedding services report a total and nothing else.
  if (!has_input_ && total_ > usage_.output) usage_.input = total_ - usage_.output;
  return usage_;
}

}  // namespace

Usage read_usage(Value usage) {
  Reader reader;
  for (const json::Member& member : json::Members(usage)) reader.member(member);
  return reader.result();
}

void merge_usage(Usage& into, Value usage) {
  if (!usage.is_object()) return;
  const Usage read = read_usage(usage);
  const bool zero = read.input == 0 && read.output == 0;
  const bool known = into.input != 0 || into.output != 0;
  if (zero && known) return;
  into = read;
}

}  // namespace sluice::api
