#include "sluice/budget/spend_store.hpp"

#include <atomic>

#include "budget/spend_writer.hpp"
#include "sluice/core/patience.hpp"

namespace sluice::budget {
namespace {

std::atomic<int> running_writers = 0;

}  // namespace

bool has_unfinished_stores() { return running_writers > 0; }

std::expected<std::unique_ptr<SpendStore>, std::string> SpendStore::open(const std::string& path,
                                                                         SpendStoreOptions options) {
  auto books = Books::open(path);
  if (!books) return std::unexpected(std::move(books.error()));
  auto writer = std::make_shared<SpendWriter>(path, std::move(*books), std::move(options));
  return std::unique_ptr<SpendStore>(new SpendStore(std::move(writer)));
}

SpendStore::SpendStore(std::shared_ptr<SpendWriter> writer) : writer_(std::move(writer)) {}

SpendStore::~SpendStore() {
  if (!finishing_) finish();
  if (thread_.joinable()) thread_.detach();
}

std::expected<std::vector<BudgetRow>, std::string> SpendStore::budgets() { return writer_->budgets(); }

void SpendStore::begin(ChangedBudgets changed) {
  writer_->set_source(std::move(changed));
  ++running_writers;
  try {
    thread_ = std::thread([own = writer_]() mutable {
      const Patience patience;
      own->run();
      own.reset();
      --running_writers;
    });
  } catch (...) {
    --running_writers;
    throw;
  }
}

void SpendStore::add(SpendRow row) { writer_->add(std::move(row)); }

void SpendStore::lose() { writer_->lose(); }

void SpendStore::report(const SpendQuery& query, std::function<void(SpendReport)> done) {
  writer_->report(query, std::move(done));
}

StoreCounts SpendStore::counts() const { return writer_->counts(); }

bool SpendStore::finish(std::chrono::milliseconds most) {
  finishing_ = true;
  if (!thread_.joinable()) return true;
  writer_->stop();
  const bool ended = writer_->wait_ended(most);
  writer_->set_source(nullptr);
  if (ended) thread_.join();
  return ended;
}

}  // namespace sluice::budget
