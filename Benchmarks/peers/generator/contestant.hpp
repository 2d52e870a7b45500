// Reading back what a contestant holds.
#pragma once

#include "channel.hpp"
#include "expected.hpp"

namespace peers {

/// Every member's balances, read one by one over the contestant's own protocol.
Balances readBalances(const Endpoint& endpoint, u32 members);

/// The first hundred of the board.
std::vector<Place> readTop(const Endpoint& endpoint);

}  // namespace peers
