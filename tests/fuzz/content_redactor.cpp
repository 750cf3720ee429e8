// What people write, on its way into the trace: secrets between its lines are struck out whatever stands around them,
// and what is shown of it is the beginning of the whole.

#include "sluice/core/content_redactor.hpp"

#include <array>

#include "fuzz/fuzz.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::array<std::string_view, 5> kSecrets = {"bob@example.org", "4111 1111 1111 1111", "+1 415 555 2671",
                                                      "sk-0123456789abcdefghij", "ACME-123456"};
constexpr std::string_view kMore = "…";

const ContentRedactor& redactor() {
  static const ContentRedactor kRedactor({{"ticket", "ACME-[0-9]{6}"}, {"quoted", "«[^»]*»|q(?:.*z)?"}});
  return kRedactor;
}

void check_secret(std::string_view before, std::string_view secret, std::string_view behind) {
  if (before.contains(secret) || behind.contains(secret)) return;  // perhaps a part of something else
  std::string text(before);
  text.append("\n").append(secret).append("\n").append(behind);
  const auto made = redactor().redact(text, text.size() * 32);
  require(!made.text.contains(secret), "a secret on a line of its own is struck out");
  require(!made.cut && !made.counts.empty(), "and counted, and nothing is cut");
}

void check_cut(std::string_view text, const std::string& whole, std::size_t most) {
  auto made = redactor().redact(text, most);
  require(made.text.size() <= most + kMore.size(), "no more is shown than may be");
  if (made.cut) {
    require(made.text.ends_with(kMore), "what is cut says so");
    made.text.resize(made.text.size() - kMore.size());
  }
  require(whole.starts_with(made.text), "what is shown is the beginning of the whole");
}

}  // namespace

void test(const Input& input) {
  const std::string whole = redactor().redact(input.bytes, input.bytes.size() * 32 + 32).text;
  for (const std::size_t most : {std::size_t{0}, input.bytes.size() / 3, input.bytes.size() / 2, input.bytes.size()}) {
    check_cut(input.bytes, whole, most);
  }
  const auto cut = input.cuts.empty() ? input.bytes.size() / 2 : input.cuts.front();
  for (const std::string_view secret : kSecrets) {
    check_secret(input.bytes.substr(0, cut), secret, input.bytes.substr(cut));
  }
}

}  // namespace sluice::fuzz
