#pragma once
// An answer that is already here, given out like one that arrives.

#include <string>
#include <vector>

#include "sluice/http/client.hpp"

namespace sluice::provider {

class StaticStream final : public http::ResponseStream {
 public:
  // One read per piece, `delay` apart.
  StaticStream(std::string_view content_type, std::vector<std::string> pieces, milliseconds delay);

  const http::ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read_some(TimePoint due) override;

 private:
  void finish_in_background(std::unique_ptr<http::ResponseStream>) override {}

  http::ResponseHead head_;
  std::vector<std::string> pieces_;
  milliseconds delay_;
  std::size_t next_ = 0;
};

}  // namespace sluice::provider
