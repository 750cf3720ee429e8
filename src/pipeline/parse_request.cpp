#include "sluice/core/text.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::pipeline {
namespace {

constexpr std::size_t kMaxRecordedModel = 64;

class ParseRequest final : public Middleware {
 public:
  Task<Result<void>> handle(Exchange& exchange, Next next) const override {
    auto view = api::parse_request(exchange.endpoint, exchange.request.body);
    exchange.record.reached(observe::Stage::kParse);
    if (!view) co_return std::unexpected(std::move(view.error()));
    exchange.record.model = truncate_utf8(view->model, kMaxRecordedModel);
    exchange.record.stream = view->stream;
    exchange.view = std::move(*view);
    co_return co_await next(exchange);
  }
};

}  // namespace

std::unique_ptr<Middleware> make_parse_request() { return std::make_unique<ParseRequest>(); }

}  // namespace sluice::pipeline
