#include "sluice/auth/authenticator.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "sluice/auth/key_hash.hpp"
#include "sluice/config/key_hash.hpp"
#include "sluice/core/text.hpp"

namespace sluice::auth {
namespace {

// Stands in for what has not the form of a key, so that as much is hashed.
constexpr std::string_view kNoKey = "sk-sluice-000000000000-0000000000000000000000000000000000000000000";
constexpr std::size_t kIdAt = kNoKey.find('0');

constexpr std::array<std::string_view, 3> kHeaders = {"authorization", "x-api-key", "api-key"};

struct Credentials {
  std::array<std::string_view, kHeaders.size()> texts;  // in order of preference
  std::size_t count = 0;
};

std::string_view without_scheme(std::string_view value) {
  constexpr std::string_view kBearer = "bearer";
  const auto scheme = value.substr(0, kBearer.size());
  const bool bearer = equals_ignore_case(scheme, kBearer) && value.size() > kBearer.size() &&
                      (value[kBearer.size()] == ' ' || value[kBearer.size()] == '\t');
  return bearer ? trim(value.substr(kBearer.size())) : std::string_view();
}

// A field that stands there twice is no credential.
Credentials credentials_of(const http::RequestHead& head) {
  Credentials found;
  for (std::string_view name : kHeaders) {
    const auto is = [name](const http::Field& field) { return equals_ignore_case(field.name, name); };
    const auto count = std::ranges::count_if(head.fields, is);
    if (count == 0) continue;
    const std::string_view value = trim(head.get(name));
    const bool authorization = name == kHeaders.front();
    found.texts[found.count++] = count > 1 ? std::string_view() : authorization ? without_scheme(value) : value;
  }
  if (found.count == 0) found.count = 1;  // nothing at all is checked like something
  return found;
}

bool is_loopback(const IpAddress& source) { return kind_of(source) == AddressKind::kLoopback; }

}  // namespace

Authenticator::Authenticator(const config::Config& config, std::shared_ptr<FailureLimits> failures)
    : config_(config), failures_(std::move(failures)) {
  nobody_.enabled = false;
  nobody_.hash.id = std::string(config::kKeyIdSize, '0');
  for (const config::Key& key : config.keys) {
    Row& row = rows_.emplace_back(Row{{}, &key});
    std::memcpy(row.id.data(), key.hash.id.data(), std::min(row.id.size(), key.hash.id.size()));
  }
  if (rows_.empty()) rows_.push_back({{}, &nobody_});
  std::ranges::sort(rows_, {}, &Row::id);
}

// As many steps whether there is such a row or not.
const Authenticator::Row& Authenticator::nearest(std::string_view id) const {
  const Row* first = rows_.data();
  for (std::size_t count = rows_.size(); count > 1;) {
    const std::size_t half = count / 2;
    first = std::memcmp(first[half].id.data(), id.data(), first->id.size()) <= 0 ? first + half : first;
    count -= half;
  }
  return *first;
}

// Always one look at the table and one hash.
const config::Key* Authenticator::verify(std::string_view text, std::chrono::system_clock::time_point time) const {
  const bool formed = text.size() == kNoKey.size();
  std::array<char, kNoKey.size()> copy;  // whatever it is, it is read from the same place
  std::memcpy(copy.data(), formed ? text.data() : kNoKey.data(), copy.size());
  const std::string_view hashed(copy.data(), copy.size());
  const config::Key& key = *nearest(hashed.substr(kIdAt, config::kKeyIdSize)).key;
  const bool same = matches(key.hash, hashed);
  const bool alive = key.enabled && (!key.expires || time < *key.expires);
  return formed && same && alive ? &key : nullptr;
}

Result<const config::Key*> Authenticator::identify(const http::RequestHead& head, const Caller& caller) const {
  if (!config_.has_keys) {
    if (is_loopback(caller.source)) return nullptr;
    return fail(ErrorKind::kLoopbackOnly,
                "This gateway has no keys configured and serves its own machine only; its operator can add a `keys` "
                "section.");
  }
  const Credentials credentials = credentials_of(head);
  const config::Key* found = nullptr;
  for (std::size_t i = 0; i < credentials.count; ++i) {
    const config::Key* key = verify(credentials.texts[i], caller.time);
    if (found == nullptr) found = key;
  }
  if (found != nullptr) return found;
  const auto wait = failures_->note(caller.source, config_.auth.failures_per_minute, Clock::now());
  if (wait.count() == 0) {
    return fail(ErrorKind::kInvalidApiKey, "Incorrect API key provided. Ask this gateway's operator for a key.");
  }
  auto error = fail(ErrorKind::kTooManyAuthFailures, "Too many requests from your address without a valid API key.");
  error.error().retry_after = wait;
  return error;
}

}  // namespace sluice::auth
