#include "routing/text_signals.hpp"

#include <algorithm>
#include <array>

#include "routing/phrases.hpp"

namespace sluice::routing {
namespace {

using config::CodeLanguage;

constexpr bool is_wide(unsigned char byte) { return byte >= 0x80; }
constexpr bool is_letter(unsigned char byte) { return byte >= 'a' && byte <= 'z'; }
constexpr bool is_word(unsigned char byte) {
  return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '_' || is_wide(byte);
}
// Of the scripts that put no space between words.
constexpr bool is_unspaced(unsigned char byte) { return byte >= 0xE3 && byte <= 0xED; }

enum Class : std::uint8_t { kInner = 1, kAlone = 2, kWide = 4 };  // goes on with a word; counts wherever it stands
constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> out{};
  for (unsigned i = 0; i < 256; ++i) {
    const auto byte = static_cast<unsigned char>(i);
    const bool alone = !is_word(byte) && byte != ' ' && byte != '\n';
    out[i] = static_cast<std::uint8_t>((is_word(byte) ? kInner : 0) | (alone || is_unspaced(byte) ? kAlone : 0) |
                                       (is_wide(byte) ? kWide : 0));
  }
  return out;
}();

config::WordSet bit(unsigned language) { return config::WordSet{1} << language; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  TextSignals read() {
    unsigned char before = '\n';
    for (at_ = 0; at_ < text_.size(); ++at_) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      const unsigned is = kClasses[byte];
      const bool begins = (is & kInner) != 0 && (kClasses[before] & kInner) == 0;
      if (begins || (is & kAlone) != 0) look(byte, before);
      before = byte;
      if ((is & kWide) != 0) look_wide(byte);
    }
    return out_;
  }

 private:
  // At the beginning of a word, or at a sign.
  void look(unsigned char byte, unsigned char before) {
    for (const Phrase& phrase : phrases_at(byte, at(1))) {
      if (is_at(phrase)) count(phrase);
    }
    if (byte == '?') ++out_.questions;
    if (byte == '^') ++out_.math;
    if (byte == '\\' && is_letter(at(1))) ++out_.math;
    if (byte == '`' || byte == '~') look_fence(byte, before);
  }

  bool is_at(const Phrase& phrase) const {
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(phrase.text)) return false;
    const auto last = static_cast<unsigned char>(phrase.text.back());
    const bool open = phrase.stem || !is_word(last) || is_unspaced(static_cast<unsigned char>(phrase.text.front()));
    return open || !is_word(at(phrase.text.size()));
  }

  void count(const Phrase& phrase) {
    if (phrase.kind == PhraseKind::kReasoning) ++out_.reasoning;
    if (phrase.kind == PhraseKind::kConstraint) ++out_.constraints;
    if (phrase.kind == PhraseKind::kCode) out_.languages |= bit(phrase.language);
  }

  // ± × ÷ ² ³, and the block of mathematical operators; question marks of other scripts.
  void look_wide(unsigned char byte) {
    const unsigned char second = at(1);
    const bool latin =
        (byte == 0xC2 && second >= 0xB1 && second <= 0xB3) || (byte == 0xC3 && (second == 0x97 || second == 0xB7));
    const bool operators = byte == 0xE2 && second >= 0x88 && second <= 0x8B;
    if (latin || operators) ++out_.math;
    if ((byte == 0xEF && second == 0xBC && at(2) == 0x9F) || (byte == 0xD8 && second == 0x9F)) ++out_.questions;
  }

  // Three of them at the beginning of a line; the opening one may name a language.
  void look_fence(unsigned char byte, unsigned char before) {
    if ((before != '\n' && before != ' ') || at(1) != byte || at(2) != byte) return;
    std::size_t start = at_;
    while (start < text_.size() && static_cast<unsigned char>(text_[start]) == byte) ++start;
    const std::size_t end = std::min(text_.find_first_of(" \t\n{:,", start), text_.size());
    at_ = start - 1;
    if (out_.fences++ % 2 == 1) return;
    const auto* const language = language_of_fence(text_.substr(start, end - start));
    out_.languages |= bit(language != nullptr ? *language : static_cast<unsigned>(CodeLanguage::kOther));
  }

  unsigned char at(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : '\n';
  }

  std::string_view text_;
  std::size_t at_ = 0;
  TextSignals out_;
};

}  // namespace

TextSignals read_signals(std::string_view text) { return Reader(text).read(); }

}  // namespace sluice::routing
