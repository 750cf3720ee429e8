#include "config/sections.hpp"
#include "config/values.hpp"
#include "sluice/config/names.hpp"

namespace sluice::config {

void read_tags(const Value& section, Tags& tags) {
  for (const Named& tag : read_entries(section)) {
    const auto bad_name = tag_name_error(tag.name);
    if (bad_name) tag.value.fail_key(*bad_name);
    auto text = read_text(tag.value);
    if (!text) continue;
    const auto bad_value = tag_value_error(*text);
    if (bad_value) tag.value.fail(*bad_value);
    if (!bad_name && !bad_value) tags[tag.name] = std::move(*text);
  }
}

void read_groups(const Value& section, std::map<std::string, Group>& groups) {
  for (const Named& entry : read_entries(section)) {
    if (const auto error = group_path_error(entry.name); error && !has_reference(entry)) entry.value.fail_key(*error);
    Group& group = groups[entry.name];
    group.path = entry.name;
    MapReader map(entry.value);
    map.section("limits", [&](const Value& limits) { read_node_limits(limits, group.limits, &group.each_user); });
    map.section("tags", [&](const Value& tags) { read_tags(tags, group.tags); });
  }
}

}  // namespace sluice::config
