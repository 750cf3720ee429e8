#pragma once
// Entries as they lie in Redis: a version, whether the rest is compressed (zlib, RFC 1950) and how long it is, the
// entry's members, and an HMAC-SHA-256 over all of that and the key it is kept under. Whatever has another version, was
// changed, or was put under another key is no entry. Pure; any thread.

#include <optional>
#include <string>
#include <string_view>

#include "sluice/cache/entry.hpp"
#include "sluice/cache/key.hpp"

namespace sluice::cache {

// `compress_over`: bytes.
std::string encode(const Entry& entry, const Key& key, const KeyMaker& keys, std::size_t compress_over);
// Nothing: it is not what encode() made of an entry for that key.
std::optional<Entry> decode(std::string_view bytes, const Key& key, const KeyMaker& keys);

}  // namespace sluice::cache
