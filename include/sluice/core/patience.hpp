#pragma once
// For changes that must not stop half way: memory that is not there is waited for.

namespace sluice {

// While one lives, operator new on this thread waits for memory instead of throwing. For threads that only a disk waits
// for; on an event loop for short changes alone, since a loop that waits serves nobody. Without install_patience() it
// does nothing.
class Patience {
 public:
  Patience();
  ~Patience();
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
};

// Once, before there are threads.
void install_patience();

}  // namespace sluice
