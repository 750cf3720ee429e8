#include "sluice/api/destinations.hpp"
#include "sluice/core/aside.hpp"
#include "sluice/core/text.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::pipeline {
namespace {

constexpr std::size_t kMaxRecordedModel = 64;

Result<void> check_head(const http::RequestHead& head) {
  for (const http::Field& field : head.fields) {
    if (auto good = api::check_header(field.name); !good) return good;
  }
  return api::check_query(head.query);
}

Result<api::RequestView> understand(const Exchange& exchange) {
  if (auto good = check_head(exchange.request.head); !good) return std::unexpected(std::move(good.error()));
  return api::parse_request(exchange.endpoint, exchange.request.body);
}

class ParseRequest final : public Middleware {
 public:
  explicit ParseRequest(std::size_t inline_bytes) : inline_bytes_(inline_bytes) {}

  Task<Result<void>> handle(Exchange& exchange, Next next) const override {
    auto parse = [&exchange] { return understand(exchange); };
    auto view = exchange.request.body.size() <= inline_bytes_ ? parse() : co_await aside(parse);
    exchange.record.reached(observe::Stage::kParse);
    if (!view) co_return std::unexpected(std::move(view.error()));
    exchange.record.model = truncate_utf8(view->model, kMaxRecordedModel);
    exchange.record.stream = view->stream;
    exchange.record.most_output = view->max_output();
    exchange.view = std::move(*view);
    co_return co_await next(exchange);
  }

 private:
  std::size_t inline_bytes_;
};

}  // namespace

std::unique_ptr<Middleware> make_parse_request(std::size_t inline_bytes) {
  return std::make_unique<ParseRequest>(inline_bytes);
}

}  // namespace sluice::pipeline
