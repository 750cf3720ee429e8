#pragma once
// Stand-ins for the two ends of an exchange, and a loop to run it on. One thread, no sockets.

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sluice/http/client.hpp"
#include "sluice/http/sink.hpp"

namespace sluice::fakes {

// Runs `task` to its end, within `bound`. Nothing if it was not over by then.
template <class T>
std::optional<T> run_on(net::io_context& io, Task<T> task, net::cancellation_slot slot = {},
                        milliseconds bound = milliseconds(60'000)) {
  auto result = std::make_shared<std::optional<T>>();
  auto done = [result, &io](std::exception_ptr thrown, T value) {
    EXPECT_FALSE(thrown) << "the task threw";
    if (!thrown) result->emplace(std::move(value));
    io.stop();
  };
  net::co_spawn(io, std::move(task), net::bind_cancellation_slot(slot, std::move(done)));
  io.restart();
  io.run_for(bound);
  EXPECT_TRUE(result->has_value()) << "the task did not end";
  return std::move(*result);
}

template <class T>
T run(Task<T> task) {
  net::io_context io;
  return *run_on(io, std::move(task));
}

// What reached the client.
class MemorySink final : public http::ResponseSink {
 public:
  bool started() const override { return started_; }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override {
    this->start(std::move(start));
    pieces.emplace_back(body);
    finished = true;
    co_return outcome();
  }
  void start(http::ResponseStart start) override {
    EXPECT_FALSE(started_) << "an answer began twice";
    started_ = true;
    status = start.status;
    content_type = start.content_type;
    for (auto& [name, value] : start.fields) fields.emplace_back(name, value);
  }
  std::optional<Result<void>> write_now(std::string_view bytes) override {
    EXPECT_TRUE(started_ && !finished) << "a piece outside of an answer";
    pieces.emplace_back(bytes);
    if (slow_reader) return std::nullopt;
    return outcome();
  }
  Task<Result<void>> flush() override { co_return outcome(); }
  void end_by(TimePoint due) override { ends_by = due; }
  Task<Result<void>> finish(std::string_view last_bytes) override {
    EXPECT_TRUE(started_ && !finished) << "an end outside of an answer";
    if (!last_bytes.empty()) pieces.emplace_back(last_bytes);
    finished = true;
    co_return outcome();
  }

  std::string body() const {
    std::string all;
    for (const auto& piece : pieces) all += piece;
    return all;
  }
  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "(absent)";
  }

  int status = 0;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> pieces;
  bool finished = false;
  bool slow_reader = false;  // no piece goes at once
  TimePoint ends_by = kNever;
  std::size_t fail_from_piece = SIZE_MAX;  // the client is gone once so many pieces were handed over

 private:
  Result<void> outcome() const {
    if (pieces.size() < fail_from_piece) return {};
    return fail(ErrorKind::kClientGone, "gone");
  }
  bool started_ = false;
};

struct Hang {};  // nothing comes until the task is cancelled
using Step = std::variant<std::string, Error, Hang>;

// What became of a stream, to be looked at after its end.
struct StreamFate {
  int reads = 0;
  int pauses = 0;
  std::vector<TimePoint> dues;
  bool finished = false;  // was handed to finish()
  bool destroyed = false;
};

// An upstream's answer, read by read.
class ScriptedStream final : public http::ResponseStream {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  ScriptedStream(int status, Fields fields, std::vector<Step> steps)
      : fields_(std::move(fields)), steps_(steps.begin(), steps.end()) {
    head_.status = status;
    for (const auto& [name, value] : fields_) head_.fields.push_back({name, value});
  }
  ~ScriptedStream() override { fate_->destroyed = true; }

  const http::ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read_some(TimePoint due) override {
    ++fate_->reads;
    fate_->dues.push_back(due);
    bytes_.reset();  // whoever still looks at the last piece is found out
    if (steps_.empty()) co_return std::string_view{};
    Step step = std::move(steps_.front());
    steps_.pop_front();
    if (auto* error = std::get_if<Error>(&step)) co_return std::unexpected(std::move(*error));
    if (std::holds_alternative<Hang>(step)) {
      net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> never(co_await net::this_coro::executor,
                                                                                kNever);
      co_await never.async_wait(net::as_tuple(net::deferred));
      co_return fail(ErrorKind::kClientGone, "cancelled");
    }
    bytes_ = std::make_unique<std::string>(std::move(std::get<std::string>(step)));
    co_return std::string_view(*bytes_);
  }
  void pause() override {
    ++fate_->pauses;
    bytes_.reset();
  }
  std::shared_ptr<const StreamFate> fate() const { return fate_; }

 private:
  void finish_in_background(std::unique_ptr<ResponseStream>) override { fate_->finished = true; }

  Fields fields_;
  http::ResponseHead head_;
  std::deque<Step> steps_;
  std::unique_ptr<std::string> bytes_;
  std::shared_ptr<StreamFate> fate_ = std::make_shared<StreamFate>();
};

// Hands out what was put in, in order, and remembers what was asked.
class ScriptedClient final : public http::Client {
 public:
  struct Asked {
    std::string host;
    std::string head;
    std::string body;
    milliseconds connect_timeout{};
    TimePoint head_due;
  };

  void configure(http::ClientLimits) override {}
  Task<Result<void>> warm(std::shared_ptr<const http::Origin>, std::size_t, milliseconds) override {
    co_return Result<void>{};
  }
  Task<Result<std::unique_ptr<http::ResponseStream>>> open(const http::Outgoing& request,
                                                           http::OpenTimes& times) override {
    std::string body;
    for (auto piece : request.body) body += piece;
    asked.push_back({request.origin->host, std::string(request.head.reveal()), std::move(body), request.connect_timeout,
                     request.head_due});
    times.connected = Clock::now();
    times.reused = reused;
    if (answers_.empty()) co_return fail(ErrorKind::kUpstreamConnectFailed, "nothing was scripted");
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    if (answer) times.first_byte = Clock::now();
    co_return answer;
  }
  UpstreamCounts counts() const override { return {}; }  // it looks nothing up and connects to nothing

  std::shared_ptr<const StreamFate> add(int status, ScriptedStream::Fields fields, std::vector<Step> steps) {
    auto stream = std::make_unique<ScriptedStream>(status, std::move(fields), std::move(steps));
    auto fate = stream->fate();
    answers_.emplace_back(std::move(stream));
    return fate;
  }
  void add(Error error) { answers_.emplace_back(std::unexpected(std::move(error))); }

  std::vector<Asked> asked;
  bool reused = false;

 private:
  std::deque<Result<std::unique_ptr<http::ResponseStream>>> answers_;
};

}  // namespace sluice::fakes
