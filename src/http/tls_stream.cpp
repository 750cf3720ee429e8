#include "http/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

#include "http/tls_fault.hpp"

namespace sluice::http {
namespace {

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr std::size_t kRecordsPerWrite = 8;
// A peer that sends nothing but key updates must not keep the thread inside one call.
constexpr std::size_t kReadBudget = 64 * 1024;

template <class T>
T* need(T* made) {
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

// The next record's bytes, `skip` bytes into the buffers. Small pieces are put together: a record and a system call for
// each would cost more than the copy.
std::string_view next_record(std::span<const boost::asio::const_buffer> buffers, std::size_t skip) {
  thread_local std::array<char, kRecord> joined;
  std::size_t size = 0;
  for (const auto& buffer : buffers) {
    const auto skipped = std::min(skip, buffer.size());
    skip -= skipped;
    const std::string_view piece(static_cast<const char*>(buffer.data()) + skipped, buffer.size() - skipped);
    if (size == 0 && piece.size() >= kRecord) return piece.substr(0, kRecord);
    size += piece.copy(joined.data() + size, kRecord - size);
    if (size == kRecord) break;
  }
  return {joined.data(), size};
}

}  // namespace

const BIO_METHOD* TlsStream::wire_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = need(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    BIO_meth_set_read(made, &TlsStream::wire_read);
    BIO_meth_set_write(made, &TlsStream::wire_write);
    BIO_meth_set_ctrl(made, &TlsStream::wire_control);
    return made;
  }();
  return kMethod;
}

int TlsStream::wire_read(BIO* bio, char* into, int size) {
  auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (wire.budget == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto got = ::recv(wire.socket, into, static_cast<std::size_t>(size), 0);
  if (got > 0) {
    const auto count = static_cast<std::size_t>(got);
    wire.budget -= std::min(wire.budget, count);
    const auto noted = std::min(count, wire.first.size() - wire.first_size);
    std::memcpy(wire.first.data() + wire.first_size, into, noted);
    wire.first_size += noted;
  } else if (got == 0) {
    wire.ended = true;
  } else if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_read(bio);
  } else {
    wire.error = errno;
  }
  return static_cast<int>(got);
}

int TlsStream::wire_write(BIO* bio, const char* bytes, int size) {
  auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(wire.socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_write(bio);
  } else if (sent < 0) {
    wire.error = errno;
  }
  return static_cast<int>(sent);
}

long TlsStream::wire_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<Wire*>(BIO_get_data(bio))->ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

TlsStream::TlsStream(const TlsContext& context, Side side, int socket)
    : ssl_(need(SSL_new(context.native()))), verify_(context.verify()) {
  wire_.socket = socket;
  BIO* bio = need(BIO_new(wire_method()));
  BIO_set_data(bio, &wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  side == Side::kClient ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
}

bool TlsStream::expect_host(const std::string& host) {
  boost::system::error_code is_name;
  boost::asio::ip::make_address(host, is_name);
  if (is_name) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());  // RFC 6066: names only, no addresses
  if (!verify_) return true;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_name) return X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1;
  return X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
}

IoResult<TlsStep> TlsStream::handshake() {
  begin();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return TlsStep{};
  return unfinished(done, 0);
}

// Bytes that came before an end are handed out first; it is told by the next call.
IoResult<TlsStep> TlsStream::read(std::span<char> into) {
  if (read_end_) return std::unexpected(*read_end_);
  begin();
  TlsStep step;
  do {
    std::size_t count = 0;
    const int done = SSL_read_ex(ssl_.get(), into.data() + step.bytes, into.size() - step.bytes, &count);
    if (done != 1) {
      auto stopped = unfinished(done, 0);
      if (!stopped) read_end_ = stopped.error();
      return step.bytes > 0 ? step : stopped;
    }
    step.bytes += count;
  } while (step.bytes < into.size() && has_unread());
  return step;
}

IoResult<TlsStep> TlsStream::write(std::span<const boost::asio::const_buffer> buffers) {
  begin();
  std::size_t total = 0;
  for (std::size_t i = 0; i < kRecordsPerWrite; ++i) {
    const std::string_view record = next_record(buffers, total);
    if (record.empty()) return TlsStep{.bytes = total};
    std::size_t count = 0;
    const int done = SSL_write_ex(ssl_.get(), record.data(), record.size(), &count);
    half_written_ = done != 1;
    if (done != 1) return unfinished(done, total);
    total += count;
  }
  return TlsStep{.bytes = total, .wait = TlsStep::Wait::kWritable};
}

void TlsStream::say_goodbye() {
  if (half_written_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  begin();
  SSL_shutdown(ssl_.get());
}

void TlsStream::begin() {
  ERR_clear_error();  // what another connection left there would be taken for ours
  wire_.budget = kReadBudget;
  wire_.error = 0;
}

IoResult<TlsStep> TlsStream::unfinished(int result, std::size_t bytes) const {
  using enum TlsStep::Wait;
  switch (const int error = SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return TlsStep{bytes, kReadable};
    case SSL_ERROR_WANT_WRITE:
      return TlsStep{bytes, kWritable};
    default:
      return std::unexpected(failure(error));
  }
}

IoError TlsStream::failure(int error) const {
  if (error == SSL_ERROR_ZERO_RETURN) return {IoFault::kEof, "connection closed", TlsFault::kClosed};
  if (wire_.error != 0) return {IoFault::kReset, std::generic_category().message(wire_.error), TlsFault::kClosed};
  if (wire_.ended) return {IoFault::kReset, "TLS connection cut without close_notify", TlsFault::kClosed};
  std::string detail = last_openssl_error();
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verify_ && verdict != X509_V_OK) detail.append(": ").append(X509_verify_cert_error_string(verdict));
  const std::string_view first(wire_.first.data(), wire_.first_size);
  const auto why = first.empty() ? TlsFault::kOther : tls_fault_of(ERR_peek_last_error(), first);
  return {IoFault::kTls, std::move(detail), why};
}

}  // namespace sluice::http
