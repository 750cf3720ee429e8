#pragma once
// TLS settings of one side, built once when a configuration is loaded and shared by all workers.

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace sluice::http {

// Why a client's handshake failed. The set is closed: the names are values of a label.
enum class TlsFault : std::uint8_t {
  kPlainHttp,             // a request in the clear
  kNotTls,                // anything else that is no TLS
  kOldVersion,            // nothing newer than TLS 1.1
  kNoSharedCipher,        // nor a shared group or signature
  kNoSharedProtocol,      // ALPN without http/1.1
  kNoClientCertificate,   // none came, and one is required
  kBadClientCertificate,  // it came and was not believed
  kAlert,                 // the client gave up: it did not trust the certificate, most likely
  kTimeout,
  kClosed,
  kOther,
};
std::string_view to_string(TlsFault fault);

// What the listener shows, as names of PEM files.
struct ListenerTls {
  std::string certificate;  // the chain, the server's own certificate first
  std::string key;
  std::string client_ca;  // who may sign clients' certificates; empty: none is asked for
  bool client_required = false;
};
struct ListenerTlsError {
  enum class File : std::uint8_t { kCertificate, kKey, kClientCa };
  File file = File::kCertificate;
  std::string message;  // for the operator
};

// Versions below 1.2, renegotiation and compression are refused. Immutable after creation; any thread.
class TlsContext {
 public:
  using Time = std::chrono::system_clock::time_point;

  // Towards upstreams. `ca_file`: PEM file that replaces the system's store; empty: the system's. With `verify`,
  // certificates and host names are checked. The error says what could not be read.
  static std::expected<std::shared_ptr<const TlsContext>, std::string> create(const std::string& ca_file, bool verify);
  // Towards clients. A certificate that is not valid now is no error; see valid_from() and valid_until().
  static std::expected<std::shared_ptr<const TlsContext>, ListenerTlsError> create_listener(const ListenerTls& files);

  ssl_ctx_st* native() const { return native_.get(); }
  bool verify() const { return verify_; }
  // Of the listener's own certificate.
  Time valid_from() const { return valid_from_; }
  Time valid_until() const { return valid_until_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* native) const;
  };
  TlsContext(ssl_ctx_st* native, bool verify);

  std::unique_ptr<ssl_ctx_st, Free> native_;
  bool verify_;
  Time valid_from_{};
  Time valid_until_{};
};

}  // namespace sluice::http
