#include "server/load.hpp"

#include <openssl/evp.h>

#include <array>
#include <chrono>
#include <fstream>
#include <memory>

#include "server/listener_tls.hpp"
#include "sluice/config/load.hpp"
#include "sluice/config/review.hpp"

namespace sluice::server {
namespace {

// Of the configuration and of the files it names.
std::string hash_of(const std::string& file, const std::vector<std::string>& more) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  std::vector<char> block(64 * 1024);
  const auto read = [&](const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    while (in) {
      in.read(block.data(), static_cast<std::streamsize>(block.size()));
      EVP_DigestUpdate(hash.get(), block.data(), static_cast<std::size_t>(in.gcount()));
    }
  };
  read(file);
  for (const std::string& name : more) read(name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_DigestFinal_ex(hash.get(), digest.data(), &size);
  std::string hex;
  for (std::size_t i = 0; i < 6 && i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace

std::expected<LoadedSnapshot, std::vector<std::string>> load_snapshot(const std::string& file, Books& books) {
  auto loaded = config::load_file(file, config::process_environment());
  if (!loaded) {
    std::vector<std::string> lines;
    for (const auto& problem : loaded.error()) lines.push_back(config::to_string(file, problem));
    return std::unexpected(std::move(lines));
  }
  auto tls = make_listener_tls(*loaded);
  if (!tls) return std::unexpected(std::vector{config::to_string(file, tls.error())});
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (auto& note : config::review(loaded->config, now)) loaded->notes.push_back(std::move(note));
  books.choose(loaded->config);
  auto built = build_snapshot(std::move(loaded->config), hash_of(file, loaded->files), std::move(*tls), books.shared());
  if (!built) return std::unexpected(std::vector{file + ": " + built.error()});
  return LoadedSnapshot{std::move(*built), std::move(loaded->notes)};
}

}  // namespace sluice::server
