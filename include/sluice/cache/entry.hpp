#pragma once
// One complete answer as it is kept. A plain value; shared and never changed.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/core/money.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::cache {

struct Entry {
  enum class Form : std::uint8_t { kBody, kEvents };  // as the answer came
  struct Piece {                                      // of `body`, as it was written
    std::uint32_t end = 0;                            // offset behind it
    std::uint32_t at_ms = 0;                          // since the first piece
    bool operator==(const Piece&) const = default;
  };

  Form form = Form::kBody;
  std::string body{};  // kEvents: framed, one after another, without the one that carries usage and without [DONE]
  std::vector<Piece> pieces{};
  std::string usage_event{};  // kEvents: framed; empty: none
  std::string finish_reason{};
  std::string provider{}, model{};  // who answered
  Usage usage{};
  Money cost{};              // what it cost then: what giving it again saves
  std::uint64_t events = 0;  // in `body`
  std::int64_t created_unix_ms = 0, expires_unix_ms = 0, stale_until_unix_ms = 0;
  // What purges go by; see purges.hpp.
  std::uint64_t born = 0;  // the epoch when its request began
  std::string scope{}, key_name{};
  std::vector<std::string> models{};  // names that it goes by: as asked, and of the entries that led to the answer
  std::vector<std::string> tags{};
  std::int64_t asked_ttl_ms = -1;  // how long its request wanted it to live; -1: as the rules have it
};
// Bytes that it takes, about, with all that keeping it needs.
std::size_t weight_of(const Entry& entry);
using EntryPtr = std::shared_ptr<const Entry>;

}  // namespace sluice::cache
