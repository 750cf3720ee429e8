#include "api/json_keys.hpp"

#include <array>
#include <bit>

#include "api/json_escape.hpp"
#include "api/json_hash.hpp"

namespace sluice::json {
namespace {

// Keys with different marks differ; it saves nearly all comparisons in the objects one meets.
std::uint64_t mark_of(std::string_view key) {
  if (key.empty()) return 1;
  const auto first = static_cast<unsigned char>(key.front());
  const auto last = static_cast<unsigned char>(key.back());
  return std::uint64_t{1} << ((key.size() * 11 + first * 5U + last * 3U) & 63);
}

}  // namespace

KeyStack::Key KeyStack::make(std::string_view raw, bool escaped) {
  const auto origin = static_cast<std::uint32_t>(raw.data() - text_.data());
  if (!escaped) return {origin, origin, static_cast<std::uint32_t>(raw.size()) & 0x7FFFFFFFU, 0};
  const auto offset = static_cast<std::uint32_t>(unescaped_.size());
  append_unescaped(unescaped_, raw);
  return {origin, offset, (static_cast<std::uint32_t>(unescaped_.size()) - offset) & 0x7FFFFFFFU, 1};
}

bool KeyStack::add(Frame& frame, std::string_view raw, bool escaped) {
  const Key key = make(raw, escaped);
  const std::size_t count = keys_.size() - frame.first;
  keys_.push_back(key);
  if (count >= kSmall) return true;
  const std::string_view name = view(key);
  const std::uint64_t mark = mark_of(name);
  const bool met = (frame.marks & mark) != 0;
  frame.marks |= mark;
  if (!met) return true;
  for (std::size_t i = frame.first; i < frame.first + count; ++i) {
    if (view(keys_[i]) == name) return false;
  }
  return true;
}

// The table is far larger than any cache when there are very many keys: where a key will go is fetched some keys ahead.
std::optional<std::size_t> KeyStack::repeated(const Frame& frame) {
  constexpr std::size_t kAhead = 16;
  const KeyedHash& hash_of = KeyedHash::of_this_process();
  slots_.assign(std::bit_ceil((keys_.size() - frame.first) * 3 / 2), Slot{});
  const std::size_t mask = slots_.size() - 1;
  std::array<std::uint64_t, kAhead> hashes;
  const auto look_ahead = [&](std::size_t index) {
    if (index >= keys_.size()) return;
    const std::uint64_t hash = hashes[index % kAhead] = hash_of(view(keys_[index]));
    __builtin_prefetch(&slots_[hash & mask], 1);
  };
  for (std::size_t i = 0; i < kAhead; ++i) look_ahead(frame.first + i);
  for (std::size_t i = frame.first; i < keys_.size(); ++i) {
    const std::uint64_t hash = hashes[i % kAhead];
    look_ahead(i + kAhead);
    if (!insert(i, hash, mask)) return keys_[i].origin;
  }
  return std::nullopt;
}

// False if an equal key is there already.
bool KeyStack::insert(std::size_t index, std::uint64_t hash, std::size_t mask) {
  const auto mark = static_cast<std::uint32_t>(hash >> 32);
  std::size_t at = hash & mask;
  for (; slots_[at].place != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == mark && view(keys_[slots_[at].place - 1]) == view(keys_[index])) return false;
  }
  slots_[at] = {mark, static_cast<std::uint32_t>(index + 1)};
  return true;
}

std::optional<std::size_t> KeyStack::close(const Frame& frame) {
  std::optional<std::size_t> twin;
  if (keys_.size() - frame.first > kSmall) twin = repeated(frame);
  keys_.resize(frame.first);
  unescaped_.resize(frame.unescaped);
  return twin;
}

}  // namespace sluice::json
