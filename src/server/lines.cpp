#include "server/lines.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace sluice::server {
namespace {

constexpr auto kLastTrace = std::chrono::seconds(2);  // for what is still queued when the process ends
constexpr auto kLastLog = std::chrono::seconds(1);

class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(std::shared_ptr<observe::LineFile> file) : file_(std::move(file)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    file_->write(std::string(text.data(), text.size()), 1);
  }
  void flush_() override {}

 private:
  std::shared_ptr<observe::LineFile> file_;
};

void tell(bool problem, const std::string& text) {
  spdlog::log(problem ? spdlog::level::warn : spdlog::level::info, "{}", text);
}

observe::LineLimits limits_of(const config::Trace& trace) {
  return {.queue_bytes = trace.queue_bytes,
          .rotate = {.size = trace.rotate.size, .age = trace.rotate.age, .keep = trace.rotate.keep}};
}

observe::SampleRules rules_of(const config::Sampling& sample) {
  return {.rate = sample.rate, .slow = sample.slow, .slow_first_token = sample.slow_first_token, .cost = sample.cost};
}

}  // namespace

std::expected<void, std::string> Lines::start_log(const config::Log& log) {
  auto opened =
      observe::LineFile::open({.path = "", .limits = {.queue_bytes = log.queue_bytes}, .tell = tell}, log_counts_);
  if (!opened) return std::unexpected(std::move(opened.error()));
  log_ = std::move(*opened);
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("sluice", std::make_shared<LineSink>(log_)));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  return {};
}

std::expected<void, std::string> Lines::open_trace(const config::Trace& trace) {
  if (trace_ && trace.path == trace_path_) {
    trace_->reopen(limits_of(trace));
    return {};
  }
  std::shared_ptr<observe::LineFile> next;
  if (!trace.path.empty()) {
    auto opened =
        observe::LineFile::open({.path = trace.path, .limits = limits_of(trace), .tell = tell}, trace_counts_);
    if (!opened) return std::unexpected("trace.path: cannot be written: " + opened.error());
    next = std::move(*opened);
  }
  trace_ = std::move(next);
  trace_path_ = trace.path;
  return {};
}

std::expected<void, std::string> Lines::apply(const config::Config& config) {
  if (!log_) {
    if (auto started = start_log(config.log); !started) return started;
  }
  if (auto opened = open_trace(config.trace); !opened) return opened;
  log_->reopen({.queue_bytes = config.log.queue_bytes});
  spdlog::set_level(spdlog::level::from_str(config.log.level));
  requests_ = config.log.requests;
  sample_ = rules_of(config.trace.sample);
  return {};
}

void Lines::finish() {
  if (trace_ && !trace_->finish(kLastTrace)) spdlog::warn("{}: hangs; what it was to get is lost", trace_path_);
  if (log_) log_->finish(kLastLog);
}

}  // namespace sluice::server
