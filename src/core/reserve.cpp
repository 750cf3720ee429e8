#include "sluice/core/reserve.hpp"

#include <new>
#include <thread>

#include "sluice/core/clock.hpp"

namespace sluice {
namespace {

constexpr auto kPause = milliseconds(1);

}  // namespace

void reserve_operation_patiently() {
  for (;;) {
    try {
      return reserve_operation();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace sluice
