#include "sluice/sse/decoder.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::sse {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kBigBuffer = 16 * 1024;  // one big event must not keep its memory for the rest of the stream

const char* find(const char* from, const char* end, char wanted) {
  const void* at = std::memchr(from, wanted, static_cast<std::size_t>(end - from));
  return at != nullptr ? static_cast<const char*>(at) : end;
}

void clear(std::string& text) {
  text.clear();
  if (text.capacity() > kBigBuffer) text.shrink_to_fit();
}

std::unexpected<Error> too_big_error() {
  return fail(ErrorKind::kUpstreamEventTooBig, "The upstream sent an event that is too large.");
}

}  // namespace

// Line ends are looked for once per byte: a position stays good until it has been passed.
struct Decoder::Window {
  const char* p;
  const char* end;
  const char* lf = nullptr;
  const char* cr = nullptr;

  const char* line_end() {
    if (lf < p) lf = find(p, end, '\n');
    if (cr < p) cr = find(p, end, '\r');
    return std::min(lf, cr);
  }
  std::string_view until(const char* stop) const { return {p, static_cast<std::size_t>(stop - p)}; }
};

Result<void> Decoder::feed(std::string_view bytes, const Sink& sink) {
  Window window{bytes.data(), bytes.data() + bytes.size()};
  while (window.p != window.end) {
    if (skip_lf_) {
      skip_lf_ = false;
      if (*window.p == '\n' && ++window.p == window.end) break;
    }
    const char* const stop = window.line_end();
    if (stop == window.end) {
      if (auto kept = carry(window.until(stop)); !kept) return kept;
      break;
    }
    const std::string_view tail = window.until(stop);
    const bool whole = carry_.empty();
    if (!whole) {
      if (auto kept = carry(tail); !kept) return kept;
    }
    window.p = stop + 1;
    skip_lf_ = *stop == '\r';
    const Result<bool> more = line(whole ? tail : std::string_view(carry_), whole, sink);
    clear(carry_);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  keep_views();
  return {};
}

Result<void> Decoder::finish(const Sink& sink) {
  if (!carry_.empty()) {
    const Result<bool> more = line(carry_, false, sink);
    carry_.clear();
    if (!more) return std::unexpected(more.error());
  }
  dispatch(sink);
  return {};
}

Result<bool> Decoder::line(std::string_view text, bool stable, const Sink& sink) {
  if (at_start_) {
    at_start_ = false;
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  }
  if (text.empty()) return dispatch(sink);
  if (too_big(text.size())) return too_big_error();
  const std::size_t colon = text.find(':');
  if (colon == 0) return true;
  std::string_view value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  field(text.substr(0, colon), value, stable);
  return true;
}

void Decoder::field(std::string_view name, std::string_view value, bool stable) {
  if (name == "data") {
    add_data(value, stable);
  } else if (name == "event") {
    type_ = stable ? value : std::string_view(kept_type_ = value);
  }
}

void Decoder::add_data(std::string_view value, bool stable) {
  if (!has_data_ && stable) {
    data_ = value;
  } else {
    if (!data_kept_) kept_data_ = data_;
    if (has_data_) kept_data_ += '\n';
    kept_data_ += value;
    data_ = kept_data_;
    data_kept_ = true;
  }
  has_data_ = true;
}

bool Decoder::dispatch(const Sink& sink) {
  const bool anything = has_data_ || !type_.empty();
  const bool more = !anything || sink({type_, data_, has_data_});
  type_ = {};
  data_ = {};
  has_data_ = false;
  data_kept_ = false;
  clear(kept_data_);
  return more;
}

Result<void> Decoder::carry(std::string_view rest) {
  const bool maybe_mark = at_start_ && carry_.size() + rest.size() <= limit_ + kByteOrderMark.size();
  if (!maybe_mark && too_big(carry_.size() + rest.size())) return too_big_error();
  carry_ += rest;
  return {};
}

void Decoder::keep_views() {
  if (has_data_ && !data_kept_) {
    kept_data_ = data_;
    data_ = kept_data_;
    data_kept_ = true;
  }
  if (!type_.empty() && type_.data() != kept_type_.data()) {
    kept_type_ = type_;
    type_ = kept_type_;
  }
}

}  // namespace sluice::sse
