#include <algorithm>

#include "sluice/sse/decoder.hpp"

namespace sluice::sse {

void append_event(std::string& out, std::string_view type, std::string_view data) {
  if (!type.empty()) {
    out += "event: ";
    out += type.substr(0, type.find_first_of("\r\n"));
    out += '\n';
  }
  while (true) {
    // A carriage return would end the line for a decoder just as a line feed does.
    const std::size_t stop = std::min(data.find_first_of("\r\n"), data.size());
    out += "data: ";
    out += data.substr(0, stop);
    out += '\n';
    if (stop == data.size()) break;
    data.remove_prefix(data.substr(stop).starts_with("\r\n") ? stop + 2 : stop + 1);
  }
  out += '\n';
}

}  // namespace sluice::sse
