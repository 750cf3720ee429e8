#pragma once
// One request and everything that happens to it, alive in the connection's frame until the last byte is out.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sluice/api/request_view.hpp"
#include "sluice/config/config.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/ip.hpp"
#include "sluice/core/usage.hpp"
#include "sluice/http/client.hpp"
#include "sluice/http/request.hpp"
#include "sluice/http/sink.hpp"
#include "sluice/observe/record.hpp"

namespace sluice::api {
class ToolCallReader;
}
namespace sluice::routing {
class Plan;
}

namespace sluice::pipeline {

// Where a request may be sent, as far as limits and prices go.
struct Place {
  std::string provider;
  std::string model;  // upstream name; empty: as the client named it
};

// The exchange's part in the books, for whoever asks upstreams. Ends with Admit's frame.
class Account {
 public:
  virtual ~Account() = default;
  // Another provider's limits and another price hold from now on. Errors: as of an admission, but nothing waits.
  virtual Task<Result<void>> move_to(const Place& place) = 0;
  // What was used so far costs so much there where it is asked now.
  virtual Money cost_of(const Usage& usage) const = 0;
  // Nobody gets the answer from there, and this was used for it.
  virtual void lost(const Place& place, const Usage& usage) = 0;
};

// Who answers, once aliases, rules and splits have been followed: two requests that mean the same and have the same
// resolution may get the same answer.
struct Resolution {
  std::string_view model;      // the entry of `models`, or the name that it passes on
  std::uint64_t revision = 0;  // changes with what the configuration says about it; the same in every process
  const config::Model* entry = nullptr;
};

class Middleware;
using Pipeline = std::vector<std::unique_ptr<Middleware>>;

struct Exchange {
  const http::Request& request;
  http::ResponseSink* sink;  // never null; started() is the commit point. A stage may put one of its own before it
  http::Client& upstreams;   // of this worker
  observe::Record& record;
  IpAddress source{};                // of the client's connection
  const config::Key* key = nullptr;  // who asks: known before the body is read; null: no keys are configured
  routing::Plan* plan = nullptr;     // where to, and where else: Resolve's
  std::span<const Place> places{};   // all that the plan may come to, whom it asks first in front
  const Place* shadow = nullptr;     // where a rule that is only told would have sent it
  Account* account = nullptr;        // Admit's
  const api::ToolCallReader* tool_calls = nullptr;  // that the answer asks for; null: it cannot ask for any
  Resolution resolved{};                            // Resolve's
  bool reckons_cost = false;                        // somebody minds what it costs, prices or not
  bool substituted = false;       // by Dispatch: a fallback answers, or the configuration, and not what was resolved
  bool has_stale_answer = false;  // there is an older answer, which is better than the configuration's last words
  Endpoint endpoint = Endpoint::kNone;
  std::string_view end_user{};  // known otherwise than from the request; empty: what that says counts
  std::string model_id{};       // GET /v1/models/{id}: percent-decoded
  Dialect dialect = Dialect::kOpenai;
  std::optional<api::RequestView> view{};  // written once, by ParseRequest
  // Fields of the upstream's answer that go along with ours, whether it is a success or an error.
  std::vector<std::pair<std::string_view, std::string>> passed_on{};
  std::size_t held_bytes = 0;  // of the answer, waiting to be passed on
  std::size_t kept_bytes = 0;  // of the answer, for the trace
  // Keeps the configuration that it goes by; for whoever asks the same again, later. Null: nobody can.
  std::shared_ptr<const Pipeline> stages{};
  bool refreshing = false;  // asks for the cache, and for nobody
  // Takes the record of a copy of this exchange, which may end after it. Null: nobody keeps records.
  std::function<void(const observe::Record&)> record_copy{};
  // Asked while a stream is relayed, with the tokens it has carried so far; an error ends it. Null: nobody minds.
  std::function<Result<void>(std::int64_t output_tokens)> may_go_on{};
  // How a failure is told to a client whose stream has begun; set by whoever began it.
  std::function<std::string(const Error&)> failure_event{};
};

}  // namespace sluice::pipeline
