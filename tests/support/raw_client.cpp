#include "support/raw_client.hpp"

#include <poll.h>

#include <array>

namespace sluice::support {

std::string SseEvent::data() const {
  std::string joined;
  bool first = true;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto line_end = rest.find('\n');
    std::string_view line = rest.substr(0, line_end);
    rest = line_end == std::string_view::npos ? std::string_view() : rest.substr(line_end + 1);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(line.starts_with("data: ") ? 6 : 5);
    if (!first) joined += '\n';
    joined += line;
    first = false;
  }
  return joined;
}

RawClient::RawClient(std::uint16_t port, Options options) {
  Fd fd = connect_loopback(port, options.receive_buffer);
  channel_ = options.tls != nullptr ? tls_channel(std::move(fd), *options.tls, TlsRole::kClient)
                                    : std::make_unique<Channel>(std::move(fd));
}

bool RawClient::send(std::string_view bytes, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!bytes.empty()) {
    const Transfer sent = channel_->write(bytes);
    if (sent.end != End::kOpen) return false;
    bytes.remove_prefix(sent.bytes);
    if (sent.bytes == 0 && wait_any({{fd(), channel_->wanted(POLLOUT)}}, deadline) == 0) return false;
  }
  return true;
}

bool RawClient::send_split(std::string_view bytes, const std::vector<std::size_t>& offsets) {
  std::size_t from = 0;
  for (const std::size_t offset : offsets) {
    if (!send(bytes.substr(from, offset - from))) return false;
    from = offset;
  }
  return send(bytes.substr(from));
}

bool RawClient::fill(Clock::time_point deadline) {
  std::array<char, 65536> chunk;
  while (end_ == End::kOpen) {
    const Transfer got = channel_->read(chunk.data(), chunk.size());
    end_ = got.end;
    if (got.bytes > 0) {
      watch_.see({chunk.data(), got.bytes});
      wire_.append(chunk.data(), got.bytes);
      return true;
    }
    if (end_ == End::kOpen && wait_any({{fd(), channel_->wanted(POLLIN)}}, deadline) == 0) return false;
  }
  return false;
}

bool RawClient::read_head(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  response_ = {};
  body_.reset();
  scanned_ = handed_out_ = 0;
  for (;;) {
    if (auto parsed = parse_head(wire_)) {
      wire_.erase(0, parsed->second);
      response_.status = status_of(parsed->first);
      if (response_.status >= 200) {
        response_.head = std::move(parsed->first);
        return true;
      }
      response_.interim.push_back(response_.status);
    } else if (!fill(deadline)) {
      response_.status = 0;
      response_.end = end_;
      return false;
    }
  }
}

void RawClient::take_body() {
  if (!body_) body_ = BodyReader::for_response(response_.head);
  response_.body += body_->take(wire_);
  response_.complete = body_->done();
  split_events();
}

void RawClient::split_events() {
  if (!response_.header("content-type").starts_with("text/event-stream")) return;
  for (;;) {
    const auto end = response_.body.find("\n\n", scanned_);
    if (end == std::string::npos) return;
    response_.events.push_back({response_.body.substr(scanned_, end - scanned_), Clock::now()});
    scanned_ = end + 2;
  }
}

std::optional<SseEvent> RawClient::next_event(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    take_body();
    if (handed_out_ < response_.events.size()) return response_.events[handed_out_++];
    if (response_.complete || body_->broken() || !fill(deadline)) return std::nullopt;
  }
}

Response RawClient::finish(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    take_body();
    if (response_.complete || body_->broken() || !fill(deadline)) break;
  }
  if (body_->framing() == BodyReader::Framing::kUntilClose) response_.complete = end_ == End::kFin;
  response_.end = end_;
  return response_;
}

Response RawClient::read_response(milliseconds timeout, bool to_head_request) {
  const auto deadline = Clock::now() + timeout;
  if (!read_head(timeout)) return response_;
  body_ = BodyReader::for_response(response_.head, to_head_request);
  return finish(std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

End RawClient::wait_end(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (fill(deadline)) {
  }
  return end_;
}

bool RawClient::stays_silent(milliseconds time) {
  return wire_.empty() && !fill(Clock::now() + time) && end_ == End::kOpen;
}

namespace {
std::string with_credential(std::string_view head) {
  const std::string lines(head);
  const bool has = lower(lines).find("authorization:") != std::string::npos;
  return has ? lines : "authorization: Bearer sk-" + std::string(kClientMark) + "-01\r\n" + lines;
}
}  // namespace

std::string get_request(std::string_view target, std::string_view head) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nhost: gateway\r\n" + with_credential(head) + "\r\n";
}

std::string post_request(std::string_view target, std::string_view body, std::string_view head) {
  return "POST " + std::string(target) + " HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n" +
         "content-length: " + std::to_string(body.size()) + "\r\n" + with_credential(head) + "\r\n" + std::string(body);
}

Response fetch(std::uint16_t port, std::string_view request, milliseconds timeout) {
  RawClient client(port);
  client.send(request, timeout);
  return client.read_response(timeout, request.starts_with("HEAD "));
}

}  // namespace sluice::support
