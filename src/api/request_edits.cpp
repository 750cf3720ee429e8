#include <algorithm>

#include "sluice/api/request_view.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice::api {
namespace {

using json::Member;
using json::Value;

constexpr std::string_view kIncludeUsage = "\"include_usage\":true";

// Plans the edits of one body. A member that is dropped is not edited otherwise.
class Planner {
 public:
  Planner(const RequestView& view, const Rewrite& rewrite) : view_(view), rewrite_(rewrite) {}

  std::vector<Edit> plan() {
    mark_dropped();
    set_model();
    force_usage();
    insert_members();
    rename();
    drop();
    std::ranges::sort(edits_, {}, [](const Edit& edit) { return std::pair(edit.offset, edit.length); });
    return std::move(edits_);
  }

 private:
  void mark_dropped();
  void set_model();
  void force_usage();
  void set_include_usage(Value options);
  void insert_members();
  void rename();
  void drop();
  void drop_run(std::size_t first, std::size_t last);

  bool is_dropped_name(std::string_view name) const {
    return rewrite_.drop != nullptr && std::ranges::find(*rewrite_.drop, name) != rewrite_.drop->end();
  }
  bool is_dropped(std::size_t i) const { return !dropped_.empty() && dropped_[i]; }
  const Member* kept(std::string_view name) const {
    const Member* member = view_.member(name);
    return member != nullptr && !is_dropped(static_cast<std::size_t>(member - view_.members.data())) ? member : nullptr;
  }
  bool any_kept() const { return !view_.members.empty() && std::ranges::count(dropped_, true) != kept_limit(); }
  std::ptrdiff_t kept_limit() const { return static_cast<std::ptrdiff_t>(view_.members.size()); }
  std::size_t offset(std::string_view part) const { return static_cast<std::size_t>(part.data() - view_.body.data()); }
  void replace(std::string_view part, std::string text) {
    edits_.push_back({offset(part), part.size(), std::move(text)});
  }

  const RequestView& view_;
  const Rewrite& rewrite_;
  std::vector<bool> dropped_;       // empty: none
  std::vector<std::string> names_;  // names that the edits bring in
  std::string inserted_;
  std::vector<Edit> edits_;
};

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void Planner::mark_dropped() {
  if (rewrite_.drop == nullptr || rewrite_.drop->empty()) return;
  dropped_.resize(view_.members.size());
  for (const std::string& name : *rewrite_.drop) {
    if (const Member* member = view_.member(name))
      dropped_[static_cast<std::size_t>(member - view_.members.data())] = true;
  }
}

void Planner::set_model() {
  if (rewrite_.model.empty() || is_dropped_name("model")) return;
  if (const Member* member = kept("model"); member == nullptr) {
    inserted_ += "\"model\":" + quoted(rewrite_.model) + ',';
    names_.emplace_back("model");
  } else if (view_.model != rewrite_.model) {
    replace(member->value.raw, quoted(rewrite_.model));
  }
}

void Planner::force_usage() {
  if (!rewrite_.force_usage || view_.wants_usage || is_dropped_name("stream_options")) return;
  const Member* member = kept("stream_options");
  if (member == nullptr) {
    inserted_ += "\"stream_options\":{" + std::string(kIncludeUsage) + "},";
    names_.emplace_back("stream_options");
  } else if (member->value.is_object()) {
    set_include_usage(member->value);
  } else {
    replace(member->value.raw, "{" + std::string(kIncludeUsage) + "}");
  }
}

void Planner::set_include_usage(Value options) {
  if (const auto usage = json::find(options, "include_usage"); usage) {
    replace(usage->raw, "true");
    return;
  }
  const bool others = json::Members(options).begin() != std::default_sentinel;
  replace(options.raw.substr(1, 0), std::string(kIncludeUsage) + (others ? "," : ""));
}

// New members stand right after the opening brace: no other place is there in every object.
void Planner::insert_members() {
  if (inserted_.empty()) return;
  if (!any_kept()) inserted_.pop_back();
  edits_.push_back({view_.body.find('{') + 1, 0, std::move(inserted_)});
}

void Planner::rename() {
  if (rewrite_.rename == nullptr) return;
  for (const auto& [from, to] : *rewrite_.rename) {
    const Member* member = kept(from);
    const bool taken = kept(to) != nullptr || std::ranges::find(names_, to) != names_.end();
    if (member == nullptr || taken) continue;
    replace(member->raw.substr(0, member->key.size() + 2), quoted(to));
    names_.push_back(to);
  }
}

void Planner::drop() {
  for (std::size_t i = 0; i < dropped_.size(); ++i) {
    if (!dropped_[i]) continue;
    const std::size_t first = i;
    while (i + 1 < dropped_.size() && dropped_[i + 1]) ++i;
    drop_run(first, i);
  }
}

// One comma goes with a run of dropped members: the one after it, or the one before it at the end of the object.
void Planner::drop_run(std::size_t first, std::size_t last) {
  const std::vector<Member>& members = view_.members;
  const auto end_of = [this, &members](std::size_t i) { return offset(members[i].raw) + members[i].raw.size(); };
  std::size_t begin = offset(members[first].raw);
  std::size_t end = end_of(last);
  if (last + 1 < members.size()) {
    end = offset(members[last + 1].raw);
  } else if (first > 0) {
    begin = end_of(first - 1);
  }
  edits_.push_back({begin, end - begin, {}});
}

}  // namespace

std::vector<Edit> plan_edits(const RequestView& view, const Rewrite& rewrite) { return Planner(view, rewrite).plan(); }

std::vector<std::string_view> apply(std::string_view body, const std::vector<Edit>& edits) {
  std::vector<std::string_view> parts;
  parts.reserve(edits.size() * 2 + 1);
  const auto push = [&parts](std::string_view part) {
    if (!part.empty()) parts.push_back(part);
  };
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    push(body.substr(at, edit.offset - at));
    push(edit.text);
    at = edit.offset + edit.length;
  }
  push(body.substr(at));
  return parts;
}

}  // namespace sluice::api
