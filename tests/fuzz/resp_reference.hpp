#pragma once
// RESP2 as the Redis serialization protocol specification tells it, on the whole text and as plainly as possible, with
// the bounds that redis::ReplyReader promises.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/redis/reply.hpp"

namespace sluice::fuzz {

struct RespStream {
  std::vector<redis::Reply> replies;
  bool broken = false;
  bool operator==(const RespStream&) const = default;
};

class RespReference {
 public:
  RespReference(std::string_view text, std::size_t limit) : text_(text), limit_(limit) {}

  RespStream read_all() {
    RespStream stream;
    for (;;) {
      left_ = limit_;
      redis::Reply reply;
      const Step step = read(reply, 1);
      stream.broken = step == Step::kBroken;
      if (step != Step::kDone) return stream;
      stream.replies.push_back(std::move(reply));
    }
  }

 private:
  enum class Step : std::uint8_t { kDone, kMore, kBroken };
  using Kind = redis::Reply::Kind;

  Step read(redis::Reply& reply, int depth) {
    if (text_.empty()) return Step::kMore;
    const char type = text_.front();
    if (std::string_view("+-:$*").find(type) == std::string_view::npos) return Step::kBroken;
    text_.remove_prefix(1);
    if (type == '*' && depth > 8) return Step::kBroken;
    const auto end = text_.find("\r\n");
    if (end == std::string_view::npos) return incomplete();
    const std::string_view line = text_.substr(0, end);
    if (type == '+' || type == '-') {
      text_.remove_prefix(end + 2);
      return take_text(reply, type == '+' ? Kind::kStatus : Kind::kError, line);
    }
    const auto number = number_in(line);
    if (!number) return Step::kBroken;
    if (type == ':') {
      text_.remove_prefix(end + 2);
      reply.kind = Kind::kInteger;
      reply.integer = *number;
      return Step::kDone;
    }
    return type == '$' ? read_string(reply, *number, end + 2) : read_array(reply, *number, end + 2, depth);
  }

  Step read_string(redis::Reply& reply, std::int64_t size, std::size_t head) {
    if (size < -1) return Step::kBroken;
    if (size >= 0) {
      const auto count = static_cast<std::uint64_t>(size);
      if (text_.size() < head + 2 || text_.size() - head - 2 < count) return incomplete();
      text_.remove_prefix(head);
      const std::string_view bytes = text_.substr(0, count);
      if (text_.substr(count, 2) != "\r\n") return Step::kBroken;
      text_.remove_prefix(count + 2);
      return take_text(reply, Kind::kString, bytes);
    }
    text_.remove_prefix(head);
    return Step::kDone;
  }

  Step read_array(redis::Reply& reply, std::int64_t count, std::size_t head, int depth) {
    if (count < -1 || count > INT32_MAX) return Step::kBroken;
    text_.remove_prefix(head);
    if (count == -1) return Step::kDone;
    if (!charge(static_cast<std::size_t>(count) * sizeof(redis::Reply))) return Step::kBroken;
    reply.kind = Kind::kArray;
    for (; count > 0; --count) {
      if (const Step step = read(reply.items.emplace_back(), depth + 1); step != Step::kDone) return step;
    }
    return Step::kDone;
  }

  Step take_text(redis::Reply& reply, Kind kind, std::string_view bytes) {
    if (!charge(bytes.size())) return Step::kBroken;
    reply.kind = kind;
    reply.text = bytes;
    return Step::kDone;
  }

  // Too much has come for it to become a good reply yet.
  Step incomplete() const { return text_.size() > left_ + 32 ? Step::kBroken : Step::kMore; }

  bool charge(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

  // As servers write them: no plus sign, no zeros in front.
  static std::optional<std::int64_t> number_in(std::string_view line) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || end != line.data() + line.size() || std::to_string(number) != line) return std::nullopt;
    return number;
  }

  std::string_view text_;
  std::size_t limit_;
  std::size_t left_ = 0;
};

}  // namespace sluice::fuzz
