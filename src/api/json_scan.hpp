#pragma once
// Steps over JSON text, a vector at a time where that pays. `end` is never passed, whatever the bytes are.

#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::json::scan {

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool ends_run(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

inline const char* skip_space(const char* p, const char* end) {
  while (p != end && is_space(*p)) ++p;
  return p;
}

inline const char* skip_digits(const char* p, const char* end) {
  while (p != end && is_digit(*p)) ++p;
  return p;
}

#if defined(__SSE2__)
// One bit per byte of the 16 at `p`: set for quotes, backslashes and control characters.
inline unsigned run_ends(const char* p) {
  __m128i bytes;
  std::memcpy(&bytes, p, sizeof bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)));
}
#endif

// The first quote, backslash or control character at or after `p`; `end` if there is none.
inline const char* plain_run(const char* p, const char* end) {
#if defined(__SSE2__)
  while (end - p >= 16) {
    if (const unsigned ends = run_ends(p); ends != 0) return p + __builtin_ctz(ends);
    p += 16;
  }
#endif
  while (p != end && !ends_run(*p)) ++p;
  return p;
}

// The following trust the grammar of the text, not its bounds.

// `p` stands on an opening quote; the result is past the closing one.
inline const char* skip_string(const char* p, const char* end, bool* escaped = nullptr) {
  ++p;
  while ((p = plain_run(p, end)) != end && *p != '"') {
    if (*p == '\\') {
      if (escaped != nullptr) *escaped = true;
      ++p;
    }
    if (p != end) ++p;
  }
  return p == end ? end : p + 1;
}

// `p` stands on an opening bracket; the result is past the one that closes it.
inline const char* skip_container(const char* p, const char* end) {
  std::size_t depth = 0;
  while (p != end) {
    const char c = *p;
    if (c == '"') {
      p = skip_string(p, end);
      continue;
    }
    ++p;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return p;
}

inline const char* skip_value(const char* p, const char* end) {
  if (p == end) return end;
  if (*p == '"') return skip_string(p, end);
  if (*p == '{' || *p == '[') return skip_container(p, end);
  while (p != end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p)) ++p;
  return p;
}

}  // namespace sluice::json::scan
