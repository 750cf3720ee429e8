#include "server/in_flight.hpp"

namespace sluice::server {

RunningRequest InFlight::describe(TimePoint now) const {
  const observe::Record& record = exchange_.record;
  return {.request_id = record.request_id,
          .model = record.model,
          .route = record.route,
          .key = record.key,
          .provider = record.provider,
          .phase = to_string(record.phase),
          .stream = record.stream,
          .age = now - record.started,
          .first_token = record.until(observe::Stage::kFirstToken),
          .events = record.events,
          .bytes = sink_.body_bytes()};
}

RunningRequests running_requests(const InFlight::List& list, std::size_t most, TimePoint now) {
  RunningRequests all;
  for (const InFlight& one : list) {
    ++all.requests;
    all.streams += one.streams() ? 1 : 0;
    if (all.oldest.size() < most) all.oldest.push_back(one.describe(now));
  }
  return all;
}

}  // namespace sluice::server
