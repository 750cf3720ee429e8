#pragma once
// What happened to one request: the sole source of the log line, the metrics and the trace line, written once, when
// the exchange is over. Filled in by the stages on the way.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/clock.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/money.hpp"
#include "sluice/core/run_caps.hpp"
#include "sluice/core/trace_context.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::observe {

// The stages of a request, in order; each ends at a moment, and lasts from the end of the one before that was reached.
// What was not reached stays unset.
enum class Stage : std::uint8_t {
  kAccept,      // the head has come, and can be believed
  kAuth,        // it is known who asks
  kBody,        // has come
  kParse,       // it is understood
  kAdmit,       // limits have been asked
  kQueue,       // it has waited for a slot
  kCache,       // has been asked
  kRoute,       // the first target is chosen
  kRetry,       // targets that did not answer, until the last one was chosen
  kConnect,     // there is a connection
  kTls,         // with an upstream that has shown who it is
  kFirstByte,   // of the answer
  kFirstToken,  // something to read
  kLastToken,
  kRelay,  // the client has all of it
  kTotal,  // it is paid for and put down
};
inline constexpr std::size_t kStages = 16;
inline constexpr std::array<std::string_view, kStages> kStageNames = {
    "accept", "auth",    "body", "parse",      "admit",       "queue",      "cache", "route",
    "retry",  "connect", "tls",  "first_byte", "first_token", "generation", "relay", "settle"};
// Whose time it is.
enum class Share : std::uint8_t { kClient, kGateway, kQueue, kProvider };
inline constexpr std::size_t kShares = 4;
Share share_of(Stage stage);

// How long each stage lasted; 0 for those that were not reached.
struct Spent {
  std::array<nanoseconds, kStages> stages{};
  std::array<nanoseconds, kShares> shares{};
  nanoseconds of(Stage stage) const { return stages[static_cast<std::size_t>(stage)]; }
  nanoseconds of(Share share) const { return shares[static_cast<std::size_t>(share)]; }
};

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
  std::uint64_t span = 0;   // what the upstream was told to be asked in
  TimePoint began{}, ended{};
  TimePoint connected{}, first_byte{};  // absent: it did not come so far, or there was no connection to make
};

// A tool call whose result the request brings: what can be told of it from the traffic alone.
struct ToolUse {
  std::string tool;                     // its name
  std::string call_id;                  // tool_call_id; empty: it is none that fits a record
  std::string asked_by;                 // id of the request whose answer asked for it; empty: it was not seen
  std::string arguments_hash;           // hexadecimal digits
  std::optional<nanoseconds> duration;  // from the end of that answer until the result came
  bool failed = false;                  // the result says so
  std::uint32_t retries = 0;            // the same tool was called with the same arguments so often before
};

// What an app says of an answer.
struct Feedback {
  std::string of;        // id of the request that it is about; empty: trace or run say it
  std::string of_trace;  // id of the trace that it is about
  std::string name;      // what is judged
  std::string value;     // a JSON number
  std::string comment;   // empty: none, or it is not to be kept
};

// What was asked and answered, as far as the trace is to hold it: fit to be written.
struct Content {
  std::string input_hash;                           // 32 hexadecimal digits
  bool has_text = false;                            // input and output are to be told, if only as empty
  std::string input, output;                        // plain text
  bool truncated = false;                           // one of them is not all there was
  std::map<std::string, std::size_t> redactions{};  // how often what was struck out, by kind
};

struct Record {
  std::chrono::system_clock::time_point time;  // when the request's first byte was read
  TimePoint started;
  std::string request_id;
  TraceContext trace{};
  std::string run_id;          // of the agent's run that it belongs to; empty: none
  std::string user;            // the end user, as the app names him; empty: unknown
  std::optional<CapHit> cap;   // of the run, that the request met
  std::vector<ToolUse> tools;  // calls that were asked for before, and whose results it brings
  std::optional<Feedback> feedback;
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
  std::optional<ErrorKind> failure;  // nothing: it went well
  std::string error;                 // code of the kind: a closed set
  std::string detail;                // for operators: our own words, never a piece of what was asked or answered
  Phase phase = Phase::kBody;
  std::string finish_reason;
  Usage usage;
  std::optional<Money> cost;                // by the price table; nothing: no price is known
  std::optional<std::int64_t> most_output;  // tokens that the request allowed
  Money lost_cost;                          // the part of it that went to targets whose answer nobody got
  std::string_view cache{};         // hit, miss, stale, coalesced or bypass: a closed set; empty: it has no part in it
  std::string_view cache_bypass{};  // why
  Usage saved;                      // what an answer that was given again had used,
  Money saved_cost;                 // and cost
  std::string limit;                // what refused it: node and meter of the limit
  std::string observed;             // limits that would have refused it, were they not only observed
  std::array<TimePoint, kStages> stages{};
  std::uint64_t bytes_in = 0;                // body received
  std::uint64_t bytes_out = 0;               // body sent
  std::uint64_t events = 0;                  // of a stream, as sent
  std::shared_ptr<const Content> content{};  // null: the trace is to hold none

  void reached(Stage stage, TimePoint now) { stages[static_cast<std::size_t>(stage)] = now; }
  void reached(Stage stage) { reached(stage, Clock::now()); }
  // A target is asked, the first one or another: what is known of the one before is no part of it.
  void asks(TimePoint now);
  std::optional<nanoseconds> until(Stage stage) const;  // since the request began
  Spent spent() const;
  // It is over: when, and what went wrong if anything did. Never throws; without memory it says less.
  void ended(const Result<void>& result);
};

// A request id that somebody else chose, fit for a record: empty unless it is up to 128 letters, digits and -._:=+/ .
std::string recorded_id(std::string_view id);

inline constexpr std::uint32_t kWhole = 1'000'000;  // shares are in millionths
// JSON objects, each with a line feed: the request, and what else deserves a line of its own. docs/traces.md lists the
// members. `share`: of requests like this one are written. How many lines they are.
std::size_t append_trace_lines(std::string& out, const Record& record, std::uint32_t share = kWhole);
// The value of a Server-Timing field (W3C Server Timing): the stages so far and the shares, in milliseconds.
std::string server_timing(const Record& record);
// One line for people, without any of the client's text but the model.
std::size_t append_log_line(std::string& out, const Record& record);

}  // namespace sluice::observe
