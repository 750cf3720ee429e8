#pragma once
// The answer on one upstream connection: body framing over a small read buffer.

#include <memory>
#include <string>
#include <vector>

#include "http/pool.hpp"
#include "sluice/http/chunk_decoder.hpp"
#include "sluice/http/client.hpp"

namespace sluice::http {

class UpstreamResponse final : public ResponseStream {
 public:
  UpstreamResponse(Pool& pool, std::shared_ptr<const Origin> origin, std::unique_ptr<UpstreamConnection> connection);
  ~UpstreamResponse() override;

  // Reads up to the final head. `got_bytes` tells whether anything of an answer had come when it failed.
  Task<Result<void>> read_head(const HeadLimits& limits, TimePoint due, bool& got_bytes);

  const ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read_some(TimePoint due) override;
  void pause() override;
  void forbid_reuse() { reusable_ = false; }

 private:
  void finish_in_background(std::unique_ptr<ResponseStream> self) override;
  void rest_arrived();
  Task<IoResult<std::size_t>> fill(TimePoint due);
  Result<std::string_view> decode(std::span<char> bytes);
  Error ended_early(const IoError& error) const;

  Pool& pool_;
  std::shared_ptr<const Origin> origin_;
  std::unique_ptr<UpstreamConnection> connection_;
  std::string head_bytes_;  // what the views in head_ point into
  ResponseHead head_;
  std::span<char> unread_;  // bytes of the body that came with the head
  ChunkDecoder chunks_;
  std::uint64_t remaining_ = 0;  // of a Content-Length body
  bool ended_ = false;
  bool reusable_ = true;
};

}  // namespace sluice::http
