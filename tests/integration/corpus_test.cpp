// F01: every request of tests/corpora against a running gateway: alone, behind a good request, and split. A probe
// follows each of them on the same connection. The oracle: nothing reaches the upstream, no request runs that was not
// to run, the probe included, and the verdict never depends on the packets.

#include <cstdlib>

#include "integration/fixture.hpp"
#include "support/request_corpus.hpp"

namespace sluice::integration {
namespace {

constexpr std::size_t kAtOnce = 64;
constexpr int kProbeStatus = 404;
const std::string kProbe = get_request("/v1/models/probe", "connection: close\r\n");

// The statuses of all answers and the code of the first one, up to the end of the connection.
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

Verdict read_verdict(RawClient& raw) {
  Verdict verdict;
  for (Response response = raw.read_response(); response.status != 0; response = raw.read_response()) {
    verdict.statuses.push_back(response.status);
    if (verdict.statuses.size() > 1) continue;
    const json body = json::parse(response.body, nullptr, false);
    if (body.is_object() && body.contains("error")) verdict.first_code = body["error"].value("code", "");
  }
  verdict.closed = raw.wait_end() != End::kOpen;
  return verdict;
}

bool one_refusal(const std::vector<int>& statuses) {
  return statuses.size() == 1 && statuses[0] >= 400 && statuses[0] < 500;
}

// Whether the verdict is the wanted one.
bool fits(const Verdict& verdict, const std::string& want) {
  const auto& statuses = verdict.statuses;
  if (!verdict.closed || statuses.empty()) return false;
  const bool probed = statuses.back() == kProbeStatus;
  const int first = statuses.front();
  if (want == "R") return one_refusal(statuses) && verdict.first_code == "malformed_request";
  if (want == "S") return one_refusal(statuses) && (first == 413 || first == 414 || first == 431);
  if (want == "L") return first == 405 || first == 417 || first == 415;
  if (want == "A") return statuses.size() == 2 && probed && verdict.first_code != "malformed_request";
  if (want == "X") return statuses.size() == 1 || (statuses.size() == 2 && probed);
  if (want == "A1") return statuses == std::vector<int>{200};
  if (want == "A2") return statuses == std::vector<int>{200, 200, kProbeStatus};
  if (want == "AR") return statuses == std::vector<int>{200, 400};
  return false;
}

// One connection: what is sent on it, packet by packet.
struct Play {
  const RequestVector* vector;
  std::vector<std::string> packets;
};

class Corpus : public GatewayTest {
 protected:
  void SetUp() override {
    ASSERT_GT(request_corpus().size(), 300U);
    upstream_.on_any().json(chat_answer());
    start();
  }

  std::vector<Verdict> run(const std::vector<Play>& plays) {
    std::vector<Verdict> verdicts;
    for (std::size_t from = 0; from < plays.size(); from += kAtOnce) {
      const std::size_t count = std::min(kAtOnce, plays.size() - from);
      run_batch({plays.data() + from, count}, verdicts);
    }
    EXPECT_EQ(upstream_.connections().size(), 0U) << "something reached the upstream";
    return verdicts;
  }

 private:
  void run_batch(std::span<const Play> plays, std::vector<Verdict>& verdicts) {
    std::vector<RawClient> clients;
    for (std::size_t i = 0; i < plays.size(); ++i) clients.push_back(client());
    bool more = true;
    for (std::size_t packet = 0; more; ++packet) {
      more = false;
      for (std::size_t i = 0; i < plays.size(); ++i) {
        if (packet < plays[i].packets.size()) clients[i].send(plays[i].packets[packet]);
        more = more || packet + 1 < plays[i].packets.size();
      }
      // The one worker has come to what was sent before it answers this: each packet is read by itself.
      if (more) get("/v1/models");
    }
    for (RawClient& one : clients) verdicts.push_back(read_verdict(one));
  }
};

std::vector<Play> whole_plays() {
  std::vector<Play> plays;
  for (const RequestVector& vector : request_corpus()) plays.push_back({&vector, {vector.bytes + kProbe}});
  return plays;
}

void expect_fitting(const std::vector<Play>& plays, const std::vector<Verdict>& verdicts) {
  for (std::size_t i = 0; i < plays.size(); ++i) {
    const RequestVector& vector = *plays[i].vector;
    EXPECT_TRUE(fits(verdicts[i], vector.want)) << vector.id << " wants " << vector.want << ", got " << verdicts[i];
  }
}

TEST_F(Corpus, F01EveryVectorAlone) {
  const auto plays = whole_plays();
  expect_fitting(plays, run(plays));
}

TEST_F(Corpus, F01EveryVectorBehindAGoodRequest) {
  auto plays = whole_plays();
  for (Play& play : plays) play.packets[0].insert(0, get_request("/v1/models"));
  auto verdicts = run(plays);
  auto alone = run(whole_plays());
  for (std::size_t i = 0; i < plays.size(); ++i) {
    ASSERT_FALSE(verdicts[i].statuses.empty()) << plays[i].vector->id;
    EXPECT_EQ(verdicts[i].statuses.front(), 200) << plays[i].vector->id;
    verdicts[i].statuses.erase(verdicts[i].statuses.begin());
    EXPECT_EQ(verdicts[i].statuses, alone[i].statuses) << plays[i].vector->id;
  }
}

// Unit tests cut every vector everywhere. Here some cuts per vector, others for each; SLUICE_ALL_SPLITS=1 makes them
// all.
TEST_F(Corpus, F01TheVerdictIsTheSameForEverySplit) {
  const char* all = std::getenv("SLUICE_ALL_SPLITS");
  std::vector<Play> plays;
  std::size_t turn = 0;
  for (const RequestVector& vector : request_corpus()) {
    const std::size_t size = vector.bytes.size();
    const std::size_t step =
        all != nullptr ? std::max<std::size_t>(1, size / 2000) : std::max<std::size_t>(1, size / 9);
    for (std::size_t at = 1 + (turn++ % step); at < size; at += step) {
      plays.push_back({&vector, {vector.bytes.substr(0, at), vector.bytes.substr(at) + kProbe}});
    }
  }
  expect_fitting(plays, run(plays));
}

TEST_F(Corpus, F01TheVerdictIsTheSameByteByByte) {
  std::vector<Play> plays;
  for (const RequestVector& vector : request_corpus()) {
    if (vector.bytes.size() > 300 || plays.size() == kAtOnce) continue;
    Play play{&vector, {}};
    for (const char c : vector.bytes) play.packets.emplace_back(1, c);
    play.packets.push_back(kProbe);
    plays.push_back(std::move(play));
  }
  expect_fitting(plays, run(plays));
}

}  // namespace
}  // namespace sluice::integration
