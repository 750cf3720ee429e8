#pragma once
// RESP2 from bytes to replies, wherever the bytes are cut. What a reply may take is bounded while it is read: nothing
// is allocated on the word of a length that has not been paid for in bytes.

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/redis/reply.hpp"

struct redisReader;
struct redisReadTask;

namespace sluice::redis {

class ReplyReader {
 public:
  // `reply_bytes`: for the texts and elements of one reply and for what has come of it so far.
  explicit ReplyReader(std::size_t reply_bytes);
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  void feed(std::string_view bytes);
  // The next reply, or nothing until more bytes have come. After an error nothing can be read any more.
  std::expected<std::optional<Reply>, std::string> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  struct Build;  // hiredis' hooks
  friend struct Build;

  bool charge(std::size_t bytes);
  std::unexpected<std::string> broken(std::string why);

  std::size_t limit_;
  std::size_t left_;  // of it, for the reply under way
  Reply root_;        // the reply under way
  std::string broken_;
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace sluice::redis
