#include "sluice/api/question.hpp"

#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <utility>

#include "sluice/api/canonical.hpp"

namespace sluice::api {
namespace {

bool is_left_out(std::string_view member) {
  constexpr std::array<std::string_view, 10> kNames = {
      "metadata",     "model", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
      "service_tier", "store", "stream",           "stream_options",         "user"};
  return std::ranges::binary_search(kNames, member);
}

}  // namespace

void append_question(std::string& out, const RequestView& view) {
  boost::container::small_vector<std::pair<std::string, json::Value>, 16> members;
  for (const json::Member& member : view.members) {
    std::string name;
    json::append_canonical_string(name, member.raw.substr(0, member.key.size() + 2));
    if (!is_left_out(std::string_view(name).substr(1, name.size() - 2)))
      members.emplace_back(std::move(name), member.value);
  }
  std::ranges::sort(members, {}, &std::pair<std::string, json::Value>::first);
  for (const auto& [name, value] : members) {
    out += name;
    out += ':';
    json::append_canonical(out, value);
    out += ',';
  }
}

}  // namespace sluice::api
