#pragma once
// Under which key an answer is kept: what was asked, of whom, and who may share the answer. There is no key without a
// scope, so nobody finds what another tenant has paid for.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/api/request_view.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/core/secret.hpp"

namespace sluice::cache {

// Who shares answers. Scopes of different kinds differ, whatever they are called.
class Scope {
 public:
  static Scope of_key(std::string_view name, std::string_view id);  // id: of the key itself, not of its name
  static Scope of_group(std::string_view path);
  static Scope of_namespace(std::string_view name);
  static Scope of_machine();  // without keys: whoever is let in

  // "key app-1", "group acme/search", "namespace bots", "machine": for people and for purging.
  const std::string& name() const { return name_; }

 private:
  friend class KeyMaker;
  Scope(std::string name, std::string_view more) : name_(std::move(name)), text_(name_ + '\n' + std::string(more)) {}
  std::string name_;
  std::string text_;
};

class KeyMaker;

class Key {
 public:
  static constexpr std::size_t kBytes = 32;
  std::string hex() const;
  const std::array<std::uint8_t, kBytes>& bytes() const { return bytes_; }
  bool operator==(const Key&) const = default;

 private:
  friend class KeyMaker;
  Key() = default;
  std::array<std::uint8_t, kBytes> bytes_{};
};

// Who answers, once aliases and rules have been followed, and what it is told beside the body.
struct Answerer {
  std::string_view model;
  std::uint64_t revision = 0;
  std::string_view told{};  // query and header fields that may change the answer
};

// Immutable; any thread.
class KeyMaker {
 public:
  explicit KeyMaker(const Secret& secret);
  ~KeyMaker();
  KeyMaker(const KeyMaker&) = delete;
  KeyMaker& operator=(const KeyMaker&) = delete;

  // HMAC-SHA-256 (RFC 2104) over the schema's version, scope, endpoint, answerer and the canonical body: members sorted
  // at every depth, strings and numbers in one form each, and without the members of the outermost object that do not
  // change the answer (api/question.hpp); the answerer stands for `model`.
  Key make(const Scope& scope, Endpoint endpoint, const Answerer& answerer, const api::RequestView& view) const;

  // Of some bytes, under the same secret but for another purpose, which `purpose` names.
  std::array<std::uint8_t, Key::kBytes> seal(std::string_view purpose, std::string_view bytes) const;

 private:
  struct States;
  std::unique_ptr<States> states_;
};

}  // namespace sluice::cache

template <>
struct std::hash<sluice::cache::Key> {
  std::size_t operator()(const sluice::cache::Key& key) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, key.bytes().data(), sizeof hash);
    return hash;
  }
};
