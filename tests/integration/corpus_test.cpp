// F01: every request of tests/corpora/http_requests.tsv, alone, behind a good request, and split at many offsets. The
// oracle: nothing reaches the upstream, no second request runs, and the verdict never depends on the packets.

#include <fstream>

#include "integration/fixture.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

struct Vector {
  std::string id;
  std::string want;
  std::string bytes;
};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> kVectors = [] {
    std::vector<Vector> result;
    std::ifstream file(support::source_dir() + "/tests/corpora/http_requests.tsv");
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      const auto first = line.find('\t');
      const auto second = line.find('\t', first + 1);
      result.push_back(
          {line.substr(0, first), line.substr(first + 1, second - first - 1), from_hex(line.substr(second + 1))});
    }
    return result;
  }();
  return kVectors;
}

// The statuses of all answers, and whether the gateway closed the connection after them.
struct Verdict {
  std::vector<int> statuses;
  std::string first_code;
  bool closed = false;
  bool operator==(const Verdict&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  for (const int status : verdict.statuses) out << status << " ";
  return out << verdict.first_code << (verdict.closed ? " closed" : " open");
}

// Reads until the gateway closes or falls silent.
Verdict read_verdict(RawClient& raw) {
  Verdict verdict;
  for (milliseconds patience = 5s; verdict.statuses.size() < 5; patience = 60ms) {
    const Response response = raw.read_response(patience);
    if (response.status == 0) {
      verdict.closed = response.end != End::kOpen;
      break;
    }
    verdict.statuses.push_back(response.status);
    if (verdict.statuses.size() == 1) {
      const json body = json::parse(response.body, nullptr, false);
      if (body.is_object() && body.contains("error")) verdict.first_code = body["error"].value("code", "");
    }
    if (response.header("connection") == "close") {
      verdict.closed = raw.wait_end(3s) != End::kOpen;
      if (!raw.unread().empty()) verdict.statuses.push_back(-1);
      break;
    }
  }
  return verdict;
}

bool one_refusal(const Verdict& verdict) {
  return verdict.statuses.size() == 1 && verdict.statuses[0] >= 400 && verdict.statuses[0] < 500 && verdict.closed;
}

// Whether the verdict is the wanted one.
bool fits(const Verdict& verdict, const Vector& vector) {
  const std::string& want = vector.want;
  const auto& statuses = verdict.statuses;
  if (want == "R") return one_refusal(verdict);
  if (want == "S") return one_refusal(verdict) && (statuses[0] == 413 || statuses[0] == 414 || statuses[0] == 431);
  if (want == "L") {
    return statuses.size() == 1 &&
           (statuses[0] == 405 || statuses[0] == 415 || statuses[0] == 417 || statuses[0] == 400);
  }
  if (want == "A") return statuses.size() == 1 && verdict.first_code != "malformed_request";
  if (want == "X") return statuses.size() == 1;
  if (want == "A1") return statuses == std::vector<int>{200} && verdict.closed;
  if (want == "A2") return statuses == std::vector<int>{200, 200};
  if (want == "AR") return statuses.size() == 2 && statuses[0] == 200 && statuses[1] == 400 && verdict.closed;
  return false;
}

class Corpus : public GatewayTest {
 protected:
  void SetUp() override {
    ASSERT_GT(vectors().size(), 90U);
    upstream_.on_any().json(chat_answer());
    start({.limits = "head_timeout: 700ms, body_timeout: 700ms"});
  }
  void expect_nothing_upstream(const Vector& vector) {
    EXPECT_EQ(upstream_.connections().size(), 0U) << vector.id << " reached the upstream";
  }
};

TEST_F(Corpus, F01EveryVectorAlone) {
  for (const Vector& vector : vectors()) {
    RawClient raw = client();
    raw.send(vector.bytes);
    const Verdict verdict = read_verdict(raw);
    EXPECT_TRUE(fits(verdict, vector)) << vector.id << " wants " << vector.want << ", got " << verdict;
    expect_nothing_upstream(vector);
  }
}

TEST_F(Corpus, F01EveryVectorBehindAGoodRequest) {
  for (const Vector& vector : vectors()) {
    RawClient raw = client();
    raw.send(get_request("/v1/models") + vector.bytes);
    EXPECT_EQ(raw.read_response().status, 200) << vector.id;
    const Verdict verdict = read_verdict(raw);
    EXPECT_TRUE(fits(verdict, vector)) << vector.id << " wants " << vector.want << ", got " << verdict;
    expect_nothing_upstream(vector);
  }
}

TEST_F(Corpus, F01TheVerdictIsTheSameForEverySplit) {
  for (const Vector& vector : vectors()) {
    RawClient whole = client();
    whole.send(vector.bytes);
    const Verdict expected = read_verdict(whole);
    const std::size_t step = std::max<std::size_t>(1, vector.bytes.size() / 13);
    for (std::size_t at = 1; at < vector.bytes.size(); at += step) {
      RawClient raw = client();
      raw.send(vector.bytes.substr(0, at));
      wait_any({}, Clock::now() + 2ms);  // so that they are two packets
      raw.send(vector.bytes.substr(at));
      const Verdict verdict = read_verdict(raw);
      EXPECT_EQ(verdict, expected) << vector.id << " split at " << at;
    }
    expect_nothing_upstream(vector);
  }
}

}  // namespace
}  // namespace sluice::integration
