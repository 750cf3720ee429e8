#include "server/listener_tls.hpp"

#include <array>
#include <ctime>

namespace sluice::server {
namespace {

constexpr std::array<const char*, 3> kPaths = {"server.tls.certificate", "server.tls.key", "server.tls.client_ca"};

config::Position place_of(const config::Loaded& loaded, const std::string& path) {
  const auto found = loaded.places.find(path);
  return found == loaded.places.end() ? config::Position{} : found->second;
}

void note_validity(const http::TlsContext& tls, config::Loaded& loaded) {
  const auto now = std::chrono::system_clock::now();
  const bool early = now < tls.valid_from();
  if (!early && now <= tls.valid_until()) return;
  const std::string path = kPaths[0];
  const auto at = place_of(loaded, path);
  loaded.notes.push_back(
      std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + path + ": " +
      (early ? "not valid before " + day_of(tls.valid_from()) : "expired " + day_of(tls.valid_until())) +
      "; clients will refuse it");
}

}  // namespace

std::expected<std::shared_ptr<const http::TlsContext>, config::Problem> make_listener_tls(config::Loaded& loaded) {
  const config::ServerTls& wanted = loaded.config.server.tls;
  if (wanted.certificate.empty()) return nullptr;
  auto made =
      http::TlsContext::create_listener({.certificate = wanted.certificate,
                                         .key = wanted.key,
                                         .client_ca = wanted.client_ca,
                                         .client_required = wanted.client_auth == config::ClientAuth::kRequired});
  if (!made) {
    const std::string path = kPaths[static_cast<std::size_t>(made.error().file)];
    const auto at = place_of(loaded, path);
    return std::unexpected(config::Problem{at.line, at.column, path, std::move(made.error().message)});
  }
  note_validity(**made, loaded);
  return std::move(*made);
}

std::string day_of(http::TlsContext::Time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

}  // namespace sluice::server
