#pragma once
// Memory for what Asio is about to be asked for. An operation that finds none when it begins throws into the event
// loop, and the task that awaits it is dropped unfinished, with its request. Asked for just before, the same want of
// memory is an exception in the task, which ends in an answer.

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <cstddef>

#include "sluice/core/async.hpp"

namespace sluice {

// The operation that this thread's loop is asked for next finds its memory, and so does its cancellation slot. Throws
// std::bad_alloc. To be called right before a task awaits anything but another task; the memory goes round, so that
// this is next to free.
inline void reserve_operation() {
  constexpr std::size_t kOperation = 256;  // larger than any of ours
  struct Cancel {
    Cancel() {}
    void operator()(net::cancellation_type) {}
    std::byte room[64];
  };
  // Both are kept by the thread, for the next that asks.
  net::recycling_allocator<std::byte> memory;
  memory.deallocate(memory.allocate(kOperation), kOperation);
  net::cancellation_signal signal;
  signal.slot().emplace<Cancel>();
}

// The same for a thread beside the loops, which must tell one of them something: waits until there is memory.
void reserve_operation_patiently();

}  // namespace sluice
