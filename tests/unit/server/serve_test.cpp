// F77, F74: what an exception says may quote a prompt, so only its kind is kept.

#include "server/serve.hpp"

#include <stdexcept>

#include "unit/fakes.hpp"

namespace sluice::server {
namespace {

class Throwing final : public Service {
 public:
  explicit Throwing(std::function<void()> act) : act_(std::move(act)) {}
  const config::Limits& limits() const override { return limits_; }
  Result<void> admit(pipeline::Exchange&) const override { return {}; }
  Task<Result<void>> handle(pipeline::Exchange&) const override {
    act_();
    co_return Result<void>{};
  }
  bool recorded() const override { return true; }

 private:
  std::function<void()> act_;
  config::Limits limits_;
};

Result<void> result_of(std::function<void()> act) {
  http::Request request;
  fakes::MemorySink sink;
  fakes::ScriptedClient client;
  observe::Record record;
  pipeline::Exchange exchange{request, &sink, client, record};
  const Throwing service(std::move(act));
  return fakes::run(run_service(service, exchange));
}

TEST(RunService, F74F77AnExceptionIsAnInternalErrorThatQuotesNothing) {
  const std::string prompt = "canary of the prompt";
  const std::vector<std::pair<std::string, std::function<void()>>> thrown = {
      {"runtime_error", [&] { throw std::runtime_error(prompt); }},
      {"out_of_range", [&] { throw std::out_of_range(prompt); }},
      {"bad_alloc", [] { throw std::bad_alloc(); }},
      {"system_error",
       [&] { throw boost::system::system_error(boost::system::errc::make_error_code({}), prompt.c_str()); }}};
  for (const auto& [name, act] : thrown) {
    const auto result = result_of(act);
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().kind, ErrorKind::kInternal);
    EXPECT_NE(result.error().detail.find(name), std::string::npos) << result.error().detail;
    EXPECT_EQ((result.error().message + result.error().detail).find("canary"), std::string::npos);
  }
}

TEST(RunService, ACancelledServiceMeansTheClientHasLeft) {
  const auto result = result_of([] { throw boost::system::system_error(net::error::operation_aborted); });
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kClientGone);
}

}  // namespace
}  // namespace sluice::server
