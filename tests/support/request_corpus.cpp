#include "support/request_corpus.hpp"

#include <fstream>
#include <functional>
#include <stdexcept>

#include "support/paths.hpp"

namespace sluice::support {
namespace {

char from_hex(std::string_view two) { return static_cast<char>(std::stoi(std::string(two), nullptr, 16)); }

std::string from_hex_line(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) bytes += from_hex(hex.substr(i, 2));
  return bytes;
}

std::string from_text(std::string_view text);

// What stands between angle brackets; nothing if it is not one of ours, but text like any other.
std::string from_brackets(std::string_view inside) {
  if (inside == "POST") return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n";
  if (inside == "GET") return "GET /v1/models HTTP/1.1\r\nHost: a\r\n";
  const std::size_t star = inside.rfind('*');
  if (star == std::string_view::npos) return {};
  const std::string piece = from_text(inside.substr(0, star));
  std::string bytes;
  for (int left = std::stoi(std::string(inside.substr(star + 1))); left > 0; --left) bytes += piece;
  return bytes;
}

// Takes one escape off the front.
char from_escape(std::string_view& text) {
  const char kind = text.at(1);
  if (kind == 'x') {
    const char byte = from_hex(text.substr(2, 2));
    text.remove_prefix(4);
    return byte;
  }
  text.remove_prefix(2);
  return kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind == 't' ? '\t' : kind;
}

std::string from_text(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const std::size_t close = text.front() == '<' ? text.find('>') : std::string_view::npos;
    const std::string expanded =
        close == std::string_view::npos ? std::string() : from_brackets(text.substr(1, close - 1));
    if (!expanded.empty()) {
      bytes += expanded;
      text.remove_prefix(close + 1);
    } else if (text.front() == '\\') {
      bytes += from_escape(text);
    } else {
      bytes += text.front();
      text.remove_prefix(1);
    }
  }
  return bytes;
}

void read(const std::string& name, const std::function<std::string(std::string_view)>& decode,
          std::vector<RequestVector>& vectors) {
  std::ifstream file(source_dir() + "/tests/corpora/" + name);
  std::string line;
  if (!std::getline(file, line)) throw std::runtime_error("cannot read " + name);
  while (std::getline(file, line)) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    vectors.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                       decode(std::string_view(line).substr(second + 1))});
  }
}

}  // namespace

const std::vector<RequestVector>& request_corpus() {
  static const std::vector<RequestVector> kVectors = [] {
    std::vector<RequestVector> vectors;
    read("http_requests.tsv", from_hex_line, vectors);
    read("http_requests_more.tsv", from_text, vectors);
    return vectors;
  }();
  return kVectors;
}

}  // namespace sluice::support
