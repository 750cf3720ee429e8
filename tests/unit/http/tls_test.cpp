#include "sluice/http/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>

namespace sluice::http {
namespace {

TEST(TlsContext, AMissingCaFileIsAnError) {
  const auto made = TlsContext::create("/nonexistent/ca.pem", true);
  ASSERT_FALSE(made.has_value());
  EXPECT_FALSE(made.error().empty());
}

TEST(TlsContext, AFileWithoutCertificatesIsAnError) {
  const auto path = std::filesystem::temp_directory_path() / ("sluice-not-a-ca-" + std::to_string(::getpid()));
  std::ofstream(path) << "this is no certificate\n";
  const auto made = TlsContext::create(path.string(), true);
  std::filesystem::remove(path);
  EXPECT_FALSE(made.has_value());
}

TEST(TlsContext, TheSystemsStoreNeedsNoFile) {
  const auto made = TlsContext::create("", true);
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE((*made)->verify());
}

TEST(TlsContext, VersionsBelow12AreRefused) {
  const auto made = TlsContext::create("", true);
  ASSERT_TRUE(made.has_value());
  EXPECT_GE(SSL_CTX_get_min_proto_version((*made)->native()), TLS1_2_VERSION);
}

TEST(TlsContext, VerificationIsWhatWasAskedFor) {
  for (const bool verify : {true, false}) {
    const auto made = TlsContext::create("", verify);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ((*made)->verify(), verify);
    const int mode = SSL_CTX_get_verify_mode((*made)->native());
    EXPECT_EQ(mode, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE);
  }
}

}  // namespace
}  // namespace sluice::http
