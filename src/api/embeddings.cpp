#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "sluice/api/answer.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_digits() {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return digits;
}
constexpr std::array<std::int8_t, 256> kDigits = make_digits();

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= have ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
}

bool read_base64(std::string_view text, std::string& out) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int digit = kDigits[static_cast<unsigned char>(c)];
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held >= 8) out += static_cast<char>(bits >> (held -= 8) & 0xFF);
  }
  return held < 6;  // a lone digit at the end is no byte
}

void append_float32(std::string& out, float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(bits >> shift & 0xFF);
}

float read_float32(const char* p) {
  std::uint32_t bits = 0;
  for (int i = 3; i >= 0; --i) bits = bits << 8 | static_cast<unsigned char>(p[i]);
  return std::bit_cast<float>(bits);
}

bool parse_float(Value value, float& number) {
  if (!value.is_number()) return false;
  const char* const end = value.raw.data() + value.raw.size();
  const auto [stop, error] = std::from_chars(value.raw.data(), end, number);
  if (error != std::errc::result_out_of_range) return error == std::errc();
  number = 0;  // too small for a float, or too big for one
  return std::abs(json::number_of(value).value_or(0)) < 1;
}

bool append_encoded(std::string& out, Value list) {
  std::string bytes;
  for (const Value element : json::Elements(list)) {
    float number = 0;
    if (!parse_float(element, number)) return false;
    append_float32(bytes, number);
  }
  out += '"';
  append_base64(out, bytes);
  out += '"';
  return true;
}

bool append_decoded(std::string& out, Value text) {
  std::string bytes;
  if (!read_base64(json::text_of(text), bytes) || bytes.size() % 4 != 0) return false;
  out += '[';
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    const float number = read_float32(bytes.data() + i);
    if (!std::isfinite(number)) return false;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    if (i > 0) out += ',';
    out.append(digits, static_cast<std::size_t>(end - digits));
  }
  out += ']';
  return true;
}

std::unexpected<Error> unreadable() {
  return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream sent embeddings that cannot be read.");
}

// Copies `body`, with some values written anew.
class Converter {
 public:
  Converter(std::string_view body, Encoding wanted) : body_(body), to_base64_(wanted == Encoding::kBase64) {}

  bool item(Value item) {
    const std::optional<Value> embedding = json::find(item, "embedding");
    if (!embedding || !(embedding->is_array() || embedding->is_string())) return false;
    if (embedding->is_string() == to_base64_) return true;
    const auto offset = static_cast<std::size_t>(embedding->raw.data() - body_.data());
    out_ += body_.substr(at_, offset - at_);
    at_ = offset + embedding->raw.size();
    return to_base64_ ? append_encoded(out_, *embedding) : append_decoded(out_, *embedding);
  }
  std::optional<std::string> result() {
    if (at_ == 0) return std::nullopt;
    out_ += body_.substr(at_);
    return std::move(out_);
  }

 private:
  std::string_view body_;
  bool to_base64_;
  std::size_t at_ = 0;  // copied up to here
  std::string out_;
};

}  // namespace

Result<std::optional<std::string>> convert_embeddings(std::string_view body, Encoding wanted) {
  const std::size_t brace = body.find('{');
  if (brace == std::string_view::npos) return unreadable();
  const std::size_t last = body.rfind('}');
  const std::optional<Value> data = json::find({body.substr(brace, last + 1 - brace)}, "data");
  if (!data || !data->is_array()) return unreadable();
  Converter converter(body, wanted);
  for (const Value element : json::Elements(*data)) {
    if (!converter.item(element)) return unreadable();
  }
  return converter.result();
}

}  // namespace sluice::api
