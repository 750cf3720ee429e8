#pragma once
// Keys of clients, as `sluice key new` makes them, but the same on every run.

#include <string>
#include <string_view>

namespace sluice::support {

struct ClientKey {
  std::string text;  // what the client sends
  std::string hash;  // what stands in the configuration

  std::string bearer() const { return "authorization: Bearer " + text + "\r\n"; }
  // An item of `keys`: {name: …, hash: …, more}
  std::string row(std::string_view name, std::string_view more = "") const;
};
// Different for each number.
ClientKey client_key(unsigned number);

}  // namespace sluice::support
