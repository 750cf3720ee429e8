#include "support/scripted_upstream.hpp"

#include <poll.h>

#include "support/upstream_connection.hpp"

namespace sluice::support {

ScriptedUpstream::ScriptedUpstream(UpstreamOptions options) : options_(options), listener_(listen_loopback()) {
  if (options_.tls) context_ = server_context(*options_.tls, options_.only_tls_1_1);
  accept_thread_ = std::thread([this] { accept_loop(); });
}

ScriptedUpstream::~ScriptedUpstream() {
  stop_.open();
  accept_thread_.join();
  for (auto& serving : serving_) serving.thread.join();
}

std::string ScriptedUpstream::url(std::string_view path) const {
  return std::string(options_.tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + std::string(path);
}

Behaviour& ScriptedUpstream::on(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return by_path_[path].emplace_back();
}

Behaviour& ScriptedUpstream::on_model(const std::string& model) {
  const std::lock_guard lock(mutex_);
  return by_model_[model].emplace_back();
}

void ScriptedUpstream::forget_script() {
  const std::lock_guard lock(mutex_);
  by_path_.clear();
  by_model_.clear();
}

void ScriptedUpstream::set_script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

std::list<Behaviour>* ScriptedUpstream::queue_for(const ObservedRequest& request) {
  if (const auto found = by_model_.find(request.model); found != by_model_.end()) return &found->second;
  for (const auto& path : {request.target.substr(0, request.target.find('?')), std::string()}) {
    if (const auto found = by_path_.find(path); found != by_path_.end()) return &found->second;
  }
  return nullptr;
}

Behaviour ScriptedUpstream::behaviour_for(const ObservedRequest& request) {
  Script script;
  {
    const std::lock_guard lock(mutex_);
    script = script_;
  }
  if (script) {
    if (auto scripted = script(request)) return *scripted;
  }
  const std::lock_guard lock(mutex_);
  auto* queue = queue_for(request);
  if (queue == nullptr) return Behaviour().status(599).json(R"({"error":{"message":"nothing scripted"}})");
  Behaviour front = queue->front();
  if (queue->size() > 1) queue->pop_front();
  return front;
}

std::vector<ObservedRequest> ScriptedUpstream::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<ObservedConnection> ScriptedUpstream::connections() const {
  const std::lock_guard lock(mutex_);
  return {connections_.begin(), connections_.end()};
}

std::size_t ScriptedUpstream::bytes_in() const {
  std::size_t sum = 0;
  for (const auto& connection : connections()) sum += connection.bytes_in;
  return sum;
}

bool ScriptedUpstream::wait_until(const std::function<bool()>& condition, milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, condition);
}

bool ScriptedUpstream::wait_for_requests(std::size_t count, milliseconds timeout) const {
  return wait_until([&] { return requests_.size() >= count; }, timeout);
}

bool ScriptedUpstream::wait_for_connections(std::size_t count, milliseconds timeout) const {
  return wait_until([&] { return connections_.size() >= count; }, timeout);
}

ObservedConnection ScriptedUpstream::wait_for_disconnect(std::size_t connection, milliseconds timeout) const {
  wait_until([&] { return connections_.size() > connection && connections_[connection].peer != End::kOpen; }, timeout);
  const std::lock_guard lock(mutex_);
  return connections_.size() > connection ? connections_[connection] : ObservedConnection{};
}

void ScriptedUpstream::stop_listening() { stop_listening_.open(); }

void ScriptedUpstream::update(const std::function<void()>& change) {
  {
    const std::lock_guard lock(mutex_);
    change();
  }
  changed_.notify_all();
}

void ScriptedUpstream::join_those_that_are_over() {
  std::erase_if(serving_, [](Serving& serving) {
    const bool over = serving.over;
    if (over) serving.thread.join();
    return over;
  });
}

void ScriptedUpstream::accept_loop() {
  for (;;) {
    const unsigned ready = wait_any(
        {{stop_.fd(), POLLIN}, {stop_listening_.fd(), POLLIN}, {listener_.fd.get(), POLLIN}}, Clock::now() + 60s);
    if ((ready & 1U) != 0) return;
    if ((ready & 2U) != 0) break;
    Fd fd = accept_connection(listener_.fd.get());
    if (!fd.valid()) continue;
    std::size_t index = 0;
    update([&] {
      index = connections_.size();
      connections_.emplace_back().accepted_at = Clock::now();
    });
    auto channel = context_ ? tls_channel(std::move(fd), *context_) : std::make_unique<Channel>(std::move(fd));
    join_those_that_are_over();
    Serving& serving = serving_.emplace_back();
    serving.thread = std::thread([this, index, &over = serving.over, owned = std::move(channel)] {
      UpstreamConnection(*this, *owned, index).run();
      over = true;
    });
  }
  listener_.fd.close();
  wait_any({{stop_.fd(), POLLIN}}, Clock::time_point::max());
}

}  // namespace sluice::support
