#include "server/load.hpp"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <iterator>

#include "server/listener_tls.hpp"
#include "sluice/config/load.hpp"

namespace sluice::server {
namespace {

std::string hash_of_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (std::size_t i = 0; i < 6 && i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace

std::expected<LoadedSnapshot, std::vector<std::string>> load_snapshot(const std::string& file) {
  auto loaded = config::load_file(file, config::process_environment());
  if (!loaded) {
    std::vector<std::string> lines;
    for (const auto& problem : loaded.error()) lines.push_back(config::to_string(file, problem));
    return std::unexpected(std::move(lines));
  }
  auto tls = make_listener_tls(*loaded);
  if (!tls) return std::unexpected(std::vector{config::to_string(file, tls.error())});
  auto built = build_snapshot(std::move(loaded->config), hash_of_file(file), std::move(*tls));
  if (!built) return std::unexpected(std::vector{file + ": " + built.error()});
  return LoadedSnapshot{std::move(*built), std::move(loaded->notes)};
}

}  // namespace sluice::server
