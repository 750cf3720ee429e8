#pragma once
// One kept-alive client connection of the load driver: sends a request, reads the answer, again and again. It connects
// when first used and after the other side has closed it between two answers.

#include <cstddef>
#include <string>
#include <string_view>

#include "message_reader.hpp"
#include "net.hpp"

namespace sluice::bench {

class Call;

class CallOwner {
 public:
  virtual ~CallOwner() = default;
  // Bytes of the answer came in; reader().state() says whether it is complete. The owner may start the next request.
  virtual void on_progress(Call& call) = 0;
  // The connection ended inside an answer, or the answer is no HTTP.
  virtual void on_broken(Call& call, std::string_view why) = 0;
};

class Call : public Handler {
 public:
  Call(Loop& loop, CallOwner& owner, std::uint16_t port) : loop_(loop), owner_(owner), port_(port) {}
  // `request` stays alive until the answer is complete.
  void start(std::string_view request);
  void disconnect();  // with a FIN, as a client that goes away does
  bool busy() const { return busy_; }
  Time started() const { return started_; }  // just before the request was written
  MessageReader& reader() { return reader_; }

  void on_ready(std::uint32_t events) override;

 private:
  void send_rest();
  void receive();
  void give_up(std::string_view why);

  Loop& loop_;
  CallOwner& owner_;
  std::uint16_t port_;
  Fd fd_;
  MessageReader reader_;
  std::string_view unsent_;
  bool busy_ = false;
  bool waits_to_write_ = false;
  Time started_;
};

}  // namespace sluice::bench
