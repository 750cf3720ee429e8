#pragma once
// What a receiver makes of bytes: heads and bodies, as far as this library alone decides about them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/http/chunk_decoder.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http::testing {

inline constexpr std::uint64_t kMaxBody = 64 * 1024 * 1024;

// Scans `raw` in one piece and parses what is complete. Nothing if it is not.
inline std::optional<Result<RequestHead>> read_request(std::string_view raw, HeadLimits limits = {}) {
  HeadScanner scanner(HeadScanner::Side::kRequest, limits);
  auto size = scanner.scan(raw);
  if (!size) return std::unexpected(size.error());
  if (!*size) return std::nullopt;
  return parse_request_head(raw.substr(scanner.skipped(), **size), limits);
}

inline std::optional<Result<ResponseHead>> read_response(std::string_view raw, HeadLimits limits = {}) {
  HeadScanner scanner(HeadScanner::Side::kResponse, limits);
  auto size = scanner.scan(raw);
  if (!size) return std::unexpected(size.error());
  if (!*size) return std::nullopt;
  return parse_response_head(raw.substr(0, **size), limits);
}

// One connection: bytes come in pieces of any size, requests come out as lines of `verdict`.
class Connection {
 public:
  void feed(std::string_view bytes) {
    input_ += bytes;
    while (!refused && advance()) {
    }
  }
  std::string verdict;
  int accepted = 0;
  bool refused = false;
  ErrorKind why{};

 private:
  bool advance() { return head_ ? read_body() : read_head(); }

  bool read_head() {
    auto size = scanner_.scan(input_);
    if (!size) return refuse(size.error().kind);
    if (!*size) return false;
    head_bytes_ = input_.substr(scanner_.skipped(), **size);
    input_.erase(0, scanner_.skipped() + **size);
    scanner_.reset();
    auto head = parse_request_head(head_bytes_, {});
    if (!head) return refuse(head.error().kind);
    if (head->content_length > kMaxBody) return refuse(ErrorKind::kRequestTooLarge);
    head_ = std::move(*head);
    chunks_ = ChunkDecoder({.payload = kMaxBody, .free_overhead = 16 * 1024});
    body_.clear();
    return true;
  }

  bool read_body() {
    if (head_->framing != Framing::kChunked) {
      if (input_.size() < head_->content_length) return false;
      body_ = input_.substr(0, head_->content_length);
      input_.erase(0, head_->content_length);
      return accept();
    }
    if (input_.empty()) return false;
    auto step = chunks_.decode(input_);
    if (!step) {
      const bool large = step.error() == ChunkDecoder::Fault::kTooLarge;
      return refuse(large ? ErrorKind::kRequestTooLarge : ErrorKind::kMalformedRequest);
    }
    body_ += input_.substr(0, step->payload);
    input_.erase(0, step->consumed);
    return step->done && accept();
  }

  bool accept() {
    ++accepted;
    verdict.append(head_->method).append(" ").append(head_->target).append(" <").append(body_).append(">\n");
    head_.reset();
    return true;
  }
  bool refuse(ErrorKind kind) {
    refused = true;
    why = kind;
    verdict.append(traits(why).code).append("\n");
    return false;
  }

  HeadScanner scanner_{HeadScanner::Side::kRequest, {}};
  std::string input_;
  std::string head_bytes_;
  std::optional<RequestHead> head_;
  ChunkDecoder chunks_;
  std::string body_;
};

}  // namespace sluice::http::testing
