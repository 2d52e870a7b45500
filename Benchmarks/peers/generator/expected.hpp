// What the balances and the board must be, computed again from the actions, without any of the servers' code.
#pragma once

#include "job.hpp"

#include <string>
#include <vector>

namespace peers {

/// Actions that were sent and acknowledged: seed:connections:actions.
struct Phase {
    u64 seed;
    u32 connections;
    u64 actions;
};
std::vector<Phase> parsePhases(const std::string& text);

/// Everybody's balances, and who leads the month.
struct Balances {
    explicit Balances(u32 members) : points(members), cents(members) {}
    std::vector<u64> points;
    std::vector<u64> cents;  // commission, in hundredths

    u64 sumOfPoints() const;
    u64 sumOfCents() const;
    /// A hash of every member's balances.
    u64 hash() const;
};

Balances expectedBalances(u32 members, const std::vector<Phase>& phases);

/// One line of a board.
struct Place {
    u32 member;
    u64 score;
    u64 rank;  // 1, 2, 2, 4; 0 if the contestant does not tell
};

/// What is wrong with a contestant's first places; empty when nothing is. Among equal scores, who stands higher depends
/// on which connection was faster: there, any order and any choice at the end is right.
std::string complaintAboutTop(const std::vector<Place>& top, const Balances& expected, std::size_t count);

}  // namespace peers
