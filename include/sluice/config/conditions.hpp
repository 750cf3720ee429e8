#pragma once
// What rules and targets ask of a request: `when` of the configuration, checked and compiled. Plain values, which
// routing puts to a request's facts. docs/routing.md lists the facts and how a test of each is written.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

// What may be known of a request. The words of the file: to_string().
enum class Fact : std::uint8_t {
  kComplexity,   // 0 to 1
  kInputTokens,  // estimated
  kTurns,        // messages
  kTools,        // that the request describes
  kImages,
  kAudio,
  kMaxTokens,   // that the request allows for the answer; may be absent
  kMaxLatency,  // milliseconds that it may take to the first token; may be absent
  kBudgetLeft,  // percent; may be absent
  kJsonSchema,
  kStream,
  kCode,      // CodeLanguage
  kEndpoint,  // sluice::Endpoint
  kDay,       // of the week in UTC, Monday being 0
  kKey,
  kGroup,
  kUser,
  kTags,
  kTime  // minute of the day in UTC
};
inline constexpr std::size_t kFacts = 19;
std::string_view to_string(Fact fact);  // "complexity", "input_tokens", …

using FactSet = std::uint32_t;
constexpr FactSet bit_of(Fact fact) { return FactSet{1} << static_cast<unsigned>(fact); }

// The languages that are told apart in a prompt. kOther: code, but in none of them.
enum class CodeLanguage : std::uint8_t {
  kC,
  kCpp,
  kCsharp,
  kCss,
  kGo,
  kHtml,
  kJava,
  kJavascript,
  kKotlin,
  kPhp,
  kPython,
  kRuby,
  kRust,
  kShell,
  kSql,
  kSwift,
  kTypescript,
  kOther
};
inline constexpr std::size_t kCodeLanguages = 18;
std::string_view to_string(CodeLanguage language);  // "c", "cpp", "csharp", …, "other"

// A set of languages, endpoints or days: bit n stands for the one whose number is n.
using WordSet = std::uint32_t;

struct Span {  // of numbers in the fact's unit; an end belongs to it unless it is open
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool open_least = false;
  bool open_most = false;
  bool operator==(const Span&) const = default;
};

struct Hours {        // minutes of the day, from the first up to, but without, the second
  unsigned from = 0;  // later than `to`: past midnight
  unsigned to = 0;
  bool operator==(const Hours&) const = default;
};

// One test of one fact. It holds if any alternative does. A fact that the request does not have meets no test but
// `present == false`.
struct Condition {
  Fact fact = Fact::kComplexity;
  std::string tag{};              // kTags: its name
  std::string test{};             // as written: "<= 0.3", "mon-fri or sun"
  std::optional<bool> present{};  // the fact is there (true), or is not or counts none (false); switches: is so
  std::vector<Span> spans{};
  WordSet words = 0;
  std::vector<std::string> globs{};
  std::vector<Hours> hours{};
  bool operator==(const Condition&) const = default;
};
using Conditions = std::vector<Condition>;  // all must hold; none: always

}  // namespace sluice::config
