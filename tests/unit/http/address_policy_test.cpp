#include "http/address_policy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::http {
namespace {

struct Judged {
  std::vector<std::string> kept;
  std::string why;  // none was kept
  UpstreamCounts counts;
};

Judged judge(const std::vector<std::string>& addresses, const std::string& host,
             const std::vector<std::string>& allowed = {}) {
  Origin origin;
  origin.host = host;
  for (const auto& text : allowed) origin.allowed.push_back(*parse_network(text));
  std::vector<IpAddress> left;
  for (const auto& text : addresses) left.push_back(*parse_ip(text));
  Judged judged;
  const auto fit = keep_allowed(origin, left, judged.counts);
  for (const auto& address : left) judged.kept.push_back(to_string(address));
  EXPECT_EQ(fit.has_value(), !left.empty());
  if (fit) return judged;
  EXPECT_EQ(fit.error().fault, IoFault::kRefused);
  judged.why = fit.error().detail;
  return judged;
}

std::string refusal(const std::string& address, const std::string& host, const std::vector<std::string>& allowed = {}) {
  return judge({address}, host, allowed).why;
}

TEST(AddressPolicy, F28PublicAddressesServeEveryName) {
  EXPECT_EQ(refusal("1.1.1.1", "api.example"), "");
  EXPECT_EQ(refusal("2606:4700::1111", "api.example"), "");
}

TEST(AddressPolicy, F28ANameThatIsBoundToAnInnerAddressIsRefused) {
  for (const char* address : {"127.0.0.1", "10.0.0.5", "192.168.1.1", "172.16.0.1", "100.64.0.1", "::1", "fd00::5",
                              "::ffff:7f00:1", "64:ff9b::a00:1", "2002:a00:1::1", "192.0.2.1"}) {
    const std::string why = refusal(address, "api.example");
    EXPECT_NE(why.find("allow_addresses"), std::string::npos) << address << ": " << why;
  }
}

TEST(AddressPolicy, F28WhatARefusalSuggestsWouldAllowTheAddress) {
  for (const char* address : {"127.0.0.1", "10.0.0.5", "::1", "fd00::5", "::ffff:7f00:1", "64:ff9b::7f00:1",
                              "64:ff9b::a00:1", "2002:a00:1::1", "::10.0.0.1"}) {
    const std::string why = refusal(address, "api.example");
    const auto begin = why.find("[\"") + 2;
    const std::string suggested = why.substr(begin, why.find("\"]") - begin);
    ASSERT_TRUE(parse_network(suggested)) << why;
    EXPECT_EQ(refusal(address, "api.example", {suggested}), "") << why;
  }
}

TEST(AddressPolicy, F28TheGoodAddressesOfANameServeAndTheOthersAreCounted) {
  auto judged = judge({"10.0.0.5", "1.1.1.1", "169.254.169.254", "fd00::5", "2606:4700::1111"}, "api.example");
  EXPECT_EQ(judged.kept, (std::vector<std::string>{"1.1.1.1", "2606:4700::1111"}));
  EXPECT_EQ(judged.counts.of(AddressKind::kPrivate), 2U);
  EXPECT_EQ(judged.counts.of(AddressKind::kMetadata), 1U);
  EXPECT_EQ(judged.counts.of(AddressKind::kPublic), 0U);
  EXPECT_EQ(judged.counts.connections, 0U);
}

TEST(AddressPolicy, F28ARefusalNamesTheFirstAddress) {
  const auto judged = judge({"10.0.0.5", "127.0.0.1"}, "api.example");
  EXPECT_EQ(judged.kept, std::vector<std::string>{});
  EXPECT_NE(judged.why.find("api.example leads to 10.0.0.5, which is private"), std::string::npos) << judged.why;
}

TEST(AddressPolicy, F22WhatTheConfigurationAllowsIsAllowed) {
  EXPECT_EQ(refusal("10.0.0.5", "ollama", {"10.0.0.0/8"}), "");
  EXPECT_EQ(refusal("11.0.0.5", "ollama", {"10.0.0.0/8"}), "") << "public";
  EXPECT_NE(refusal("192.168.0.5", "ollama", {"10.0.0.0/8"}), "");
  EXPECT_EQ(refusal("fd00::5", "ollama", {"10.0.0.0/8", "fd00::/8"}), "");
  EXPECT_EQ(refusal("64:ff9b::a00:5", "ollama", {"10.0.0.0/8"}), "") << "the address inside is what counts";
  EXPECT_NE(refusal("64:ff9b::a00:5", "ollama", {"64:ff9b::/96"}), "");
}

TEST(AddressPolicy, F22AnAddressInTheConfigurationIsTheOperatorsOwnWord) {
  EXPECT_EQ(refusal("127.0.0.1", "127.0.0.1"), "");
  EXPECT_EQ(refusal("10.0.0.5", "10.0.0.5"), "");
  EXPECT_EQ(refusal("127.0.0.1", "localhost"), "");
  EXPECT_EQ(refusal("::1", "localhost"), "");
  EXPECT_NE(refusal("10.0.0.5", "localhost"), "") << "localhost is loopback and nothing else";
}

TEST(AddressPolicy, F22MetadataIsNeverServedWhateverIsAllowed) {
  for (const char* address : {"169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "100.100.100.200",
                              "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "0.0.0.0", "::", "224.0.0.1", "ff02::1"}) {
    EXPECT_NE(refusal(address, address), "") << address;
    EXPECT_NE(refusal(address, "api.example", {"0.0.0.0/0", "::/0"}), "") << address;
  }
}

}  // namespace
}  // namespace sluice::http
