#pragma once
// Clients' keys: "sk-sluice-ID-SECRET", ID being 12 and SECRET 43 characters of base 62. What is kept of a key is
// HMAC-SHA-256(salt, whole key): the secret has 256 random bits, which no list of guesses holds, so the hash need not
// be slow.

#include <optional>
#include <string_view>

#include "sluice/config/config.hpp"
#include "sluice/core/secret.hpp"

namespace sluice::auth {

struct NewKey {
  Secret key;  // shown once, kept nowhere
  config::KeyHash hash;
};
NewKey make_key();

// The hash of an existing key, is_key() being true of it, under a new salt.
config::KeyHash hash_of(std::string_view key);

// Whether it is that key. Takes as long whichever bytes differ; the length of `key` is no secret.
bool matches(const config::KeyHash& hash, std::string_view key);

// Whether it has the form of a key.
bool is_key(std::string_view text);
// The public part of what has that form; nothing: it has not.
std::optional<std::string_view> key_id(std::string_view text);

}  // namespace sluice::auth
