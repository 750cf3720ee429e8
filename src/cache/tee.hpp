#pragma once
// Between the stages that answer and the client: what passes is kept, as far as it is to be, and handed to those who
// follow. Of one exchange; one thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cache/flight.hpp"
#include "cache/steady_client.hpp"
#include "sluice/cache/entry.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/http/sink.hpp"

namespace sluice::cache {

class Tee final : public http::ResponseSink {
 public:
  struct Ends {
    http::ResponseSink& client;
    Flight& flight;
    // All of the answer has come, and take() has it: called before the client gets the last of it, since others wait.
    std::function<void()> whole;
  };
  // All that `ends` refers to outlives it.
  Tee(Ends ends, Endpoint endpoint, const Executor& executor)
      : ends_(std::move(ends)), endpoint_(endpoint), steady_(ends_.client, executor, ends_.flight.most_followed()) {}

  bool started() const override { return started_; }
  void end_by(TimePoint due) override { ends_.client.end_by(due); }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override;
  void start(http::ResponseStart start) override;
  Task<Result<void>> finish(std::string_view last_bytes) override;
  std::optional<Result<void>> write_now(std::string_view bytes) override;
  Task<Result<void>> flush() override;

  // Somebody follows now, or nobody any more.
  void followed() { steady_.wake(); }
  // The client has left, and the answer goes on for those who follow.
  void leave_client();
  bool client_has_left() const { return left_; }
  // Until nothing is being sent to the client any more. How it ended, where that was no matter for those who follow.
  Task<Result<void>> settle();
  // Its form, pieces and usage event; the flight has its bytes.
  Entry take() { return std::move(kept_); }

 private:
  void keep(std::string_view bytes);
  bool is_followed() const { return ends_.flight.followers() > 0; }
  // The client's end is nobody else's: with followers it is none.
  Result<void> judged(Result<void> sent);

  Ends ends_;
  Endpoint endpoint_;
  SteadyClient steady_;
  Result<void> client_end_;
  Entry kept_;
  std::size_t size_ = 0;
  TimePoint first_{};
  bool started_ = false;
  bool left_ = false;
};

}  // namespace sluice::cache
