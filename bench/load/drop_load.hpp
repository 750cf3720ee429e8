#pragma once
// A client that goes away in the middle of a stream, again and again: how long until the upstream sees its connection
// closed. Half of the streams flow when it happens, half are silent.

#include <string>

#include "call.hpp"
#include "samples.hpp"

namespace sluice::bench {

struct DropLoadOptions {
  std::uint16_t port = 0;
  std::uint16_t upstream = 0;  // its GET /stats says when the connection closed
  std::int64_t drops = 50;
  std::string label = "drop";  // unlike that of any earlier run against the same upstream
};

class DropLoad : public CallOwner {
 public:
  explicit DropLoad(const DropLoadOptions& options)
      : options_(options), client_(loop_, *this, options.port), stats_(loop_, *this, options.upstream) {}
  // Prints the result. "unseen" counts the drops that the upstream had not seen after two seconds.
  bool run();

  void on_progress(Call& call) override;
  void on_broken(Call& call, std::string_view why) override;

 private:
  bool drop(const std::string& label, bool silent);
  void wait(Time end, auto&& condition);
  // When the upstream saw the stream's connection close; the epoch if it has not.
  Time closed_at(const std::string& label);

  DropLoadOptions options_;
  Loop loop_;
  Call client_, stats_;
  std::size_t events_ = 0;
  Samples flowing_, silent_;
  std::uint64_t unseen_ = 0;
  Failures failures_;
};

}  // namespace sluice::bench
