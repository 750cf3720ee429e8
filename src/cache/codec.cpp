#include "cache/codec.hpp"

#include <openssl/crypto.h>
#include <zlib.h>

#include <array>

namespace sluice::cache {
namespace {

constexpr std::string_view kVersion = "SLU2";
constexpr char kPlain = 0, kCompressed = 1;
constexpr std::size_t kHead = 9;  // version, form, size of the plain members
constexpr std::size_t kSeal = Key::kBytes;
constexpr std::size_t kMostPlain = std::size_t{256} << 20;  // the largest entry there is, and room
constexpr std::string_view kPurpose = "entry in redis";

template <class T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> 8 * i & 0xFF);
}
void put(std::string& out, const std::string& text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

// Reads what put() wrote; once something does not fit, nothing does.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void take(T& value) {
    const std::string_view bytes = next(sizeof value);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << 8 * i;
    }
    value = static_cast<T>(number);
  }
  void take(std::string& text) {
    std::uint32_t size = 0;
    take(size);
    text = next(size);
  }
  // How many things of at least `least` bytes follow.
  std::size_t count(std::size_t least) {
    std::uint32_t count = 0;
    take(count);
    good_ = good_ && count <= rest_.size() / least;
    return good_ ? count : 0;
  }
  bool at_end() const { return good_ && rest_.empty(); }

 private:
  std::string_view next(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return {};
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view rest_;
  bool good_ = true;
};

std::string members_of(const Entry& entry) {
  std::string out;
  out.reserve(entry.body.size() + 512 + 8 * entry.pieces.size());
  put(out, static_cast<std::uint8_t>(entry.form));
  for (const auto* text : {&entry.body, &entry.usage_event, &entry.finish_reason, &entry.provider, &entry.model,
                           &entry.scope, &entry.key_name}) {
    put(out, *text);
  }
  for (const std::int64_t number :
       {entry.usage.input, entry.usage.output, entry.usage.cached, entry.usage.cache_write, entry.usage.reasoning,
        entry.cost.nanodollars(), entry.created_unix_ms, entry.expires_unix_ms, entry.stale_until_unix_ms,
        static_cast<std::int64_t>(entry.born), static_cast<std::int64_t>(entry.usage.source),
        static_cast<std::int64_t>(entry.events), entry.asked_ttl_ms}) {
    put(out, number);
  }
  for (const auto* list : {&entry.models, &entry.tags}) {
    put(out, static_cast<std::uint32_t>(list->size()));
    for (const std::string& text : *list) put(out, text);
  }
  put(out, static_cast<std::uint32_t>(entry.pieces.size()));
  for (const Entry::Piece& piece : entry.pieces) {
    put(out, piece.end);
    put(out, piece.at_ms);
  }
  return out;
}

bool pieces_fit(const Entry& entry) {
  std::uint32_t at = 0;
  for (const Entry::Piece& piece : entry.pieces) {
    if (piece.end < at || piece.end > entry.body.size()) return false;
    at = piece.end;
  }
  return true;
}

std::optional<Entry> entry_of(std::string_view members) {
  Reader in(members);
  Entry entry;
  std::uint8_t form = 0;
  in.take(form);
  entry.form = form == 0 ? Entry::Form::kBody : Entry::Form::kEvents;
  for (auto* text : {&entry.body, &entry.usage_event, &entry.finish_reason, &entry.provider, &entry.model, &entry.scope,
                     &entry.key_name}) {
    in.take(*text);
  }
  std::int64_t cost = 0, born = 0, source = 0, events = 0;
  for (auto* number : {&entry.usage.input, &entry.usage.output, &entry.usage.cached, &entry.usage.cache_write,
                       &entry.usage.reasoning, &cost, &entry.created_unix_ms, &entry.expires_unix_ms,
                       &entry.stale_until_unix_ms, &born, &source, &events, &entry.asked_ttl_ms}) {
    in.take(*number);
  }
  entry.cost = Money::nanodollars(cost);
  entry.born = static_cast<std::uint64_t>(born);
  entry.usage.source = static_cast<UsageSource>(source & 3);
  entry.events = static_cast<std::uint64_t>(events);
  for (auto* list : {&entry.models, &entry.tags}) {
    list->resize(in.count(4));
    for (std::string& text : *list) in.take(text);
  }
  entry.pieces.resize(in.count(8));
  for (Entry::Piece& piece : entry.pieces) {
    in.take(piece.end);
    in.take(piece.at_ms);
  }
  if (!in.at_end() || !pieces_fit(entry)) return std::nullopt;
  return entry;
}

std::string compressed(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  const auto* from = reinterpret_cast<const Bytef*>(plain.data());
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, from, plain.size(), Z_BEST_SPEED) != Z_OK) return {};
  out.resize(size);
  return out;
}

std::optional<std::string> decompressed(std::string_view bytes, std::size_t size) {
  std::string out(size, '\0');
  uLongf made = size;
  const auto* from = reinterpret_cast<const Bytef*>(bytes.data());
  const int done = uncompress(reinterpret_cast<Bytef*>(out.data()), &made, from, bytes.size());
  return done == Z_OK && made == size ? std::optional(std::move(out)) : std::nullopt;
}

std::array<std::uint8_t, kSeal> seal_of(std::string_view bytes, const Key& key, const KeyMaker& keys) {
  std::string purpose(kPurpose);
  purpose.append(reinterpret_cast<const char*>(key.bytes().data()), key.bytes().size());
  return keys.seal(purpose, bytes);
}

}  // namespace

std::string encode(const Entry& entry, const Key& key, const KeyMaker& keys, std::size_t compress_over) {
  const std::string plain = members_of(entry);
  const std::string packed = plain.size() > compress_over ? compressed(plain) : std::string();
  const bool smaller = !packed.empty() && packed.size() < plain.size();
  std::string out(kVersion);
  out += smaller ? kCompressed : kPlain;
  put(out, static_cast<std::uint32_t>(plain.size()));
  out += smaller ? packed : plain;
  const auto seal = seal_of(out, key, keys);
  out.append(reinterpret_cast<const char*>(seal.data()), seal.size());
  return out;
}

std::optional<Entry> decode(std::string_view bytes, const Key& key, const KeyMaker& keys) {
  if (bytes.size() < kHead + kSeal || !bytes.starts_with(kVersion)) return std::nullopt;
  const std::string_view said = bytes.substr(bytes.size() - kSeal);
  bytes.remove_suffix(kSeal);
  // Nothing is looked at, or unpacked, that we have not written ourselves.
  const auto seal = seal_of(bytes, key, keys);
  if (CRYPTO_memcmp(seal.data(), said.data(), kSeal) != 0) return std::nullopt;
  std::uint32_t size = 0;
  Reader(bytes.substr(kVersion.size() + 1, sizeof size)).take(size);
  const std::string_view packed = bytes.substr(kHead);
  if (bytes[kVersion.size()] == kPlain) return size == packed.size() ? entry_of(packed) : std::nullopt;
  if (bytes[kVersion.size()] != kCompressed || size > kMostPlain) return std::nullopt;
  const auto plain = decompressed(packed, size);
  return plain ? entry_of(*plain) : std::nullopt;
}

}  // namespace sluice::cache
