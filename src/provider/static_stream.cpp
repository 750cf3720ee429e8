#include "provider/static_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include "sluice/core/reserve.hpp"

namespace sluice::provider {

StaticStream::StaticStream(std::string_view content_type, std::vector<std::string> pieces, milliseconds delay)
    : pieces_(std::move(pieces)), delay_(delay) {
  head_.status = 200;
  head_.fields.push_back({"content-type", content_type});
  for (const auto& piece : pieces_) head_.content_length += piece.size();
}

Task<Result<std::string_view>> StaticStream::read_some(TimePoint) {
  if (next_ == pieces_.size()) co_return std::string_view{};
  if (next_ > 0 && delay_.count() > 0) {
    reserve_operation();
    net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor,
                                                                              delay_);
    auto [error] = co_await timer.async_wait(net::as_tuple(net::deferred));
    if (error) co_return client_gone();
  }
  co_return std::string_view(pieces_[next_++]);
}

}  // namespace sluice::provider
