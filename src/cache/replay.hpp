#pragma once
// An answer that is there already, given to a client in the form it asked for.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/cache/entry.hpp"
#include "sluice/config/caching.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/error.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::cache {

// An entry in the form in which one client gets it.
struct Playback {
  std::string_view body;             // all that is sent, but for `end`
  std::vector<Entry::Piece> pieces;  // of a stream
  std::string end;                   // of a stream: its usage if that is wanted, and [DONE]
  std::uint64_t events = 0;          // of a stream, its end included
  std::string made;                  // what `body` points into, where it is not the entry's own
};
// Nothing: it has no such form. The entry outlives the result.
std::unique_ptr<Playback> playback(const pipeline::Exchange& exchange, const Entry& entry);

// What a stream ends with for this client.
std::string stream_end(const pipeline::Exchange& exchange, const Entry& entry);

// Sends it; errors as of the sink.
Task<Result<void>> play(pipeline::Exchange& exchange, const Playback& playback, config::Replay pace);

}  // namespace sluice::cache
