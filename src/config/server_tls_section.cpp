#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

// An empty name switches something off, which must be meant: a variable that happens to be empty is no such thing.
std::optional<std::string> read_listener_file(const Value& value) {
  auto file = read_pem_file(value);
  if (file && file->empty() && !value.node->text.empty()) {
    value.fail(value.shown() + " is empty; expected a PEM file, or \"\" for none");
  }
  return file;
}

void check_parts(const Value& section, const ServerTls& tls) {
  if (tls.certificate.empty() != tls.key.empty()) {
    section.fail_key("needs both certificate and key, or neither of them");
  }
  if (tls.client_auth != ClientAuth::kNone && tls.client_ca.empty()) {
    section.fail_key("client_auth needs client_ca, the authority that clients' certificates must be from");
  }
  if (tls.client_auth == ClientAuth::kNone && !tls.client_ca.empty()) {
    section.fail_key("client_ca has no meaning without client_auth: optional or required");
  }
  if (tls.certificate.empty() && tls.client_auth != ClientAuth::kNone) {
    section.fail_key("client_auth has no meaning without certificate and key");
  }
}

}  // namespace

void read_server_tls(const Value& section, ServerTls& tls) {
  MapReader map(section);
  map.read("certificate", tls.certificate, read_listener_file);
  map.read("key", tls.key, read_listener_file);
  map.read("client_ca", tls.client_ca, read_listener_file);
  map.read(
      "client_auth", tls.client_auth,
      choice<ClientAuth>(
          {{"none", ClientAuth::kNone}, {"optional", ClientAuth::kOptional}, {"required", ClientAuth::kRequired}}));
  check_parts(section, tls);
}

}  // namespace sluice::config
