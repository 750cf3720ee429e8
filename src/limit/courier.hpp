#pragma once
// Carries script calls to Redis that must be carried out once, whoever goes on meanwhile: tries again, under the same
// id, until Redis answers. A call that may have been carried out is given up `repeat_for` after it was first sent,
// since its id would be forgotten; one that was never sent waits as long as it takes.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "limit/script_calls.hpp"
#include "sluice/core/async.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::limit {

struct Parcel {
  enum class What { kSettlement, kDebts, kBooking, kClaim };
  What what = What::kSettlement;
  ScriptCall call;
  std::vector<Spending> budgets{};  // those the answer tells of, in its order
  bool outstanding = false;         // they are outstanding in their shares until this is delivered
  std::size_t place = 0;            // bookings: of the grant; claims: the threshold
  std::string lease{};              // bookings
  TimePoint first_sent = kNever;
};

// Belongs to one worker.
class Courier {
 public:
  enum class Loss { kNoRoom, kTooLate, kRefused };
  struct Settings {
    milliseconds deadline{0};  // of one try
    milliseconds repeat_for{0};
    std::size_t waiting_most = 0;
    // Exactly one of the two, once per parcel.
    std::function<void(const Parcel&, const redis::Reply&)> delivered;
    std::function<void(const Parcel&, Loss, std::string_view why)> lost;
  };
  Courier(net::io_context& io, redis::Client& client, Settings settings)
      : io_(io), client_(client), settings_(std::move(settings)) {}

  // `owner` keeps this alive, and what the callbacks refer to.
  void send(Parcel parcel, const std::shared_ptr<void>& owner);
  // Not delivered yet.
  std::size_t waiting() const { return waiting_.size() + in_hand_; }
  // What waits stays undelivered, without a word.
  void stop() { stopped_ = true; }

 private:
  static Task<void> run(std::shared_ptr<Courier> self);
  Task<bool> carry(Parcel& parcel);
  bool too_late(const Parcel& parcel) const;

  net::io_context& io_;
  redis::Client& client_;
  const Settings settings_;
  std::deque<Parcel> waiting_;
  std::size_t in_hand_ = 0;
  std::size_t runners_ = 0;
  bool stopped_ = false;
};

// Whether the error says that the command cannot have been carried out.
bool surely_not_sent(const Error& error);
Task<void> pause(milliseconds time);

}  // namespace sluice::limit
