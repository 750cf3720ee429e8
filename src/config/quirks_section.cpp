#include <algorithm>
#include <set>

#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

// The gateway reads and writes these itself.
bool is_ours(const std::string& member) { return member == "model" || member == "stream"; }

void read_drop(const Value& list, Quirks& quirks) {
  for (const Value& item : read_items(list)) {
    auto member = read_word(item);
    if (!member) continue;
    if (is_ours(*member)) {
      item.fail("Sluice needs this member; it cannot be dropped");
    } else if (std::ranges::find(quirks.drop, *member) != quirks.drop.end()) {
      item.fail("this member is already in the list");
    } else {
      quirks.drop.push_back(*member);
    }
  }
}

class RenameCheck {
 public:
  explicit RenameCheck(const Quirks& quirks) : taken_(quirks.drop.begin(), quirks.drop.end()) {}

  bool accept(const Named& rename, const std::string& to) {
    if (is_ours(rename.name)) return refuse(rename, "Sluice needs this member; it cannot be renamed");
    if (is_ours(to)) return refuse(rename, "this name is one that Sluice sets");
    if (rename.name == to) return refuse(rename, "this is the name it has already");
    if (taken_.contains(rename.name)) return refuse(rename, "this member is dropped, or another takes its name");
    if (taken_.contains(to)) return refuse(rename, "this name is dropped, or another member takes it");
    taken_.insert(rename.name);
    taken_.insert(to);
    return true;
  }

 private:
  static bool refuse(const Named& rename, const char* why) {
    rename.value.fail(why);
    return false;
  }
  std::set<std::string> taken_;
};

void read_rename(const Value& section, Quirks& quirks) {
  RenameCheck check(quirks);
  for (const Named& rename : read_entries(section)) {
    auto to = read_word(rename.value);
    if (to && check.accept(rename, *to)) quirks.rename.emplace_back(rename.name, *to);
  }
}

}  // namespace

void read_quirks(const Value& section, Quirks& quirks) {
  MapReader map(section);
  map.section("drop", [&](const Value& list) { read_drop(list, quirks); });
  map.section("rename", [&](const Value& renames) { read_rename(renames, quirks); });
  map.read("stream_usage", quirks.stream_usage, read_flag);
}

}  // namespace sluice::config
