#include "call.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace sluice::bench {

void Call::start(std::string_view request) {
  if (fd_.get() < 0) {
    fd_ = connect_to(port_);
    loop_.add(fd_.get(), EPOLLIN, *this);
    waits_to_write_ = false;
  }
  reader_.reset();
  unsent_ = request;
  busy_ = true;
  started_ = Clock::now();
  send_rest();
}

void Call::disconnect() {
  busy_ = false;
  fd_.close();
}

void Call::send_rest() {
  const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  // A send that fails is followed by a recv that says so.
  if (sent > 0) unsent_.remove_prefix(static_cast<std::size_t>(sent));
  const bool waits = !unsent_.empty() && (sent >= 0 || errno == EAGAIN);
  if (waits == waits_to_write_) return;
  waits_to_write_ = waits;
  loop_.change(fd_.get(), waits ? EPOLLIN | EPOLLOUT : EPOLLIN, *this);
}

void Call::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) send_rest();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive();
}

void Call::receive() {
  auto& scratch = loop_.scratch();
  const ssize_t got = ::recv(fd_.get(), scratch.data(), scratch.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (busy_) return give_up(got == 0 ? "closed before the end of the answer" : "reset before the end of the answer");
    return fd_.close();
  }
  if (!busy_) return give_up("bytes after the end of the answer");
  const auto state = reader_.feed({scratch.data(), static_cast<std::size_t>(got)});
  if (state == MessageReader::State::kBroken) return give_up("the answer is not understood");
  if (state == MessageReader::State::kDone) {
    busy_ = false;
    if (reader_.closes()) fd_.close();
  }
  owner_.on_progress(*this);
}

void Call::give_up(std::string_view why) {
  disconnect();
  owner_.on_broken(*this, why);
}

}  // namespace sluice::bench
