// dialect: static. A fixed text in every shape of answer, so that a newcomer, a test or an outage needs no upstream.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "provider/make.hpp"
#include "provider/static_shapes.hpp"
#include "provider/static_stream.hpp"
#include "sluice/api/estimate.hpp"

namespace sluice::provider {
namespace {

// Words with the space before them, so that joined they are the text again.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t start = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    const bool begins = i == text.size() || (text[i] == ' ' && text[i - 1] != ' ');
    if (!begins) continue;
    words.emplace_back(text.substr(start, i - start));
    start = i;
  }
  return words;
}

class Static final : public Provider {
 public:
  explicit Static(const config::Provider& config) : config_(config), words_(words_of(config.answer)) {}

  const config::Provider& config() const override { return config_; }

  std::vector<std::string> credentials() const override { return {}; }

  Result<void> encode(const http::Request&, const api::RequestView&, Encoded&) const override {
    return fail(ErrorKind::kUnknownRoute, "A static provider does not answer this endpoint.");
  }

  std::unique_ptr<http::ResponseStream> answer(const api::RequestView& view) const override {
    if (view.endpoint == Endpoint::kModerations) return nullptr;  // a fixed verdict would be a false one
    StaticAnswer made;
    made.model = view.model;
    made.created =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    made.input_tokens = api::estimate_input_tokens(view);
    const auto limit =
        static_cast<std::size_t>(std::clamp<std::int64_t>(view.max_output().value_or(INT64_MAX), 1, 1 << 20));
    made.words = std::span(words_).first(std::min(limit, words_.size()));
    made.cut = made.words.size() < words_.size();
    if (view.stream && has_stream_shape(view.endpoint)) {
      return std::make_unique<StaticStream>("text/event-stream", stream_shape(view.endpoint, made), config_.word_delay);
    }
    std::vector<std::string> body;
    body.push_back(view.endpoint == Endpoint::kEmbeddings ? embeddings_shape(view, made)
                                                          : whole_shape(view.endpoint, made));
    return std::make_unique<StaticStream>("application/json", std::move(body), milliseconds(0));
  }

  const Redactor& redactor() const override { return nothing_to_hide_; }

 private:
  config::Provider config_;
  Redactor nothing_to_hide_;
  std::vector<std::string> words_;
};

}  // namespace

std::expected<std::unique_ptr<Provider>, std::string> make_static(const config::Provider& config) {
  return std::make_unique<Static>(config);
}

}  // namespace sluice::provider
