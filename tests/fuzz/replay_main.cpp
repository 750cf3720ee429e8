// Runs a target, without libFuzzer, over every file of the folders or every file that is named: whole, cut in two and
// cut short at each offset. `fuzz_replay_<target> CORPUS [REGRESSIONS | FILE …]`; an empty corpus is a failure.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "fuzz/fuzz.hpp"

namespace {

namespace fs = std::filesystem;
using sluice::fuzz::Input;

constexpr std::size_t kMostOffsets = 100;  // of one file, evenly spread

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// In memory that ends where the bytes end.
void run(Input input) {
  const std::vector<char> exact(input.bytes.begin(), input.bytes.end());
  input.bytes = {exact.data(), exact.size()};
  sluice::fuzz::test(input);
}

void replay(const fs::path& path) {
  std::fprintf(stderr, "%s\n", path.c_str());  // the last line before a failure
  const std::string bytes = read_file(path);
  run(sluice::fuzz::cut_by_hash(bytes));
  const std::size_t step = bytes.size() / kMostOffsets + 1;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    run({bytes, {at}});
    run({std::string_view(bytes).substr(0, at)});
  }
}

std::vector<fs::path> files_in(const fs::path& path) {
  if (!fs::is_directory(path)) return fs::exists(path) ? std::vector{path} : std::vector<fs::path>{};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || files_in(argv[1]).empty()) {
    std::fprintf(stderr, "nothing to replay\n");
    return 1;
  }
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& path : files_in(argv[i])) {
      replay(path);
      ++count;
    }
  }
  std::printf("%zu files\n", count);
  return 0;
}
