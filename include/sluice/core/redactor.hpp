#pragma once
// Keeps secrets out of text that somebody else wrote: an upstream that repeats the key it was sent, for instance.

#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/secret.hpp"

namespace sluice {

class Redactor {
 public:
  // Shorter ones are placeholders, and would be found in words that have nothing to do with them.
  static constexpr std::size_t kShortest = 8;

  // The secret as a whole and, where it has several words ("Bearer …"), the last of them.
  void add(const Secret& secret) { add_text(secret.reveal()); }
  // The value of each parameter of a URL's query.
  void add_query(const Secret& query);

  bool finds(std::string_view text) const;
  // Puts "[redacted]" in the place of every secret in `text`.
  void strike(std::string& text) const;

 private:
  void add_text(std::string_view secret);

  std::vector<Secret> secrets_;  // longest first, so that none hides a part of another
};

}  // namespace sluice
