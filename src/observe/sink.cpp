#include "sluice/observe/sink.hpp"

#include <string>
#include <system_error>
#include <utility>

#include "observe/line_writer.hpp"
#include "sluice/core/patience.hpp"

namespace sluice::observe {
namespace {

std::atomic<int> running_writers = 0;

}  // namespace

std::string_view to_string(Drop reason) {
  constexpr std::array<std::string_view, kDrops> kNames = {"queue_full", "write_error", "no_memory"};
  return kNames[static_cast<std::size_t>(reason)];
}

bool has_unfinished_files() { return running_writers > 0; }

std::expected<std::unique_ptr<LineFile>, std::string> LineFile::open(LineFileOptions options,
                                                                     std::shared_ptr<LineCounts> counts) {
  if (left_writers() >= kMostLeftFiles) {
    return std::unexpected(std::to_string(kMostLeftFiles) + " files that were left before still hang");
  }
  auto writer = std::make_shared<LineWriter>(std::move(options), std::move(counts));
  if (auto opened = writer->open(); !opened) return std::unexpected(std::move(opened.error()));
  ++running_writers;
  try {
    return std::unique_ptr<LineFile>(new LineFile(std::move(writer)));
  } catch (const std::system_error& error) {
    --running_writers;
    return std::unexpected(std::string("no thread: ") + error.what());
  }
}

LineFile::LineFile(std::shared_ptr<LineWriter> writer) : writer_(std::move(writer)) {
  thread_ = std::thread([own = writer_]() mutable {
    const Patience patience;  // lines can wait
    own->run();
    own.reset();
    --running_writers;
  });
}

LineFile::~LineFile() {
  writer_->leave();
  if (thread_.joinable()) thread_.detach();
}

void LineFile::write(std::string lines, std::uint64_t count) { writer_->write(std::move(lines), count); }

void LineFile::lose(std::uint64_t count) { writer_->lose(count); }

void LineFile::reopen(const LineLimits& limits) { writer_->reopen(limits); }

bool LineFile::finish(milliseconds most) {
  writer_->stop();
  if (!writer_->wait_ended(most)) return false;
  if (thread_.joinable()) thread_.join();
  return true;
}

}  // namespace sluice::observe
