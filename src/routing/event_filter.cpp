#include "routing/event_filter.hpp"

namespace sluice::routing {

Result<void> EventFilter::feed(std::string_view bytes, std::string& out) {
  auto decoded = decoder_.feed(bytes, [this, &out](const sse::Event& event) { return take(event, out); });
  if (failed_) return std::unexpected(std::move(*failed_));
  return decoded;
}

Result<void> EventFilter::finish(std::string& out) {
  if (state_.complete()) return {};
  auto decoded = decoder_.finish([this, &out](const sse::Event& event) { return take(event, out); });
  // An event without its final blank line that cannot be read was cut, not written so.
  if (failed_ && failed_->kind == ErrorKind::kUpstreamInvalidEvent) failed_->kind = ErrorKind::kUpstreamTruncated;
  if (failed_) return std::unexpected(std::move(*failed_));
  if (!decoded || state_.complete()) return decoded;
  auto verdict = state_.end();
  if (!verdict) return std::unexpected(std::move(verdict.error()));
  if (verdict->action == api::StreamState::Action::kRewrite) {
    out += verdict->rewritten;
    ++events_;
  }
  return {};
}

bool EventFilter::take(const sse::Event& event, std::string& out) {
  auto verdict = state_.event(event.type, event.data);
  if (!verdict) {
    failed_ = std::move(verdict.error());
    return false;
  }
  using Action = api::StreamState::Action;
  if (verdict->failure && redactor_ != nullptr && redactor_->finds(event.data)) {
    verdict->action = Action::kRewrite;
    verdict->rewritten = event.data;
    redactor_->strike(verdict->rewritten);
  }
  if (verdict->action != Action::kDrop) {
    const std::string_view data = verdict->action == Action::kRewrite ? verdict->rewritten : event.data;
    sse::append_event(out, keep_types_ ? event.type : std::string_view{}, data);
    ++events_;
  }
  return !verdict->complete;
}

}  // namespace sluice::routing
