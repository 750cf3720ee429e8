#include "sluice/core/redactor.hpp"

#include <algorithm>
#include <ranges>

namespace sluice {

void Redactor::add_query(const Secret& query) {
  for (auto part : std::views::split(query.reveal(), '&')) {
    const std::string_view parameter(part);
    add_text(parameter.substr(parameter.find('=') + 1));
  }
}

void Redactor::add_text(std::string_view secret) {
  if (secret.size() < kShortest) return;
  const auto shorter = [&](const Secret& one) { return one.reveal().size() < secret.size(); };
  secrets_.insert(std::ranges::find_if(secrets_, shorter), Secret(std::string(secret)));
  if (const auto space = secret.rfind(' '); space != secret.npos) add_text(secret.substr(space + 1));
}

bool Redactor::finds(std::string_view text) const {
  return std::ranges::any_of(secrets_, [&](const Secret& one) { return text.find(one.reveal()) != text.npos; });
}

void Redactor::strike(std::string& text) const {
  constexpr std::string_view kInstead = "[redacted]";
  for (const Secret& one : secrets_) {
    const std::string_view secret = one.reveal();
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + kInstead.size())) {
      text.replace(at, secret.size(), kInstead);
    }
  }
}

}  // namespace sluice
