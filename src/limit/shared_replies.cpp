#include "limit/shared_replies.hpp"

#include <charconv>

namespace sluice::limit {
namespace {

// The items of a reply; one that is not there, or no number, is -1.
class Items {
 public:
  explicit Items(const redis::Reply& reply) : items_(reply.items) {}
  std::int64_t number(std::size_t at) const {
    return at < items_.size() && items_[at].is_integer() ? items_[at].integer : -1;
  }
  std::string_view text(std::size_t at) const {
    return at < items_.size() && items_[at].is_string() ? std::string_view(items_[at].text) : std::string_view();
  }
  std::size_t size() const { return items_.size(); }

 private:
  const std::vector<redis::Reply>& items_;
};

// "0,3,": indices, each with its bit.
std::uint64_t read_bits(std::string_view text) {
  std::uint64_t bits = 0;
  while (!text.empty()) {
    unsigned index = 64;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc() || end == text.data() + text.size()) break;
    if (index < 64) bits |= std::uint64_t{1} << index;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return bits;
}

std::vector<Standing> read_standings(const Items& items, std::size_t from, std::size_t count) {
  std::vector<Standing> standings;
  standings.reserve(count);
  for (std::size_t i = 0; i < count; ++i, from += 3) {
    standings.push_back({.used = items.number(from),
                         .reserved = items.number(from + 1),
                         .resets_in = milliseconds(items.number(from + 2))});
  }
  return standings;
}

}  // namespace

std::optional<AdmitReply> read_admit(const redis::Reply& reply, std::size_t takes) {
  const Items items(reply);
  const std::int64_t at = items.number(1);
  switch (items.number(0)) {
    case 0: {
      Refused refused{.at = at, .refusal = {}};
      refused.refusal.index = static_cast<std::size_t>(items.number(2));
      if (const auto wait = items.number(3); wait >= 0) refused.refusal.retry_after = milliseconds(wait);
      refused.refusal.used = items.number(4);
      if (items.size() != 5 || refused.refusal.index >= takes) return std::nullopt;
      return refused;
    }
    case 1:
      if (items.size() != 3 + 3 * takes) return std::nullopt;
      return Booked{.at = at, .observed = read_bits(items.text(2)), .standings = read_standings(items, 3, takes)};
    case 2:
      return OtherTerm{at};
    case 3:
      return AlreadySettled{};
    default:
      return std::nullopt;
  }
}

std::optional<LookReply> read_look(const redis::Reply& reply, std::size_t limits) {
  const Items items(reply);
  if (items.number(0) == 2) return OtherTerm{items.number(1)};
  if (items.number(0) != 1 || items.size() != 2 + 3 * limits) return std::nullopt;
  return Booked{.at = items.number(1), .observed = 0, .standings = read_standings(items, 2, limits)};
}

std::optional<Settled> read_settle(const redis::Reply& reply) {
  const Items items(reply);
  if (items.number(0) == 0) return Settled{.repeated = true, .budgets = {}};
  if (items.number(0) != 1) return std::nullopt;
  Settled settled;
  for (std::size_t at = 2; at + 1 < items.size(); at += 2) {
    settled.budgets.push_back({.used = items.number(at), .reserved = items.number(at + 1)});
  }
  return settled;
}

}  // namespace sluice::limit
