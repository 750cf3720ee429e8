#pragma once
// Where a text holds something that looks like a secret of a built-in kind.

#include <cstddef>
#include <string_view>
#include <vector>

namespace sluice {

struct Find {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view kind;
  std::size_t order = 0;  // of equal ones the first found counts
};

// Appends them, in no order; they may overlap. Each runs over the text a fixed number of times.
void find_tokens(std::string_view text, std::vector<Find>& finds);  // api_key, bearer, jwt
void find_emails(std::string_view text, std::vector<Find>& finds);
void find_cards(std::string_view text, std::vector<Find>& finds);
void find_phones(std::string_view text, std::vector<Find>& finds);

}  // namespace sluice
