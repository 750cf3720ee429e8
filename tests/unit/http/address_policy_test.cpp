#include "http/address_policy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::http {
namespace {

std::string refusal(const std::string& address, const std::string& host, const std::vector<std::string>& allowed = {}) {
  std::vector<IpNetwork> networks;
  for (const auto& text : allowed) networks.push_back(*parse_network(text));
  return refusal_of(boost::asio::ip::make_address(address), host, networks);
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

TEST(AddressPolicy, F22WhatTheConfigurationAllowsIsAllowed) {
  EXPECT_EQ(refusal("10.0.0.5", "ollama", {"10.0.0.0/8"}), "");
  EXPECT_EQ(refusal("11.0.0.5", "ollama", {"10.0.0.0/8"}), "") << "public";
  EXPECT_NE(refusal("192.168.0.5", "ollama", {"10.0.0.0/8"}), "");
  EXPECT_EQ(refusal("fd00::5", "ollama", {"10.0.0.0/8", "fd00::/8"}), "");
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
