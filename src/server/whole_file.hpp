#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace sluice::server {

// Writes a file that is there whole or not at all, also after a power cut; one of that name is replaced. Waits for the
// disk. The error is a sentence.
std::expected<void, std::string> write_whole_file(const std::string& path, std::string_view text);

}  // namespace sluice::server
