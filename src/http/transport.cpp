#include "http/transport.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "sluice/core/reserve.hpp"

namespace sluice::http {
namespace {

constexpr auto kAwait = net::as_tuple(net::deferred);
using boost::system::error_code;

void drop_front(std::vector<net::const_buffer>& buffers, std::size_t count) {
  auto done = buffers.begin();
  while (done != buffers.end() && count >= done->size()) count -= (done++)->size();
  if (done != buffers.end()) *done += count;
  buffers.erase(buffers.begin(), done);
}

net::socket_base::wait_type wait_type_of(TlsStep::Wait wait) {
  return wait == TlsStep::Wait::kWritable ? net::socket_base::wait_write : net::socket_base::wait_read;
}

IoError cancelled() { return {IoFault::kCancelled, "cancelled"}; }

// A handshake that did not come about, whatever it was that ended it.
IoResult<void> agreement(IoResult<std::size_t> done) {
  if (done) return {};
  IoFault& fault = done.error().fault;
  if (fault == IoFault::kReset || fault == IoFault::kEof) fault = IoFault::kTls;
  return std::unexpected(std::move(done.error()));
}

}  // namespace

Transport::Transport(net::io_context& io, TimerWheel& timers)
    : socket_(io.get_executor()), timer_(timers, &Transport::on_timeout, this) {}

Transport::Transport(TcpSocket socket, TimerWheel& timers)
    : socket_(std::move(socket)), timer_(timers, &Transport::on_timeout, this) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(net::ip::tcp::no_delay(true), ignored);
}

Transport::~Transport() { close(); }

// The time that one wait has.
class Transport::Until {
 public:
  Until(Transport& transport, TimePoint due) : transport_(transport) {
    transport_.timed_out_ = false;
    transport_.timer_.arm(due);
  }
  ~Until() { transport_.timer_.disarm(); }
  Until(const Until&) = delete;
  Until& operator=(const Until&) = delete;

 private:
  Transport& transport_;
};

// Cancelling makes the pending operation end with operation_aborted; `timed_out_` tells that from the client's leaving.
void Transport::on_timeout(void* self) {
  auto& transport = *static_cast<Transport*>(self);
  transport.timed_out_ = true;
  transport.cancel();
}

IoError Transport::fault_of(const error_code& error, bool timed_out) {
  namespace errors = net::error;
  if (timed_out) return {IoFault::kTimeout, "timed out", TlsFault::kTimeout};
  if (error == errors::operation_aborted || error == errors::bad_descriptor) return cancelled();
  IoError fault{error == errors::eof ? IoFault::kEof : IoFault::kReset, {}};
  try {
    fault.detail = error == errors::eof ? "connection closed" : error.message();
  } catch (const std::bad_alloc&) {
    // Whoever waits must hear of it all the same.
  }
  return fault;
}

Task<IoResult<void>> Transport::connect(std::span<const TcpEndpoint> addresses, TimePoint due) {
  IoError last{IoFault::kOther, "no address"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = Clock::now();
    if (now >= due) co_return std::unexpected(IoError{IoFault::kTimeout, "timed out"});
    const auto share = (due - now) / static_cast<int>(addresses.size() - i);
    auto connected = co_await connect_one(addresses[i], now + share);
    if (connected) co_return IoResult<void>{};
    last = std::move(connected.error());
    if (last.fault == IoFault::kCancelled) break;
  }
  co_return std::unexpected(std::move(last));
}

Task<IoResult<void>> Transport::connect_one(const TcpEndpoint& address, TimePoint due) {
  close();
  error_code failed;
  socket_.open(address.protocol(), failed);
  if (failed) co_return std::unexpected(IoError{IoFault::kOther, failed.message()});
  socket_.non_blocking(true, failed);
  reserve_operation();
  const Until until(*this, due);
  auto [error] = co_await socket_.async_connect(address, kAwait);
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  socket_.set_option(net::ip::tcp::no_delay(true), failed);
  socket_.set_option(net::socket_base::keep_alive(true), failed);
  co_return IoResult<void>{};
}

Task<IoResult<void>> Transport::handshake(const TlsContext& tls, const std::string& host, TimePoint due) {
  tls_ = std::make_unique<TlsStream>(tls, TlsStream::Side::kClient, socket_.native_handle());
  if (!tls_->expect_host(host)) co_return std::unexpected(IoError{IoFault::kTls, "the host's name cannot be checked"});
  co_return agreement(co_await repeat([this] { return tls_->handshake(); }, due));
}

Task<IoResult<void>> Transport::accept_tls(const TlsContext& tls, TimePoint due) {
  tls_ = std::make_unique<TlsStream>(tls, TlsStream::Side::kServer, socket_.native_handle());
  auto done = agreement(co_await repeat([this] { return tls_->handshake(); }, due));
  if (!done) tls_.reset();
  co_return done;
}

// Waits for the socket and tries again, until an attempt is complete or fails.
Task<IoResult<std::size_t>> Transport::repeat(Attempt attempt, TimePoint due) {
  const Until until(*this, due);
  auto step = attempt();
  // What is there at once must not keep others from their turn.
  reserve_operation();
  if (step && step->wait == TlsStep::Wait::kNothing) co_await net::post(socket_.get_executor(), net::deferred);
  while (step && step->wait != TlsStep::Wait::kNothing) {
    reserve_operation();
    auto [error] = co_await socket_.async_wait(wait_type_of(step->wait), kAwait);
    // A time-out that came between two waits had nothing to cancel; it counts all the same.
    if (!error && timed_out_) error = net::error::operation_aborted;
    step = error ? std::unexpected(fault_of(error, timed_out_)) : attempt();
  }
  if (!step) co_return std::unexpected(std::move(step.error()));
  co_return step->bytes;
}

Task<IoResult<std::size_t>> Transport::read_some(std::span<char> into, TimePoint due) {
  if (tls_) co_return co_await repeat([this, into] { return tls_->read(into); }, due);
  reserve_operation();
  const Until until(*this, due);
  auto [error, count] = co_await socket_.async_read_some(net::buffer(into.data(), into.size()), kAwait);
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  co_return count;
}

Task<IoResult<void>> Transport::wait_readable(TimePoint due) {
  reserve_operation();
  const Until until(*this, due);
  auto [error] = co_await socket_.async_wait(net::socket_base::wait_read, kAwait);
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  co_return IoResult<void>{};
}

IoResult<bool> Transport::write_now(std::span<const std::string_view> pieces) {
  // Whatever else was written would be taken for the rest of what is half out.
  if (!left_.empty()) return std::unexpected(IoError{IoFault::kOther, "an earlier write was given up"});
  left_.reserve(pieces.size());
  for (auto piece : pieces) {
    if (!piece.empty()) left_.emplace_back(piece.data(), piece.size());
  }
  interrupted_ = false;
  if (tls_) {
    auto step = write_tls();
    if (!step) return std::unexpected(std::move(step.error()));
    return step->wait == TlsStep::Wait::kNothing;
  }
  error_code error;
  const std::size_t sent = socket_.write_some(left_, error);
  if (error && error != net::error::would_block) return std::unexpected(fault_of(error, false));
  drop_front(left_, sent);
  return left_.empty();
}

IoResult<TlsStep> Transport::write_tls() {
  if (!socket_.is_open()) return std::unexpected(cancelled());
  auto step = tls_->write(left_);
  if (step) drop_front(left_, step->bytes);
  return step;
}

Task<IoResult<void>> Transport::flush(TimePoint due) {
  if (tls_) {
    auto written = co_await repeat(
        [this]() -> IoResult<TlsStep> {
          if (interrupted_) return std::unexpected(cancelled());
          return write_tls();
        },
        due);
    if (!written) co_return std::unexpected(std::move(written.error()));
    co_return IoResult<void>{};
  }
  error_code error;
  const Until until(*this, due);
  while (!left_.empty() && !error) {
    reserve_operation();
    auto [failed, sent] = co_await socket_.async_write_some(std::span<const net::const_buffer>(left_), kAwait);
    error = failed;
    drop_front(left_, sent);
    // A cancellation that came between two steps has nothing to cancel; it counts all the same.
    if ((interrupted_ || timed_out_) && !left_.empty()) error = net::error::operation_aborted;
  }
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  co_return IoResult<void>{};
}

void Transport::interrupt_write() {
  interrupted_ = true;
  cancel();
}

void Transport::start_read(std::span<char> into, OnRead done) {
  if (tls_) return read_tls(into, std::move(done), false);
  socket_.async_read_some(net::buffer(into.data(), into.size()),
                          [done = std::move(done)](const error_code& error, std::size_t count) {
                            if (error) return done(std::unexpected(fault_of(error, false)));
                            done(count);
                          });
}

// `done` is called from the loop, never by the caller of start_read().
void Transport::read_tls(std::span<char> into, OnRead done, bool in_loop) {
  IoResult<std::size_t> result = 0;
  try {
    auto step = tls_->read(into);
    if (step && step->wait != TlsStep::Wait::kNothing) {
      reserve_operation();  // from here on `done` cannot be lost
      return socket_.async_wait(wait_type_of(step->wait),
                                [this, into, done = std::move(done)](const error_code& error) mutable {
                                  if (error) return done(std::unexpected(fault_of(error, false)));
                                  read_tls(into, std::move(done), true);
                                });
    }
    if (step) result = step->bytes;
    if (!step) result = std::unexpected(std::move(step.error()));
  } catch (const std::bad_alloc&) {
    if (!in_loop) throw;
    result = std::unexpected(IoError{IoFault::kOther, "no memory"});
  }
  if (in_loop) return done(std::move(result));
  net::post(socket_.get_executor(),
            [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

bool Transport::is_quiet() {
  if (tls_ && tls_->has_unread()) return false;
  char byte = 0;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Transport::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  timer_.disarm();
  if (tls_) tls_->detach();
  error_code ignored;
  socket_.close(ignored);
}

void Transport::say_goodbye() {
  if (tls_) tls_->say_goodbye();
}

void Transport::shutdown_send() {
  say_goodbye();
  error_code ignored;
  socket_.shutdown(net::socket_base::shutdown_send, ignored);
}

}  // namespace sluice::http
