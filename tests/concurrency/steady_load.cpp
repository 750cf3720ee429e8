#include "concurrency/steady_load.hpp"

#include <optional>
#include <system_error>

namespace sluice::integration {

SteadyLoad::SteadyLoad(LoadOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.plain + options_.streaming; ++i) {
    clients_.emplace_back([this, stream = i >= options_.plain] { ask_on(stream); });
  }
}

void SteadyLoad::stop() {
  stop_ = true;
  for (auto& client : clients_) client.join();
  clients_.clear();
}

std::string SteadyLoad::first_failure() const {
  const std::lock_guard lock(mutex_);
  return first_failure_;
}

void SteadyLoad::note_failure(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (failed_++ == 0) first_failure_ = what;
}

void SteadyLoad::ask_on(bool stream) {
  const std::string request =
      post_request("/v1/chat/completions", stream ? stream_body(options_.model) : chat_body(options_.model));
  std::optional<RawClient> kept;
  while (!stop_) {
    try {
      if (!kept || options_.new_connections || !kept->stays_silent(0ms)) kept.emplace(options_.port);
      kept->send(request);
      const Response response = kept->read_response(20s);
      judge(response, stream);
      if (!response.complete || response.header("connection") == "close") kept.reset();
    } catch (const std::system_error& error) {
      note_failure(error.what());
      kept.reset();
    }
    ++requests_;
    std::this_thread::sleep_for(options_.pause);
  }
}

void SteadyLoad::judge(const Response& response, bool stream) {
  const bool good = response.status == 200 && response.complete && (!stream || data_of(response).back() == kDone);
  if (good) return;
  note_failure((stream ? "stream: status " : "status ") + std::to_string(response.status) + ", end " +
               std::string(to_string(response.end)) + ", body " + response.body.substr(0, 500));
}

}  // namespace sluice::integration
