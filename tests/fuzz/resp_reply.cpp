// Replies of a Redis server (F57): the reader finds what the plain reference finds, wherever the bytes are cut, and no
// reply takes more than its bound.

#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "fuzz/resp_reference.hpp"
#include "redis/login.hpp"
#include "redis/nodes.hpp"
#include "redis/reply_reader.hpp"
#include "redis/trouble.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kLimits[] = {1 << 20, 2000, 200, 24};

std::size_t size_of(const redis::Reply& reply) {
  std::size_t size = reply.text.size() + reply.items.size() * sizeof(redis::Reply);
  for (const redis::Reply& item : reply.items) size += size_of(item);
  return size;
}

int depth_of(const redis::Reply& reply) {
  int below = 0;
  for (const redis::Reply& item : reply.items) below = std::max(below, depth_of(item));
  return below + (reply.is_array() ? 1 : 0);
}

RespStream read(const Input& input, std::size_t limit) {
  RespStream stream;
  redis::ReplyReader reader(limit);
  input.each_piece([&](std::span<char> piece) {
    reader.feed({piece.data(), piece.size()});
    for (;;) {
      auto reply = reader.next();
      stream.broken = !reply;
      if (!reply || !*reply) return !stream.broken;
      require(size_of(**reply) <= limit, "a reply is bounded");
      require(depth_of(**reply) <= 8, "so is its depth");
      stream.replies.push_back(std::move(**reply));
    }
  });
  require(stream.broken == !reader.next(), "what is broken stays broken");
  return stream;
}

// Whatever was read can be looked at as anything a server may be asked.
void look_at(const redis::Reply& reply) {
  const auto outcome = redis::judged(reply);
  if (!outcome) {
    require(outcome.error().text.find_first_of("\r\n") == std::string::npos, "a trouble is one line");
  }
  redis::not_a_master(reply);
  if (const auto master = redis::master_in(reply)) require(master->port != 0, "a master has a port");
  const auto map = redis::read_slots(reply, redis::slot_of("{sluice}"), {"asked", 1});
  if (map.owner) require(std::ranges::count(map.masters, *map.owner) == 1, "the owner is one of the masters");
  if (const auto redirect = redis::redirect_in(reply, {"asked", 1})) {
    require(reply.is_error() && !redirect->to.host.empty() && redirect->to.port != 0, "a redirection leads somewhere");
  }
}

}  // namespace

void test(const Input& input) {
  for (const std::size_t limit : kLimits) {
    const RespStream wanted = RespReference(input.bytes, limit).read_all();
    require(read({input.bytes}, limit) == wanted, "the reader agrees with the reference");
    require(read(input, limit) == wanted, "wherever the bytes are cut");
    require(read(byte_by_byte(input.bytes), limit) == wanted, "also if they come one by one");
  }
  for (const redis::Reply& reply : RespReference(input.bytes, 1 << 20).read_all().replies) look_at(reply);
}

}  // namespace sluice::fuzz
