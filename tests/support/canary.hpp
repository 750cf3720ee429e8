#pragma once
// Marks in keys, prompts and answers, and the search for them where they must never turn up.

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::support {

inline constexpr std::string_view kKeyMark = "upstream-secret";   // in every credential of a provider
inline constexpr std::string_view kClientMark = "client-secret";  // in the credential that clients send
inline constexpr std::string_view kPromptMark = "canary-prompt";
inline constexpr std::string_view kAnswerMark = "canary-answer";
inline constexpr std::array kMarks = {kKeyMark, kClientMark, kPromptMark, kAnswerMark};

struct Sink {
  std::string name;
  std::string text;
};
// One line per mark in a sink, with the text around it; letters of either case count as the same.
std::vector<std::string> leaks(const std::vector<Sink>& sinks);

// Looks at what clients receive, piece by piece, for what no client may ever see: a provider's credential, or a
// client's own coming back. One per connection; the count is of the whole process. Thread-safe in the count only.
class SecretWatch {
 public:
  void see(std::string_view piece);
  static std::size_t seen();

 private:
  std::string tail_;  // a mark may be cut in two by a packet
};

}  // namespace sluice::support
