#pragma once
// The exchanges under way on one thread, so that operators can be told of them.

#include <boost/intrusive/list.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/client_sink.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::server {

// What is shown of a request that is being served: nothing of what it says.
struct RunningRequest {
  std::string request_id;
  std::string model;  // as asked for: the client's text
  std::string route, key, provider;
  std::string_view phase;
  bool stream = false;
  nanoseconds age{0};
  std::optional<nanoseconds> first_token;
  std::uint64_t events = 0;  // of a stream, sent so far
  std::uint64_t bytes = 0;   // of the answer's body, sent so far
};
struct RunningRequests {
  std::size_t requests = 0;
  std::size_t streams = 0;
  std::vector<RunningRequest> oldest;  // first
};

// Announces an exchange for as long as it runs; on the thread of the list.
class InFlight : public boost::intrusive::list_base_hook<> {
 public:
  using List = boost::intrusive::list<InFlight>;  // in the order they began

  InFlight(List& list, const pipeline::Exchange& exchange, const ClientSink& sink)
      : list_(list), exchange_(exchange), sink_(sink) {
    list_.push_back(*this);
  }
  ~InFlight() { list_.erase(list_.iterator_to(*this)); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  bool streams() const { return exchange_.record.stream; }
  RunningRequest describe(TimePoint now) const;

 private:
  List& list_;
  const pipeline::Exchange& exchange_;
  const ClientSink& sink_;
};

// All are counted, and at most so many described.
RunningRequests running_requests(const InFlight::List& list, std::size_t most, TimePoint now);

}  // namespace sluice::server
