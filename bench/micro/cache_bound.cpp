// cache_bound [MIB]: fills the store of the exact cache with four times what it may hold, for several sizes of answers,
// and prints how much memory that took beside what the store says it holds. Status 1: more than 5 % above its bound.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "sluice/api/request_view.hpp"
#include "sluice/cache/memory_store.hpp"

namespace {

using namespace sluice;
using namespace sluice::cache;

constexpr double kAllowed = 1.05;

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

Key key(std::uint64_t number) {
  static const KeyMaker maker{Secret("a secret")};
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"hi"}],"seed":)" + std::to_string(number) + "}";
  return maker.make(Scope::of_machine(), Endpoint::kChat, {"m", 1}, *api::parse_request(Endpoint::kChat, body));
}

// Put together as an answer on its way is: body piece by piece, all else copied.
EntryPtr entry(std::size_t bytes, bool events) {
  Entry made;
  const std::string piece(events ? 200 : bytes, 'x');
  while (made.body.size() < bytes) {
    made.body += piece;
    if (events) made.pieces.push_back({static_cast<std::uint32_t>(made.body.size()), 0});
  }
  made.form = events ? Entry::Form::kEvents : Entry::Form::kBody;
  made.finish_reason = "stop";
  made.provider = "up";
  made.model = "gpt-4o-mini-2024-07-18";
  made.stale_until_unix_ms = made.expires_unix_ms = 1;
  made.scope = "key search-web";
  made.key_name = "search-web";
  made.models = {"gpt-4o-mini"};
  made.tags = {"doc:7", "catalogue/2026-11-21"};
  return std::make_shared<const Entry>(std::move(made));
}

struct Case {
  const char* name;
  std::size_t least, most;
  bool events;
};

// True: it keeps to its bound.
bool run(const Case& one, std::size_t bound) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::size_t> size(one.least, one.most);
  const std::size_t before = resident_bytes();
  MemoryStore store(bound);
  std::size_t most = 0;
  std::size_t stored = 0;
  for (std::uint64_t i = 0; stored < 4 * bound; ++i) {
    auto made = entry(size(random), one.events);
    stored += weight_of(*made);
    store.store(key(i), std::move(made));
    if (i % 4096 == 0) most = std::max(most, resident_bytes() - before);
  }
  most = std::max(most, resident_bytes() - before);
  const auto counts = store.counts();
  const double held = static_cast<double>(counts.bytes), used = static_cast<double>(most);
  std::printf("%-24s %9llu entries, says %7.1f MiB, takes %7.1f MiB: %.3f of what it says, %.3f of its bound\n",
              one.name, static_cast<unsigned long long>(counts.entries), held / 0x1p20, used / 0x1p20, used / held,
              used / static_cast<double>(bound));
  return used <= kAllowed * static_cast<double>(bound);
}

// Each in a process of its own: memory that was given back by another would not be seen to be taken.
bool run_apart(const Case& one, std::size_t bound) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool good = run(one, bound);
    std::fflush(stdout);
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mib = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1024;
  if (mib == 0) {
    std::fprintf(stderr, "cache_bound [MIB]\n");
    return 2;
  }
  bool good = true;
  for (const Case& one :
       {Case{"bodies of 300 B", 300, 300, false}, Case{"bodies of 1 to 3 KB", 1000, 3000, false},
        Case{"bodies of 0.3 to 60 KB", 300, 60'000, false}, Case{"embeddings of 200 KB", 150'000, 250'000, false},
        Case{"streams of 2 to 20 KB", 2000, 20'000, true}}) {
    good = run_apart(one, mib << 20) && good;
  }
  return good ? 0 : 1;
}
