#pragma once
// `sluice key`: a new client's key, or the row for one that exists.

#include <string>

namespace sluice::server {

struct KeyRow {
  std::string name;
  std::string group;  // empty: none
  bool json = false;  // a line of keys.file; else an item of keys
};

// Prints a new key, this once, and the row to keep of it. Exit codes as in gateway.hpp.
int new_key(const KeyRow& row);

// Prints the row of the key that standard input holds, and never the key. A key has no place among a command's
// arguments, which everybody on the machine can read.
int hash_key(const KeyRow& row);

}  // namespace sluice::server
