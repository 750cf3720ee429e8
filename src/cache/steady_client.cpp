#include "cache/steady_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <string>

#include "sluice/core/clock.hpp"

namespace sluice::cache {

// Outlives the client where the loop is taken down under it.
struct SteadyClient::Sending {
  Sending(http::ResponseSink& of, const Executor& executor) : sink(of), bell(executor, kNever) {}
  http::ResponseSink& sink;
  std::string bytes;                                                         // that the sink has been given last
  std::string waiting;                                                       // behind them
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> bell;  // rings at the end, and for wake()
  net::cancellation_signal cancel;
  bool goes_on = false;
  Result<void> result;
};

SteadyClient::SteadyClient(http::ResponseSink& sink, const Executor& executor, std::size_t most)
    : sending_(std::make_shared<Sending>(sink, executor)), most_(most) {}

SteadyClient::~SteadyClient() { give_up(); }

bool SteadyClient::is_behind() const { return sending_->goes_on; }

std::optional<Result<void>> SteadyClient::write_now(std::string_view bytes) {
  if (!sending_->result) return sending_->result;
  if (!is_behind()) {
    sending_->bytes.assign(bytes);
    return sending_->sink.write_now(sending_->bytes);
  }
  if (sending_->waiting.size() + bytes.size() > most_) {
    give_up();
    return fail(ErrorKind::kClientStalled, "The client reads much slower than others who get the same answer.");
  }
  sending_->waiting += bytes;
  return std::nullopt;
}

Task<void> SteadyClient::send(std::shared_ptr<Sending> sending) {
  sending->result = co_await sending->sink.flush();
  while (sending->result && !sending->waiting.empty()) {
    std::string().swap(sending->bytes);
    sending->bytes.swap(sending->waiting);
    auto sent = sending->sink.write_now(sending->bytes);
    sending->result = sent ? std::move(*sent) : co_await sending->sink.flush();
  }
}

Task<Result<void>> SteadyClient::wait(std::function<bool()> enough) {
  auto sending = sending_;
  if (!std::exchange(sending->goes_on, true)) {
    auto ended = [sending](const std::exception_ptr& thrown) {
      if (thrown) sending->result = client_gone("cancelled");
      sending->goes_on = false;
      sending->bell.cancel();
    };
    net::co_spawn(sending->bell.get_executor(), send(sending),
                  net::bind_cancellation_slot(sending->cancel.slot(), std::move(ended)));
  }
  while (sending->goes_on && !enough()) co_await sending->bell.async_wait(net::as_tuple(net::deferred));
  co_return sending->goes_on ? Result<void>{} : sending->result;
}

Task<Result<void>> SteadyClient::catch_up() {
  if (!is_behind()) co_return Result<void>{};
  co_return co_await wait([] { return false; });
}

void SteadyClient::wake() { sending_->bell.cancel(); }

void SteadyClient::give_up() {
  if (is_behind()) sending_->cancel.emit(net::cancellation_type::terminal);
}

}  // namespace sluice::cache
