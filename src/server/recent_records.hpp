#pragma once
// The last requests of one worker, for the operator's page. Nothing of what was asked or answered is kept.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/observe/record.hpp"

namespace sluice::server {

struct RecentAttempt {
  std::string provider, target;
  std::string_view result;  // a literal
  bool hedge = false;
  nanoseconds lasted{0};
};

// What is shown of a record. Texts are cut where they are long.
struct RecentRecord {
  std::chrono::system_clock::time_point time;
  std::string request_id;
  std::string model;  // as asked for: the client's text
  std::string route, key, group, provider, upstream_model;
  std::string error, detail, finish_reason, limit;
  std::string mirror_of, refresh_of;
  std::string_view cache;  // a literal
  Endpoint endpoint = Endpoint::kNone;
  bool stream = false;
  int status = 0;
  Outcome outcome = Outcome::kOk;
  Usage usage;
  std::optional<Money> cost;
  std::optional<nanoseconds> first_token, total;
  observe::Spent spent;
  std::uint64_t events = 0, bytes_out = 0;
  std::vector<RecentAttempt> attempts;
};

// A ring whose places are used again, with the memory that their texts hold: once it is full, a record costs some
// copying of short texts and as a rule no allocation. Of one thread.
class RecentRecords {
 public:
  // From now on so many; 0: none. Those that are too many, and the oldest, go.
  void keep(std::size_t most);
  // Never throws: a record for which there is no memory is not kept.
  void add(const observe::Record& record);
  std::vector<RecentRecord> newest_first() const;

 private:
  std::size_t most_ = 0;
  std::size_t next_ = 0;  // the oldest place once the ring is full
  std::vector<RecentRecord> ring_;
};

}  // namespace sluice::server
