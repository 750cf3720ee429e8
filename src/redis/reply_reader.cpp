#include "redis/reply_reader.hpp"

#include <hiredis/read.h>

#include <new>
#include <utility>

namespace sluice::redis {

// A string's length and line ends, at the most: what fits its bound must be taken however it is cut.
constexpr std::size_t kFraming = 32;

// hiredis asks for an object per value, parents first. Ours lie where they belong at once: the outermost one in the
// reader, all others among their parent's items. A null pointer makes hiredis give up.
struct ReplyReader::Build {
  static ReplyReader& reader_of(const redisReadTask* task) { return *static_cast<ReplyReader*>(task->privdata); }

  static Reply& place_of(const redisReadTask* task) {
    if (task->parent == nullptr) return reader_of(task).root_ = Reply{};
    return static_cast<Reply*>(task->parent->obj)->items[static_cast<std::size_t>(task->idx)];
  }

  static Reply::Kind kind_of(int type) {
    if (type == REDIS_REPLY_STATUS) return Reply::Kind::kStatus;
    return type == REDIS_REPLY_ERROR ? Reply::Kind::kError : Reply::Kind::kString;
  }

  static void* text(const redisReadTask* task, char* bytes, std::size_t size) {
    ReplyReader& reader = reader_of(task);
    // hiredis takes any two bytes for the end of a string. A length that is wrong must not go unnoticed.
    if (bytes[size] != '\r' || bytes[size + 1] != '\n') {
      reader.broken_ = "a string does not end where its length says";
      return nullptr;
    }
    if (!reader.charge(size)) return nullptr;
    Reply& reply = place_of(task);
    reply.kind = kind_of(task->type);
    try {
      reply.text.assign(bytes, size);
    } catch (const std::bad_alloc&) {
      return nullptr;  // no exception may pass through C
    }
    return &reply;
  }

  static void* array(const redisReadTask* task, int count) {
    const auto elements = static_cast<std::size_t>(count);
    if (!reader_of(task).charge(elements * sizeof(Reply))) return nullptr;
    Reply& reply = place_of(task);
    reply.kind = Reply::Kind::kArray;
    try {
      reply.items.resize(elements);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    return &reply;
  }

  static void* integer(const redisReadTask* task, long long value) {
    Reply& reply = place_of(task);
    reply.kind = Reply::Kind::kInteger;
    reply.integer = value;
    return &reply;
  }

  static void* nil(const redisReadTask* task) { return &place_of(task); }
  static void keep(void*) {}
};

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader(std::size_t reply_bytes) : limit_(reply_bytes), left_(reply_bytes) {
  static redisReplyObjectFunctions hooks = {&Build::text, &Build::array, &Build::integer, &Build::nil, &Build::keep};
  reader_.reset(redisReaderCreateWithFunctions(&hooks));
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = this;
}

void ReplyReader::feed(std::string_view bytes) {
  if (!broken_.empty() || bytes.empty()) return;
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) broken_ = "out of memory";
}

std::expected<std::optional<Reply>, std::string> ReplyReader::next() {
  if (!broken_.empty()) return std::unexpected(broken_);
  void* whole = nullptr;
  if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK) return broken(reader_->errstr);
  if (whole != nullptr) {
    left_ = limit_;
    return std::exchange(root_, Reply{});
  }
  // An endless line, or a string that is longer than what is left.
  if (reader_->len - reader_->pos > left_ + kFraming) return broken("a reply is too large");
  return std::nullopt;
}

bool ReplyReader::charge(std::size_t bytes) {
  if (bytes > left_) {
    broken_ = "a reply is too large";
    return false;
  }
  left_ -= bytes;
  return true;
}

std::unexpected<std::string> ReplyReader::broken(std::string why) {
  if (broken_.empty()) broken_ = std::move(why);
  return std::unexpected(broken_);
}

}  // namespace sluice::redis
