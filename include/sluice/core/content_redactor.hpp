#pragma once
// Strikes out of people's text what looks like a secret or leads to a person. Which secrets they are nobody knows;
// those that are known are Redactor's (redactor.hpp).

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Immutable; any thread. Its time grows with the length of the text and no faster, whatever the text is.
class ContentRedactor {
 public:
  struct Pattern {
    std::string name;        // of the kind
    std::string expression;  // in RE2's syntax
  };
  static constexpr std::array<std::string_view, 6> kKinds = {"api_key", "bearer", "jwt", "email", "card", "phone"};
  // Who shows the beginning of a text only has to give so many bytes more of it, or a secret that lies across the end
  // would not be known for one.
  static constexpr std::size_t kLookAhead = 4096;

  // What is wrong with an expression: a sentence for the operator. Nothing: it is good.
  static std::optional<std::string> error_in(std::string_view expression);

  // The built-in kinds and these. All expressions are good.
  explicit ContentRedactor(const std::vector<Pattern>& patterns = {});
  ~ContentRedactor();
  ContentRedactor(const ContentRedactor&) = delete;
  ContentRedactor& operator=(const ContentRedactor&) = delete;

  struct Redacted {
    std::string text;
    std::map<std::string, std::size_t> counts{};  // of finds, by kind
    bool cut = false;                             // it is not all of it, and ends in "…"
  };
  // The first `most` bytes of `text`, which is UTF-8, with "[redacted:KIND]" in the place of each find, also of one
  // that lies across the end; and no more than `most` bytes of that. Escapes of JSON, at any depth (a JSON text in a
  // JSON string), and of URLs are seen through.
  Redacted redact(std::string_view text, std::size_t most) const;

 private:
  struct Custom;
  std::vector<Custom> customs_;
};

}  // namespace sluice
