#include "sluice/redis/client.hpp"

#include <algorithm>
#include <utility>

#include "redis/carrier.hpp"
#include "redis/nodes.hpp"
#include "redis/words.hpp"

namespace sluice::redis {
namespace {

std::string encode_eval(std::string_view name, std::string_view script, Words keys, Words args) {
  std::string bytes;
  append_head(bytes, 3 + keys.size() + args.size());
  append_word(bytes, name);
  append_word(bytes, script);
  append_word(bytes, std::to_string(keys.size()));
  for (const auto key : keys) append_word(bytes, key);
  for (const auto arg : args) append_word(bytes, arg);
  return bytes;
}

class PipelinedClient final : public Client {
 public:
  explicit PipelinedClient(std::shared_ptr<Carrier> carrier) : carrier_(std::move(carrier)) { carrier_->start(); }
  ~PipelinedClient() override { carrier_->stop(); }
  PipelinedClient(const PipelinedClient&) = delete;
  PipelinedClient& operator=(const PipelinedClient&) = delete;

  bool available() const override { return carrier_->available(); }
  Counts counts() const override { return carrier_->counts(); }

  Task<Result<Reply>> call(std::vector<std::string_view> words, TimePoint due) override {
    std::string bytes;
    append_command(bytes, words);
    return run(carrier_, std::move(bytes), Times::from_now(carrier_->settings(), due));
  }

  Task<Result<Reply>> eval(const Script& script, Words keys, Words args, TimePoint due) override {
    const auto times = Times::from_now(carrier_->settings(), due);
    auto reply = co_await run(carrier_, encode_eval("EVALSHA", script.sha1(), keys, args), times);
    if (!reply || reply->error_code() != "NOSCRIPT") co_return reply;
    ++carrier_->counting().script_loads;
    co_return co_await run(carrier_, encode_eval("EVAL", script.text(), keys, args), times);
  }

 private:
  struct Times {
    TimePoint begun, due, patience;
    static Times from_now(const Settings& settings, TimePoint patience) {
      const auto now = Clock::now();
      return {now, now + settings.deadline, std::min(patience, now + settings.deadline)};
    }
  };

  static std::unexpected<Error> unavailable(const Carrier& carrier, const Trouble& trouble) {
    return fail(ErrorKind::kRedisUnavailable,
                "A service that this gateway depends on is not available; please try again in a moment.",
                carrier.readable(trouble));
  }

  // One command, and the same once more at another node if this one does not serve our slot.
  static Task<Result<Reply>> run(std::shared_ptr<Carrier> carrier, std::string bytes, Times times) {
    if (times.patience <= times.begun)
      co_return unavailable(*carrier, {Failure::kTimeout, "the caller had no time left"});
    const bool follow = carrier->settings().cluster;
    const Address node = follow ? carrier->node() : Address{};
    auto command = std::make_shared<Command>(std::move(bytes), times.begun, times.due, times.patience);
    auto trouble = carrier->submit(command);
    if (trouble) co_return unavailable(*carrier, *trouble);
    auto outcome = co_await command->wait(carrier->io());
    const auto redirect = redirect_of(outcome, node);
    if (redirect && follow) {
      ++carrier->counting().redirects;
      command = std::make_shared<Command>(command->bytes(), times.begun, times.due, times.patience);
      if (redirect->kind == RedirectKind::kMoved) {
        carrier->moved(redirect->to);
        trouble = carrier->submit(command);
      } else {
        trouble = co_await carrier->submit_asking(redirect->to, command);
      }
      if (trouble) co_return unavailable(*carrier, *trouble);
      outcome = co_await command->wait(carrier->io());
    }
    co_return concluded(*carrier, std::move(outcome), node);
  }

  static std::optional<Redirect> redirect_of(const std::optional<Outcome>& outcome, const Address& node) {
    if (!outcome || !*outcome || !(*outcome)->is_error()) return std::nullopt;
    return redirect_in(**outcome, node);
  }

  static Result<Reply> concluded(Carrier& carrier, std::optional<Outcome> outcome, const Address& node) {
    if (!outcome) {
      ++carrier.counting().cancelled;
      return client_gone("while Redis was asked");
    }
    if (!*outcome) return unavailable(carrier, outcome->error());
    if (redirect_of(outcome, node)) {
      const std::string why = carrier.settings().cluster ? "redirected twice: " : "the server belongs to a cluster: ";
      return unavailable(carrier, carrier.note({Failure::kClusterDown, why + one_line((*outcome)->text)}));
    }
    return std::move(**outcome);
  }

  std::shared_ptr<Carrier> carrier_;
};

std::string what_is_wrong(const Settings& settings) {
  if (settings.endpoints.empty()) return "no endpoint is configured";
  if (settings.endpoints.size() > 1 && !settings.cluster && settings.sentinel_master.empty())
    return "several endpoints are of use with Sentinel or Cluster only";
  if (settings.cluster && !settings.sentinel_master.empty()) return "Sentinel and Cluster exclude each other";
  if (settings.cluster && settings.database != 0) return "a cluster has no other database than 0";
  if (settings.deadline <= milliseconds(0) || settings.connect_timeout <= milliseconds(0)) return "no time to wait";
  if (settings.failures_to_open == 0 || settings.max_in_flight == 0 || settings.reply_bytes == 0)
    return "failures_to_open, max_in_flight and reply_bytes are at least 1";
  return {};
}

}  // namespace

std::expected<std::unique_ptr<Client>, std::string> make_client(net::io_context& io, Settings settings, Log log) {
  if (auto wrong = what_is_wrong(settings); !wrong.empty()) return std::unexpected(std::move(wrong));
  auto tls = make_tls(settings);
  if (!tls) return std::unexpected(std::move(tls.error()));
  return std::make_unique<PipelinedClient>(
      std::make_shared<Carrier>(io, std::move(settings), std::move(*tls), std::move(log)));
}

}  // namespace sluice::redis
