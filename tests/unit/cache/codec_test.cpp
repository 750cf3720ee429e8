#include "cache/codec.hpp"

#include <gtest/gtest.h>

namespace sluice::cache {
namespace {

const KeyMaker& maker() {
  static const KeyMaker made{Secret("a secret")};
  return made;
}

Key key_of(const std::string& text) {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":")" + text + "\"}]}";
  const auto view = api::parse_request(Endpoint::kChat, body);
  return maker().make(Scope::of_machine(), Endpoint::kChat, {"m", 1}, *view);
}

Entry entry() {
  Entry made;
  made.form = Entry::Form::kEvents;
  made.body = std::string(300, 'x') + "data: end\n\n";
  made.pieces = {{5, 0}, {311, 40}};
  made.usage_event = "data: {}\n\n";
  made.finish_reason = "stop";
  made.provider = "up";
  made.model = "gpt";
  made.usage = {
      .input = 12, .output = 7, .cached = 1, .cache_write = 2, .reasoning = 3, .source = UsageSource::kReported};
  made.cost = Money::nanodollars(26'000);
  made.created_unix_ms = 1;
  made.expires_unix_ms = 2;
  made.stale_until_unix_ms = 3;
  made.born = 9;
  made.scope = "key app";
  made.key_name = "app";
  made.models = {"m", "m-*"};
  made.events = 2;
  made.asked_ttl_ms = 5;
  made.tags = {"a", "b"};
  return made;
}

void expect_same(const Entry& a, const Entry& b) {
  EXPECT_EQ(a.form, b.form);
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.pieces, b.pieces);
  EXPECT_EQ(a.usage_event, b.usage_event);
  EXPECT_EQ(a.finish_reason, b.finish_reason);
  EXPECT_EQ(a.provider + a.model + a.scope + a.key_name, b.provider + b.model + b.scope + b.key_name);
  EXPECT_EQ(a.models, b.models);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.asked_ttl_ms, b.asked_ttl_ms);
  EXPECT_EQ(a.usage.output, b.usage.output);
  EXPECT_EQ(a.usage.reasoning, b.usage.reasoning);
  EXPECT_EQ(a.usage.source, b.usage.source);
  EXPECT_EQ(a.cost.nanodollars(), b.cost.nanodollars());
  EXPECT_EQ(a.stale_until_unix_ms, b.stale_until_unix_ms);
  EXPECT_EQ(a.born, b.born);
  EXPECT_EQ(a.tags, b.tags);
}

TEST(CacheCodec, WhatWasEncodedComesBack) {
  for (const std::size_t compress_over : {std::size_t{0}, std::size_t{1} << 20}) {
    const std::string bytes = encode(entry(), key_of("a"), maker(), compress_over);
    EXPECT_EQ(bytes.size() < 300, compress_over == 0) << "three hundred equal letters";
    const auto back = decode(bytes, key_of("a"), maker());
    ASSERT_TRUE(back);
    expect_same(*back, entry());
  }
  const auto empty = decode(encode(Entry{}, key_of("a"), maker(), 0), key_of("a"), maker());
  ASSERT_TRUE(empty);
  expect_same(*empty, Entry{});
}

TEST(CacheCodec, F64NoBitMayFlip) {
  for (const std::size_t compress_over : {std::size_t{0}, std::size_t{1} << 20}) {
    std::string bytes = encode(entry(), key_of("a"), maker(), compress_over);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
        EXPECT_FALSE(decode(bytes, key_of("a"), maker())) << i << "." << bit;
        bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      }
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), key_of("a"), maker())) << size;
    }
    EXPECT_FALSE(decode(bytes + "x", key_of("a"), maker()));
  }
}

TEST(CacheCodec, F64AnotherKeyOrSecretIsAnotherEntry) {
  const std::string bytes = encode(entry(), key_of("a"), maker(), 0);
  EXPECT_FALSE(decode(bytes, key_of("b"), maker()));
  EXPECT_FALSE(decode(bytes, key_of("a"), KeyMaker{Secret("another")}));
}

TEST(CacheCodec, F64AnOlderSchemaIsAMiss) {
  std::string bytes = encode(entry(), key_of("a"), maker(), 0);
  bytes[3] = '0';
  EXPECT_FALSE(decode(bytes, key_of("a"), maker()));
}

}  // namespace
}  // namespace sluice::cache
