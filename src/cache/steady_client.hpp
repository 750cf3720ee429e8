#pragma once
// The client for whom an answer was first asked, which others may follow: while anybody does, bytes that it has not
// read yet wait here, so that it holds up nobody but itself. Of one exchange; one thread.

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "sluice/core/async.hpp"
#include "sluice/http/sink.hpp"

namespace sluice::cache {

class SteadyClient {
 public:
  // `most`: bytes that wait for it; a client further behind is given up. `sink` outlives it, and wait().
  SteadyClient(http::ResponseSink& sink, const Executor& executor, std::size_t most);
  ~SteadyClient();
  SteadyClient(const SteadyClient&) = delete;
  SteadyClient& operator=(const SteadyClient&) = delete;

  // Something is being sent beside, or waits behind that.
  bool is_behind() const;
  // As of the sink, but for bytes that stay as long as that needs. Nothing: wait() sees to the rest.
  std::optional<Result<void>> write_now(std::string_view bytes);
  // Until it is not behind any more, or `enough` says so; that is asked again after each wake().
  Task<Result<void>> wait(std::function<bool()> enough);
  // Until it is not behind any more; at once where it is not.
  Task<Result<void>> catch_up();
  void wake();
  // Sends no more; what is under way is over when wait() is.
  void give_up();

 private:
  struct Sending;
  static Task<void> send(std::shared_ptr<Sending> sending);

  std::shared_ptr<Sending> sending_;
  std::size_t most_;
};

}  // namespace sluice::cache
