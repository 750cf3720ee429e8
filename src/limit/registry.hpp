#pragma once
// Which accounts there are. Limits are made and forgotten on the fly (one per end user), so an account is dropped as
// soon as no limit refers to it and it is idle. Locks: not for the path of a request that knows its limits.

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/json_hash.hpp"
#include "limit/account.hpp"

namespace sluice::limit {

// Ids may hold what clients chose, so they are hashed under a key of this process.
struct IdHash {
  std::size_t operator()(std::string_view id) const { return json::KeyedHash::of_this_process()(id); }
};

class Registry {
 public:
  using Make = std::function<std::shared_ptr<Account>()>;

  std::shared_ptr<Account> find(std::string_view id);
  // The account of `id`, made if there is none. Each new one pays for looking at a few others, so that the idle ones
  // among them never become more than the rest.
  std::shared_ptr<Account> find_or_make(const std::string& id, const Make& make, const Moment& now);
  // Drops what is idle in one of kShards parts of the registry, the next each time.
  void sweep(const Moment& now);
  std::size_t size();

  static constexpr std::size_t kShards = 64;  // none so large that growing its map would hold a thread up

 private:
  struct Shard {
    std::shared_ptr<Account> find(std::string_view id);
    void insert(std::shared_ptr<Account> account);
    void sweep(std::size_t count, const Moment& now);

    std::mutex mutex;
    std::vector<std::shared_ptr<Account>> accounts;
    std::unordered_map<std::string_view, std::size_t, IdHash> places;  // in `accounts`, by the id an account holds
    std::size_t hand = 0;                                              // the next to look at
  };
  Shard& shard_of(std::string_view id);

  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> next_shard_{0};
};

}  // namespace sluice::limit
