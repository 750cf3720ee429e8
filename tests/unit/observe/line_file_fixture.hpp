#pragma once
// A line file in a folder of its own, with clocks that the test moves and a note of all that operators were told.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sluice/observe/sink.hpp"

namespace sluice::observe {

using namespace std::chrono_literals;

class LineFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    std::string name = (std::filesystem::temp_directory_path() / "sluice-lines-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    file_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name = "trace.jsonl") const { return (folder_ / name).string(); }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The files put aside, oldest first.
  std::vector<std::string> put_aside() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().filename().string().starts_with("trace.jsonl.2")) found.push_back(entry.path().string());
    }
    std::ranges::sort(found);
    return found;
  }

  LineFile& open(const std::string& where, const LineLimits& limits = {}) {
    file_.reset();
    auto opened = try_open(where, limits);
    if (!opened) throw std::runtime_error(opened.error());
    file_ = std::move(*opened);
    return *file_;
  }
  std::expected<std::unique_ptr<LineFile>, std::string> try_open(const std::string& where,
                                                                 const LineLimits& limits = {}) {
    const auto note = [this](bool, const std::string& text) {
      const std::lock_guard lock(mutex_);
      told_.push_back(text);
    };
    const Clocks clocks{.now = [this] { return Clock::now() + later_.load(); },
                        .wall = [this] { return std::chrono::system_clock::now() + wall_later_.load(); }};
    return LineFile::open({.path = where, .limits = limits, .tell = note, .clocks = clocks}, counts_);
  }
  // Writes what is queued and closes.
  void finish() {
    EXPECT_TRUE(file_->finish(10s));
    file_.reset();
  }

  static bool eventually(const std::function<bool()>& condition) {
    const auto due = Clock::now() + 10s;
    while (!condition()) {
      if (Clock::now() > due) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  // Until as many lines are written or dropped.
  ::testing::AssertionResult settles_at(std::uint64_t lines) {
    if (eventually([&] { return counts_->lines + counts_->all_dropped() == lines; })) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << counts_->lines << " written, " << counts_->all_dropped() << " dropped";
  }
  std::vector<std::string> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  std::ptrdiff_t told(std::string_view part) const {
    return std::ranges::count_if(told(), [&](const auto& text) { return text.find(part) != text.npos; });
  }

  std::filesystem::path folder_;
  std::shared_ptr<LineCounts> counts_ = std::make_shared<LineCounts>();
  std::atomic<std::chrono::seconds> later_ = 0s;       // how far the clock that never jumps is ahead
  std::atomic<std::chrono::seconds> wall_later_ = 0s;  // how far the wall clock has jumped
  std::unique_ptr<LineFile> file_;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
};

}  // namespace sluice::observe
