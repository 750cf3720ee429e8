#include "report/lines.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace sluice::report {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::size_t kLongestLine = 64 << 20;  // ours are much shorter: what is longer is no trace

struct Close {
  void operator()(gzFile file) const { ::gzclose(file); }
};
using File = std::unique_ptr<gzFile_s, Close>;

// zlib reads what is not compressed as it is.
File open(const std::string& path) {
  File file(path == "-" ? ::gzdopen(::dup(STDIN_FILENO), "rb") : ::gzopen(path.c_str(), "rb"));
  if (file) ::gzbuffer(file.get(), 256 * 1024);
  return file;
}

std::string fault_of(gzFile file) {
  int code = Z_OK;
  const char* text = ::gzerror(file, &code);
  return code == Z_ERRNO ? std::strerror(errno) : text;
}

}  // namespace

std::expected<Read, std::string> read_lines(const std::string& path, const std::function<void(std::string_view)>& take,
                                            const std::function<bool(std::uint64_t)>& progress) {
  errno = 0;
  const File file = open(path);
  if (!file) return std::unexpected(std::strerror(errno != 0 ? errno : ENOMEM));
  Read read;
  std::string rest;  // of a line that goes on
  std::string chunk(kChunk, '\0');
  for (;;) {
    const int size = ::gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
    if (size < 0) return std::unexpected(fault_of(file.get()));
    if (size == 0) break;
    std::string_view bytes(chunk.data(), static_cast<std::size_t>(size));
    for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
      ++read.lines;
      rest.empty() ? take(bytes.substr(0, end)) : take(rest.append(bytes.substr(0, end)));
      rest.clear();
      bytes.remove_prefix(end + 1);
    }
    rest += bytes;
    if (rest.size() > kLongestLine) return std::unexpected("it has a line of more than 64 MiB: it is no trace");
    if (!progress(static_cast<std::uint64_t>(::gzoffset(file.get()))))
      return std::unexpected("reading it was given up");
  }
  if (!rest.empty()) ++read.torn;
  // A file that ends in the middle of its compression has lost its end, and is good until there.
  int code = Z_OK;
  ::gzerror(file.get(), &code);
  if (code == Z_BUF_ERROR && rest.empty()) ++read.torn;
  return read;
}

}  // namespace sluice::report
