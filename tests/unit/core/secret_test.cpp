// F50: a secret cannot be printed by accident, and leaves no bytes behind.

#include "sluice/core/secret.hpp"

#include <gtest/gtest.h>
#include <sanitizer/asan_interface.h>
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <ranges>

#include "sluice/core/error.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice {
namespace {

// Each way out of a type. The texts below have it, so that the test can tell; a secret has none.
template <class T>
concept Streamed = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Formatted = fmt::is_formattable<T>::value;
template <class T>
concept InJson = std::is_constructible_v<nlohmann::json, T> || std::is_assignable_v<nlohmann::json&, T>;
template <class T>
concept Stringified = requires(const T& value) { std::to_string(value); };
template <class T>
concept Escaped = requires(std::string& out, const T& value) { append_json_string(out, value); };
template <class T>
concept MakesText = std::is_constructible_v<std::string, T> || std::is_assignable_v<std::string&, T> ||
                    std::is_constructible_v<std::string_view, T> || std::is_convertible_v<T, const char*>;
template <class T>
concept Added = requires(std::string& out, const T& value) { out += value; } ||
                requires(const std::string& out, const T& value) { out + value; };
template <class T>
concept MakesNumber = std::is_convertible_v<T, bool> || std::is_constructible_v<bool, T>;
template <class T>
concept Walked = std::ranges::range<T>;
template <class T>
concept InError = requires(const T& value) { fail(ErrorKind::kInternal, value); } || requires(const T& value) {
  fail(ErrorKind::kInternal, std::string(), value);
} || requires(const T& value) { fail_param(ErrorKind::kInternal, value, std::string()); };
template <class T>
concept ComparedWithText = requires(const T& value) { value == std::string_view(); };
template <class T>
concept Ordered = requires(const T& value) { value < value; };
template <class T>
concept Hashed = requires(const T& value) { std::hash<T>{}(value); };

static_assert(Streamed<std::string> && !Streamed<Secret>);
static_assert(Formatted<std::string> && !Formatted<Secret>);
static_assert(InJson<std::string> && !InJson<Secret>);
static_assert(Stringified<int> && !Stringified<Secret>);
static_assert(Escaped<std::string> && !Escaped<Secret>);
static_assert(MakesText<std::string_view> && !MakesText<Secret>);
static_assert(Added<std::string> && !Added<Secret>);
static_assert(MakesNumber<int> && !MakesNumber<Secret>);
static_assert(Walked<std::string> && !Walked<Secret>);
static_assert(InError<std::string> && !InError<Secret>);
static_assert(ComparedWithText<std::string> && !ComparedWithText<Secret>);
static_assert(Ordered<std::string> && !Ordered<Secret>);
static_assert(Hashed<std::string> && !Hashed<Secret>);
static_assert(!std::is_convertible_v<std::string, Secret>, "text becomes a secret only where that is said");

TEST(Secret, F50IsComparedByAllOfItsBytes) {
  const std::string text = "sk-0123456789abcdef";
  EXPECT_TRUE(Secret(text) == Secret(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(Secret(text) == Secret(other)) << i;
  }
  EXPECT_FALSE(Secret(text) == Secret(text.substr(1)));
  EXPECT_TRUE(Secret() == Secret(""));
}

TEST(Secret, GrowsByTextAndBySecrets) {
  Secret line;
  EXPECT_TRUE(line.empty());
  line.append("authorization: ").append(Secret("sk-1")).append("\r\n");
  EXPECT_EQ(line.reveal(), "authorization: sk-1\r\n");
  const Secret copy = line;
  const Secret moved = std::move(line);
  EXPECT_TRUE(copy == moved);
}

TEST(Secret, F50IsNotShownByATestThatFails) {
  EXPECT_EQ(::testing::PrintToString(Secret("canary-short")).find("canary"), std::string::npos);
  EXPECT_EQ(::testing::PrintToString(Secret("s3cret")).find("s3"), std::string::npos);
}

#if defined(__has_feature) && __has_feature(address_sanitizer)
// Memory that was given back lies in the sanitizer's quarantine as it was left, but for a few bytes of its own in
// front.
std::string left_in(const char* freed, std::size_t size) {
  EXPECT_NE(__asan_region_is_poisoned(const_cast<char*>(freed), size), nullptr) << "still in use";
  __asan_unpoison_memory_region(freed, size);
  std::string bytes(freed + 16, size - 16);
  __asan_poison_memory_region(freed, size);
  return bytes;
}

TEST(Secret, F50LeavesNoBytesBehindWhenItGoes) {
  const std::string canary(100, 'K');
  const std::string zeros(84, '\0');
  auto secret = std::make_unique<Secret>(canary);
  const char* bytes = secret->reveal().data();
  secret.reset();
  EXPECT_EQ(left_in(bytes, 100), zeros) << "destroyed";

  Secret growing(canary);
  bytes = growing.reveal().data();
  growing.append(std::string(5'000, 'x'));
  EXPECT_EQ(left_in(bytes, 100), zeros) << "moved to a larger place";

  Secret assigned(canary);
  bytes = assigned.reveal().data();
  assigned = Secret("another");
  EXPECT_EQ(left_in(bytes, 100), zeros) << "replaced";

  std::string text = canary;
  bytes = text.data();
  const Secret from_text(std::move(text));
  EXPECT_EQ(left_in(bytes, 100), zeros) << "the text it was made of";
}
#endif

}  // namespace
}  // namespace sluice
