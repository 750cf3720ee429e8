#pragma once
// What happened to one request: the sole source of the log line, the metrics and the trace line, written once, when
// the exchange is over. Filled in by the stages on the way.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/clock.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/money.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::observe {

// The moments of a request, in order. What was not reached stays unset.
enum class Stage : std::uint8_t { kParse, kAdmit, kRoute, kConnect, kFirstByte, kFirstToken, kLastToken, kTotal };
inline constexpr std::size_t kStages = 8;

// Where an exchange stood; on the record it says where an abort hit.
enum class Phase : std::uint8_t { kBody, kQueue, kConnect, kFirstByte, kFirstToken, kStream, kAnswer };
std::string_view to_string(Phase phase);

// One try of one target.
struct Attempt {
  std::string provider;
  std::string target;       // a label
  std::string_view result;  // "ok" or the error's code: a closed set
  bool reused = false;      // the connection had served before
  bool hedge = false;       // beside another one
};

struct Record {
  std::chrono::system_clock::time_point time;  // when the request's first byte was read
  TimePoint started;
  std::string request_id;
  std::string client_request_id;  // x-client-request-id
  std::string upstream_request_id;
  std::string mirror_of;   // a copy of the request with that id, whose answer nobody saw; empty: it is none
  std::string refresh_of;  // asks anew, for the cache, what the request with that id asked; empty: it is none
  std::string key;         // name of the client's key: a label
  std::string group;       // its owner: a label
  const std::map<std::string, std::string>* tags = nullptr;  // of the configuration in force; null: none
  Endpoint endpoint = Endpoint::kNone;
  bool stream = false;
  std::string model;            // as asked for, truncated; never a label
  std::string route = "other";  // the models entry that matched: a label
  std::string provider;         // a label; empty until routed
  std::string upstream_model;
  std::string decision;                 // the model that rules or splits chose, and why; empty: there was no choice
  std::string shadow;                   // what a rule that is only told would have chosen, and why
  std::optional<Money> estimated_cost;  // of a decision: the most it may cost
  std::optional<Money> shadow_saves;    // what the shadow's choice may cost less than that; negative: more
  std::vector<Attempt> attempts;
  TimePoint committed{};  // when the answer began to go to the client
  int status = 0;         // sent to the client; 0 if nothing was
  Outcome outcome = Outcome::kOk;
  std::string error;   // code of the kind: a closed set
  std::string detail;  // for operators: our own words, never a piece of what was asked or answered
  Phase phase = Phase::kBody;
  std::string finish_reason;
  Usage usage;
  std::optional<Money> cost;        // by the price table; nothing: no price is known
  Money lost_cost;                  // the part of it that went to targets whose answer nobody got
  std::string_view cache{};         // hit, miss, stale, coalesced or bypass: a closed set; empty: it has no part in it
  std::string_view cache_bypass{};  // why
  Usage saved;                      // what an answer that was given again had used,
  Money saved_cost;                 // and cost
  std::string limit;                // what refused it: node and meter of the limit
  std::string observed;             // limits that would have refused it, were they not only observed
  std::array<TimePoint, kStages> stages{};
  std::uint64_t bytes_in = 0;   // body received
  std::uint64_t bytes_out = 0;  // body sent
  std::uint64_t events = 0;     // of a stream, as sent

  void reached(Stage stage, TimePoint now) { stages[static_cast<std::size_t>(stage)] = now; }
  void reached(Stage stage) { reached(stage, Clock::now()); }
  std::optional<nanoseconds> until(Stage stage) const;  // since the request began
  // It is over: when, and what went wrong if anything did. Never throws; without memory it says less.
  void ended(const Result<void>& result);
};

// A request id that somebody else chose, fit for a record: empty unless it is up to 128 letters, digits and -._:=+/ .
std::string recorded_id(std::string_view id);

// One JSON object and a line feed; docs/traces.md lists the members.
void append_trace_line(std::string& out, const Record& record);
// One line for people, without any of the client's text but the model.
void append_log_line(std::string& out, const Record& record);

}  // namespace sluice::observe
