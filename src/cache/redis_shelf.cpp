#include "cache/redis_shelf.hpp"

#include <charconv>

#include "cache/codec.hpp"

namespace sluice::cache {
namespace {

// KEYS: epoch, purges. ARGV: what, channel, how many are remembered one by one, the epoch that is known: a Redis that
// was emptied counts on from there.
const redis::Script& purge_script() {
  static const redis::Script script(R"(
local what = ARGV[1]
local epoch = redis.call('INCR', KEYS[1])
if epoch <= tonumber(ARGV[4]) then
  epoch = tonumber(ARGV[4]) + 1
  redis.call('SET', KEYS[1], epoch)
end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[3]) then what = 'all' end
if what == 'all' then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], what, epoch)
redis.call('PUBLISH', ARGV[2], epoch)
return epoch
)");
  return script;
}

// KEYS: epoch, purges. Both as of one moment.
const redis::Script& agreed_script() {
  static const redis::Script script("return {redis.call('GET', KEYS[1]) or '0', redis.call('HGETALL', KEYS[2])}");
  return script;
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string RedisShelf::name(std::string_view kind, std::string_view what) const {
  std::string name = "{" + settings_.prefix + "}:cache:";
  name += kind;
  if (!what.empty()) (name += ':') += what;
  return name;
}

Task<RedisShelf::Found> RedisShelf::find(Key key, TimePoint due) {
  const std::string place = name("entry", key.hex());
  const auto reply = co_await client_.call({"GET", place}, due);
  if (!reply || reply->is_error()) co_return Found{.available = false};
  if (!reply->is_string()) co_return Found{};
  if (auto entry = decode(reply->text, key, keys_)) {
    co_return Found{.entry = std::make_shared<const Entry>(std::move(*entry))};
  }
  co_await client_.call({"DEL", place}, due);
  co_return Found{.corrupt = true};
}

Task<RedisShelf::Stored> RedisShelf::store(Key key, EntryPtr entry, TimePoint due) {
  const std::string value = encode(*entry, key, keys_, settings_.compress_over);
  if (value.size() > settings_.value_bytes) co_return Stored::kTooLarge;
  const std::string place = name("entry", key.hex());
  const auto life = std::max<std::int64_t>(1, entry->stale_until_unix_ms - entry->created_unix_ms);
  const std::string time = std::to_string(life);
  const auto reply = co_await client_.call({"SET", place, value, "PX", time}, due);
  co_return reply && !reply->is_error() ? Stored::kYes : Stored::kUnavailable;
}

Task<std::optional<bool>> RedisShelf::lease(Key key, milliseconds time, TimePoint due) {
  const std::string place = name("lease", key.hex());
  const std::string life = std::to_string(std::max<std::int64_t>(1, time.count()));
  const auto reply = co_await client_.call({"SET", place, "1", "NX", "PX", life}, due);
  if (!reply || reply->is_error()) co_return std::nullopt;
  co_return !reply->is_nil();
}

Task<void> RedisShelf::give_back(Key key, TimePoint due) {
  const std::string place = name("lease", key.hex());
  co_await client_.call({"DEL", place}, due);
}

Task<std::optional<std::uint64_t>> RedisShelf::purge(std::string what, std::uint64_t known, TimePoint due) {
  const std::string epoch = name("epoch"), purges = name("purges"), heard = channel(settings_);
  const std::string most = std::to_string(Purges::kMost);
  const std::array<std::string_view, 2> keys = {epoch, purges};
  const std::string from = std::to_string(known);
  const std::array<std::string_view, 4> args = {what, heard, most, from};
  const auto reply = co_await client_.eval(purge_script(), keys, args, due);
  if (!reply || !reply->is_integer()) co_return std::nullopt;
  co_return static_cast<std::uint64_t>(reply->integer);
}

Task<std::optional<RedisShelf::Agreed>> RedisShelf::purges(TimePoint due) {
  const std::string epoch = name("epoch"), purges = name("purges");
  const std::array<std::string_view, 2> keys = {epoch, purges};
  const auto reply = co_await client_.eval(agreed_script(), keys, {}, due);
  if (!reply || reply->items.size() != 2) co_return std::nullopt;
  Agreed agreed{.epoch = number_of(reply->items[0].text)};
  const auto& pairs = reply->items[1].items;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    agreed.epochs.emplace(pairs[i].text, number_of(pairs[i + 1].text));
  co_return agreed;
}

}  // namespace sluice::cache
