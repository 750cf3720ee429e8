#include "sluice/pipeline/answer_tap.hpp"

#include <new>

#include "sluice/core/aside.hpp"

namespace sluice::pipeline {

// Events are re-framed on their way, and a little larger then.
TapLimits tap_limits(const config::Config& config) {
  return {.event_bytes = config.limits.event_bytes + config.limits.header_bytes,
          .inline_bytes = config.limits.inline_bytes};
}

template <class Call>
void AnswerTap::tell(const Call& call) {
  if (over_) return;
  try {
    call();
  } catch (const std::bad_alloc&) {
    over_ = true;
  }
}

void AnswerTap::tell_events(std::string_view bytes) {
  tell([&] {
    bool more = true;
    const auto read = decoder_.feed(bytes, [&](const sse::Event& event) { return more = listener_.event(event.data); });
    over_ = !read || !more;
  });
}

Task<Result<void>> AnswerTap::respond(http::ResponseStart start, std::string_view body) {
  const auto hear = [this, body] {
    tell([&] { listener_.body(body); });
    return true;
  };
  if (body.size() <= limits_.inline_bytes) {
    hear();
  } else {
    co_await aside(hear);
  }
  tell([this] { listener_.ended(); });
  co_return co_await client_.respond(std::move(start), body);
}

std::optional<Result<void>> AnswerTap::write_now(std::string_view bytes) {
  tell_events(bytes);
  return client_.write_now(bytes);
}

Task<Result<void>> AnswerTap::finish(std::string_view last_bytes) {
  tell_events(last_bytes);
  tell([this] { listener_.ended(); });
  return client_.finish(last_bytes);
}

}  // namespace sluice::pipeline
