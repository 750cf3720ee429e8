#include "sluice/core/patience.hpp"

#include <chrono>
#include <new>
#include <thread>

namespace sluice {
namespace {

constexpr auto kPause = std::chrono::milliseconds(1);

thread_local int g_patient = 0;

// operator new calls it when there is nothing, and tries again when it returns.
void wait_or_throw() {
  if (g_patient == 0) throw std::bad_alloc();
  std::this_thread::sleep_for(kPause);
}

}  // namespace

Patience::Patience() { ++g_patient; }
Patience::~Patience() { --g_patient; }

void install_patience() { std::set_new_handler(wait_or_throw); }

}  // namespace sluice
