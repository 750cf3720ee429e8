// The scripted upstream as a program, for clients in other languages. Prints "http://127.0.0.1:PORT" and serves until
// its standard input ends or it is told to stop. See model_script.hpp for the models it knows.

#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>

#include "support/model_script.hpp"
#include "support/scripted_upstream.hpp"

namespace {

using namespace sluice::support;

const char* const kModels =
    R"({"object":"list","data":[{"id":"ok","object":"model","created":0,"owned_by":"scripted"}]})";

Gate& stop() {
  static Gate gate;
  return gate;
}
void on_signal(int) { stop().open(); }

// Until a signal, or the end of standard input unless `forever`.
void wait_for_end(bool forever) {
  for (std::array<char, 256> ignored;;) {
    const unsigned ready = wait_any({{stop().fd(), POLLIN}, {forever ? -1 : STDIN_FILENO, POLLIN}}, Clock::now() + 60s);
    if ((ready & 1U) != 0) return;
    if ((ready & 2U) != 0 && ::read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool forever = argc > 1 && std::string_view(argv[1]) == "--forever";
  stop();
  std::signal(SIGTERM, on_signal);
  std::signal(SIGINT, on_signal);
  ModelScript script;
  ScriptedUpstream upstream;
  upstream.set_script([&](const ObservedRequest& request) -> std::optional<Behaviour> {
    if (request.target == "/_observed") return Behaviour().json(observed_json(upstream));
    if (request.method == "GET") return Behaviour().json(kModels);
    return script(request);
  });
  std::cout << upstream.url("") << std::endl;
  wait_for_end(forever);
  return 0;
}
