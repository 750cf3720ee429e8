#include "pipeline/answer_tap.hpp"

#include <new>

#include "sluice/core/aside.hpp"

namespace sluice::pipeline {

Task<Result<void>> AnswerTap::respond(http::ResponseStart start, std::string_view body) {
  if (body.size() <= limits_.inline_bytes) {
    keep_body(body);
  } else {
    co_await aside([this, body] {
      keep_body(body);
      return true;
    });
  }
  held_ = text_.held();
  co_return co_await client_.respond(std::move(start), body);
}

std::optional<Result<void>> AnswerTap::write_now(std::string_view bytes) {
  keep_events(bytes);
  return client_.write_now(bytes);
}

Task<Result<void>> AnswerTap::finish(std::string_view last_bytes) {
  keep_events(last_bytes);
  return client_.finish(last_bytes);
}

// Without memory for what is kept the answer goes on all the same.
void AnswerTap::keep_body(std::string_view body) {
  try {
    text_.add_body(body);
  } catch (const std::bad_alloc&) {
    over_ = true;
  }
}

void AnswerTap::keep_events(std::string_view bytes) {
  if (over_) return;
  try {
    const auto read = decoder_.feed(bytes, [this](const sse::Event& event) {
      text_.add_event(event.data);
      return !text_.full();
    });
    over_ = !read || text_.full();
  } catch (const std::bad_alloc&) {
    over_ = true;
  }
  held_ = text_.held();
}

}  // namespace sluice::pipeline
