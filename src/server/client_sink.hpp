#pragma once
// The writing half of a client's connection: heads, whole bodies, chunks.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/client_io.hpp"
#include "sluice/http/head.hpp"
#include "sluice/http/sink.hpp"

namespace sluice::server {

class ClientSink final : public http::ResponseSink {
 public:
  // `draining`: whether every answer that begins now is the last on its connection.
  ClientSink(http::Transport& transport, const std::function<bool()>& draining)
      : transport_(transport), draining_(draining) {}

  // What the answer to one request depends on.
  void begin(const http::RequestHead& head, std::string_view request_id, milliseconds write_timeout);
  void close_after_this() { close_ = true; }
  // What one more field says is found out when the head is written; its name is a literal. For this answer.
  void add_field(std::string_view name, std::function<std::string()> value) { late_field_ = {name, std::move(value)}; }
  void rest();    // gives back what the last answer needed
  void forget();  // that there was an answer before

  bool started() const override { return status_ != 0; }
  void end_by(TimePoint due) override { due_ = due; }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override;
  void start(http::ResponseStart start) override;
  std::optional<Result<void>> write_now(std::string_view bytes) override;
  Task<Result<void>> flush() override;
  Task<Result<void>> write(std::string_view bytes);  // both halves
  Task<Result<void>> finish(std::string_view last_bytes) override;

  Task<Result<void>> send_continue();

  bool finished() const { return finished_; }
  bool stalled() const { return stalled_; }  // the client took too long for a piece, and was cut
  bool keeps_alive() const { return finished_ && !close_; }
  int status() const { return status_; }
  std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  class Unsent;
  void put_head(const http::ResponseStart& start);
  Result<void> result_of(http::IoResult<void> written);
  std::optional<Result<void>> send_now(std::span<const std::string_view> pieces);  // nothing: flush() must follow

  http::Transport& transport_;
  const std::function<bool()>& draining_;
  milliseconds write_timeout_{0};
  TimePoint due_ = kNever;
  std::string request_id_;
  std::pair<std::string_view, std::function<std::string()>> late_field_;
  std::string head_;  // not yet sent
  bool is_head_request_ = false;
  bool http10_ = false;
  bool close_ = false;
  bool finished_ = false;
  bool stalled_ = false;
  int status_ = 0;
  std::uint64_t body_bytes_ = 0;
};

}  // namespace sluice::server
