#include "support/upstream_connection.hpp"

#include <poll.h>

#include <array>
#include <nlohmann/json.hpp>

namespace sluice::support {
namespace {

constexpr auto kForever = 600s;

std::string model_of(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("model") || !json["model"].is_string()) return {};
  return json["model"].get<std::string>();
}

}  // namespace

void UpstreamConnection::run() {
  for (;;) {
    ObservedRequest request;
    if (!read_request(request)) break;
    const Behaviour behaviour = upstream_.behaviour_for(request);
    if (upstream_.options_.keep_requests) upstream_.update([&] { upstream_.requests_.push_back(request); });
    bool open = true;
    for (const Step& step : behaviour.steps()) {
      open = perform(step);
      if (!open) break;
    }
    if (!open) break;
  }
  channel_.close();
}

bool UpstreamConnection::read_request(ObservedRequest& request) {
  std::optional<BodyReader> body;
  for (;;) {
    if (!body) {
      if (auto parsed = parse_head(in_)) {
        request.head_bytes = in_.substr(0, parsed->second);
        in_.erase(0, parsed->second);
        request.head = std::move(parsed->first);
        body = BodyReader::for_request(request.head);
      }
    }
    if (body) request.body += body->take(in_);
    if (body && body->done()) break;
    if (!wait(POLLIN, Clock::now() + kForever)) return false;
  }
  const std::string& line = request.head.start_line;
  const auto first = line.find(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, line.rfind(' ') - first - 1);
  request.model = model_of(request.body);
  request.connection = index_;
  request.at = Clock::now();
  return true;
}

bool UpstreamConnection::perform(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kSend:
      return send(step.bytes);
    case Step::Kind::kPause:
      return hold(Clock::now() + step.time);
    case Step::Kind::kGate:
      return hold(Clock::now() + kForever, step.gate->fd());
    case Step::Kind::kHold:
      return hold(Clock::now() + kForever);
    case Step::Kind::kRepeat:
      while (send(step.bytes)) {
      }
      return false;
    case Step::Kind::kFin:
    case Step::Kind::kReset:
      break;
  }
  end(step.kind);
  return false;
}

bool UpstreamConnection::hold(Clock::time_point until, int gate) {
  gate_open_ = false;
  while (Clock::now() < until && !gate_open_) {
    if (!wait(POLLIN, until, gate)) return false;
  }
  return true;
}

bool UpstreamConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const Transfer sent = channel_.write(bytes);
    if (sent.end != End::kOpen) {
      peer_left(sent.end);
      return false;
    }
    bytes.remove_prefix(sent.bytes);
    if (sent.bytes > 0) upstream_.update([&] { upstream_.connections_[index_].bytes_out += sent.bytes; });
    const auto now = Clock::now();
    if (!wait(sent.bytes > 0 ? short{POLLIN} : short{POLLIN | POLLOUT}, sent.bytes > 0 ? now : now + kForever)) {
      return false;
    }
  }
  return true;
}

// Waits for the events, or the gate; takes in whatever the peer sent meanwhile.
bool UpstreamConnection::wait(short events, Clock::time_point until, int gate) {
  const unsigned ready = wait_any({{upstream_.stop_.fd(), POLLIN}, {channel_.fd(), events}, {gate, POLLIN}}, until);
  if ((ready & 1U) != 0) return false;
  gate_open_ = (ready & 4U) != 0;
  if ((ready & 2U) == 0) return true;
  for (std::size_t before = in_.size();; before = in_.size()) {
    if (!pull()) return false;
    if (in_.size() == before) return true;
  }
}

bool UpstreamConnection::pull() {
  std::array<char, 65536> chunk;
  const Transfer got = channel_.read(chunk.data(), chunk.size());
  const bool ready = channel_.ready();
  if (got.bytes > 0) in_.append(chunk.data(), got.bytes);
  upstream_.update([&] {
    upstream_.connections_[index_].bytes_in += got.bytes;
    upstream_.connections_[index_].ready = ready;
  });
  if (got.end == End::kOpen) return true;
  peer_left(got.end);
  return false;
}

void UpstreamConnection::peer_left(End how) {
  upstream_.update([&] {
    ObservedConnection& seen = upstream_.connections_[index_];
    if (seen.peer != End::kOpen) return;
    seen.peer = how;
    seen.closed_at = Clock::now();
  });
}

void UpstreamConnection::end(Step::Kind kind) {
  // A reset overtakes and discards bytes that are still on their way.
  const auto deadline = Clock::now() + 5s;
  while (unacknowledged_bytes(channel_.fd()) > 0 && Clock::now() < deadline) {
    if (!hold(Clock::now() + 1ms)) return;
  }
  upstream_.update([&] { upstream_.connections_[index_].closed_by_us = true; });
  if (kind == Step::Kind::kReset) {
    channel_.reset();
  } else {
    channel_.close();
  }
}

}  // namespace sluice::support
