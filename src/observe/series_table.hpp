#pragma once
// Tables of numbers by labels, within the budget: labels that are not let in are those of "other".

#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "sluice/core/endpoint.hpp"
#include "sluice/observe/series_budget.hpp"

namespace sluice::observe {

// Names of the configuration are texts of their own in a key and become "other"; views are of closed sets and stay.
inline std::string other_of(const std::string&) { return "other"; }
inline std::string_view other_of(std::string_view label) { return label; }
inline Endpoint other_of(Endpoint) { return Endpoint::kNone; }
template <class... Labels>
std::tuple<Labels...> other_of(const std::tuple<Labels...>& key) {
  return std::apply([](const auto&... labels) { return std::tuple<Labels...>(other_of(labels)...); }, key);
}
template <class A, class B>
std::pair<A, B> other_of(const std::pair<A, B>& key) {
  return {other_of(key.first), other_of(key.second)};
}

inline void append_label(std::string& id, std::string_view label) { (id += label) += '\0'; }
inline void append_label(std::string& id, Endpoint endpoint) { append_label(id, to_string(endpoint)); }
template <class... Labels>
void append_labels(std::string& id, const std::tuple<Labels...>& key) {
  std::apply([&id](const auto&... labels) { (append_label(id, labels), ...); }, key);
}
template <class A, class B>
void append_labels(std::string& id, const std::pair<A, B>& key) {
  append_label(id, key.first), append_label(id, key.second);
}
inline void append_labels(std::string& id, const std::string& label) { append_label(id, label); }

// The series that one key of a table has.
struct Family {
  std::string_view name;  // of the table: part of the id
  SeriesKind kind;
  std::size_t series = 1;
};

template <class Key>
bool admitted(SeriesGate& gate, const Family& family, const Key& key) {
  std::string id;
  append_label(id, family.name);
  append_labels(id, key);
  return gate.admit(family.kind, id, family.series);
}

// Where `key` is counted.
template <class Map>
typename Map::mapped_type& place_of(Map& map, const typename Map::key_type& key, const Family& family,
                                    SeriesGate& gate) {
  if (const auto known = map.find(key); known != map.end()) return known->second;
  return map[admitted(gate, family, key) ? key : other_of(key)];
}

}  // namespace sluice::observe
