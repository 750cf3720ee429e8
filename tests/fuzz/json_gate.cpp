// The JSON gate (F14, F15): its verdict is that of another parser, less repeated names and depth; what it accepts reads
// as the same tree; and the edits of a request change what they are meant to change, byte for byte.

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "fuzz/fuzz.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/api/request_view.hpp"

namespace sluice::fuzz {
namespace {

using Tree = nlohmann::ordered_json;
using json::Member;
using json::Value;

// Stops at what the gate alone refuses.
class Strict final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool key(string_t& name) override { return names_.back().insert(name).second; }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool open() {
    names_.emplace_back();
    return names_.size() <= json::kMaxDepth;
  }
  bool close() {
    names_.pop_back();
    return true;
  }
  std::vector<std::set<std::string>> names_;
};

// The other parser skips a byte order mark and takes NUL for the end of the text.
bool others_accept(std::string_view text) {
  Strict strict;
  return !text.starts_with("\xEF\xBB\xBF") && !text.contains('\0') && nlohmann::json::sax_parse(text, &strict);
}

void check_number(Value value, const Tree& theirs) {
  const auto number = json::number_of(value);
  require(number && *number == theirs.get<double>(), "a number has the value that others read");
  const auto integer = json::integer_of(value);
  if (integer) require(static_cast<double>(*integer) == *number, "an integer is the number");
  if (theirs.is_number_unsigned() && theirs.get<std::uint64_t>() <= INT64_MAX) {
    require(integer == theirs.get<std::int64_t>(), "plain integers are read exactly");
  } else if (theirs.is_number_integer() && !theirs.is_number_unsigned()) {
    require(integer == theirs.get<std::int64_t>(), "negative ones too");
  }
}

std::string name_of(const Member& member) { return json::text_of({'"' + std::string(member.key) + '"'}); }

void compare(Value value, const Tree& theirs) {
  if (value.is_object()) {
    auto next = theirs.begin();
    for (const Member& member : json::Members(value)) {
      const std::string quoted = '"' + std::string(member.key) + '"';
      require(next != theirs.end() && json::text_of({quoted}) == next.key(), "the same members in the same order");
      require(json::key_is(member, next.key()), "a name is itself");
      compare(member.value, *next++);
    }
    require(theirs.is_object() && next == theirs.end(), "no member is lost");
  } else if (value.is_array()) {
    auto next = theirs.begin();
    for (const Value element : json::Elements(value)) {
      require(next != theirs.end(), "no element too many");
      compare(element, *next++);
    }
    require(theirs.is_array() && next == theirs.end(), "no element is lost");
  } else if (value.is_string()) {
    require(theirs.is_string() && json::text_of(value) == theirs.get<std::string>(), "the same text");
  } else if (value.is_number()) {
    check_number(value, theirs);
  } else {
    require(value.raw == theirs.dump(), "the same literal");
  }
}

void check_verdict(std::string_view text) {
  const auto value = json::check(text);
  require(value.has_value() == others_accept(text), "the verdict is that of another parser");
  std::vector<Member> members;
  require(json::check(text, members).has_value() == value.has_value(), "listing members changes no verdict");
  const auto lenient = json::check(text, json::Surrogates::kAny);
  if (value) {
    require(lenient && lenient->raw == value->raw, "lone surrogates are all that may differ");
    compare(*value, Tree::parse(text));
  } else {
    require(value.error().offset <= text.size(), "the fault lies in the text");
    if (lenient) require(value.error().what == "lone surrogate", "nothing else is let pass");
  }
}

const std::vector<std::string> kDropped = {"store", "user", "m\"n"};
const std::vector<std::pair<std::string, std::string>> kRenamed = {
    {"max_tokens", "max_completion_tokens"}, {"seed", "random_seed"}, {"model", "deployment"}};

// A member as it must leave: its name, and its value byte for byte unless an edit is declared for it.
struct Wanted {
  std::string name;
  std::string raw;
  bool operator==(const Wanted&) const = default;
};

bool has(const std::vector<Wanted>& members, std::string_view name) {
  return std::ranges::any_of(members, [&](const Wanted& member) { return member.name == name; });
}

std::string with_usage(const std::string& options) {
  Tree tree = Tree::parse(options);
  if (!tree.is_object()) tree = Tree::object();
  tree["include_usage"] = true;
  return tree.dump();
}

std::vector<Wanted> wanted_members(const api::RequestView& view, const api::Rewrite& rewrite) {
  std::vector<Wanted> members, inserted;
  for (const Member& member : view.members) {
    const std::string name = name_of(member);
    if (rewrite.drop != nullptr && std::ranges::find(*rewrite.drop, name) != rewrite.drop->end()) continue;
    members.push_back({name, std::string(member.value.raw)});
  }
  if (!rewrite.model.empty() && !has(members, "model")) inserted.push_back({"model", Tree(rewrite.model).dump()});
  if (rewrite.force_usage && !has(members, "stream_options")) inserted.push_back({"stream_options", with_usage("0")});
  for (Wanted& member : members) {
    if (member.name == "model" && view.model != rewrite.model && !rewrite.model.empty())
      member.raw = Tree(rewrite.model).dump();
    if (member.name == "stream_options" && rewrite.force_usage && !view.wants_usage)
      member.raw = with_usage(member.raw);
  }
  members.insert(members.begin(), inserted.begin(), inserted.end());
  const std::vector<Wanted> before = members;
  for (const auto& [from, to] : rewrite.rename != nullptr ? *rewrite.rename : decltype(kRenamed){}) {
    const bool written = view.member(from) != nullptr;  // what the edits bring in keeps its name
    if (!written || has(members, to) || has(before, to)) continue;
    for (Wanted& member : members) member.name = member.name == from ? to : member.name;
  }
  return members;
}

bool same_value(std::string_view a, std::string_view b) { return nlohmann::json::parse(a) == nlohmann::json::parse(b); }

void check_edits(const api::RequestView& view, const api::Rewrite& rewrite) {
  const auto edits = api::plan_edits(view, rewrite);
  std::size_t end = 0;
  for (const api::Edit& edit : edits) {
    require(edit.offset >= end && edit.offset + edit.length <= view.body.size(), "edits are in order and apart");
    end = edit.offset + edit.length;
  }
  std::string out;
  for (const std::string_view part : api::apply(view.body, edits)) out += part;
  std::vector<Member> members;
  require(json::check(out, members).has_value() && others_accept(out), "an edited body is good JSON");
  const auto wanted = wanted_members(view, rewrite);
  require(members.size() == wanted.size(), "no member is lost or added");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    require(name_of(members[i]) == wanted[i].name, "names are what the edits say");
    const bool same = members[i].value.raw == wanted[i].raw;
    require(same || same_value(members[i].value.raw, wanted[i].raw), "values are what the edits say");
    const bool declared =
        wanted[i].name == "model" || wanted[i].name == "deployment" || wanted[i].name == "stream_options";
    require(same || declared, "what no edit names keeps its bytes");
  }
}

void try_request(Endpoint endpoint, std::string_view body, bool is_json) {
  const auto view = api::parse_request(endpoint, body);
  if (!view) {
    const std::string answer = api::error_body(view.error(), Dialect::kOpenai, "req_1");
    require(nlohmann::json::accept(answer) && json::check(answer), "a refusal is good JSON");
    return;
  }
  require(is_json, "nothing but JSON is taken for a request");
  require(api::plan_edits(*view, {}).empty(), "nothing changes unless it is asked for");
  check_edits(*view, {.model = "up\"stream"});
  if (view->stream) check_edits(*view, {.model = "gpt", .force_usage = true});
  check_edits(*view, {.model = "gpt", .force_usage = view->stream, .drop = &kDropped, .rename = &kRenamed});
  check_edits(*view, {.model = {}, .drop = &kDropped});
}

}  // namespace

void test(const Input& input) {
  check_verdict(input.bytes);
  const bool is_json = json::check(input.bytes).has_value();
  try_request(Endpoint::kChat, input.bytes, is_json);
  if (!is_json) return;
  for (const Endpoint endpoint :
       {Endpoint::kCompletions, Endpoint::kEmbeddings, Endpoint::kResponses, Endpoint::kModerations}) {
    try_request(endpoint, input.bytes, is_json);
  }
}

}  // namespace sluice::fuzz
