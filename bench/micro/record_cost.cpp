// record_cost [RECORDS] [FOLDER]: what it costs to put a request down, in CPU time of this process, part by part: the
// marks of its stages, its numbers, its lines, a scrape of as many series as there may be, and the way of so many
// records (200000) to a file in FOLDER (/tmp). Prints one line of JSON. Status 1: a line was lost.

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sluice/observe/metrics.hpp"
#include "sluice/observe/sampling.hpp"
#include "sluice/observe/sink.hpp"

namespace {

using namespace sluice;
using namespace sluice::observe;
using namespace std::chrono_literals;

constexpr std::size_t kBatch = 64 * 1024;                 // bytes that a worker hands over at once
constexpr std::uint64_t kMostWaiting = 32 * 1024 * 1024;  // half of the queue
constexpr std::size_t kMaxSeries = 5000;
constexpr int kWorkers = 4;

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

// Of all threads, user and kernel.
double cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return microseconds(used.ru_utime) + microseconds(used.ru_stime);
}

// Nanoseconds of CPU for one call; the least of some rounds, since others disturb and never help.
template <class Call>
double ns_each(int calls, const Call& call) {
  double least = 1e18;
  for (int round = 0; round < 7; ++round) {
    const double before = cpu_us();
    for (int i = 0; i < calls; ++i) call(i);
    least = std::min(least, (cpu_us() - before) * 1000 / calls);
  }
  return least;
}

// A streamed answer of a keyed client, with prices and tags.
Record record_of(const std::string& name = "bench") {
  static const std::map<std::string, std::string> kTags = {{"feature", "search"}, {"env", "production"}};
  Record record;
  record.time = std::chrono::system_clock::now();
  record.started = Clock::now();
  record.request_id = "req_0123456789abcdef01234567";
  record.trace = continue_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  record.client_request_id = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
  record.upstream_request_id = "req_fedcba9876543210fedcba98";
  record.endpoint = Endpoint::kChat;
  record.stream = true;
  record.key = "search-web";
  record.group = "acme/search";
  record.tags = &kTags;
  record.model = record.route = name;
  record.provider = "openai";
  record.upstream_model = "gpt-4o-mini-2024-07-18";
  record.attempts = {{.provider = "openai", .target = "openai/" + name, .result = "ok", .reused = true, .span = 15}};
  record.attempts[0].began = record.started, record.attempts[0].ended = record.started + 900ms;
  record.committed = record.started + 300ms;
  record.status = 200;
  record.finish_reason = "stop";
  record.usage = {.input = 312, .output = 128, .cached = 256, .reasoning = 64, .source = UsageSource::kReported};
  record.cost = Money::nanodollars(123'456);
  record.bytes_in = 1500, record.bytes_out = 4096, record.events = 132;
  auto when = record.started;
  for (std::size_t i = 0; i < kStages; ++i) record.reached(static_cast<Stage>(i), when += 61us);
  return record;
}

// The same after a target that failed.
Record after_fallback() {
  Record record = record_of();
  record.attempts.insert(record.attempts.begin(), record.attempts[0]);
  record.attempts[0].result = "upstream_error";
  record.attempts[0].connected = record.attempts[0].first_byte = record.started + 1ms;
  return record;
}

double marks() {
  Record record = record_of();
  return ns_each(100'000, [&](int) {
    record.stages.fill({});
    for (const Stage stage :
         {Stage::kAccept, Stage::kAuth, Stage::kBody, Stage::kParse, Stage::kAdmit, Stage::kCache}) {
      record.reached(stage);
    }
    record.asks(Clock::now());
    for (const Stage stage :
         {Stage::kConnect, Stage::kFirstByte, Stage::kFirstToken, Stage::kLastToken, Stage::kRelay, Stage::kTotal}) {
      record.reached(stage);
    }
  });
}

double numbers(int names) {
  SeriesBudget budget(kMaxSeries);
  Metrics metrics(&budget);
  std::vector<Record> records;
  for (int i = 0; i < names; ++i) records.push_back(record_of("model-" + std::to_string(i)));
  return ns_each(100'000, [&](int i) { metrics.count(records[static_cast<std::size_t>(i % names)]); });
}

template <class Append>
double lines(const Record& record, const Append& append) {
  std::string out;
  return ns_each(50'000, [&](int) {
    out.clear();
    append(out, record);
  });
}

struct Scrape {
  double us = 0;
  std::size_t bytes = 0, series = 0;
};

// As many names as fill every kind of series, at each worker.
Scrape scrape() {
  SeriesBudget budget(kMaxSeries);
  std::vector<std::unique_ptr<Metrics>> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<Metrics>(&budget));
    for (int name = 0; name < 3000; ++name) {
      Record record = record_of("model-" + std::to_string(name));
      record.key = "key-" + std::to_string(name);
      workers.back()->count(record);
    }
  }
  std::string text;
  Scrape scrape;
  scrape.us = ns_each(20,
                      [&](int) {
                        Metrics all;
                        for (const auto& worker : workers) {
                          Metrics copy;
                          copy.merge(*worker);
                          all.merge(copy);
                        }
                        text = all.render();
                      }) /
              1000;
  scrape.bytes = text.size();
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) scrape.series += text[at] == '#' ? 0 : 1;
  return scrape;
}

struct Way {
  double us = 0;  // per record
  std::uint64_t written = 0, lost = 0;
  double bytes = 0;  // per record
};

Way to_file(std::uint64_t records, const std::string& folder) {
  const std::string path = folder + "/record_cost-" + std::to_string(::getpid()) + ".jsonl";
  auto counts = std::make_shared<LineCounts>();
  auto file = LineFile::open({.path = path}, counts);
  if (!file) {
    std::fprintf(stderr, "%s\n", file.error().c_str());
    std::exit(2);
  }
  const Record record = record_of();
  std::string batch;
  std::uint64_t count = 0;
  const double before = cpu_us();
  for (std::uint64_t i = 0; i < records; ++i) {
    count += append_trace_lines(batch, record, share_kept(record, {}));
    if (batch.size() <= kBatch) continue;
    const std::size_t usual = batch.size();
    (*file)->write(std::exchange(batch, {}), std::exchange(count, 0));
    batch.reserve(usual);
    while (counts->queue_bytes > kMostWaiting) std::this_thread::sleep_for(1ms);
  }
  (*file)->write(std::move(batch), count);
  (*file)->finish(60s);
  Way way;
  way.us = (cpu_us() - before) / static_cast<double>(records);
  way.written = counts->lines;
  way.lost = counts->all_dropped();
  struct stat about{};
  if (::stat(path.c_str(), &about) == 0) way.bytes = static_cast<double>(about.st_size) / static_cast<double>(records);
  ::unlink(path.c_str());
  return way;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t records = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  const Record plain = record_of(), retried = after_fallback();
  const auto trace = [](std::string& out, const Record& record) { append_trace_lines(out, record); };
  const auto log = [](std::string& out, const Record& record) { append_log_line(out, record); };
  const auto timing = [](std::string& out, const Record& record) { out = server_timing(record); };
  const Scrape scraped = scrape();
  const Way way = to_file(records, argc > 2 ? argv[2] : "/tmp");
  std::printf(
      "{\"marks_ns\":%.0f,\"numbers_ns\":%.0f,\"numbers_capped_ns\":%.0f,\"trace_line_ns\":%.0f,"
      "\"trace_lines_after_fallback_ns\":%.0f,\"log_line_ns\":%.0f,\"server_timing_ns\":%.0f,",
      marks(), numbers(1), numbers(3000), lines(plain, trace), lines(retried, trace), lines(plain, log),
      lines(plain, timing));
  std::printf(
      "\"scrape_us\":%.0f,\"scrape_series\":%zu,\"scrape_bytes\":%zu,\"to_file_us\":%.3f,\"to_file_bytes\":%.0f,"
      "\"written\":%llu,\"lost\":%llu}\n",
      scraped.us, scraped.series, scraped.bytes, way.us, way.bytes, static_cast<unsigned long long>(way.written),
      static_cast<unsigned long long>(way.lost));
  return way.lost == 0 && way.written == records ? 0 : 1;
}
