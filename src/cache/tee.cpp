#include "cache/tee.hpp"

#include "cache/recast.hpp"

namespace sluice::cache {

Result<void> Tee::judged(Result<void> sent) {
  if (sent || ends_.flight.desert()) return sent;
  left_ = true;
  client_end_ = std::move(sent);
  return {};
}

void Tee::keep(std::string_view bytes) {
  const auto events = without_end(endpoint_, bytes, kept_.usage_event);
  const std::string_view text = events ? std::string_view(*events) : bytes;
  if (text.empty()) return;
  ends_.flight.append(text);
  kept_.events += events_in(text);
  const auto now = Clock::now();
  if (first_ == TimePoint{}) first_ = now;
  size_ += text.size();
  const auto since = std::chrono::floor<milliseconds>(now - first_).count();
  kept_.pieces.push_back({static_cast<std::uint32_t>(size_), static_cast<std::uint32_t>(since)});
}

Task<Result<void>> Tee::respond(http::ResponseStart start, std::string_view body) {
  started_ = true;
  kept_.form = Entry::Form::kBody;
  ends_.flight.append(body);
  ends_.whole();
  if (left_) co_return Result<void>{};
  co_return co_await ends_.client.respond(std::move(start), body);
}

void Tee::start(http::ResponseStart start) {
  started_ = true;
  kept_.form = Entry::Form::kEvents;
  if (!left_) ends_.client.start(std::move(start));
}

std::optional<Result<void>> Tee::write_now(std::string_view bytes) {
  keep(bytes);
  if (left_) return Result<void>{};
  auto sent = steady_.write_now(bytes);
  if (sent) sent = judged(std::move(*sent));
  return sent;
}

Task<Result<void>> Tee::flush() {
  co_return judged(co_await steady_.wait([this] { return is_followed(); }));
}

Task<Result<void>> Tee::finish(std::string_view last_bytes) {
  keep(last_bytes);
  ends_.whole();
  if (left_) co_return Result<void>{};
  if (auto sent = co_await steady_.catch_up(); !sent) co_return sent;
  co_return co_await ends_.client.finish(last_bytes);
}

void Tee::leave_client() {
  left_ = true;
  steady_.give_up();
}

Task<Result<void>> Tee::settle() {
  co_await steady_.catch_up();
  co_return std::move(client_end_);
}

}  // namespace sluice::cache
