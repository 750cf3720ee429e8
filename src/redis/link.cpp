#include "redis/link.hpp"

#include <utility>
#include <vector>

#include "redis/words.hpp"

namespace sluice::redis {
namespace {

// What the end of a connection is to one of the commands in flight.
Trouble share_of(const Command& command, const Trouble& trouble, TimePoint now) {
  if (command.due() <= now) {
    const auto waited = std::chrono::round<milliseconds>(command.due() - command.begun());
    return {Failure::kTimeout, "no reply within " + std::to_string(waited.count()) + " ms"};
  }
  if (trouble.failure != Failure::kTimeout) return trouble;
  return {Failure::kClosed, "another command on the connection got no reply in time"};
}

}  // namespace

Link::Link(net::io_context& io, Address address, std::size_t reply_bytes)
    : Connection(io), address_(std::move(address)), reader_(reply_bytes), alarm_(io, [this] { look_at_the_clock(); }) {}

Task<std::expected<void, Trouble>> Link::open(std::shared_ptr<TlsContext> tls, const Settings& settings, Login login,
                                              TimePoint due) {
  const auto self = shared_from_this();
  auto done = co_await Connection::open(address_, std::move(tls), due);
  if (done) done = co_await log_in(settings, std::move(login), due);
  if (!done) close();
  co_return done;
}

Task<std::expected<void, Trouble>> Link::log_in(const Settings& settings, Login login, TimePoint due) {
  std::vector<CommandPtr> commands;
  for (std::size_t i = 0; i < login.steps.size(); ++i) {
    commands.push_back(std::make_shared<Command>(std::string(), Clock::now(), due));
    in_flight_.push(commands.back());
  }
  alarm_.ring_by(due);
  if (!co_await send_first(login.bytes)) fail({Failure::kClosed, "the login could not be sent"});
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto reply = co_await commands[i]->wait(io());
    if (!reply) co_return std::unexpected(Trouble{Failure::kClosed, "given up"});
    if (!*reply) co_return std::unexpected(std::move(reply->error()));
    if (auto refused = refusal_of(login.steps[i], **reply, settings)) co_return std::unexpected(std::move(*refused));
  }
  co_return std::expected<void, Trouble>{};
}

Task<Outcome> Link::ask(std::initializer_list<std::string_view> words, TimePoint due) {
  const auto self = shared_from_this();
  std::string bytes;
  append_command(bytes, {words.begin(), words.size()});
  const auto command = std::make_shared<Command>(std::move(bytes), Clock::now(), due);
  submit(command);
  auto outcome = co_await command->wait(io());
  if (!outcome) co_return std::unexpected(Trouble{Failure::kClosed, "given up"});
  if (!*outcome) co_return std::move(*outcome);
  co_return judged(std::move(**outcome));
}

void Link::submit(CommandPtr command) {
  if (closed() || retired_) {
    settle(command, std::unexpected(Trouble{Failure::kClosed, "no connection"}));
    return;
  }
  // A command alone gains nothing by waiting for company.
  send(command->bytes(), in_flight_.empty() ? When::kNow : When::kSoon);
  alarm_.ring_by(command->next_due());
  in_flight_.push(std::move(command));
}

void Link::received(std::string_view bytes) {
  reader_.feed(bytes);
  while (!closed()) {
    auto reply = reader_.next();
    if (!reply) return fail({Failure::kProtocol, std::move(reply.error())});
    if (!*reply) break;
    if (in_flight_.empty()) {
      if (const auto observer = observer_.lock()) observer->desynchronised();
      return fail({Failure::kProtocol, "a reply that nobody had asked for"});
    }
    settle(in_flight_.pop(), std::move(**reply));
  }
  close_if_done();
}

void Link::lost(std::string why) { fail({Failure::kClosed, std::move(why)}); }

void Link::settle(const CommandPtr& command, Outcome outcome) {
  if (command->origin() == Command::Origin::kCaller) {
    if (outcome) outcome = judged(std::move(*outcome));
    if (const auto observer = observer_.lock()) observer->settled(*this, *command, outcome);
  }
  command->finish(std::move(outcome));
}

void Link::look_at_the_clock() {
  const auto self = shared_from_this();
  const auto now = Clock::now();
  if (in_flight_.overdue(now)) return fail({Failure::kTimeout, "no reply in time"});
  in_flight_.dismiss_impatient(now);
  alarm_.ring_by(in_flight_.next_due());
}

void Link::retire() {
  retired_ = true;
  close_if_done();
}

void Link::close_if_done() {
  if (retired_ && in_flight_.empty()) close();
}

void Link::fail(Trouble trouble) {
  if (closed()) return;
  const auto self = shared_from_this();
  const auto now = Clock::now();
  close();
  const auto cut = in_flight_.take_all();
  if (const auto observer = observer_.lock()) observer->lost(*this);
  for (const auto& command : cut) settle(command, std::unexpected(share_of(*command, trouble, now)));
}

}  // namespace sluice::redis
