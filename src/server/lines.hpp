#pragma once
// Where log and trace lines go: files that follow the configuration, and counts that outlive them. Of the main thread.

#include <expected>
#include <memory>
#include <string>

#include "sluice/config/config.hpp"
#include "sluice/observe/sampling.hpp"
#include "sluice/observe/sink.hpp"

namespace sluice::server {

class Lines {
 public:
  // Opens what `config` names, or opens it anew after a rotation from outside; the operators' log goes to the same
  // queue as request lines, so that nobody waits for standard error. On an error nothing has changed.
  std::expected<void, std::string> apply(const config::Config& config);
  // Writes what is left, for a moment at most.
  void finish();

  std::shared_ptr<observe::LineFile> trace() const { return trace_; }                            // null: no trace
  std::shared_ptr<observe::LineFile> request_log() const { return requests_ ? log_ : nullptr; }  // null: no such lines
  const observe::SampleRules& sample() const { return sample_; }
  const observe::LineCounts& trace_counts() const { return *trace_counts_; }
  const observe::LineCounts& log_counts() const { return *log_counts_; }

 private:
  std::expected<void, std::string> start_log(const config::Log& log);
  std::expected<void, std::string> open_trace(const config::Trace& trace);

  std::shared_ptr<observe::LineCounts> trace_counts_ = std::make_shared<observe::LineCounts>();
  std::shared_ptr<observe::LineCounts> log_counts_ = std::make_shared<observe::LineCounts>();
  std::shared_ptr<observe::LineFile> trace_;
  std::shared_ptr<observe::LineFile> log_;
  std::string trace_path_;
  bool requests_ = true;
  observe::SampleRules sample_;
};

}  // namespace sluice::server
