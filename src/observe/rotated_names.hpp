#pragma once
// The names of files put aside: "PATH.20261121T052758Z-0000". As text they sort in the order they were given, also when
// the wall clock goes back, and no name is given twice.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::observe {

// What follows the path and a dot; such names are ours and no others.
bool is_rotation_stamp(std::string_view text);
std::string rotation_stamp(std::chrono::system_clock::time_point time);
// The one that sorts right after it.
std::string next_stamp(const std::string& stamp);

// The stamps of the files put aside for `path`, oldest first; empty if the folder cannot be read.
std::vector<std::string> rotated_stamps(const std::string& path);

// Deletes the oldest but `keep`. False if one could not be deleted.
bool prune_rotated(const std::string& path, std::size_t keep);

}  // namespace sluice::observe
