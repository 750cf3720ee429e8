#pragma once
#include "sluice/pipeline/exchange.hpp"

namespace sluice::pipeline {

// For as long as it lives, another sink stands before an exchange's own, which comes back then.
class InFront {
 public:
  InFront(Exchange& exchange, http::ResponseSink& sink) : exchange_(exchange), own_(exchange.sink) {
    exchange.sink = &sink;
  }
  ~InFront() { exchange_.sink = own_; }
  InFront(const InFront&) = delete;
  InFront& operator=(const InFront&) = delete;

 private:
  Exchange& exchange_;
  http::ResponseSink* own_;
};

}  // namespace sluice::pipeline
