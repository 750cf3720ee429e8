#pragma once
// What `sluice explain` has found out about one request. Plain values; the two spellings of it are pure.

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/core/error.hpp"
#include "sluice/core/money.hpp"

namespace sluice::server {

struct ExplainedRule {
  enum class Verdict : std::uint8_t { kChosen, kShadow, kMissed };  // kShadow: would have been chosen
  std::string entry;                                                // of `models`, whose rule it is
  Verdict verdict = Verdict::kMissed;
  std::string why;
  std::string use;
};

struct ExplainedTarget {
  std::string name;
  std::string provider;
  std::string model;
  std::uint32_t tier = 0;
  std::uint32_t weight = 1;
  std::string input_price;     // USD per million tokens; empty: it charges nothing
  std::string output_price;    // the same
  bool guessed_price = false;  // no row of the table holds: prices.default
  std::string left_out;        // why it is not asked; empty: it is
};

struct ExplainedLimit {
  std::string node;
  std::string meter;
  std::string most;         // in words: "600 requests per minute"
  std::int64_t amount = 0;  // taken for this request; of money, nano-dollars
  bool money = false;
  bool observed = false;
};

struct ExplainedModel {
  std::string name;
  std::string strategy;
  std::vector<ExplainedTarget> targets;  // as they are tried, then those left out
};

struct Explanation {
  std::string endpoint;
  std::string model;                 // as asked for
  std::string entry;                 // of `models` that matched
  std::string key;                   // empty: nobody's
  std::string user;                  // empty: not known
  std::vector<ExplainedRule> rules;  // up to the one that was chosen, entry by entry
  std::vector<std::string>
      splits;              // of the entry the rules led to, each part of its traffic; the decision says which it is
  std::string complexity;  // by feature; empty: no rule asked for it
  std::string decision;    // the model and why, with splits; empty: there was no choice
  ExplainedModel answers;
  std::vector<ExplainedModel> fallback, for_length, for_policy;
  std::string mirror;  // empty: none
  std::string answer;  // said when all have failed; empty: the error is
  std::vector<ExplainedLimit> limits;
  std::string cache = "off";  // whether its answer would be kept, for how long and for whom; or why not
  std::string cache_key;      // empty: none, or it differs from process to process
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  bool priced = false;
  Money cost;  // the most it may come to
  std::vector<std::string> notes;
};

std::string text_of(const Explanation& explanation);
std::string json_of(const Explanation& explanation);
// As the gateway would refuse it.
std::string text_of(const Error& error);

}  // namespace sluice::server
