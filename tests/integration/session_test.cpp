// The client's side of HTTP: pipelining, limits, Expect, media types.

#include "integration/fixture.hpp"

#include <thread>

namespace sluice::integration {
namespace {

using Session = GatewayTest;

TEST_F(Session, F09PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  upstream_.set_script([](const ObservedRequest& request) { return Behaviour().json(chat_answer(request.model)); });
  start();
  constexpr int kRequests = 1'000;
  std::string all;
  for (int i = 0; i < kRequests; ++i) all += post_request(kChat, chat_body("any-" + std::to_string(i)));
  RawClient raw = client();
  std::thread sender([&] { raw.send(all, 30s); });
  for (int i = 0; i < kRequests; ++i) {
    const Response response = raw.read_response();
    const bool in_order = response.body == chat_answer("any-" + std::to_string(i));
    EXPECT_TRUE(in_order) << i;
    if (!in_order) break;
  }
  sender.join();
  EXPECT_EQ(upstream_.connections().size(), 1U) << "more than one request was under way";
}

TEST_F(Session, F09BytesBehindAStreamAreNoAbort) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on_model("any-s").stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  upstream_.on_model("any-2").json(chat_answer("second"));
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body("any-s")));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  raw.send(post_request(kChat, chat_body("any-2")));
  gate->open();
  EXPECT_TRUE(raw.finish().complete);
  EXPECT_EQ(raw.read_response().body, chat_answer("second"));
}

TEST_F(Session, KeepsTheConnectionAndClosesItWhenAsked) {
  upstream_.on(kChat).json(chat_answer());
  start();
  RawClient raw = client();
  for (int i = 0; i < 3; ++i) {
    raw.send(post_request(kChat, chat_body()));
    EXPECT_EQ(raw.read_response().status, 200);
  }
  raw.send(post_request(kChat, chat_body(), "connection: close\r\n"));
  const Response last = raw.read_response();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_EQ(raw.wait_end(2s), End::kFin);
}

TEST_F(Session, ARequestInTinyPacketsIsOneRequest) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::string request = post_request(kChat, chat_body());
  RawClient raw = client();
  for (std::size_t i = 1; i < request.size(); ++i) {
    raw.send_split(request, {i});
    ASSERT_EQ(raw.read_response().status, 200) << "split at " << i;
  }
  std::vector<std::size_t> everywhere;
  for (std::size_t i = 1; i < request.size(); ++i) everywhere.push_back(i);
  raw.send_split(request, everywhere);
  EXPECT_EQ(raw.read_response().status, 200);
}

TEST_F(Session, F10ExpectContinueIsAnsweredOnceTheBodyIsWanted) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::string request = post_request(kChat, chat_body(), "expect: 100-continue\r\n");
  const auto head_end = request.find("\r\n\r\n") + 4;
  RawClient raw = client();
  raw.send(request.substr(0, head_end));
  ASSERT_TRUE(eventually([&] { return !raw.stays_silent(10ms); }));
  EXPECT_TRUE(raw.unread().starts_with("HTTP/1.1 100")) << raw.unread();
  raw.send(request.substr(head_end));
  const Response response = raw.read_response();
  EXPECT_EQ(response.interim, std::vector<int>{100});
  EXPECT_EQ(response.status, 200);
}

TEST_F(Session, F10RefusalsComeWithoutContinue) {
  start({.limits = "body_bytes: 1MiB"});
  const std::string expect = "expect: 100-continue\r\n";
  const std::vector<std::pair<std::string, int>> cases = {
      {"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2000000\r\n",
       413},
      {"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n", 415},
      {"POST /v1/nothing HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 5\r\n", 404},
  };
  for (const auto& [head, status] : cases) {
    const Response response = fetch(gateway().port(), head + expect + "\r\n");
    EXPECT_EQ(response.status, status);
    EXPECT_TRUE(response.interim.empty());
  }
}

TEST_F(Session, F10UnknownExpectationsFail) {
  start();
  const Response response = fetch(gateway().port(), post_request(kChat, chat_body(), "expect: 200-ok\r\n"));
  EXPECT_TRUE(is_error(response, 417, "expectation_failed"));
  EXPECT_EQ(upstream_.bytes_in(), 0U);
}

TEST_F(Session, F11BodiesOverTheLimitAreRefusedUnread) {
  upstream_.on(kChat).json(chat_answer());
  start({.limits = "body_bytes: 64KiB"});
  const std::string frame = chat_body("m", "\"x\":\"\"");
  const std::string fits = chat_body("m", "\"x\":\"" + std::string(65'536 - frame.size(), 'y') + "\"");
  ASSERT_EQ(fits.size(), 65'536U);
  EXPECT_EQ(ask(fits).status, 200);
  const std::size_t before = upstream_.bytes_in();
  EXPECT_TRUE(is_error(ask(fits + " "), 413, "request_too_large"));
  const std::string head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
  const Response huge = fetch(gateway().port(), head + "content-length: 999999999999\r\n\r\n");
  EXPECT_TRUE(is_error(huge, 413, "request_too_large"));
  EXPECT_EQ(huge.header("connection"), "close");
  const Response chunked =
      fetch(gateway().port(), head + "transfer-encoding: chunked\r\n\r\n11000\r\n" + std::string(0x11000, ' '));
  EXPECT_TRUE(is_error(chunked, 413, "request_too_large"));
  EXPECT_EQ(upstream_.bytes_in(), before);
}

TEST_F(Session, F11LongTargetsAndHeadsAreRefused) {
  start({.limits = "uri_bytes: 1KiB, header_bytes: 8KiB, header_fields: 20"});
  const std::string path = "/v1/models?";
  EXPECT_EQ(get(path + std::string(1024 - path.size(), 'a')).status, 200);
  EXPECT_TRUE(is_error(get(path + std::string(1025 - path.size(), 'a')), 414, "uri_too_long"));
  EXPECT_EQ(get("/v1/models", "x: " + std::string(7'000, 'a') + "\r\n").status, 200);
  EXPECT_TRUE(is_error(get("/v1/models", "x: " + std::string(8'192, 'a') + "\r\n"), 431, "headers_too_large"));
  std::string fields;
  for (int i = 0; i < 18; ++i) fields += "x-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(get("/v1/models", fields).status, 200) << "twenty with the host and the credential";
  EXPECT_TRUE(is_error(get("/v1/models", fields + "y: 1\r\n"), 431, "headers_too_large"));
}

TEST_F(Session, F12EncodedAndForeignBodiesAreRefused) {
  start();
  EXPECT_TRUE(is_error(ask(chat_body(), "content-encoding: gzip\r\n"), 415, "unsupported_content_encoding"));
  const auto typed = [&](const std::string& type) {
    return fetch(gateway().port(), "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n" +
                                       (type.empty() ? "" : "content-type: " + type + "\r\n") + "\r\n{}");
  };
  EXPECT_TRUE(is_error(typed("text/plain"), 415, "unsupported_content_type"));
  EXPECT_TRUE(is_error(typed("multipart/form-data; boundary=x"), 415, "unsupported_content_type"));
  EXPECT_EQ(typed("application/json; charset=utf-8").status, 400) << "only the model is missing";
}

// Between requests that lie further apart a connection gives its buffers back.
TEST_F(Session, AConnectionThatHasRestedServesOn) {
  upstream_.on(kChat).json(chat_answer());
  start();
  RawClient raw = client();
  const std::string small = post_request(kChat, chat_body());
  const std::string large = post_request(kChat, chat_body("m", "\"x\":\"" + std::string(100'000, 'y') + "\""));
  for (const std::string& request : {small, small + small, large, large.substr(0, 3'000)}) {
    EXPECT_TRUE(raw.stays_silent(300ms));
    raw.send_split(request, {1, 100});
    if (request.size() == 3'000) break;
    EXPECT_EQ(raw.read_response().status, 200);
    if (request == small + small) EXPECT_EQ(raw.read_response().status, 200);
  }
  raw.send(large.substr(3'000));
  EXPECT_EQ(raw.read_response().status, 200);
}

TEST_F(Session, ARestingConnectionNoticesTheClientsEnd) {
  start();
  std::vector<RawClient> idle;
  for (int i = 0; i < 2; ++i) {
    idle.push_back(client());
    idle.back().send(get_request("/v1/models"));
    EXPECT_EQ(idle.back().read_response().status, 200);
  }
  EXPECT_TRUE(idle[0].stays_silent(300ms));
  idle[0].reset();
  idle[1].close();
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_client_connections") == 0; }));
}

TEST_F(Session, IdleConnectionsAreClosed) {
  start({.limits = "keepalive_timeout: 300ms"});
  RawClient raw = client();
  raw.send(get_request("/v1/models"));
  EXPECT_EQ(raw.read_response().status, 200);
  EXPECT_EQ(raw.wait_end(3s), End::kFin);
  EXPECT_TRUE(raw.unread().empty()) << "silently, without a 408";
}

TEST_F(Session, F13ChunkOverheadIsBounded) {
  start();
  const std::string head =
      "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
      "transfer-encoding: chunked\r\n\r\n";
  std::string tiny;
  for (int i = 0; i < 100'000; ++i) tiny += "1\r\n \r\n";
  EXPECT_EQ(fetch(gateway().port(), head + tiny + "0\r\n\r\n").status, 400);
  EXPECT_EQ(fetch(gateway().port(), head + "1;" + std::string(10'000, 'e') + "\r\n \r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(fetch(gateway().port(), head + "1\r\n \r\n0\r\nx: " + std::string(10'000, 'e') + "\r\n\r\n").status, 400);
  EXPECT_EQ(upstream_.bytes_in(), 0U);
}

TEST_F(Session, F23UpgradesAreServedAsPlainHttp) {
  start();
  const Response response = get("/v1/models", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.head.count("upgrade"), 0U);
}

TEST_F(Session, F17HostileNamesStayInsideTheirJson) {
  upstream_.on_any().json(chat_answer());
  start({.models = R"("*": "up/*")"});
  for (const std::string model : {"a\\r\\nx-evil: 1", "\\u001b[31m", "%s%n", "a\\\"b", "</script>", "${jndi:x}"}) {
    const Response response = ask(R"({"model":")" + model + R"(","messages":[{"role":"user","content":"x"}]})");
    EXPECT_EQ(response.head.count("x-evil"), 0U);
  }
  for (const json& line : gateway().trace(6)) EXPECT_TRUE(line.is_object());
}

}  // namespace
}  // namespace sluice::integration
