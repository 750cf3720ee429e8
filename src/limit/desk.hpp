#pragma once
// One worker's side of the shared ledger: asks Redis, or decides without it; tells Redis what was used; renews what
// runs. Everything is called on the worker's thread, unless it says otherwise. What is under way keeps it alive.

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "limit/courier.hpp"
#include "limit/debts.hpp"
#include "limit/redis_books.hpp"
#include "limit/running.hpp"
#include "limit/shared_replies.hpp"

namespace sluice::limit {

struct Admitted {
  std::size_t place = 0;  // of the grant, in this desk
  std::uint64_t observed = 0;
  std::vector<Standing> standings;
};
using Decision = std::variant<Admitted, Refusal>;

class Desk : public std::enable_shared_from_this<Desk> {
 public:
  Desk(net::io_context& io, redis::Client& client, std::shared_ptr<RedisBooks> books);
  void open();   // begins to tend what runs
  void close();  // ends it

  Task<Result<Decision>> admit(std::vector<Take> takes, WallTime now);
  // Nothing: Redis is to be asked, or the answer is an error.
  std::optional<Decision> admit_now(const std::vector<Take>& takes, WallTime now);
  Task<Result<std::vector<Standing>>> look(std::vector<const Limit*> limits, WallTime now);
  void settle(std::size_t place, std::span<const std::int64_t> used);
  bool extend(std::size_t place, Money amount);
  Task<void> finish(TimePoint due);

  bool belongs_here() const { return std::this_thread::get_id() == thread_; }  // any thread
  std::thread::id thread() const { return thread_; }                           // any thread
  net::io_context& io() { return io_; }                                        // any thread

 private:
  struct Answer {
    std::optional<Decision> decision{};  // nothing: decide without Redis
    std::optional<Error> error{};        // nobody waits for the decision any more
    bool told = false;                   // Redis may have heard of the lease
  };
  bool local_only();
  void go_local();
  WallTime shared_now(WallTime otherwise) const;
  void saw_clock(std::int64_t at);

  // desk_ask.cpp
  Task<Answer> ask(Lease& lease);
  Task<Result<redis::Reply>> try_once(const Lease& lease, TimePoint due);
  std::optional<Decision> understand(Lease& lease, const redis::Reply& reply);
  void saw_budgets(const Lease& lease, const std::vector<Standing>& standings);

  // desk_local.cpp
  Result<Decision> decide(Lease lease, WallTime now, bool told);
  std::size_t take_budgets(const Lease& lease, Admitted& admitted);
  void put_back(const Lease& lease, std::size_t count);
  Verdict take_shares(const Lease& lease, WallTime now, Admitted& admitted);
  void settle_local(Running running, std::span<const std::int64_t> used);
  void owe(const Lease& lease, std::span<const std::int64_t> used);
  static void end_shares(Running& running, std::span<const std::int64_t> used);

  // desk_tell.cpp
  void tell_settled(const Lease& lease, std::span<const std::int64_t> used, bool outstanding);
  void give_up(const Lease& lease);
  void send(Parcel parcel);
  void delivered(const Parcel& parcel, const redis::Reply& reply);
  void lost(const Parcel& parcel, Courier::Loss loss, std::string_view why);
  void settled(const Parcel& parcel, const redis::Reply& reply);
  void claim_threshold(const Spending& budget, std::int64_t spent);
  void tell_thresholds(const Parcel& claim, std::int64_t told_before);

  // desk_tend.cpp
  static Task<void> tend(std::shared_ptr<Desk> self);
  Task<void> sleep();
  void hurry();
  Task<void> renew();
  std::vector<ScriptCall> renewals();
  void hand_over();
  void hand_over_debts();
  void book_running(std::size_t place, Running& running);
  void booked(const Parcel& parcel, const redis::Reply& reply);
  void handed_over();

  net::io_context& io_;
  redis::Client& client_;
  const std::shared_ptr<RedisBooks> books_;
  const std::thread::id thread_ = std::this_thread::get_id();
  Courier courier_;
  RunningGrants running_;
  Debts debts_;

  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  bool local_ = false;              // limits are kept without Redis
  std::size_t handing_over_ = 0;    // calls that must be carried out before they are shared again
  TimePoint handing_over_since_{};  // if it began while they were kept without Redis
  bool hurried_ = false;            // there is something to be handed over
  bool closed_ = false;
  TimePoint renew_at_{};

  std::int64_t clock_at_ = 0;  // Redis' clock; 0: unknown
  TimePoint clock_seen_{};
};

}  // namespace sluice::limit
