#pragma once
// TLS settings towards one kind of upstream, built once when a configuration is loaded and shared by all workers.

#include <expected>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace sluice::http {

// Certificates and host names are verified, versions below 1.2 are refused. Immutable after creation; any thread.
class TlsContext {
 public:
  // `ca_file`: PEM file that replaces the system's store; empty: the system's. The error says what could not be read.
  static std::expected<std::shared_ptr<const TlsContext>, std::string> create(const std::string& ca_file, bool verify);
  ~TlsContext();

  boost::asio::ssl::context& native() const { return *context_; }
  bool verify() const { return verify_; }

 private:
  explicit TlsContext(bool verify);
  std::unique_ptr<boost::asio::ssl::context> context_;
  bool verify_;
};

}  // namespace sluice::http
