#include "sluice/redis/subscriber.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>

#include "redis/connection.hpp"
#include "redis/login.hpp"
#include "redis/reply_reader.hpp"
#include "redis/words.hpp"

namespace sluice::redis {
namespace {

using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5000};
constexpr std::size_t kMostReply = 64 * 1024;

// One connection; `heard` gets each reply, and nothing once it is lost.
class Line final : public Connection {
 public:
  Line(net::io_context& io, std::function<void(const Reply*)> heard)
      : Connection(io), reader_(kMostReply), heard_(std::move(heard)) {}

  Task<bool> subscribe(Address address, std::shared_ptr<TlsContext> tls, const Settings& settings,
                       std::string channel) {
    const auto due = Clock::now() + settings.connect_timeout;
    if (!co_await open(std::move(address), std::move(tls), due)) co_return false;
    Login login = login_of(settings);
    if (!login.bytes.empty() && !co_await send_first(login.bytes)) co_return false;
    std::string bytes;
    append_command(bytes, std::array<std::string_view, 2>{"SUBSCRIBE", channel});
    send(bytes, When::kNow);
    co_return true;
  }
  void end() {
    heard_ = nullptr;
    close();
  }

 private:
  void received(std::string_view bytes) override {
    const auto self = shared_from_this();
    reader_.feed(bytes);
    for (auto reply = reader_.next(); heard_; reply = reader_.next()) {
      if (!reply) return lost("what came is no reply");
      if (!*reply) return;
      heard_(&**reply);
    }
  }
  void lost(std::string) override {
    close();
    if (const auto heard = std::exchange(heard_, nullptr)) heard(nullptr);
  }

  ReplyReader reader_;
  std::function<void(const Reply*)> heard_;
};

// What the background task and the handle share.
struct Listening : std::enable_shared_from_this<Listening> {
  Listening(net::io_context& on, Settings with, std::shared_ptr<TlsContext> by, std::string to, Hearer whom)
      : io(on),
        settings(std::move(with)),
        tls(std::move(by)),
        channel(std::move(to)),
        hearer(std::move(whom)),
        timer(on) {}

  void heard(const Reply* reply) {
    const bool logs_in = reply != nullptr && step < steps.size();
    if (logs_in && !refusal_of(steps[step++], *reply, settings)) return;
    if (reply == nullptr || logs_in || reply->is_error()) {
      broken = true;
      timer.cancel();
      return;
    }
    if (!reply->is_array() || reply->items.empty() || ended) return;
    const std::string& what = reply->items.front().text;
    if (what == "subscribe") {
      connected = true;
      pause = kFirstPause;
      hearer.subscribed();
    } else if (what == "message") {
      hearer.published();
    }
  }

  net::io_context& io;
  const Settings settings;
  std::shared_ptr<TlsContext> tls;
  const std::string channel;
  Hearer hearer;
  Timer timer;
  std::shared_ptr<Line> line{};
  milliseconds pause = kFirstPause;
  std::size_t turn = 0;
  const std::vector<LoginStep> steps = login_of(settings).steps;
  std::size_t step = 0;  // of them, to be answered
  bool connected = false;
  bool broken = false;
  bool ended = false;
};

Task<void> run(std::shared_ptr<Listening> self) {
  while (!self->ended) {
    const auto& nodes = self->settings.endpoints;
    self->broken = false;
    self->step = 0;
    self->line = std::make_shared<Line>(self->io, [weak = self->weak_from_this()](const Reply* reply) {
      if (const auto listening = weak.lock()) listening->heard(reply);
    });
    const auto line = self->line;
    const bool good =
        co_await line->subscribe(nodes[self->turn++ % nodes.size()], self->tls, self->settings, self->channel);
    while (good && !self->broken && !self->ended) {
      self->timer.expires_at(kNever);
      co_await self->timer.async_wait(net::as_tuple(net::deferred));
    }
    line->end();
    self->connected = false;
    if (self->ended) co_return;
    self->timer.expires_after(self->pause);
    self->pause = std::min(self->pause * 2, kLongestPause);
    co_await self->timer.async_wait(net::as_tuple(net::deferred));
  }
}

class Handle final : public Subscriber {
 public:
  explicit Handle(std::shared_ptr<Listening> listening) : listening_(std::move(listening)) {}
  ~Handle() override {
    listening_->ended = true;
    if (listening_->line) listening_->line->end();
    listening_->timer.cancel();
  }
  bool connected() const override { return listening_->connected; }

 private:
  std::shared_ptr<Listening> listening_;
};

}  // namespace

std::expected<std::unique_ptr<Subscriber>, std::string> make_subscriber(net::io_context& io, Settings settings,
                                                                        std::string channel, Hearer hearer) {
  if (settings.endpoints.empty()) return std::unexpected("no endpoint is configured");
  auto tls = make_tls(settings);
  if (!tls) return std::unexpected(std::move(tls.error()));
  const bool listens = settings.sentinel_master.empty();
  auto listening =
      std::make_shared<Listening>(io, std::move(settings), std::move(*tls), std::move(channel), std::move(hearer));
  if (listens) net::co_spawn(io, run(listening), net::detached);
  return std::make_unique<Handle>(std::move(listening));
}

}  // namespace sluice::redis
