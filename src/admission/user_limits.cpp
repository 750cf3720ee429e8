#include "admission/user_limits.hpp"

#include <openssl/evp.h>

#include <array>
#include <list>
#include <unordered_map>

#include "admission/node_limits.hpp"
#include "sluice/core/text.hpp"

namespace sluice::admission {
namespace {

constexpr std::size_t kMostKnown = 4096;  // users, per thread
constexpr std::size_t kDigestBytes = 16;
constexpr std::size_t kLongestName = 128;  // that is kept as it is

std::string digest_of(std::string_view user) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(user.data(), user.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (std::size_t i = 0; i < kDigestBytes; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

// The latest users of one thread, so that a user who comes again costs no look at what the threads share.
class Latest {
 public:
  std::shared_ptr<const Limits>* find(const std::string& id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  void add(std::string id, std::shared_ptr<const Limits> limits) {
    order_.emplace_front(std::move(id), std::move(limits));
    by_id_.emplace(order_.front().first, order_.begin());
    if (order_.size() <= kMostKnown) return;
    by_id_.erase(order_.back().first);
    order_.pop_back();
  }

 private:
  using Order = std::list<std::pair<std::string, std::shared_ptr<const Limits>>>;
  Order order_;  // latest first
  std::unordered_map<std::string_view, Order::iterator> by_id_;
};

}  // namespace

std::shared_ptr<const Limits> limits_of_user(const EachUser& each, std::string_view user, limit::Ledger& ledger) {
  thread_local Latest latest;
  // After a reload the same user may have other limits.
  std::string place = std::to_string(each.serial) + ":";
  place += user.size() <= kLongestName ? std::string(user) : digest_of(user);
  if (const auto* known = latest.find(place)) return *known;
  auto made = std::make_shared<const Limits>(limits_of(each.limits, each.id + ":" + digest_of(user), "user", ledger));
  latest.add(std::move(place), made);
  return made;
}

}  // namespace sluice::admission
