#pragma once
// A struct in a file of its own that a test and a process it has started both map.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <stdexcept>
#include <string>

#include "support/temp_dir.hpp"

namespace sluice::hooks {

template <class T>
class Shared {
 public:
  Shared() {
    directory_.write("shared", std::string(sizeof(T), '\0'));
    const int file = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    void* mapped = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (mapped == MAP_FAILED) throw std::runtime_error("mmap failed");
    value_ = new (mapped) T;
  }
  ~Shared() { ::munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  std::string path() const { return directory_.path("shared"); }
  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

 private:
  support::TempDir directory_;
  T* value_ = nullptr;
};

}  // namespace sluice::hooks
