#pragma once
// The way to books that may be written: everything that can be wrong with a file is found out here, before the first
// request.

#include <expected>
#include <string>

#include "budget/database.hpp"
#include "budget/lock_file.hpp"

namespace sluice::budget {

struct OpenedBooks {
  LockFile lock;
  Database writer;
  Database reader;  // sees what is committed, and holds on to it while it reads
};
// What SpendStore::open() promises.
std::expected<OpenedBooks, std::string> open_books(const std::string& path);

}  // namespace sluice::budget
