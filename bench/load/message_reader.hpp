#pragma once
// Reads one HTTP/1.1 request or response at a time from a kept-alive connection: the head, then a body with a
// Content-Length or in chunks. It trusts its peer no further than a benchmark needs: what it does not understand is
// kBroken, which the callers count as an error. Sans-I/O.

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::bench {

class MessageReader {
 public:
  enum class State { kHead, kBody, kDone, kBroken };

  // Takes all of `bytes`. Bytes after the end of a message are broken: nobody here pipelines.
  State feed(std::string_view bytes);
  // Forgets the message that was read, keeps the buffers.
  void reset();

  State state() const { return state_; }
  std::string_view head() const { return head_; }  // with the empty line; once state() left kHead
  int status() const;                              // of a response
  bool closes() const;                             // the peer said `Connection: close`
  std::string& body() { return body_; }            // decoded so far; the caller may take from it

 private:
  enum class Chunk { kSize, kData, kDataEnd, kTrailer };

  std::string_view read_head(std::string_view bytes);
  void begin_body();
  std::string_view read_plain(std::string_view bytes);
  std::string_view read_chunked(std::string_view bytes);
  void end_of_line();

  State state_ = State::kHead;
  Chunk chunk_ = Chunk::kSize;
  bool chunked_ = false;
  std::size_t left_ = 0;  // of the body, or of the chunk
  std::string head_, line_, body_;
};

// The value of a header field, without spaces around it; empty when absent. `name` in any case.
std::string_view field(std::string_view head, std::string_view name);

}  // namespace sluice::bench
