#include "upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "upstream_connection.hpp"

namespace sluice::bench {

Upstream::Upstream(const UpstreamOptions& options)
    : options_(options),
      listener_(listen_on(options.port)),
      answer_(json_response("200 OK", chat_answer(options.answer_bytes))) {
  loop_.add(listener_.get(), EPOLLIN, *this);
}

Upstream::~Upstream() = default;

void Upstream::run() {
  for (;;) {
    loop_.poll(wheel_.wake_at());
    wheel_.advance(Clock::now(), [this](std::uint64_t id, Time due) {
      const auto found = connections_.find(id);
      if (found != connections_.end() && !found->second->write_next(due)) found->second->close();
    });
  }
}

void Upstream::on_ready(std::uint32_t) {
  for (;;) {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::uint64_t id = ++accepted_;
    connections_.emplace(id, std::make_unique<UpstreamConnection>(*this, id, std::move(fd)));
  }
}

void Upstream::count_request(bool stream) { ++(stream ? streams_ : requests_); }

void Upstream::note_aborted(const std::string& label) {
  ++aborted_;
  if (!label.empty()) closed_[label] = Clock::now().time_since_epoch().count();
}

void Upstream::forget(std::uint64_t id) { connections_.erase(id); }

std::string Upstream::stats() const {
  std::string json = "{\"open\":" + std::to_string(connections_.size()) + ",\"accepted\":" + std::to_string(accepted_) +
                     ",\"requests\":" + std::to_string(requests_) + ",\"streams\":" + std::to_string(streams_) +
                     ",\"events\":" + std::to_string(events_) + ",\"aborted\":" + std::to_string(aborted_) +
                     ",\"closed\":{";
  for (const char* comma = ""; const auto& [label, when] : closed_) {
    json.append(comma).append("\"").append(label).append("\":").append(std::to_string(when));
    comma = ",";
  }
  return json + "}}";
}

}  // namespace sluice::bench
