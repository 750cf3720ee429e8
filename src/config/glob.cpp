#include "config/glob.hpp"

#include <vector>

namespace sluice::config {

// Row by row over a: meets[j] says whether what is read of a and the first j characters of b can spell the same.
bool globs_meet(std::string_view a, std::string_view b) {
  std::vector<bool> meets(b.size() + 1);
  meets[0] = true;
  for (std::size_t j = 0; j < b.size(); ++j) meets[j + 1] = meets[j] && b[j] == '*';
  for (const char c : a) {
    std::vector<bool> next(b.size() + 1);
    next[0] = meets[0] && c == '*';
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool run = c == '*' || b[j] == '*';
      next[j + 1] = run ? meets[j + 1] || next[j] || meets[j] : meets[j] && c == b[j];
    }
    meets = std::move(next);
  }
  return meets[b.size()];
}

}  // namespace sluice::config
