#include "upstream_connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>

namespace sluice::bench {
namespace {

bool contains(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

// What follows `key` up to the next quote, comma or brace. Enough for requests that the driver wrote.
std::string_view after(std::string_view body, std::string_view key) {
  const std::size_t at = body.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = body.substr(at + key.size());
  return rest.substr(0, rest.find_first_of("\",}"));
}

}  // namespace

UpstreamConnection::UpstreamConnection(Upstream& owner, std::uint64_t id, Fd fd)
    : owner_(owner), id_(id), fd_(std::move(fd)) {
  owner_.loop().add(fd_.get(), EPOLLIN, *this);
}

void UpstreamConnection::close() {
  if (streaming_) owner_.note_aborted(label_);
  owner_.forget(id_);  // destroys this
}

void UpstreamConnection::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !flush()) return close();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && !receive()) return close();
}

bool UpstreamConnection::receive() {
  auto& scratch = owner_.loop().scratch();
  const ssize_t got = ::recv(fd_.get(), scratch.data(), scratch.size(), 0);
  if (got < 0) return errno == EAGAIN;
  if (got == 0 || streaming_) return false;
  switch (reader_.feed({scratch.data(), static_cast<std::size_t>(got)})) {
    case MessageReader::State::kDone:
      return answer();
    case MessageReader::State::kBroken:
      return false;
    default:
      return true;
  }
}

bool UpstreamConnection::answer() {
  const std::string_view head = reader_.head();
  const std::string& body = reader_.body();
  bool alive = false;
  if (head.starts_with("GET /stats ")) {
    alive = write(json_response("200 OK", owner_.stats()));
  } else if (!head.starts_with("POST /v1/chat/completions ")) {
    alive = write(json_response("404 Not Found", R"({"error":{"message":"no such path"}})"));
  } else if (!body.starts_with('{') || !body.ends_with('}') || !contains(body, R"("messages":[)")) {
    alive = write(json_response("400 Bad Request", R"({"error":{"message":"the body is not what the driver sent"}})"));
  } else if (contains(body, R"("stream":true)")) {
    alive = begin_stream(body);
  } else {
    owner_.count_request(false);
    alive = write(owner_.answer());
  }
  reader_.reset();
  return alive;
}

bool UpstreamConnection::begin_stream(std::string_view body) {
  const Time now = Clock::now();
  owner_.count_request(true);
  streaming_ = true;
  usage_ = contains(body, R"("include_usage":true)");
  label_ = after(body, R"("user":")");
  interval_ = owner_.options().interval;
  left_ = owner_.options().events;
  const std::string_view pace = after(body, R"("bench_interval_ms":)");
  if (std::int64_t ms = 0; std::from_chars(pace.data(), pace.data() + pace.size(), ms).ec == std::errc{}) {
    interval_ = std::chrono::milliseconds(ms);
  }
  static const std::string role = role_event();
  return write(kStreamHead) && write(role) && write_next(now);
}

bool UpstreamConnection::write_next(Time due) {
  if (left_ > 0) {
    --left_;
    owner_.count_event();
    owner_.wheel().add(id_, due + interval_);
    return write(owner_.content().stamped(Clock::now()));
  }
  static const std::string finish = finish_event();
  static const std::string usage = usage_event(static_cast<std::size_t>(owner_.options().events));
  static const std::string done = done_event();
  streaming_ = false;
  return write(finish) && (!usage_ || write(usage)) && write(done);
}

bool UpstreamConnection::write(std::string_view bytes) {
  if (!unsent_.empty()) {
    unsent_.append(bytes);
    return true;
  }
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return false;
  unsent_.append(bytes.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent)));
  if (!unsent_.empty() && !waits_to_write_) {
    owner_.loop().change(fd_.get(), EPOLLIN | EPOLLOUT, *this);
    waits_to_write_ = true;
  }
  return true;
}

bool UpstreamConnection::flush() {
  const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN;
  unsent_.erase(0, static_cast<std::size_t>(sent));
  if (unsent_.empty()) {
    owner_.loop().change(fd_.get(), EPOLLIN, *this);
    waits_to_write_ = false;
  }
  return true;
}

}  // namespace sluice::bench
