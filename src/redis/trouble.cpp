#include "redis/trouble.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sluice/core/text.hpp"

namespace sluice::redis {
namespace {

using enum Failure;
constexpr std::array<std::pair<std::string_view, Failure>, 14> kCodes = {{
    {"LOADING", kLoading},
    {"BUSY", kLoading},
    {"MASTERDOWN", kMasterDown},
    {"NOREPLICAS", kMasterDown},
    {"READONLY", kReadonly},
    {"CLUSTERDOWN", kClusterDown},
    {"TRYAGAIN", kClusterDown},
    {"OOM", kOom},
    {"MISCONF", kMisconf},
    {"NOAUTH", kAuth},
    {"WRONGPASS", kAuth},
    {"DENIED", kAuth},  // protected mode
    {"NOPERM", kNoPerm},
    {"UNKILLABLE", kLoading},
}};

std::string_view inner_code(std::string_view text) {
  if (!text.starts_with("ERR Error running script")) return {};
  const auto at = text.find(": -");
  if (at == std::string_view::npos) return {};
  const std::string_view inner = text.substr(at + 3);
  return inner.substr(0, inner.find(' '));
}

}  // namespace

std::optional<Failure> failure_of(const Reply& error) {
  std::string_view code = error.error_code();
  if (code == "ERR") code = inner_code(error.text);
  const auto* const found = std::ranges::find(kCodes, code, [](const auto& row) { return row.first; });
  if (found == kCodes.end()) return std::nullopt;
  return found->second;
}

Outcome judged(Reply reply) {
  if (!reply.is_error()) return reply;
  if (const auto failure = failure_of(reply)) return std::unexpected(Trouble{*failure, one_line(reply.text)});
  return reply;
}

std::string one_line(std::string_view text) {
  std::string line = truncate_utf8(text, 200);
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return line;
}

}  // namespace sluice::redis
