#include "sluice/cache/key.hpp"

#include <openssl/evp.h>

#include <stdexcept>

#include "sluice/api/question.hpp"

namespace sluice::cache {
namespace {

constexpr std::size_t kBlock = 64;  // of SHA-256
constexpr std::size_t kKeptBuffer = 256 * 1024;
constexpr std::string_view kSchema = "sluice cache 1";

using Digest = std::array<std::uint8_t, Key::kBytes>;

void demand(bool good) {
  if (!good) throw std::runtime_error("SHA-256 is not available");
}

class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) { demand(context_ != nullptr); }
  ~Hash() { EVP_MD_CTX_free(context_); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void begin() { demand(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1); }
  void go_on(const Hash& from) { demand(EVP_MD_CTX_copy_ex(context_, from.context_) == 1); }
  void add(std::string_view bytes) { demand(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1); }
  void end(Digest& digest) { demand(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1); }

 private:
  EVP_MD_CTX* context_;
};

std::string_view text_of(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

void append_size(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xFF);
}

// Whatever it holds, where it ends is known.
void append_part(std::string& out, std::string_view part) {
  append_size(out, part.size());
  out += part;
}

}  // namespace

// The hash of what depends on the secret alone, RFC 2104.
struct KeyMaker::States {
  Hash inner, outer;
};

KeyMaker::KeyMaker(const Secret& secret) : states_(std::make_unique<States>()) {
  Digest folded{};
  Hash fold;
  fold.begin();
  fold.add(secret.reveal());
  fold.end(folded);
  std::array<char, kBlock> pad{};
  for (const auto& [hash, byte] : {std::pair(&states_->inner, 0x36), std::pair(&states_->outer, 0x5C)}) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      const unsigned key = i < folded.size() ? folded[i] : 0U;
      pad[i] = static_cast<char>(key ^ static_cast<unsigned>(byte));
    }
    hash->begin();
    hash->add({pad.data(), pad.size()});
  }
  wipe(pad.data(), pad.size());
  wipe(folded.data(), folded.size());
}

KeyMaker::~KeyMaker() = default;

std::array<std::uint8_t, Key::kBytes> KeyMaker::seal(std::string_view purpose, std::string_view bytes) const {
  thread_local Hash hash;
  Digest digest{};
  std::string head;
  append_part(head, purpose);
  hash.go_on(states_->inner);
  hash.add(head);
  hash.add(bytes);
  hash.end(digest);
  hash.go_on(states_->outer);
  hash.add(text_of(digest));
  hash.end(digest);
  return digest;
}

Key KeyMaker::make(const Scope& scope, Endpoint endpoint, const Answerer& answerer,
                   const api::RequestView& view) const {
  thread_local std::string text;
  text.clear();
  append_part(text, scope.text_);
  append_part(text, to_string(endpoint));
  append_part(text, answerer.model);
  append_size(text, answerer.revision);
  append_part(text, answerer.told);
  api::append_question(text, view);
  Key key;
  key.bytes_ = seal(kSchema, text);
  if (text.capacity() > kKeptBuffer) std::string().swap(text);
  return key;
}

std::string Key::hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * kBytes);
  for (const std::uint8_t byte : bytes_) (out += kDigits[byte >> 4]) += kDigits[byte & 15];
  return out;
}

Scope Scope::of_key(std::string_view name, std::string_view id) { return {"key " + std::string(name), id}; }
Scope Scope::of_group(std::string_view path) { return {"group " + std::string(path), {}}; }
Scope Scope::of_namespace(std::string_view name) { return {"namespace " + std::string(name), {}}; }
Scope Scope::of_machine() { return {"machine", {}}; }

}  // namespace sluice::cache
