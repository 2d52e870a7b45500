// The scoring job: who acts when and with which value, as a pure function of a seed, a connection and a position.
//
// The draws are those of `guerdon bench`, with one difference: every connection has a stream of its own, and an action
// is sent again only on the connection that sent it first. So all contestants get the same actions and the order of
// what depends on order is fixed, however the connections interleave.
#pragma once

#include <algorithm>
#include <cstdint>

namespace peers {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

struct Action {
    u64 number;  // makes the external id
    u32 performer;
    u32 cents;
    bool isResent;
};

/// A well mixed function of a number (the finisher of SplitMix64).
inline u64 mixed(u64 value, u64 seed) {
    u64 mix = value * 0x9E37'79B9'7F4A'7C15 + seed * 0xD1B5'4A32'D192'ED03 + 0x2545'F491'4F6C'DD1D;
    mix = (mix ^ (mix >> 30)) * 0xBF58'476D'1CE4'E5B9;
    mix = (mix ^ (mix >> 27)) * 0x94D0'49BB'1331'11EB;
    return mix ^ (mix >> 31);
}

/// A draw of 32 bits as a number below a bound.
inline u64 scaled(u64 draw, u64 bound) { return (draw * bound) >> 32; }

/// What one connection sends.
class Stream {
public:
    Stream(u64 seed, u64 members, u32 connection, u32 connections, u64 actions)
        : seed_(seed), members_(members), connection_(connection), connections_(connections),
          end_(actions / connections + (connection < actions % connections)) {}

    bool isAtEnd() const { return position_ == end_; }

    Action next() {
        u64 at = position_++;
        bool resent = false;
        while (true) {
            const u64 draw = mixed((at * connections_ + connection_) * 2 + 1, seed_);
            if ((draw & 0xFFFF'FFFF) >= resendThreshold || at == 0) break;
            // The one that is sent again may itself have been sent again: then it is the one before that.
            at -= 1 + scaled(draw >> 32, std::min(at, resendDistanceMax / connections_));
            resent = true;
        }
        const u64 number = at * connections_ + connection_;
        const u64 who = mixed(number * 2, seed_);
        const u64 what = mixed(who, seed_);
        const u64 one = scaled(who & 0xFFFF'FFFF, members_);
        const u64 other = scaled(who >> 32, members_);
        return {number, static_cast<u32>(std::min(one, other)),
                static_cast<u32>(1 + scaled(what & 0xFFFF'FFFF, 50'000)), resent};
    }

private:
    static constexpr u64 resendThreshold = 85'899'345;  // 2 % of 2³²
    static constexpr u64 resendDistanceMax = u64(1) << 20;

    u64 seed_, members_;
    u32 connection_, connections_;
    u64 position_ = 0;
    u64 end_;
};

/// The second of an action, since the first of the month: all occur in November 2026, 1,024 in a second.
inline u32 secondOf(const Action& action) { return static_cast<u32>((action.number >> 10) % (30 * 86'400)); }

inline constexpr u32 nobody = 0xFFFF'FFFF;
inline u32 referrerOf(u32 member) { return member == 0 ? nobody : (member - 1) / 5; }

/// A share of an amount in hundredths, half a hundredth rounded up.
inline u64 share(u64 cents, u64 percent) { return (cents * percent + 50) / 100; }
inline constexpr u64 uplinePercents[] = {5, 3, 1};

}  // namespace peers
