// What a Redis gives for an entry of the cache. The first byte says how the rest is read: 0, a value as it is; 1 and 2,
// the members of an entry, plain or as they would be unpacked, under a good seal.

#include <zlib.h>

#include "cache/codec.hpp"
#include "fuzz/fuzz.hpp"
#include "sluice/api/request_view.hpp"

namespace sluice::fuzz {
namespace {

using cache::Entry;
using cache::Key;
using cache::KeyMaker;

constexpr std::size_t kMost = std::size_t{1} << 16;

const KeyMaker& keys() {
  static const KeyMaker made{Secret("a secret")};
  return made;
}
const Key& key() {
  static const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  static const auto view = api::parse_request(Endpoint::kChat, body);
  static const Key made = keys().make(cache::Scope::of_machine(), Endpoint::kChat, {"m", 1}, *view);
  return made;
}

std::string sealed(std::string value) {
  std::string purpose = "entry in redis";
  purpose.append(reinterpret_cast<const char*>(key().bytes().data()), key().bytes().size());
  const auto seal = keys().seal(purpose, value);
  return value.append(reinterpret_cast<const char*>(seal.data()), seal.size());
}

// Our own sealing is the codec's.
std::string head_of_values() {
  const std::string value = cache::encode(Entry{}, key(), keys(), kMost);
  const std::string body = value.substr(0, value.size() - Key::kBytes);
  require(sealed(body) == value, "a value is sealed as the target believes");
  return value.substr(0, 4);
}

std::string value_of(std::string_view members, bool packed) {
  static const std::string kHead = head_of_values();
  std::string value = kHead + static_cast<char>(packed ? 1 : 0);
  for (unsigned shift = 0; shift < 32; shift += 8) value += static_cast<char>(members.size() >> shift & 0xFF);
  if (!packed) return sealed(value.append(members));
  uLongf size = compressBound(members.size());
  std::string out(size, '\0');
  const auto* from = reinterpret_cast<const Bytef*>(members.data());
  compress2(reinterpret_cast<Bytef*>(out.data()), &size, from, members.size(), 1);
  return sealed(value.append(out, 0, size));
}

void check(std::string_view value) {
  const auto entry = cache::decode(value, key(), keys());
  if (!entry) return;
  std::size_t at = 0;
  for (const Entry::Piece& piece : entry->pieces) {
    require(piece.end >= at && piece.end <= entry->body.size(), "pieces lie in the body, in order");
    at = piece.end;
  }
  const std::string again = cache::encode(*entry, key(), keys(), kMost);
  const auto back = cache::decode(again, key(), keys());
  require(back.has_value(), "what was read can be written");
  require(back->body == entry->body && back->pieces == entry->pieces && back->tags == entry->tags &&
              back->models == entry->models && back->born == entry->born &&
              back->stale_until_unix_ms == entry->stale_until_unix_ms && back->scope == entry->scope,
          "and reads the same");
}

}  // namespace

void test(const Input& input) {
  if (input.bytes.empty() || input.bytes.size() > kMost) return;
  const std::string_view rest = input.bytes.substr(1);
  switch (input.bytes.front()) {
    case 1:
      return check(value_of(rest, false));
    case 2:
      return check(value_of(rest, true));
    default:
      require(!cache::decode(rest, key(), keys()), "nobody else can seal");
  }
}

}  // namespace sluice::fuzz
