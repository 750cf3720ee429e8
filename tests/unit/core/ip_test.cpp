#include "sluice/core/ip.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string kind(std::string_view text) {
  const auto address = parse_ip(text);
  return address ? std::string(to_string(kind_of(*address))) : "no address";
}

TEST(Ip, AddressesAreReadAndWrittenInOneWay) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1"})
    EXPECT_EQ(to_string(*parse_ip(text)), text);
  EXPECT_EQ(to_string(*parse_ip("::ffff:7f00:1")), "127.0.0.1");
  EXPECT_EQ(to_string(*parse_ip("2001:DB8:0:0::1")), "2001:db8::1");
  EXPECT_EQ(parse_ip("::ffff:10.0.0.1"), parse_ip("10.0.0.1"));
}

TEST(Ip, WhatCouldMeanTwoAddressesIsNone) {
  for (const std::string_view text :
       {"", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "1.2.3.4.5", "256.0.0.1", "[::1]",
        "fe80::1%eth0", "::g", "localhost", " 127.0.0.1", "127.0.0.1/8"}) {
    EXPECT_FALSE(parse_ip(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("127.0.0.1\0x", 11)).has_value());
}

TEST(Ip, F28EveryKindHasItsNetworksToTheirEdges) {
  const std::pair<const char*, std::vector<const char*>> kinds[] = {
      {"public", {"1.1.1.1",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",  "100.128.0.0",
                  "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",     "172.15.255.255",
                  "172.32.0.0",      "192.167.255.255", "192.169.0.0",     "198.17.255.255",  "198.20.0.0",
                  "223.255.255.255", "168.63.129.15",   "2000::",          "2606:4700::1111", "2a00:1450::1",
                  "3ffe::1"}},
      {"loopback", {"127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"}},
      {"private",
       {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "100.64.0.0",
        "100.127.255.255", "198.18.0.0", "198.19.255.255", "fc00::", "fdff:ffff::1", "fec0::1", "feff::1"}},
      {"reserved",
       {"192.0.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.255", "192.88.99.1", "240.0.0.1", "255.255.255.254",
        "2001:db8::1", "2001::1", "2001:1ff::1", "3fff:fff::1", "100::1", "4000::", "1fff::", "5f00::1", "64:ff9b:1::1",
        "8000::1", "fe00::1"}},
      {"link_local", {"169.254.0.0", "169.254.255.255", "169.254.1.1", "fe80::", "fe80::1", "febf:ffff::1"}},
      {"metadata",
       {"169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe"}},
      {"unusable",
       {"0.0.0.0", "0.255.255.255", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff02::1", "ffff::1"}}};
  for (const auto& [name, addresses] : kinds) {
    for (const char* address : addresses) EXPECT_EQ(kind(address), name) << address;
  }
}

TEST(Ip, F28AnAddressInsideAnAddressIsTheOneThatCounts) {
  const std::pair<const char*, const char*> inner[] = {
      {"7f00:1", "loopback"},    {"a9fe:a9fe", "metadata"}, {"a9fe:1", "link_local"}, {"a00:1", "private"},
      {"6440:1", "private"},     {"0:0", "unusable"},       {"e000:1", "unusable"},   {"101:101", "public"},
      {"6464:64c8", "metadata"}, {"c000:201", "reserved"}};
  for (const auto& [digits, wanted] : inner) {
    for (const std::string prefix : {"::ffff:", "::ffff:0:", "64:ff9b::"}) {
      EXPECT_EQ(kind(prefix + digits), wanted) << prefix << digits;
    }
    EXPECT_EQ(kind("2002:" + std::string(digits) + "::5"), wanted) << digits;
  }
  EXPECT_EQ(kind("::7f00:1"), "loopback");
  EXPECT_EQ(kind("::10.0.0.1"), "private");
}

TEST(Ip, SomeKindsAreForbiddenWhateverAConfigurationSays) {
  for (const auto kind : {AddressKind::kLinkLocal, AddressKind::kMetadata, AddressKind::kUnusable})
    EXPECT_TRUE(is_forbidden(kind));
  for (const auto kind : {AddressKind::kPublic, AddressKind::kLoopback, AddressKind::kPrivate, AddressKind::kReserved})
    EXPECT_FALSE(is_forbidden(kind));
}

TEST(Ip, NetworksHoldWhatTheirPrefixSays) {
  const auto holds = [](const char* network, const char* address) {
    return parse_network(network)->contains(*parse_ip(address));
  };
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(holds("0.0.0.0/0", "255.0.0.1"));
  EXPECT_FALSE(holds("0.0.0.0/0", "::1"));
  EXPECT_TRUE(holds("::/0", "1.2.3.4"));
  EXPECT_TRUE(holds("fd00::/9", "fd7f::1"));
  EXPECT_FALSE(holds("fd00::/9", "fd80::1"));
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7/32", "192.0.2.6"));
  EXPECT_EQ(to_string(parse_network("172.16.0.0/12")->last()), "172.31.255.255");
  EXPECT_EQ(to_string(parse_network("fd00::/121")->last()), "fd00::7f");
}

TEST(Ip, ANetworkIsWrittenWhole) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x", "10.0.0.0/8/8", "10.0.0.1/8",
        "10/8", "fd00::/129", "fd00::1/64", "private", "10.0.0.0 /8", "10.0.0.0/99999999999"}) {
    EXPECT_FALSE(parse_network(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace sluice
