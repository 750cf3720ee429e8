#pragma once
// Runs code that shares atomics as if on threads of its own, but one at a time, and switches between them at accesses
// to atomics, at random. A seed always gives the same course, so moments that real threads hardly ever meet are met in
// thousands of courses. Sees sequentially consistent courses only; what comes of weaker orders is the thread
// sanitizer's part.
//
// Code under test is compiled with `std::stepped_atomic` in place of `std::atomic`, see interleaving_test.cpp.

#include <functional>
#include <memory>
#include <random>
#include <semaphore>
#include <thread>
#include <vector>

namespace sluice {

class Interleaving {
 public:
  using Work = std::function<void()>;

  // Returns when all have come to their end.
  static void run(unsigned seed, std::vector<Work> works) {
    Interleaving course(seed, works.size());
    std::vector<std::jthread> threads;
    for (std::size_t self = 0; self < works.size(); ++self) {
      threads.emplace_back([&course, self, work = std::move(works[self])] { course.live(self, work); });
    }
    course.turns_[course.random_() % course.turns_.size()]->release();
  }

  // Somebody else may go on now. True now and then: what may fail for no reason does.
  static bool step() { return current_ != nullptr && current_->maybe_switch(); }

 private:
  Interleaving(unsigned seed, std::size_t works) : random_(seed), pace_(2 + seed % 7), done_(works) {
    for (std::size_t i = 0; i < works; ++i) turns_.push_back(std::make_unique<std::binary_semaphore>(0));
  }

  void live(std::size_t self, const Work& work) {
    turns_[self]->acquire();
    current_ = this;
    self_ = self;
    work();
    current_ = nullptr;
    done_[self] = true;
    if (const auto next = other_than(self)) turns_[*next]->release();
  }

  bool maybe_switch() {
    if (random_() % pace_ == 0) {
      if (const auto next = other_than(self_)) {
        turns_[*next]->release();
        turns_[self_]->acquire();
      }
    }
    return random_() % 16 == 0;
  }

  std::optional<std::size_t> other_than(std::size_t self) {
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < done_.size(); ++i) {
      if (i != self && !done_[i]) others.push_back(i);
    }
    if (others.empty()) return std::nullopt;
    return others[random_() % others.size()];
  }

  static inline thread_local Interleaving* current_ = nullptr;
  static inline thread_local std::size_t self_ = 0;
  std::minstd_rand random_;
  unsigned pace_;  // a switch at every so many accesses, on the average
  std::vector<std::unique_ptr<std::binary_semaphore>> turns_;
  std::vector<bool> done_;
};

}  // namespace sluice

// What the code under test asks of std::atomic. Here, because that is where it will be looked for.
namespace std {  // NOLINT

template <class T>
class stepped_atomic {
 public:
  stepped_atomic() : value_{} {}
  stepped_atomic(T value) : value_(value) {}
  stepped_atomic(const stepped_atomic&) = delete;
  stepped_atomic& operator=(const stepped_atomic&) = delete;

  T load() const { return sluice::Interleaving::step(), value_; }
  void store(T value) { exchange(value); }
  T exchange(T value) { return sluice::Interleaving::step(), std::exchange(value_, value); }
  T fetch_add(T by) { return sluice::Interleaving::step(), std::exchange(value_, value_ + by); }
  T fetch_sub(T by) { return fetch_add(-by); }
  bool compare_exchange_strong(T& expected, T next) { return sluice::Interleaving::step(), swapped(expected, next); }
  bool compare_exchange_weak(T& expected, T next) {
    if (!sluice::Interleaving::step()) return swapped(expected, next);
    expected = value_;
    return false;
  }

 private:
  bool swapped(T& expected, T next) {
    if (value_ == expected) return value_ = next, true;
    expected = value_;
    return false;
  }
  T value_;
};

}  // namespace std
