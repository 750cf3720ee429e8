#include "sluice/server/explain_command.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "admission/paths.hpp"
#include "server/app_service.hpp"
#include "server/core_dumps.hpp"
#include "server/explain_stage.hpp"
#include "server/guess_endpoint.hpp"
#include "server/load.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/core/patience.hpp"
#include "sluice/core/timer_wheel.hpp"
#include "sluice/http/nowhere.hpp"
#include "sluice/server/gateway.hpp"

namespace sluice::server {
namespace {

using Found = std::expected<Question, std::string>;

std::expected<std::string, std::string> read_all(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file) return std::unexpected("--request: " + name + " cannot be read");
  }
  std::istream& in = name == "-" ? std::cin : file;
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return std::unexpected("--request: " + name + " cannot be read");
  return text;
}

Found question_of(const ExplainOptions& options, const config::Config& config) {
  Question question;
  auto body = read_all(options.request);
  if (!body) return std::unexpected(body.error());
  question.body = std::move(*body);
  question.user = options.user;
  const auto endpoint = options.endpoint.empty() ? guess_endpoint(question.body) : endpoint_named(options.endpoint);
  if (!endpoint) {
    return std::unexpected("--endpoint: expected chat, completions, embeddings, responses or moderations");
  }
  question.endpoint = *endpoint;
  if (options.key.empty()) return question;
  const auto key = std::ranges::find(config.keys, options.key, &config::Key::name);
  if (key == config.keys.end()) return std::unexpected("--key: there is no key of the name " + options.key);
  question.key = &*key;
  return question;
}

// A process that has just begun has spent nothing; shared books are not asked.
routing::Insight insight_into(const Snapshot& snapshot) {
  const admission::Paths* paths = snapshot.paths.get();
  return {.tags = [paths](const config::Key* key) { return admission::tags_of(*paths, key); },
          .budget_left = [paths](const pipeline::Exchange& exchange) -> Task<std::optional<double>> {
            const auto& limits = paths->of_key(exchange.key).limits;
            const auto is_budget = [](const limit::Limit* one) { return one->meter == Meter::kMoney && one->most > 0; };
            co_return std::ranges::any_of(limits, is_budget) ? std::optional(100.0) : std::nullopt;
          }};
}

std::vector<std::string> notes_on(const Question& question, const Snapshot& snapshot) {
  std::vector<std::string> notes = {
      "live state is not known here: breakers count as closed, nothing as spent; /admin/targets of the running gateway "
      "has it"};
  const config::Config& config = snapshot.config;
  if (question.key == nullptr && config.has_keys) {
    notes.emplace_back("without --key no limits of groups and keys are looked at, and the gateway would answer 401");
  }
  if (question.key == nullptr) return notes;
  const auto& expires = question.key->expires;
  if (!question.key->enabled) notes.emplace_back("the key is switched off: the gateway would answer 401");
  if (expires && *expires <= std::chrono::system_clock::now()) {
    notes.emplace_back("the key has expired: the gateway would answer 401");
  }
  return notes;
}

// The stages a request meets, up to the first that would take or send something.
pipeline::Pipeline stages_of(const Snapshot& snapshot, const Books& books, Explanation& into) {
  pipeline::Pipeline stages;
  stages.push_back(pipeline::make_parse_request(std::numeric_limits<std::size_t>::max()));
  stages.push_back(routing::make_resolve(snapshot.router, insight_into(snapshot)));
  stages.push_back(make_explain(snapshot, books.shared().books, insight_into(snapshot), into));
  return stages;
}

// A pipeline that waits for nothing runs to its end at once.
Result<void> run(net::io_context& io, const pipeline::Pipeline& stages, pipeline::Exchange& exchange) {
  Result<void> result;
  std::exception_ptr thrown;
  net::co_spawn(io, pipeline::Next(stages)(exchange), [&](std::exception_ptr error, Result<void> ended) {
    thrown = std::move(error);
    result = std::move(ended);
  });
  io.run();
  if (thrown) std::rethrow_exception(thrown);
  return result;
}

Result<Explanation> explained(const Question& question, const Snapshot& snapshot, const Books& books) {
  Explanation into;
  into.endpoint = to_string(question.endpoint);
  into.notes = notes_on(question, snapshot);
  if (question.key != nullptr) into.key = question.key->name;
  net::io_context io;
  TimerWheel timers(Clock::now());
  const auto upstreams = http::make_client(io, timers, {});
  const http::Request request{.head = {}, .body = question.body};
  http::Nowhere sink;
  observe::Record record;
  record.time = std::chrono::system_clock::now();
  pipeline::Exchange exchange{.request = request, .sink = &sink, .upstreams = *upstreams, .record = record};
  exchange.key = question.key;
  exchange.endpoint = record.endpoint = question.endpoint;
  exchange.end_user = question.user;
  if (auto allowed = AppService::check_endpoint(exchange); !allowed) return std::unexpected(allowed.error());
  auto result = run(io, stages_of(snapshot, books, into), exchange);
  if (!result) return std::unexpected(std::move(result.error()));
  return into;
}

int refuse(const std::string& line, int code) {
  std::fprintf(stderr, "%s\n", line.c_str());
  return code;
}

int print(const std::string& text, int code) {
  const bool good = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return good ? code : refuse("sluice explain: standard output takes nothing", kExitFailure);
}

}  // namespace

int explain(const ExplainOptions& options) {
  allow_core_dumps(false);  // before the first key is read
  install_patience();
  spdlog::set_level(spdlog::level::off);  // what is worth telling is in the explanation
  Books books;
  auto loaded = load_snapshot(options.config, books);
  if (!loaded) {
    for (const auto& line : loaded.error()) refuse(line, kExitConfig);
    return kExitConfig;
  }
  const auto question = question_of(options, loaded->snapshot->config);
  if (!question) return refuse("sluice explain: " + question.error(), kExitConfig);
  const auto result = explained(*question, *loaded->snapshot, books);
  if (!result) {
    const Error& error = result.error();
    return print(options.json ? api::error_body(error, Dialect::kOpenai, "") + "\n" : text_of(error), kExitFailure);
  }
  return print(options.json ? json_of(*result) : text_of(*result), kExitOk);
}

}  // namespace sluice::server
