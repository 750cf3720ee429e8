#pragma once
// One client's key: an item of `keys`, or a line of `keys.file`.

#include "config/reader.hpp"
#include "sluice/config/config.hpp"

namespace sluice::config {

struct KeyPlaces {  // where the two stand that no other key may have
  Position name;
  Position id;
};

KeyPlaces read_key(const Value& row, Key& key);

}  // namespace sluice::config
