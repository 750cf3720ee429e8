// Flights and purges in the hands of many threads; for ThreadSanitizer, too.

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "cache/flights.hpp"
#include "sluice/cache/purges.hpp"
#include "unit/cache/numbered_keys.hpp"

namespace sluice::cache {
namespace {

constexpr std::chrono::seconds kPatience{60};

// All that a follower gets, to the end.
Task<std::string> read_all(std::shared_ptr<Flight> flight) {
  Flight::Seat seat(flight, co_await net::this_coro::executor);
  std::string all, bytes;
  for (;;) {
    const auto ended = seat.ended();
    if (!seat.fetch(bytes)) co_return "overflowed";
    all += bytes;
    if (ended) co_return *ended ? all : "failed";
    co_await seat.wait(Clock::now() + kPatience);
  }
}

std::string followed(const std::shared_ptr<Flight>& flight) {
  net::io_context io;
  std::string got;
  net::co_spawn(io, read_all(flight), [&](const std::exception_ptr&, std::string all) { got = std::move(all); });
  io.run();
  return got;
}

TEST(FlightThreads, EachFollowerGetsAllOfIt) {
  for (int round = 0; round < 20; ++round) {
    auto flight = std::make_shared<Flight>(true, std::size_t{1} << 20);
    std::atomic<int> changes{0};
    flight->when_followed([&] { ++changes; });
    std::array<std::string, 6> got;
    std::vector<std::thread> followers;
    std::string all;
    {
      const std::jthread leader([&] {
        for (int i = 0; i < 500; ++i) {
          const std::string piece = "piece " + std::to_string(i) + "\n";
          all += piece;
          flight->append(piece);
        }
        EXPECT_NE(flight->complete({}), nullptr);
      });
      for (std::string& one : got) followers.emplace_back([&] { one = followed(flight); });
    }
    for (auto& follower : followers) follower.join();
    for (const std::string& one : got) EXPECT_EQ(one, all);
    EXPECT_EQ(flight->followers(), 0U);
  }
}

TEST(FlightThreads, WhatFailsFailsForAll) {
  auto flight = std::make_shared<Flight>(true, std::size_t{1} << 20);
  std::array<std::string, 4> got;
  {
    std::vector<std::jthread> followers;
    for (std::string& one : got) followers.emplace_back([&] { one = followed(flight); });
    flight->append("x");
    flight->fail(client_gone().error());
  }
  for (const std::string& one : got) EXPECT_EQ(one, "failed");
}

TEST(FlightThreads, WhoeverComesToADesertedOneIsToldBeforeItGetsAByte) {
  auto flight = std::make_shared<Flight>(true, std::size_t{1} << 20);
  flight->append("x");
  {
    net::io_context io;
    const Flight::Seat seat(flight, io.get_executor());
    EXPECT_FALSE(flight->desert());
    EXPECT_FALSE(seat.ended().has_value());
  }
  EXPECT_TRUE(flight->desert());
  EXPECT_EQ(followed(flight), "failed");
}

TEST(FlightThreads, OfThoseWhoAskTheSameAtATimeOneLeads) {
  Flights flights;
  std::atomic<int> leading{0}, led{0}, boarded{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 3000; ++i) {
          const Key key = key_of(0);
          const auto boarding = flights.board(key, 0, [] { return std::make_shared<Flight>(true, 1024); });
          ++boarded;
          if (!boarding.leads) continue;
          ++led;
          EXPECT_EQ(++leading, 1);
          --leading;
          flights.land(key, boarding.flight);
        }
      });
    }
  }
  EXPECT_EQ(boarded, 12'000);
  EXPECT_GE(led, 1);
  EXPECT_FALSE(flights.is_under_way(key_of(0)));
}

TEST(PurgesThreads, WhatIsPurgedIsGoneForAllFromThenOn) {
  Purges purges;
  std::atomic<std::uint64_t> purged{0};
  std::jthread admin([&] {
    for (int i = 0; i < 2000; ++i) purged = purges.purge(i % 5 == 0 ? "all" : "tag " + std::to_string(i % 7));
  });
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const std::uint64_t before = purged;
        Entry entry;
        entry.born = purges.epoch();
        entry.tags = {"none"};
        EXPECT_GE(entry.born, before);
        static_cast<void>(purges.has_purged(entry, key_of(0)));
      }
    });
  }
  threads.clear();
  admin.join();
  Entry old;
  EXPECT_TRUE(purges.has_purged(old, key_of(0)));
}

}  // namespace
}  // namespace sluice::cache
