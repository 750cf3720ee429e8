#pragma once
// The body of one request, read as its head framed it, within the limits and fast enough.

#include <functional>
#include <string>

#include "server/client_io.hpp"
#include "sluice/config/config.hpp"
#include "sluice/http/head.hpp"

namespace sluice::server {

// Whether a body comes fast enough: all of it within `body_timeout`, and in each `body_rate_window` of that time as
// much as `body_min_rate` asks for. A window begins where the last one ended, so a pause at any place is noticed
// within two of them. Sans-I/O.
class BodyPace {
 public:
  BodyPace(const config::Limits& limits, TimePoint now);

  // When to ask again even if nothing comes.
  TimePoint due() const { return std::min(total_due_, window_due_); }
  // `received` bytes so far. False, from then on: too slow.
  bool keeps_up(std::size_t received, TimePoint now);

 private:
  milliseconds window_;
  std::size_t wanted_;  // in one window
  TimePoint total_due_;
  TimePoint window_due_;
  std::size_t before_window_ = 0;
};

Error body_too_large();

class BodyReader {
 public:
  // Asked whenever the body has grown; an error ends the reading.
  using MayGrow = std::function<Result<void>()>;

  // Appends to `body`, which is empty. All arguments outlive the reader.
  BodyReader(ClientIo& io, const config::Limits& limits, std::string& body, MayGrow may_grow);

  // Errors: kRequestTimeout, kRequestTooLarge (chunks only: a length was judged with the head), kMalformedRequest,
  // kClientGone, and what `may_grow` says.
  Task<Result<void>> read(const http::RequestHead& head);

 private:
  Task<Result<void>> read_length(std::uint64_t length);
  Task<Result<void>> read_chunks();
  Task<Result<void>> more_input();
  Task<Result<void>> read_into_body(std::size_t room);
  Task<Result<void>> rest();
  Result<void> keeps_up();

  ClientIo& io_;
  const config::Limits& limits_;
  std::string& body_;
  MayGrow may_grow_;
  BodyPace pace_;
};

}  // namespace sluice::server
