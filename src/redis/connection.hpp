#pragma once
// One connection to a Redis server or sentinel, plain or TLS: bytes out, bytes in. The only file that knows sockets.
// What is done with the bytes is up to the class that derives from it. Belongs to one worker thread; kept alive by its
// own pending operations until it is closed.

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "redis/trouble.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/secret.hpp"
#include "sluice/redis/settings.hpp"

namespace sluice::redis {

class TlsContext;  // Asio's and OpenSSL's, made once per client
// Nothing without `settings.tls`. The error says what could not be read.
std::expected<std::shared_ptr<TlsContext>, std::string> make_tls(const Settings& settings);

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  net::io_context& io() const { return io_; }
  bool closed() const { return closed_; }

 protected:
  explicit Connection(net::io_context& io);
  virtual ~Connection();

  // Looks the name up, connects to the first of its addresses that answers, agrees on TLS, and reads from then on.
  // kTimeout, kClosed, kTls. Once.
  Task<std::expected<void, Trouble>> open(Address address, std::shared_ptr<TlsContext> tls, TimePoint due);

  // Sent at once, or together with whatever else is sent in this turn of the loop.
  enum class When : std::uint8_t { kNow, kSoon };
  void send(std::string_view bytes, When when);
  // Before anything else is sent: leaves no copy behind. False if it could not be.
  Task<bool> send_first(const Secret& bytes);

  // Nothing is received any more, and nothing is told. What open() waits for ends.
  void close();

  virtual void received(std::string_view bytes) = 0;
  virtual void lost(std::string why) = 0;  // after this, close() only

 private:
  struct Sockets;

  Task<std::expected<void, Trouble>> connect(const Address& address, TimePoint due);
  Task<std::expected<void, Trouble>> connect_to_any(std::span<const net::ip::tcp::endpoint> endpoints, TimePoint due);
  Task<std::expected<void, Trouble>> handshake(const std::string& host, TlsContext& tls);
  void time_out_at(TimePoint due);
  Trouble trouble(Failure failure, std::string why) const;
  void read_more();
  void flush();
  void send_rest();

  net::io_context& io_;
  std::unique_ptr<Sockets> sockets_;
  bool closed_ = false;
  bool timed_out_ = false;
  bool flush_posted_ = false;
  bool sending_ = false;
  std::string out_;   // to be sent
  std::string rest_;  // being sent, what did not go at once
  std::array<char, 16 * 1024> in_;
};

}  // namespace sluice::redis
