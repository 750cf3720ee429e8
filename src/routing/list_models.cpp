#include <algorithm>
#include <iterator>

#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {
namespace {

constexpr std::string_view kNoDate = "1970-01-01T00:00:00Z";

void append_model(std::string& out, const Route& route, Dialect dialect) {
  const std::string& name = route.model.name;
  out += dialect == Dialect::kAnthropic ? R"({"type":"model","id":)" : R"({"object":"model","id":)";
  append_json_string(out, name);
  if (dialect == Dialect::kAnthropic) {
    out += ",\"display_name\":";
    append_json_string(out, name);
    out.append(",\"created_at\":\"").append(kNoDate).append("\"}");
    return;
  }
  out += ",\"created\":0,\"owned_by\":";
  append_json_string(out, route.targets.empty() ? "sluice" : route.targets.front().provider->config().name);
  out += '}';
}

std::string list_body(const std::vector<const Route*>& all, Dialect dialect) {
  std::string out = dialect == Dialect::kAnthropic ? "{\"data\":[" : "{\"object\":\"list\",\"data\":[";
  for (const Route* route : all) {
    if (out.back() == '}') out += ',';
    append_model(out, *route, dialect);
  }
  if (dialect == Dialect::kOpenai) return out + "]}";
  const auto id_of = [&](bool first) {
    std::string id;
    if (all.empty()) return std::string("null");
    append_json_string(id, (first ? all.front() : all.back())->model.name);
    return id;
  };
  return out + "],\"has_more\":false,\"first_id\":" + id_of(true) + ",\"last_id\":" + id_of(false) + "}";
}

class ListModels final : public pipeline::Middleware {
 public:
  explicit ListModels(std::shared_ptr<const Router> router) : router_(std::move(router)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    if (exchange.endpoint == Endpoint::kModels) return answer_list(exchange);
    if (exchange.endpoint == Endpoint::kModel) return answer_one(exchange);
    return next(exchange);
  }

 private:
  Task<Result<void>> answer_list(pipeline::Exchange& exchange) const {
    std::vector<const Route*> visible;
    std::ranges::copy_if(router_->listed(), std::back_inserter(visible),
                         [&](const Route* route) { return may_use(exchange.key, route->model.name); });
    const std::string body = list_body(visible, exchange.dialect);
    co_return co_await exchange.sink->respond({}, body);
  }

  Task<Result<void>> answer_one(pipeline::Exchange& exchange) const {
    const Route* route = router_->listed_model(exchange.model_id);
    if (route == nullptr || !may_use(exchange.key, exchange.model_id)) {
      co_return fail_param(
          ErrorKind::kModelNotFound, "model",
          "The model `" + truncate_utf8(exchange.model_id, kMaxEchoedModel) + "` does not exist here.");
    }
    std::string body;
    append_model(body, *route, exchange.dialect);
    co_return co_await exchange.sink->respond({}, body);
  }

  std::shared_ptr<const Router> router_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_list_models(std::shared_ptr<const Router> router) {
  return std::make_unique<ListModels>(std::move(router));
}

}  // namespace sluice::routing
