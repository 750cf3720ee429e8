#include "server/client_sink.hpp"

#include <array>
#include <charconv>
#include <ctime>

#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

// A long answer is sent in slices, each with a time-out of its own: a slow reader is not a stalled one.
constexpr std::size_t kSlice = 256 * 1024;

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

// RFC 9110 section 5.6.7; made once a second.
std::string_view http_date() {
  thread_local std::time_t known = 0;
  thread_local std::array<char, 40> text{};
  thread_local std::size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != known) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    known = now;
  }
  return {text.data(), size};
}

void append_hex(std::string& out, std::size_t value) {
  char digits[17];
  out.append(digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value, 16).ptr - digits));
}

}  // namespace

void ClientSink::begin(const http::RequestHead& head, std::string_view request_id, milliseconds write_timeout) {
  write_timeout_ = write_timeout;
  due_ = kNever;
  request_id_ = request_id;
  late_field_ = {};
  is_head_request_ = head.method == "HEAD";
  http10_ = head.minor_version == 0;
  close_ = close_ || !head.keep_alive;
  forget();
}

void ClientSink::forget() {
  finished_ = false;
  stalled_ = false;
  status_ = 0;
  body_bytes_ = 0;
  head_.clear();
}

void ClientSink::rest() {
  release(head_);
  release(request_id_);
}

// Values that could break the head are left out rather than written.
void ClientSink::put_head(const http::ResponseStart& start) {
  head_.clear();
  close_ = close_ || draining_();
  head_.append("HTTP/1.1 ");
  append_number(head_, start.status);
  head_.append(" ").append(reason_of(start.status)).append("\r\ndate: ").append(http_date());
  head_.append("\r\ncontent-type: ").append(start.content_type);
  if (!request_id_.empty()) {
    head_.append("\r\nx-request-id: ").append(request_id_).append("\r\nrequest-id: ").append(request_id_);
  }
  for (const auto& [name, value] : start.fields) {
    if (http::is_field_value(value)) head_.append("\r\n").append(name).append(": ").append(value);
  }
  if (late_field_.second) head_.append("\r\n").append(late_field_.first).append(": ").append(late_field_.second());
  if (close_) {
    head_.append("\r\nconnection: close");
  } else if (http10_) {
    head_.append("\r\nconnection: keep-alive");
  }
}

Task<Result<void>> ClientSink::respond(http::ResponseStart start, std::string_view body) {
  put_head(start);
  head_.append("\r\ncontent-length: ");
  append_number(head_, body.size());
  head_.append("\r\n\r\n");
  if (is_head_request_) body = {};
  const std::array<std::string_view, 2> first = {head_, body.substr(0, kSlice)};
  auto done = send_now(first);
  status_ = start.status;
  auto sent = done ? std::move(*done) : co_await flush();
  for (std::size_t at = kSlice; sent && at < body.size(); at += kSlice) {
    const std::array<std::string_view, 1> slice = {body.substr(at, kSlice)};
    done = send_now(slice);
    sent = done ? std::move(*done) : co_await flush();
  }
  finished_ = sent.has_value();
  body_bytes_ = body.size();
  co_return sent;
}

// An HTTP/1.0 client knows no chunks: its stream ends with the connection.
void ClientSink::start(http::ResponseStart start) {
  if (http10_) close_ = true;
  put_head(start);
  head_.append(http10_ ? "\r\n\r\n" : "\r\ntransfer-encoding: chunked\r\n\r\n");
  status_ = start.status;
}

// What a write that threw has put behind the head goes: the next one begins where it began.
class ClientSink::Unsent {
 public:
  explicit Unsent(std::string& head) : head_(head), size_(head.size()) {}
  ~Unsent() {
    if (!kept_) head_.resize(size_);
  }
  Unsent(const Unsent&) = delete;
  Unsent& operator=(const Unsent&) = delete;
  void keep() { kept_ = true; }

 private:
  std::string& head_;
  std::size_t size_;
  bool kept_ = false;
};

std::optional<Result<void>> ClientSink::write_now(std::string_view bytes) {
  Unsent unsent(head_);
  if (!http10_) append_hex(head_, bytes.size());
  head_ += http10_ ? "" : "\r\n";
  const std::array<std::string_view, 3> pieces = {head_, bytes, http10_ ? "" : "\r\n"};
  auto done = send_now(pieces);
  unsent.keep();
  body_bytes_ += bytes.size();
  if (done) head_.clear();
  return done;
}

Task<Result<void>> ClientSink::flush() {
  auto sent = result_of(co_await transport_.flush(std::min(Clock::now() + write_timeout_, due_)));
  head_.clear();
  co_return sent;
}

Task<Result<void>> ClientSink::write(std::string_view bytes) {
  auto done = write_now(bytes);
  co_return done ? std::move(*done) : co_await flush();
}

Task<Result<void>> ClientSink::finish(std::string_view last_bytes) {
  Unsent unsent(head_);
  if (!http10_ && !last_bytes.empty()) append_hex(head_, last_bytes.size());
  head_ += http10_ || last_bytes.empty() ? "" : "\r\n";
  const std::string_view end = http10_ ? "" : last_bytes.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
  const std::array<std::string_view, 3> pieces = {head_, last_bytes, end};
  auto done = send_now(pieces);
  unsent.keep();
  auto sent = done ? std::move(*done) : co_await flush();
  head_.clear();
  body_bytes_ += last_bytes.size();
  finished_ = sent.has_value();
  co_return sent;
}

Task<Result<void>> ClientSink::send_continue() {
  constexpr std::array<std::string_view, 1> kContinue = {"HTTP/1.1 100 Continue\r\n\r\n"};
  auto done = send_now(kContinue);
  co_return done ? std::move(*done) : co_await flush();
}

Result<void> ClientSink::result_of(http::IoResult<void> written) {
  if (written) return {};
  if (written.error().fault == http::IoFault::kTimeout) {
    stalled_ = true;
    return fail(ErrorKind::kClientStalled, "The client stopped reading.");
  }
  return client_gone(written.error().detail);
}

std::optional<Result<void>> ClientSink::send_now(std::span<const std::string_view> pieces) {
  auto all = transport_.write_now(pieces);
  if (!all) return result_of(std::unexpected(std::move(all.error())));
  if (*all) return Result<void>{};
  return std::nullopt;
}

}  // namespace sluice::server
