#include "support/canary.hpp"

#include <algorithm>
#include <atomic>

#include "support/http_text.hpp"

namespace sluice::support {
namespace {

constexpr std::size_t kAround = 60;
std::atomic<std::size_t> secrets_seen = 0;

}  // namespace

std::vector<std::string> leaks(const std::vector<Sink>& sinks) {
  std::vector<std::string> found;
  for (const auto& [name, text] : sinks) {
    const std::string plain = lower(text);
    for (const auto mark : kMarks) {
      const auto at = plain.find(mark);
      if (at == std::string::npos) continue;
      const auto from = at - std::min(at, kAround);
      found.push_back(name + ": " + text.substr(from, at - from + mark.size() + kAround));
    }
  }
  return found;
}

void SecretWatch::see(std::string_view piece) {
  constexpr std::size_t kTail = std::max(kKeyMark.size(), kClientMark.size()) - 1;
  // All but the seam is searched where it lies: some tests receive hundreds of megabytes.
  const std::string seam = tail_ + std::string(piece.substr(0, kTail));
  for (const auto mark : {kKeyMark, kClientMark}) {
    if (seam.find(mark) != std::string::npos || piece.find(mark) != std::string_view::npos) ++secrets_seen;
  }
  tail_ = piece.size() >= kTail ? std::string(piece.substr(piece.size() - kTail)) : seam;
  if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
}

std::size_t SecretWatch::seen() { return secrets_seen; }

}  // namespace sluice::support
